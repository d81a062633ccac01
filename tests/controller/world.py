"""What the controller's tests start from: keys, manifests, and a controller on the fake."""

import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from sealkit.crypto.x1 import PrivateKey
from sealkit.keypair import KeyPair, KeyState
from sealkit.manifests.scope import Scope
from sealkit.manifests.secret import Secret
from sealkit.sealing import seal
from sealkit.sensitive import Sensitive
from sealkit_controller import logs
from sealkit_controller.app import Controller
from sealkit_controller.cluster import Cluster
from sealkit_controller.keyring import KeyRing
from sealkit_controller.objects import JsonObject, ObjectKey, child, children, text
from sealkit_controller.settings import Settings

NAMESPACE = "sealkit-system"
NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
DB = ObjectKey("shop", "db")

# Making a key costs a few milliseconds; tests share these.
KEY = PrivateKey(Sensitive(bytes(range(32))))
OTHER_KEY = PrivateKey(Sensitive(bytes(range(32, 64))))


def pair(key: PrivateKey = KEY, state: KeyState = KeyState.ACTIVE, day: int = 1) -> KeyPair:
    return KeyPair(key, state, datetime(2026, 1, day, tzinfo=UTC))


def ring(*pairs: KeyPair) -> KeyRing:
    return KeyRing({entry.key.kid: entry for entry in pairs or (pair(),)})


def key_secret(entry: KeyPair, name: str = "sealkit-key-1") -> JsonObject:
    return entry.to_secret(name, NAMESPACE)


def sealed(
    data: Mapping[str, bytes] | None = None,
    key: ObjectKey = DB,
    *,
    to: PrivateKey | Sequence[PrivateKey] = KEY,
    secret: Mapping[str, object] | None = None,
    spec: Mapping[str, object] | None = None,
) -> JsonObject:
    """Return a manifest. `secret` are fields of the Secret, `spec` further fields of the spec."""
    values = {"password": b"hunter2"} if data is None else data
    plain = Secret(
        name=key.name,
        namespace=key.namespace,
        data={name: Sensitive(value) for name, value in values.items()},
        **(secret or {}),  # type: ignore[arg-type]  # checked by what the tests see
    )
    keys = [to] if isinstance(to, PrivateKey) else to
    raw = seal(plain, [one.public for one in keys], Scope.STRICT, os.urandom).to_dict()
    return raw | {"spec": {**child(raw, "spec"), **(spec or {})}}


def condition(raw: Mapping[str, object] | None, kind: str = "Ready") -> tuple[str, str]:
    """Return status and reason of a condition, empty if it is not there."""
    for entry in children(child(raw or {}, "status"), "conditions"):
        if entry.get("type") == kind:
            return text(entry, "status"), text(entry, "reason")
    return "", ""


@contextmanager
def running(cluster: Cluster, settings: Settings | None = None) -> Iterator[Controller]:
    """Run a controller until the end of the block, on free ports, with logs that are checked."""
    stream = io.StringIO()
    settings = settings or Settings(workers=4, key_renewal_days=0)  # KEY is an old one
    free = Settings(
        **{
            **vars(settings),
            "probe_port": 0,
            "public_port": 0,
            "bind_address": "127.0.0.1",
        }
    )
    controller = Controller(free, cluster, log=logs.logger(stream, "debug"))
    with controller:
        assert controller.wait_until_ready(20), stream.getvalue()
        yield controller
    for line in stream.getvalue().splitlines():
        assert json.loads(line)["msg"] != "Reconciler error", line
