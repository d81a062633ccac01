"""Credentials of container registries, as Docker keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sealkit.scanning import rules
from sealkit.scanning.decoding import text_in_base64
from sealkit.scanning.hit import Hits, View
from sealkit.scanning.judging import Verdict, judge
from sealkit.scanning.masking import MASK
from sealkit.scanning.tree import Map, Text

AUTHS: Final = "auths"

_FIELDS: Final = ("password", "identitytoken", "registrytoken")
_HINT: Final = "keep it out of Git: sealkit create NAME --docker … seals it"


def holds_credentials(node: Map) -> bool:
    """Tell whether a configuration of Docker, in its new or its old form, logs in anywhere."""
    return next(_logins(_registries(node)), None) is not None


def look_at_registries(node: Map, view: View) -> Hits:
    """Yield the logins in a mapping that has `auths`, or that is a .dockercfg."""
    below = view.below(AUTHS) if node.get(AUTHS) else view
    for host, field, value in _logins(_registries(node)):
        yield below.below(host, field).plain(rules.DOCKER, value, len(value.value), _HINT)


def _registries(node: Map) -> Map:
    auths = node.get(AUTHS)
    return auths if isinstance(auths, Map) else node


def _logins(registries: Map) -> Iterator[tuple[str, str, Text]]:
    for host, login in registries.pairs:
        if not isinstance(login, Map):
            continue
        for key, value in login.pairs:
            if isinstance(value, Text) and _is_login(key.value, value.value):
                yield host.value, key.value, value
                break  # `auth` and `password` are the same twice


def _is_login(field: str, value: str) -> bool:
    if MASK in value:
        return False
    if field == "auth":  # base64 of user:password
        password = (text_in_base64(value) or "").partition(":")[2]
        return bool(password) and judge(value) is judge(password) is Verdict.LITERAL
    return field in _FIELDS and judge(value) is Verdict.LITERAL
