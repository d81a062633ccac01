"""A cluster's key pair as the Secret that stores it in the controller's namespace.

Pure. The controller writes and reads these; `sealkit unseal --key` reads them at the desk.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from sealkit import fields
from sealkit.crypto import x1
from sealkit.errors import ConfigError
from sealkit.manifests.secret import Secret
from sealkit.sensitive import Sensitive

TYPE: Final = "sealkit.dev/key"
LABEL: Final = "sealkit.dev/key"
KID_LABEL: Final = "sealkit.dev/kid"  # for people who look for a key; what counts is in the data


class KeyState(StrEnum):
    """What a key pair is still good for. Every state opens; only an active key seals."""

    ACTIVE = "active"
    RETIRED = "retired"
    COMPROMISED = "compromised"


@dataclass(frozen=True)
class KeyPair:
    """A private key with its life cycle. `not_before` orders keys: the newest active one seals."""

    key: x1.PrivateKey
    state: KeyState
    not_before: datetime

    @classmethod
    def from_secret(cls, raw: Mapping[str, object]) -> KeyPair:
        """Read the Secret that stores a key pair.

        Raises:
            ConfigError: another type, suite or label, a damaged seed, or an id in it that is not
                the id of the key: a mixed-up backup must not be trusted.
            ManifestError: it is not even a valid Secret.
        """
        secret = Secret.from_dict({name: raw[name] for name in raw if name in _SECRET_FIELDS})
        if secret.type != TYPE:
            raise ConfigError(f"is not a key, expected type {TYPE}", field="type")
        if _value(secret, "suite") != x1.NAME:
            raise ConfigError(
                f"is not a suite this version knows, expected {x1.NAME}", field="data.suite"
            )
        key = x1.PrivateKey(secret.data.get("seed", Sensitive(b"")))
        if _value(secret, "kid") != key.kid:
            raise ConfigError("is not the id of the key stored with it", field="data.kid")
        return cls(key, _state(secret), _instant(_value(secret, "notBefore")))

    def to_secret(self, name: str, namespace: str) -> dict[str, object]:
        """Return the immutable Secret that stores this key pair. It holds the private key."""
        data = {
            "kid": self.key.kid.encode(),
            "notBefore": self.not_before.astimezone(UTC).isoformat(timespec="seconds").encode(),
            "seed": self.key.seed.reveal(),
            "suite": x1.NAME.encode(),
        }
        return Secret(
            name=name,
            namespace=namespace,
            data={field: Sensitive(value) for field, value in data.items()},
            type=TYPE,
            immutable=True,
            labels={LABEL: self.state.value, KID_LABEL: self.key.kid},
        ).to_dict()


_SECRET_FIELDS: Final = ("apiVersion", "kind", "metadata", "type", "immutable", "data")


def _value(secret: Secret, field: str) -> str:
    with suppress(KeyError, UnicodeDecodeError):
        return secret.data[field].reveal().decode("ascii")
    # Raised out here because the codec's own error, its context in there, carries the bytes.
    raise ConfigError("is missing or damaged", field=f"data.{field}")


def _state(secret: Secret) -> KeyState:
    try:
        return KeyState(fields.text(secret.labels.get(LABEL, ""), f"metadata.labels.{LABEL}"))
    except ValueError:
        known = ", ".join(state.value for state in KeyState)
        raise ConfigError(f"is not one of {known}", field=f"metadata.labels.{LABEL}") from None


def _instant(text: str) -> datetime:
    with suppress(ValueError, OverflowError):
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:  # without a zone it would be local time, wherever that is
            return instant.astimezone(UTC)
    raise ConfigError("is not a time with a zone (RFC 3339)", field="data.notBefore")
