"""Kubernetes' protobuf bodies, which kubectl sends for some built-in kinds; read only.

Format: the letters k8s and a zero byte, then a message that holds type and bytes of the object.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from sealkit_controller.sandbox.objects.status import (
    JsonObject,
    bad_request,
    unsupported_media_type,
)

MEDIA_TYPE: Final = "application/vnd.kubernetes.protobuf"
_MAGIC: Final = b"k8s\0"
_MESSAGES: Final = Path(__file__).parents[1] / "kinds" / "protobuf.yaml"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def decode(body: bytes) -> JsonObject:
    """Return the object in a protobuf body, without the empty fields that Go writes.

    Raises:
        StatusError: 400 for bytes that are no such message, 415 for a kind that is not known here.
    """
    if not body.startswith(_MAGIC):
        raise bad_request("provided data does not appear to be a protobuf message")
    try:
        envelope = _message(body[len(_MAGIC) :], "Unknown")
        kind = envelope["typeMeta"]["kind"]
        if kind not in _messages():
            raise unsupported_media_type(("application/json", "application/yaml"))
        raw = base64.b64decode(envelope.get("raw", ""))
        document: JsonObject = envelope["typeMeta"] | _message(raw, kind)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise bad_request("the protobuf message in the body is malformed") from error
    return document


@cache
def _messages() -> dict[str, dict[int, str]]:
    text = _MESSAGES.read_text(encoding="utf-8")
    table: dict[str, dict[int, str]] = yaml.load(text, Loader=yaml.CSafeLoader)
    return table


def _message(data: bytes, kind: str) -> JsonObject:
    fields = _messages()[kind]
    document: JsonObject = {}
    for number, raw in _fields(data):
        if number in fields:
            name, _, shape = fields[number].partition(" ")
            _add(document, name, shape, raw)
    return document


def _add(document: JsonObject, name: str, shape: str, raw: int | bytes) -> None:
    if shape.startswith("["):
        document.setdefault(name, []).append(_value(raw, shape[1:-1]))
    elif shape.startswith("{"):
        entry = dict(_fields(_as_bytes(raw)))
        key = _as_bytes(entry.get(1, b"")).decode()
        document.setdefault(name, {})[key] = _value(entry.get(2, b""), shape[1:-1])
    else:
        value = _value(raw, shape.removesuffix("*"))
        if value not in ("", 0, None, {}) or isinstance(value, bool) or shape.endswith("*"):
            document[name] = value


def _value(raw: int | bytes, shape: str) -> Any:
    convert = _SCALARS.get(shape)
    return convert(raw) if convert else _message(_as_bytes(raw), shape)


def _time(data: bytes, *, micro: bool) -> str | None:
    parts = dict(_fields(data))
    seconds, nanos = parts.get(1, 0), parts.get(2, 0)
    if not parts or not isinstance(seconds, int) or not isinstance(nanos, int):
        return None
    moment = _EPOCH + timedelta(seconds=_signed(seconds), microseconds=nanos // 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ")


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _as_bytes(raw: int | bytes) -> bytes:
    if isinstance(raw, int):
        raise TypeError("a number where bytes should be")
    return raw


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of every field: protobuf wire types 0 (varint) and 2 (bytes)."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        value, position = _varint(data, position)
        if tag & 7 == 0:
            yield tag >> 3, value
        elif tag & 7 == 2 and position + value <= len(data):
            yield tag >> 3, data[position : position + value]
            position += value
        else:
            raise ValueError("unexpected wire type or length")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[position]
        result |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return result, position
        shift += 7


_SCALARS: Final[dict[str, Callable[[int | bytes], Any]]] = {
    "text": lambda raw: _as_bytes(raw).decode(),
    "bytes": lambda raw: base64.b64encode(_as_bytes(raw)).decode(),
    "truth": bool,
    "number": lambda raw: raw,
    "Time": lambda raw: _time(_as_bytes(raw), micro=False),
    "MicroTime": lambda raw: _time(_as_bytes(raw), micro=True),
}
