"""Keys at the desk: pinned recipients and private keys, in files.

A recipient counts only if its file holds the key that the config pins.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from sealkit.crypto.recipient import Recipient
from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.errors import ConfigError, ManifestError
from sealkit.files import AnyPath, read_bytes
from sealkit.manifests.documents import iter_resources, read_documents
from sealkit.manifests.emit import emit_yaml
from sealkit.sensitive import Sensitive

if TYPE_CHECKING:
    from sealkit.keypair import KeyPair

_RECIPIENT: Final = b"-----BEGIN SEALKIT RECIPIENT-----"


def load_recipient(path: AnyPath) -> Recipient:
    """Read a recipient file.

    Raises:
        ConfigError: it is not one.
        SealkitError: it cannot be read.
    """
    return parse_recipient(read_bytes(path), os.fspath(path))


def parse_recipient(raw: bytes, source: str) -> Recipient:
    """Parse the text of a recipient file; `source` is named in errors.

    Raises:
        ConfigError: it is not one.
    """
    try:
        return Recipient.parse(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise ConfigError("is not a recipient file").located(file=source) from None
    except ConfigError as error:
        error.located(file=source)
        raise


class Standing(StrEnum):
    """What a pinned cluster is good for today."""

    USABLE = "usable"
    EXPIRED = "expired"
    MISMATCHED = "mismatched"


def standing(recipient: Recipient, kid: str, not_after: date | None, today: date) -> Standing:
    """Judge a recipient file by the key id and the last day that the configuration allows."""
    if recipient.key.kid != kid:
        return Standing.MISMATCHED
    last = last_day(recipient, not_after)
    return Standing.EXPIRED if last and today > last else Standing.USABLE


def last_day(recipient: Recipient, not_after: date | None) -> date | None:
    """Return the last day to seal for a key: the earlier of the file's and the configuration's."""
    return min((day for day in (not_after, recipient.not_after) if day), default=None)


def pinned_recipient(path: AnyPath, kid: str, not_after: date | None, today: date) -> Recipient:
    """Return the recipient in a file if it holds the pinned key and may be sealed for today.

    Raises:
        ConfigError: the file holds another key than `kid`, or is expired.
        SealkitError: it cannot be read.
    """
    recipient = load_recipient(path)
    state = standing(recipient, kid, not_after, today)
    if state is Standing.MISMATCHED:
        problem = f"holds key {recipient.key.kid}, but the configuration pins {kid}"
        hint = "if the key was renewed: sealkit clusters add NAME … --replace"
        raise ConfigError(problem, hint=hint).located(file=os.fspath(path))
    if state is Standing.EXPIRED:
        problem = f"the key expired on {last_day(recipient, not_after)}"
        hint = "fetch the current one: sealkit clusters add NAME … --replace"
        raise ConfigError(problem, hint=hint).located(file=os.fspath(path))
    return recipient


def unpinned_recipient(path: AnyPath, today: date) -> Recipient:
    """Return the recipient in a file that no configuration speaks of. Raises as the pinned one."""
    recipient = load_recipient(path)
    return pinned_recipient(path, recipient.key.kid, None, today)


class StoredKey(NamedTuple):
    """A key pair with the name of the Secret that holds it."""

    name: str
    pair: KeyPair

    @classmethod
    def of(cls, secret: Mapping[str, object]) -> StoredKey:
        """Read a key Secret.

        Raises:
            ConfigError, ManifestError: see `KeyPair.from_secret`.
        """
        from sealkit.keypair import KeyPair  # noqa: PLC0415 (rare: cold start)

        pair = KeyPair.from_secret(secret)
        metadata = secret["metadata"]
        assert isinstance(metadata, dict)  # noqa: S101  (it is a Secret)
        return cls(str(metadata["name"]), pair)


def parse_private_keys(raw: bytes, source: str) -> Mapping[Kid, PrivateKey]:
    """Read private keys as `parse_stored_keys` does, by their ids. Raises as it does."""
    return {stored.pair.key.kid: stored.pair.key for stored in parse_stored_keys(raw, source)}


def parse_stored_keys(raw: bytes, source: str) -> list[StoredKey]:
    """Read the controller's key Secrets as `kubectl get -o yaml` prints them, in any number.

    Objects of other kinds and Secrets of other types are passed over. `source` is named in errors.

    Raises:
        ConfigError: there is no key, or a damaged one.
        ManifestError: it is not YAML or JSON that is safe to read.
    """
    from sealkit.agefile import is_age  # noqa: PLC0415 (rare: cold start)

    hint = "kubectl get secret -n sealkit-system -l sealkit.dev/key -o yaml"
    if raw.startswith(_RECIPIENT):
        what = "is a public key, a private one is needed"
        raise ConfigError(what, hint=hint).located(file=source)
    if is_age(raw):
        what = "is encrypted with age"
        decrypt = f"age -d {source} | sealkit … --key -"
        raise ConfigError(what, hint=decrypt).located(file=source)
    keys = list(_stored_keys(raw, source))
    if not keys:
        raise ConfigError("holds no key of sealkit", hint=hint).located(file=source)
    return keys


def _stored_keys(raw: bytes, source: str) -> Iterator[StoredKey]:
    from sealkit.keypair import TYPE  # noqa: PLC0415 (rare: cold start)

    for document in read_documents(raw, file=source):
        for resource in iter_resources(document):
            secret = resource.to_dict()
            if (secret.get("kind"), secret.get("type")) != ("Secret", TYPE):
                continue
            try:
                yield StoredKey.of(secret)
            except (ConfigError, ManifestError) as error:
                error.field = ".".join(part for part in (resource.field, error.field) if part)
                error.located(file=source, document=document.number)
                raise


def text_of_keys(keys: Iterable[StoredKey], namespace: str) -> Sensitive:
    """Return key Secrets as one List in YAML, for `kubectl create` and `parse_stored_keys`."""
    items = [stored.pair.to_secret(stored.name, namespace) for stored in keys]
    return Sensitive(emit_yaml({"apiVersion": "v1", "kind": "List", "items": items}).encode())
