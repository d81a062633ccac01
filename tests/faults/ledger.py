"""What was sealed, written down by whoever sealed it: the truth that Secrets are held against."""

import base64
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from sealkit.keypair import KeyPair
from sealkit_controller.objects import JsonObject, child, strings, text

MARKER = b"canary"  # every value that is not empty starts with it


def _spellings(value: bytes) -> tuple[bytes, ...]:
    """Return the forms in which bytes would show: as they are, in hex, in base64 at any offset."""
    shifted = (base64.b64encode(bytes(skip) + value)[-(-skip * 4 // 3) :] for skip in range(3))
    # The last characters of base64 depend on what follows.
    ends = (text.rstrip(b"=")[:-1] for text in shifted)
    return (value, value.hex().encode(), *ends)


@dataclass(frozen=True)
class Plain:
    """The content of one version of a manifest, with values in base64."""

    data: Mapping[str, str]
    type: str
    immutable: bool

    def fills(self, secret: Mapping[str, object]) -> bool:
        """Tell whether a Secret is exactly this: nothing missing, nothing besides."""
        found = (strings(secret, "data"), text(secret, "type"), secret.get("immutable") is True)
        return found == (dict(self.data), self.type, self.immutable)


@dataclass
class Ledger:
    """Every version of every manifest that opens, by name and ciphertext; every key, by its id.

    Versions are noted in one thread, while the checker looks them up in others.
    """

    _plain: dict[tuple[str, str], Plain] = field(default_factory=dict)
    recreatable: set[str] = field(default_factory=set)
    kids: set[str] = field(default_factory=set)
    secrets: list[bytes] = field(default_factory=lambda: list(_spellings(MARKER)))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, name: str, manifest: JsonObject, plain: Plain) -> None:
        """Write down a version, before it is applied."""
        with self._lock:
            self._plain[name, _ciphertext(manifest)] = plain

    def look_up(self, name: str, manifest: Mapping[str, object]) -> Plain | None:
        """Return what a manifest holds, None if it must not open under this name."""
        return self._plain.get((name, _ciphertext(manifest)))

    def versions(self, name: str) -> list[Plain]:
        """Return the content of all versions that a name has had."""
        with self._lock:
            return [plain for (of, _), plain in self._plain.items() if of == name]

    def note_key(self, pair: KeyPair) -> None:
        """Write down a key that the API server has stored."""
        if str(pair.key.kid) not in self.kids:
            self.kids.add(str(pair.key.kid))
            self.secrets += _spellings(pair.key.seed.reveal())

    def leaks(self, said: bytes) -> bool:
        """Tell whether a text holds something that was decrypted, or a private key."""
        return any(form in said for form in self.secrets)


def _ciphertext(manifest: Mapping[str, object]) -> str:
    """Return what tells one version from another: sealing draws a new data key each time."""
    spec = child(manifest, "spec")
    content = {name: spec.get(name) for name in ("encryptedData", "envelopes", "scope")}
    return json.dumps(content, sort_keys=True)
