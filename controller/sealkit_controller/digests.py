"""Keyed digests of what Secrets hold: they tell that something changed, and nothing else.

The key is a Secret of the controller, made when it is first needed. A digest without a key would
let everybody who may read a status try passwords against it.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Mapping
from typing import Final

from sealkit.encoding import from_base64, to_base64
from sealkit.errors import ManifestError
from sealkit.sensitive import Sensitive
from sealkit_controller.cluster import ApiError, Cluster, Target
from sealkit_controller.objects import SECRETS, JsonObject, child, text

NAME: Final = "sealkit-digest-key"
_FIELD: Final = "key"
_KEY_BYTES: Final = 32
_SALT_BYTES: Final = 16
_MAC_DIGITS: Final = 32
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


class Digests:
    """Makes digests with one key; for any number of threads. `random` must be cryptographic."""

    def __init__(self, cluster: Cluster, namespace: str, random: Callable[[int], bytes]) -> None:
        self._cluster = cluster
        self._at = Target(SECRETS, namespace, NAME)
        self._random = random
        self._lock = threading.Lock()
        self._key: Sensitive | None = None

    def mac(self, uid: str, secret_type: str, data: Mapping[str, Sensitive]) -> str:
        """Return the digest of what a Secret holds: 32 hex digits, others for each manifest.

        Raises:
            ApiError: the key can neither be read nor made.
        """
        parts = [b"mac", uid.encode(), secret_type.encode()]
        for key in sorted(data):
            parts += [key.encode(), data[key].reveal()]
        return self._digest(parts).hex()[:_MAC_DIGITS]

    def salt(self, uid: str) -> Callable[[bytes], bytes]:
        """Return the salt of one manifest; see `sealkit.assembly.Salt`. May raise ApiError."""
        return lambda context: self._digest([b"salt", uid.encode(), context])[:_SALT_BYTES]

    def _digest(self, parts: list[bytes]) -> bytes:
        # Each part with its length in front, so that no two lists make the same bytes.
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(self._loaded().reveal(), message, "sha256")

    def _loaded(self) -> Sensitive:
        with self._lock:
            if self._key is None:
                self._key = self._read() or self._made()
            return self._key

    def _read(self) -> Sensitive | None:
        try:
            found = self._cluster.get(self._at)
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        try:
            return Sensitive(from_base64(text(child(found, "data"), _FIELD), _FIELD))
        except ManifestError:
            raise ApiError(0, "DamagedKey", doing=f"read {self._at}") from None

    def _made(self) -> Sensitive:
        key = self._random(_KEY_BYTES)
        body: JsonObject = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": NAME, "namespace": self._at.namespace},
            "type": "Opaque",
            "immutable": True,
            "data": {_FIELD: to_base64(key)},
        }
        try:
            self._cluster.create(SECRETS, self._at.namespace, body)
        except ApiError as error:
            if error.status != _CONFLICT:
                raise
            found = self._read()  # another shard was first
            if found is None:
                raise
            return found
        return Sensitive(key)
