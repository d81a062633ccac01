"""Secrets and ConfigMaps: base64, size, keys, what each type of Secret needs, immutability.

Rules: Kubernetes `ValidateSecret` and `ValidateConfigMap` (pkg/apis/core/validation).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from sealkit_controller.sandbox.objects.metadata import immutable
from sealkit_controller.sandbox.objects.status import (
    Cause,
    JsonObject,
    bad_request,
    forbidden_value,
    invalid_value,
    required_value,
    too_long,
)

_MAX_BYTES: Final = 1 << 20
_ACCOUNT_NAME: Final = "kubernetes.io/service-account.name"
_FROZEN: Final = "field is immutable when `immutable` is set"
_KEY: Final = "[-._a-zA-Z0-9]+"
_JSON_KEYS: Final[Mapping[str, str]] = {
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
    "kubernetes.io/dockercfg": ".dockercfg",
}


def prepare(new: JsonObject, _old: JsonObject | None) -> None:
    """Move `stringData` into `data`, where it wins.

    Raises:
        StatusError: 400 if a value of `data` is not base64.
    """
    for value in (new.get("data") or {}).values():
        _decoded("Secret", value)
    texts = new.pop("stringData", None)
    if texts:
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
        new["data"] = (new.get("data") or {}) | encoded
    _drop_empty(new, "data")


def prepare_config_map(new: JsonObject, _old: JsonObject | None) -> None:
    """Check the base64 of `binaryData`.

    Raises:
        StatusError: 400 if a value is not base64.
    """
    for value in (new.get("binaryData") or {}).values():
        _decoded("ConfigMap", value)
    _drop_empty(new, "data")
    _drop_empty(new, "binaryData")


def _drop_empty(new: JsonObject, name: str) -> None:
    if name in new and not new[name]:
        del new[name]


def _decoded(kind: str, value: str | None) -> bytes:
    text = (value or "").replace("\n", "").replace("\r", "")  # Go's decoder skips line ends
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        bad = re.search(r"[^A-Za-z0-9+/]", text)
        position = bad.start() if bad else len(text) - len(text) % 4
        why = f"illegal base64 data at input byte {position}"
        message = f'{kind} in version "v1" cannot be handled as a {kind}: {why}'
        raise bad_request(message) from error


def check(new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    """Yield what is wrong with a Secret, or with a change of one."""
    if old is not None:
        if new.get("type") != old.get("type"):
            yield immutable("type", new.get("type", ""))
        yield from _check_frozen(new, old, ("data",))
    data = {key: _decoded("Secret", value) for key, value in (new.get("data") or {}).items()}
    for key in data:
        yield from _check_key("data", key)
    if sum(map(len, data.values())) > _MAX_BYTES:
        yield too_long("data", _MAX_BYTES)
    yield from _check_type(new, data)


def check_config_map(new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    """Yield what is wrong with a ConfigMap, or with a change of one."""
    if old is not None:
        yield from _check_frozen(new, old, ("data", "binaryData"))
    texts, binary = new.get("data") or {}, new.get("binaryData") or {}
    for key in texts:
        yield from _check_key("data", key)
        if key in binary:
            yield invalid_value(f"data[{key}]", key, "duplicate of key present in binaryData")
    for key in binary:
        yield from _check_key("binaryData", key)
    size = sum(len(text.encode()) for text in texts.values())
    if size + sum(len(_decoded("ConfigMap", value)) for value in binary.values()) > _MAX_BYTES:
        yield too_long("", _MAX_BYTES)


def _check_frozen(new: JsonObject, old: JsonObject, fields: tuple[str, ...]) -> Iterator[Cause]:
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield forbidden_value("immutable", _FROZEN)
    for field in fields:
        if (new.get(field) or {}) != (old.get(field) or {}):
            yield forbidden_value(field, _FROZEN)


def _check_key(field: str, key: str) -> Iterator[Cause]:
    place = f"{field}[{key}]"
    if len(key) > 253:
        yield invalid_value(place, key, "must be no more than 253 characters")
    if not re.fullmatch(_KEY, key):
        text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        examples = "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', "
        yield invalid_value(place, key, f"{text} {examples}regex used for validation is '{_KEY}')")
    if key in {".", ".."}:
        yield invalid_value(place, key, f"must not be '{key}'")
    elif key.startswith(".."):
        yield invalid_value(place, key, "must not start with '..'")


def _check_type(new: JsonObject, data: Mapping[str, bytes]) -> Iterator[Cause]:
    kind = new.get("type", "")
    annotations = new["metadata"].get("annotations") or {}
    if kind == "kubernetes.io/service-account-token" and not annotations.get(_ACCOUNT_NAME):
        yield required_value(f"metadata.annotations[{_ACCOUNT_NAME}]")
    elif kind == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        yield from (required_value("data[username]"), required_value("data[password]"))
    elif kind == "kubernetes.io/ssh-auth" and not data.get("ssh-privatekey"):
        yield required_value("data[ssh-privatekey]")
    elif kind == "kubernetes.io/tls":
        missing = (key for key in ("tls.crt", "tls.key") if key not in data)
        yield from (required_value(f"data[{key}]") for key in missing)
    elif kind in _JSON_KEYS:
        yield from _check_json(data, _JSON_KEYS[kind])


def _check_json(data: Mapping[str, bytes], key: str) -> Iterator[Cause]:
    if key not in data:
        yield required_value(f"data[{key}]")
        return
    try:
        document = json.loads(data[key])
    except ValueError:
        document = []
    if not (document is None or isinstance(document, dict)):
        why = "unexpected end of JSON input" if not data[key] else "not a JSON object"
        yield invalid_value(f"data[{key}]", "<secret contents redacted>", why)
