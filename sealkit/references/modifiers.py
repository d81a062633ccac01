"""Modifiers: small steps from the bytes Vault holds to the bytes a Secret shall hold.

The seven of the Argo CD Vault Plugin, under its names. They are read strictly and applied exactly:
what does not fit is a failure, never passed over, and no failure shows what did not fit.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from sealkit.errors import ReferenceSyntaxError
from sealkit.references import jsontree, yamltree
from sealkit.references.failures import Failed, Failure, Outcome
from sealkit.references.jsonpath import JsonPath, parse_json_path
from sealkit.references.jsontree import Read, Tree
from sealkit.sensitive import Sensitive

MAX_MODIFIERS: Final = 16
MAX_INDENT: Final = 100  # spaces
MAX_VALUE_BYTES: Final = 1 << 20  # Kubernetes MaxSecretSize: more fits into no Secret

_SPACES: Final = re.compile(r"[0-9]{1,3}")


class Plain(StrEnum):
    """The modifiers that need no argument."""

    BASE64_ENCODE = "base64encode"
    BASE64_DECODE = "base64decode"
    JSON_PARSE = "jsonParse"
    YAML_PARSE = "yamlParse"
    SHA256_SUM = "sha256sum"


@dataclass(frozen=True)
class Indent:
    """Put spaces before each line that has something in it; the lines stay as they are."""

    spaces: int

    def __post_init__(self) -> None:
        if not 0 < self.spaces <= MAX_INDENT:
            what = f"indent has no number of spaces from 1 to {MAX_INDENT}"
            raise ReferenceSyntaxError(what, field="modifiers")

    def __str__(self) -> str:
        """`indent <spaces>`."""
        return f"indent {self.spaces}"


Modifier: TypeAlias = Plain | Indent | JsonPath


def parse_modifier(text: str) -> Modifier:
    """Parse one modifier with its argument, the escapes of a spelling undone.

    Raises:
        ReferenceSyntaxError: an unknown name; an argument missing, superfluous or malformed.
    """
    name, argument = (*text.strip().split(maxsplit=1), "", "")[:2]
    if name == "jsonPath":
        return parse_json_path(argument)
    if name == "indent":
        return Indent(int(argument) if _SPACES.fullmatch(argument) else 0)
    if name not in {one.value for one in Plain}:
        hint = f"known modifiers: {', '.join(sorted((*Plain, 'indent', 'jsonPath')))}"
        raise ReferenceSyntaxError("is not a modifier", field="modifiers", hint=hint)
    if argument:
        raise ReferenceSyntaxError(f"{name} takes no argument", field="modifiers")
    return Plain(name)


def apply(modifiers: tuple[Modifier, ...], value: Sensitive) -> Outcome:
    """Apply the modifiers from left to right.

    Bytes need not be text, except where JSON or YAML is read. What comes out as a list, a mapping,
    a number or a boolean becomes JSON text, what comes out as a string its bytes.

    Failures: TemplateError where a modifier does not fit; KeyNotFound where jsonPath leads to
    nothing; NullValue where null comes out; TargetTooLarge above 1 MiB.
    """
    content: _Content = value.reveal()
    for modifier in modifiers:
        result = _step(modifier, content)
        if isinstance(result, Failed):
            return result
        content = result
    raw = content if isinstance(content, bytes) else from_tree(content.tree)
    return raw if isinstance(raw, Failed) else Sensitive(raw)


# Between two modifiers: bytes, or a tree that is still one for a jsonPath to go on with.
_Content: TypeAlias = bytes | Read


def _step(modifier: Modifier, content: _Content) -> _Content | Failed:
    if isinstance(modifier, JsonPath):
        return _json_path(modifier, content)
    raw = content if isinstance(content, bytes) else from_tree(content.tree)
    if isinstance(raw, Failed):
        return raw
    result = _indent(raw, modifier) if isinstance(modifier, Indent) else _PLAIN[modifier](raw)
    if isinstance(result, bytes) and len(result) > MAX_VALUE_BYTES:
        return Failed(Failure.TARGET_TOO_LARGE, f"{modifier} makes more than 1 MiB of it")
    return result


def _json_path(path: JsonPath, content: _Content) -> _Content | Failed:
    read = _parse(Plain.JSON_PARSE, content) if isinstance(content, bytes) else content
    if isinstance(read, Failed):
        return read
    found = path.take(read.tree)
    return found if isinstance(found, Failed) else Read(found, 0)


def from_tree(tree: Tree) -> bytes | Failed:
    """Return the bytes a tree stands for: a string as it is, anything else as JSON.

    Failures: NullValue for null; TemplateError for a string that is no text, or for a tree nested
    deeper than 64 levels.
    """
    if tree is None:
        return Failed(Failure.NULL_VALUE, "the value is null")
    if jsontree.is_too_deep(tree):
        return Failed(Failure.TEMPLATE_ERROR, "the value is nested too deeply")
    with suppress(ValueError):  # a surrogate, or an integer of thousands of digits
        return (tree if isinstance(tree, str) else jsontree.write(tree)).encode()
    return Failed(Failure.TEMPLATE_ERROR, "the value cannot be written as text")


def _indent(raw: bytes, modifier: Indent) -> bytes:
    space = b" " * modifier.spaces
    return b"\n".join(space + line if line.strip() else line for line in raw.split(b"\n"))


def _parse(kind: Plain, raw: bytes) -> Read | Failed:
    text: str | None = None
    with suppress(UnicodeDecodeError):
        text = raw.decode()
    reader = jsontree.read if kind is Plain.JSON_PARSE else yamltree.read
    found = reader(text) if text is not None else None
    language = "JSON" if kind is Plain.JSON_PARSE else "YAML that could be read"
    return found or Failed(Failure.TEMPLATE_ERROR, f"the value is not {language}")


def from_base64(raw: bytes) -> bytes | Failed:
    """Decode standard base64 with its padding; line breaks may be in it, nothing else."""
    with suppress(binascii.Error):
        return binascii.a2b_base64(raw.translate(None, b"\r\n"), strict_mode=True)
    return Failed(Failure.TEMPLATE_ERROR, "the value is not base64")


def from_base64url(raw: bytes) -> bytes | Failed:
    """Decode the URL-safe alphabet of base64, with or without padding, as `from_base64`."""
    if not frozenset(b"+/") & frozenset(raw):
        compact = raw.translate(_URL_SAFE, b"\r\n")
        padded = compact + b"=" * (-len(compact) % 4)
        if not isinstance(decoded := from_base64(padded), Failed):
            return decoded
    return Failed(Failure.TEMPLATE_ERROR, "the value is not base64url")


_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_PLAIN: Final[Mapping[Plain, Callable[[bytes], _Content | Failed]]] = {
    Plain.BASE64_ENCODE: lambda raw: binascii.b2a_base64(raw, newline=False),
    Plain.BASE64_DECODE: from_base64,
    Plain.JSON_PARSE: lambda raw: _parse(Plain.JSON_PARSE, raw),
    Plain.YAML_PARSE: lambda raw: _parse(Plain.YAML_PARSE, raw),
    Plain.SHA256_SUM: lambda raw: hashlib.sha256(raw).hexdigest().encode(),
}
