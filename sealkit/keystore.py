"""Keys at the desk: pinned recipients and private keys, in files.

A recipient counts only if its file holds the key that the config pins.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sealkit.crypto.recipient import Recipient
from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.errors import ConfigError, ManifestError
from sealkit.files import AnyPath, read_bytes
from sealkit.manifests.documents import iter_resources, read_documents

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


def parse_private_keys(raw: bytes, source: str) -> Mapping[Kid, PrivateKey]:
    """Read private keys: the controller's key Secrets as `kubectl get -o yaml` prints them.

    Objects of other kinds and Secrets of other types are passed over. `source` is named in errors.

    Raises:
        ConfigError: there is no key, or a damaged one.
        ManifestError: it is not YAML or JSON that is safe to read.
    """
    hint = "kubectl get secret -n sealkit-system -l sealkit.dev/key -o yaml"
    if raw.startswith(_RECIPIENT):
        what = "is a public key, a private one is needed"
        raise ConfigError(what, hint=hint).located(file=source)
    keys = {pair.key.kid: pair.key for pair in _key_pairs(raw, source)}
    if not keys:
        raise ConfigError("holds no key of sealkit", hint=hint).located(file=source)
    return keys


def _key_pairs(raw: bytes, source: str) -> Iterator[KeyPair]:
    from sealkit.keypair import TYPE, KeyPair  # noqa: PLC0415 (rare: cold start)

    for document in read_documents(raw, file=source):
        for resource in iter_resources(document):
            secret = resource.to_dict()
            if (secret.get("kind"), secret.get("type")) != ("Secret", TYPE):
                continue
            try:
                yield KeyPair.from_secret(secret)
            except (ConfigError, ManifestError) as error:
                error.field = ".".join(part for part in (resource.field, error.field) if part)
                error.located(file=source, document=document.number)
                raise
