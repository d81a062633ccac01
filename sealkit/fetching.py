"""Public keys fetched from a cluster or an address.

A fetched key is shown with its whole id, and never replaces a pinned one silently.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sealkit.cluster import ALL_KEYS, CURRENT, PUBLIC_KEYS, Place, public_keys
from sealkit.crypto.recipient import Recipient
from sealkit.errors import ConfigError, SealkitError
from sealkit.keystore import parse_recipient

_TIMEOUT_SECONDS: Final = 15


def fetch_from_context(place: Place, namespace: str) -> Recipient:
    """Return the key a cluster seals with now, from its `sealkit-public-keys` ConfigMap.

    Raises:
        SealkitError: see `cluster.public_keys`.
        ConfigError: what it published is not a recipient, or the kubeconfig is not usable.
    """
    text = public_keys(place, namespace).get(CURRENT, "")
    return parse_recipient(text.encode(), f"{namespace}/{PUBLIC_KEYS}")


class ListedKey(NamedTuple):
    """One key that a cluster has, as its controller lists it."""

    kid: str
    state: str
    since: str


def listed_keys(place: Place, namespace: str) -> list[ListedKey]:
    """Return every key a cluster has, the newest first: those out of use as well.

    Raises:
        SealkitError: see `cluster.public_keys`.
        ConfigError: the list is missing or damaged, or the kubeconfig is not usable.
    """
    rows = [line.split() for line in public_keys(place, namespace).get(ALL_KEYS, "").splitlines()]
    if not rows or any(len(row) != len(ListedKey._fields) for row in rows):
        where = f"{namespace}/{PUBLIC_KEYS}"
        raise ConfigError("is missing or damaged", field=f"data.{ALL_KEYS}").located(file=where)
    return [ListedKey(*row) for row in rows]


def fetch_from_url(url: str) -> Recipient:
    """Return the recipient served at an address, such as the controller's `/v1/recipient`.

    Raises:
        SealkitError: nothing answers there within 15 s, or not with 200.
        ConfigError: what it serves is not a recipient.
    """
    from http.client import HTTPException  # noqa: PLC0415 (rare: cold start)
    from urllib.error import HTTPError  # noqa: PLC0415 (same)
    from urllib.request import urlopen  # noqa: PLC0415 (same)

    try:
        with urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 (checked by the caller)
            raw: bytes = response.read(64 * 1024)
    except HTTPError as error:
        error.close()
        what = f"cannot be fetched (HTTP {error.code})"
        raise SealkitError(what).located(file=url) from None
    except (OSError, HTTPException, ValueError) as error:
        what = f"cannot be fetched ({type(error).__name__})"
        raise SealkitError(what).located(file=url) from error
    return parse_recipient(raw, url)
