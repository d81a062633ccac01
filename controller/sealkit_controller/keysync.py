"""Key Secrets and the key ring: made, kept in step, published.

A key is served or published only after the API server has it: what writers may seal to must
survive the loss of this process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from sealkit.crypto.recipient import Recipient
from sealkit.crypto.x1 import PrivateKey
from sealkit.keypair import KeyPair, KeyState
from sealkit_controller.cluster import ApiError, Cluster, PatchKind, Target
from sealkit_controller.keyring import PUBLIC_KEYS_NAME, KeyRing, next_key_name
from sealkit_controller.objects import CONFIG_MAPS, SECRETS, JsonObject, Metadata, child, strings

_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


class KeptKey(Protocol):
    """A key Secret in a view."""

    @property
    def metadata(self) -> Metadata:
        """Its metadata."""

    @property
    def body(self) -> bytes:
        """The Secret as JSON."""


class KeyView(Protocol):
    """What is needed of a cached view of the key Secrets; see `cache.Store`."""

    def entries(self) -> Sequence[KeptKey]:
        """Return every key Secret."""

    def written(self, before: str, raw: JsonObject) -> object:
        """Note the outcome of our own write of version `before` ("" = it was not there)."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where new keys come from: a cryptographic random source and a clock that knows the date.

    When the newest active key is as old as `renewal` a new one is made; never for None.
    """

    random: Callable[[int], bytes]
    now: Callable[[], datetime]
    renewal: timedelta | None = None


class KeySync:
    """Holds the current key ring. `sync` is called by one thread, `ring` read by all."""

    def __init__(
        self, cluster: Cluster, view: KeyView, namespace: str, cluster_name: str, source: Source
    ) -> None:
        self._cluster = cluster
        self._view = view
        self._namespace = namespace
        self._cluster_name = cluster_name
        self._source = source
        self._ring = KeyRing()

    @property
    def ring(self) -> KeyRing:
        """The key ring as of the last `sync`."""
        return self._ring

    @property
    def recipient(self) -> Recipient | None:
        """What writers seal to, None until there is a key that may be served."""
        return self._ring.recipient(self._cluster_name)

    def sync(self) -> None:
        """Read the key Secrets, publish the active ones, make a new one when it is time.

        Raises:
            ApiError: a write failed. The ring is in step even so; call again.
        """
        self._ring = KeyRing.of(self._secrets())
        self._publish()  # first what there is: a new key may be refused
        if self._ring.is_due(self._source.now(), self._source.renewal):
            self._create()
            self._ring = KeyRing.of(self._secrets())
            self._publish()

    def _secrets(self) -> Mapping[str, Mapping[str, object]]:
        return {
            entry.metadata.key.name: json.loads(entry.body)
            for entry in self._view.entries()
            if not entry.metadata.deleting
        }

    def _create(self) -> None:
        """Create a key pair under a name that another controller would choose as well."""
        pair = KeyPair(
            PrivateKey.generate(self._source.random), KeyState.ACTIVE, self._source.now()
        )
        body = pair.to_secret(next_key_name(self._secrets()), self._namespace)
        try:
            raw = self._cluster.create(SECRETS, self._namespace, body)
        except ApiError as error:
            if error.status == _CONFLICT:
                return  # somebody else was first; the watch will bring that key
            raise
        self._view.written("", {**body, "metadata": child(raw, "metadata")})

    def _publish(self) -> None:
        data = self._ring.published(self._cluster_name)
        if not data:
            return
        target = Target(CONFIG_MAPS, self._namespace, PUBLIC_KEYS_NAME)
        if self._published(target) != data:
            body: JsonObject = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": PUBLIC_KEYS_NAME, "namespace": self._namespace},
                "data": data,
            }
            self._cluster.patch(target, body, PatchKind.APPLY)

    def _published(self, target: Target) -> dict[str, str]:
        try:
            return strings(self._cluster.get(target), "data")
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return {}
            raise
