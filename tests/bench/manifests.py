"""What the benchmarks put into a cluster: sealed manifests, many at once."""

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from sealkit.crypto.x1 import PublicKey
from sealkit.manifests.scope import Scope
from sealkit.manifests.secret import Secret
from sealkit.sealing import seal
from sealkit.sensitive import Sensitive
from sealkit_controller.cluster import Cluster
from sealkit_controller.objects import JsonObject, Metadata, Resource, child

VALUES = 5
VALUE_BYTES = 24
_THREADS = 4

MakeManifest = Callable[[str, str], JsonObject]
"""Makes a manifest of a name in a namespace."""


def sealed_to(key: PublicKey) -> MakeManifest:
    """Return what makes manifests of five values, sealed with one key."""

    def make(name: str, namespace: str) -> JsonObject:
        data = {f"value-{number}": Sensitive(os.urandom(VALUE_BYTES)) for number in range(VALUES)}
        secret = Secret(name=name, namespace=namespace, data=data)
        return seal(secret, [key], Scope.STRICT, os.urandom).to_dict()

    return make


def labelled(raw: JsonObject, labels: Mapping[str, str]) -> JsonObject:
    """Return an object with labels of its own."""
    return raw | {"metadata": {**child(raw, "metadata"), "labels": dict(labels)}}


def create_all(cluster: Cluster, resource: Resource, bodies: Iterable[JsonObject]) -> None:
    """Create objects from several threads."""

    def create(body: JsonObject) -> None:
        cluster.create(resource, Metadata.of(body).key.namespace, body)

    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(create, bodies):
            pass
