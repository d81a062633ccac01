"""Canonical text for plain data: the same data, in the same order, is always the same text.

YAML in block style, indented by two, never folded, one line a value; a string is plain only if
every YAML 1.1 and 1.2 parser takes it for that very string, else double-quoted as in JSON. Text
written here is read back as the same data by `read_documents` and by other parsers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from sealkit.errors import ManifestError

STEP: Final = 2

# A quoted key longer than 1,024 characters is no key to YAML parsers.
_MAX_KEY: Final = 1000
_PLAIN: Final = re.compile(r"[A-Za-z0-9_/](?:[-A-Za-z0-9_./:@+=,()%$~ ]*[-A-Za-z0-9_./@+=,()%$~])?")
_COLON_AND_SPACE: Final = re.compile(r": | :")
# Anything that begins with a digit and holds only what numbers, dates, times and versions hold.
_LIKE_A_NUMBER: Final = re.compile(r"[0-9][-+._:,0-9A-FXOTZa-fxotz ]*")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RESERVED: Final = frozenset(
    ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf")
)
_LONGEST_RESERVED: Final = max(map(len, _RESERVED))
# Besides what JSON demands: C1 controls, line breaks of YAML 1.1, what YAML does not allow, and
# characters that hide or reorder the text around them.
_ESCAPED: Final = re.compile(
    '["\\\\\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff]'
    "|[\ud800-\udfff]"
)
_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def emit_yaml(value: Mapping[str, object]) -> str:
    r"""Return one YAML document, in the order of the mappings, ending in a line feed.

    Values are str, bool, int, float, None, mappings and lists of them.

    Raises:
        ManifestError: half a surrogate pair, or a key of more than 1,000 characters.
        TypeError: a value of another type.
    """
    return "".join(f"{line}\n" for line in yaml_lines(value))


def emit_json(value: Mapping[str, object], indent: int | None = 2) -> str:
    """Return one JSON document ending in a line feed, on one line if `indent` is None.

    Raises:
        ManifestError: as `emit_yaml`, and for infinity and not-a-number, which JSON lacks.
        TypeError: a value of another type.
    """
    return json_text(value, None if indent is None else " " * indent) + "\n"


def yaml_lines(value: Mapping[str, object] | Sequence[object]) -> list[str]:
    """Return the lines of a block collection; an empty one is `{}` or `[]` on a line."""
    if not value:
        return [yaml_inline(value)]
    if isinstance(value, Mapping):
        return [line for key, item in value.items() for line in entry_lines(key, item)]
    return [line for item in value for line in _hung("- ", item)]


def entry_lines(key: str, value: object, step: int = STEP) -> list[str]:
    """Return the lines of one `key: value`; lists are not indented below their key."""
    name = _key(yaml_string(key))
    if not is_block(value):
        return [f"{name}: {yaml_inline(value)}"]
    return [f"{name}:", *nested_lines(value, step)]


def nested_lines(value: object, step: int = STEP) -> list[str]:
    """Return the lines of a non-empty collection as they stand below their key."""
    if isinstance(value, Mapping):
        lines = [line for key, item in value.items() for line in entry_lines(key, item, step)]
        return [" " * step + line for line in lines]
    return yaml_lines(value) if isinstance(value, list | tuple) else []


def is_block(value: object) -> bool:
    """Tell whether a value takes lines of its own: every collection that is not empty."""
    return isinstance(value, Mapping | list | tuple) and bool(value)


def yaml_inline(value: object) -> str:
    """Return a scalar or an empty collection on one line."""
    if isinstance(value, str):
        return yaml_string(value)
    if isinstance(value, float) and not math.isfinite(value):
        return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}[repr(value)]
    return json_text(value, None)


def yaml_string(value: str) -> str:
    """Return a string plain where nobody can take it for something else, else quoted."""
    plain = (
        _PLAIN.fullmatch(value)
        and not (value[0].isdigit() and _LIKE_A_NUMBER.fullmatch(value) and not _is_uuid(value))
        and not (" " in value and _COLON_AND_SPACE.search(value))
        and not (len(value) <= _LONGEST_RESERVED and value.lower() in _RESERVED)
    )
    return value if plain else json_string(value)


def _is_uuid(value: str) -> bool:
    return _UUID.fullmatch(value) is not None


def json_string(value: str) -> str:
    """Return a string in double quotes, the same for JSON and for YAML."""
    return f'"{_ESCAPED.sub(_escape, value)}"'


def json_text(value: object, indent: str | None, prefix: str = "", colon: str = ": ") -> str:
    """Return JSON text without a line feed at its end.

    Its lines begin with `prefix`, except the first; `indent` of None means a single line.
    """
    if isinstance(value, Mapping):
        inner = prefix + (indent or "")
        entries = [
            f"{_key(json_string(key))}{colon}{json_text(item, indent, inner, colon)}"
            for key, item in value.items()
        ]
        return _joined("{}", entries, indent, prefix, " " if colon.endswith(" ") else "")
    if isinstance(value, list | tuple):
        items = [json_text(item, indent, prefix + (indent or ""), colon) for item in value]
        return _joined("[]", items, indent, prefix, " " if colon.endswith(" ") else "")
    return _json_scalar(value)


def _joined(brackets: str, parts: list[str], indent: str | None, prefix: str, gap: str) -> str:
    if not parts or indent is None:
        return f"{brackets[0]}{f',{gap}'.join(parts)}{brackets[1]}"
    line = f"\n{prefix}{indent}"
    return f"{brackets[0]}{line}{f',{line}'.join(parts)}\n{prefix}{brackets[1]}"


def _json_scalar(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return json_string(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    raise TypeError(f"a {type(value).__name__} has no place in a manifest")


def _float(value: float) -> str:
    if not math.isfinite(value):
        raise ManifestError("infinity and not-a-number do not exist in JSON")
    # To YAML 1.1 a number with an exponent is a float only if it has a point and a sign as well.
    digits, exponent, power = repr(value).partition("e")
    digits = digits if "." in digits else f"{digits}.0"
    return f"{digits}{exponent}{power}"


def _hung(mark: str, value: object) -> list[str]:
    """Return the lines of a list item: `mark` before the first, spaces before the others."""
    if not is_block(value):
        return [mark + yaml_inline(value)]
    lines = yaml_lines(value) if isinstance(value, Mapping | list | tuple) else []
    return [mark + lines[0], *(" " * len(mark) + line for line in lines[1:])]


def _key(quoted: str) -> str:
    if len(quoted) > _MAX_KEY:
        raise ManifestError(f"a key of more than {_MAX_KEY:,} characters")
    return quoted


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if "\ud800" <= character <= "\udfff":
        raise ManifestError("half of a surrogate pair, which is no character")
    return _SHORT.get(character) or f"\\u{ord(character):04x}"
