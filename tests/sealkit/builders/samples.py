"""One builder of each kind with values for it, and how to build and to be refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import pytest

from sealkit.builders import Builder, parse_builders
from sealkit.errors import ManifestError, TemplateError
from sealkit.sensitive import Sensitive
from tests.fakes.vault_certificates import Authority

PATH: Final = "spec.template.build"
CANARY: Final = "canary"  # in every value that is refused

ROOT, INTERMEDIATE = Authority("root"), Authority("intermediate")
PAIR, OTHER_PAIR = ROOT.issue("shop.example"), ROOT.issue("other.example")
SSH_KEY: Final = b"-----BEGIN OPENSSH PRIVATE KEY-----\nYQ==\n-----END OPENSSH PRIVATE KEY-----\n"

LOGIN: Final = {"username": "user", "password": "pass"}
EXAMPLES: Final[Mapping[str, Any]] = {
    "basicAuth": LOGIN,
    "dockerConfigJson": {"registries": [{"server": "ghcr.io", **LOGIN, "email": "mail"}]},
    "envFile": {"file": "shop.env", "keys": {"PASSWORD": "pass", "USER": "user"}},
    "htpasswd": {"file": "users", "users": [LOGIN]},
    "jsonFile": {"file": "shop.json", "keys": ["pass", "user"]},
    "sshAuth": {"privateKey": "ssh", "knownHosts": "hosts"},
    "tls": {"certificate": "cert", "key": "key", "chain": "chain", "ca": "root"},
}
VALUES: Final[Mapping[str, bytes]] = {
    "user": b"shop",
    "pass": b"hunter2",
    "mail": b"shop@example.org",
    "cert": PAIR.certificate,
    "key": PAIR.key,
    "chain": INTERMEDIATE.pem,
    "root": ROOT.pem,
    "ssh": SSH_KEY,
    "hosts": b"git.example ssh-ed25519 AAAA\n",
}
examples = pytest.mark.parametrize("name", EXAMPLES)


def salt(context: bytes) -> bytes:
    return hashlib.sha256(b"key" + context).digest()


def parsed(name: str, raw: object) -> Builder:
    (builder,) = parse_builders({name: raw}, PATH)
    return builder


def built(name: str, raw: object, values: Mapping[str, bytes]) -> dict[str, bytes]:
    sensitive = {key: Sensitive(value) for key, value in values.items()}
    made = parsed(name, raw).build(sensitive, salt)
    return {key: content.reveal() for key, content in made.items()}


def field_refused(raw: object) -> str:
    """The field that `raw` is refused for, without the path of all builders."""
    with pytest.raises(ManifestError) as caught:
        parse_builders(raw, PATH)
    assert CANARY not in f"{caught.value}{caught.value.hint}"
    return caught.value.field.removeprefix(PATH)


def value_refused(name: str, raw: object, values: Mapping[str, bytes]) -> str:
    """The name of the value that is refused, by an error that shows no value."""
    with pytest.raises(TemplateError) as caught:
        built(name, raw, values)
    error = caught.value
    shown = f"{error}{error.hint}{error!r}"
    assert CANARY not in shown
    assert error.__context__ is None  # a foreign error may hold a value
    _, quoted, rest = shown.partition(f"builder {name}: value '")
    assert quoted
    return rest.partition("'")[0]
