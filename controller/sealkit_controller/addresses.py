"""Which addresses a namespace may send its credentials to.

The controller asks from inside the cluster's network, so whoever names an address makes it knock
there. An operator may list the addresses; without a list, those that no Vault is at are refused.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

_NEVER: Final = frozenset({"localhost", "metadata", "metadata.google.internal", "kubernetes"})
_API_SERVER: Final = "kubernetes.default"


def refusal(address: str, listed: Collection[str]) -> str:
    """Say why a VaultStore may not have an address, "" if it may.

    An entry of `listed` is `scheme://host[:port]`; a host may begin with `*.`, which stands for one
    or more labels.
    """
    if listed:
        is_listed = any(_fits(address, entry) for entry in listed)
        return "" if is_listed else "is not among those that the operator lists"
    place = urlsplit(address)
    if place.scheme != "https":
        return "is not https, which only the operator can allow, by listing it"
    host = (place.hostname or "").rstrip(".").lower()
    if host in _NEVER or host.endswith(".localhost") or _is_local(host):
        return "is local to the controller or its node"
    if f"{host}.".startswith(f"{_API_SERVER}."):
        return "is that of the API server"
    return ""


def _is_local(host: str) -> bool:
    with suppress(ValueError):
        address = ip_address(host)
        mapped = getattr(address, "ipv4_mapped", None) or address
        return bool(
            mapped.is_loopback
            or mapped.is_link_local
            or mapped.is_unspecified
            or mapped.is_multicast
        )
    # Other spellings of numbers, such as 2130706433 or 0x7f.1, are names to nobody but resolvers.
    return all(part.isdigit() or part.startswith("0x") for part in host.split("."))


def _fits(address: str, entry: str) -> bool:
    found, wanted = urlsplit(address), urlsplit(entry)
    if (found.scheme, found.port) != (wanted.scheme, wanted.port):
        return False
    host, pattern = (found.hostname or ""), (wanted.hostname or "")
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern
