"""JSON as Go's encoding/json writes and reads it, and a plain YAML that any reader understands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, NoReturn

from sealkit.templates.limits import MAX_DEPTH, Fault
from sealkit.templates.printing import shortest
from sealkit.templates.runes import characters, readable, repaired
from sealkit.templates.values import List, Map, Value, list_of, map_of

_SEPARATORS: Final = {"\u2028": "\\u2028", "\u2029": "\\u2029"}
_STRAY: Final = {chr(0xDC00 + byte): "\\ufffd" for byte in range(0x80, 0x100)}  # bytes, no UTF-8
_MARKUP: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
_FOR_HTML: Final = str.maketrans(_SEPARATORS | _STRAY | _MARKUP)
_RAW: Final = str.maketrans(_SEPARATORS | _STRAY)
# Closed or not: a pattern that could fail would try again at every quote.
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NOT_IN_YAML: Final = (*range(0x7F, 0xA0), 0xFEFF, 0xFFFE, 0xFFFF)  # or a line break there
_FOR_YAML: Final = _RAW | {code: f"\\u{code:04x}" for code in _NOT_IN_YAML}
_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@-]*")
_WITHOUT_DOT: Final = re.compile(r"^(-?[0-9]+)e")  # YAML 1.1 reads 1e+21 as a string
_MAX_KEY: Final = 1000  # YAML 1.2.2, section 7.4.2: 1024 characters up to the colon
_WORDS: Final = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))


def to_json(value: Value) -> bytes:
    """Return `value` as JSON on one line, `<`, `>` and `&` escaped."""
    return _json(value, _FOR_HTML).encode()


def to_raw_json(value: Value) -> bytes:
    """Return `value` as JSON on one line, without escapes for HTML."""
    return _json(value, _RAW).encode()


def to_pretty_json(value: Value) -> bytes:
    """Return `value` as JSON over lines, two spaces for each level."""
    return _pretty(value, "\n").encode()


def _json(value: Value, escapes: dict[int, str]) -> str:
    if isinstance(value, List):
        return f"[{','.join(_json(item, escapes) for item in value.items)}]"
    if isinstance(value, Map):
        pairs = (
            f"{_scalar(key, escapes)}:{_json(item, escapes)}" for key, item in value.entries.items()
        )
        return f"{{{','.join(pairs)}}}"
    return _scalar(value, escapes)


def _pretty(value: Value, newline: str) -> str:
    deeper = newline + "  "
    if isinstance(value, List) and value.items:
        return _enclosed("[]", (_pretty(item, deeper) for item in value.items), newline)
    if isinstance(value, Map) and value.entries:
        pairs = (
            f"{_scalar(key, _FOR_HTML)}: {_pretty(item, deeper)}"
            for key, item in value.entries.items()
        )
        return _enclosed("{}", pairs, newline)
    return _json(value, _FOR_HTML)


def _enclosed(brackets: str, parts: Iterator[str], newline: str) -> str:
    return f"{brackets[0]}{newline}  {f',{newline}  '.join(parts)}{newline}{brackets[1]}"


def _scalar(value: Value, escapes: dict[int, str]) -> str:
    if isinstance(value, bytes):
        return json.dumps(characters(value), ensure_ascii=False).translate(escapes)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return _fraction(value) if isinstance(value, float) else "null"


def _fraction(number: float) -> str:
    exact, exponent, decimals = shortest(number)
    positional = -7 < exponent < 21
    return f"{exact:.{max(decimals - exponent, 0)}f}" if positional else f"{exact:.{decimals}e}"


def from_json(text: bytes) -> Value:
    """Return what the JSON in `text` stands for; numbers become numbers with a fraction.

    Raises:
        Fault: it is no JSON, or nests too deep.
    """
    source = readable(text)
    _check_depth(source)
    failed = False
    try:
        raw: object = json.loads(
            source, parse_float=_number, parse_int=_number, parse_constant=_no_constant
        )
    except ValueError:  # its text and its fields hold the value: raise outside of it
        failed = True
    if failed:
        raise Fault("is given something that is no JSON")
    return _value(raw)


def _number(text: str) -> float | None:
    number = float(text)
    return None if abs(number) == float("inf") else number  # as Go, which skips what does not fit


def _no_constant(_name: str) -> NoReturn:
    raise ValueError


def _check_depth(source: str) -> None:
    """Refuse before the reader, which recurses, sees it."""
    depth = 0
    for bracket in re.findall(r"[\[\]{}]", _STRING.sub("", source)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise Fault(f"is given JSON that nests deeper than {MAX_DEPTH}")


def _value(raw: object) -> Value:
    if isinstance(raw, dict):
        return map_of({_text(key): _value(item) for key, item in raw.items()})
    if isinstance(raw, list):
        return list_of(map(_value, raw))
    if isinstance(raw, str):
        return _text(raw)
    return raw if isinstance(raw, bool | float) else None


def _text(raw: str) -> bytes:
    return repaired(raw).encode()


def to_yaml(value: Value) -> bytes:
    """Return `value` as YAML in block style without a newline at the end.

    Strings that YAML could take for something else stand in double quotes, as in JSON.

    Raises:
        Fault: a map has a key so long that readers of YAML refuse it.
    """
    return "\n".join(_yaml(value)).encode()


def _yaml(value: Value) -> list[str]:
    if isinstance(value, Map) and value.entries:
        return [line for key, item in value.entries.items() for line in _entry(_key(key), item)]
    if isinstance(value, List) and value.items:
        return [line for item in value.items for line in _item(item)]
    return [_word(value)]


def _key(key: bytes) -> str:
    word = _word(key)
    if len(word) > _MAX_KEY:
        raise Fault(f"has a key in a map that is longer than {_MAX_KEY} characters")
    return f"{word}:"


def _entry(name: str, item: Value) -> list[str]:
    lines = _yaml(item)
    if isinstance(item, Map) and item.entries:
        return [name, *(f"  {line}" for line in lines)]
    if isinstance(item, List) and item.items:
        return [name, *lines]
    return [f"{name} {lines[0]}"]


def _item(item: Value) -> list[str]:
    first, *rest = _yaml(item)
    return [f"- {first}", *(f"  {line}" for line in rest)]


def _word(value: Value) -> str:
    text = characters(value) if isinstance(value, bytes) else ""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else _WITHOUT_DOT.sub(r"\1.0e", _json(value, _FOR_YAML))
