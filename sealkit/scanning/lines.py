"""Secrets in text that is no YAML: templates, broken manifests, comments, programs, patches.

Reads line by line what has the shape of a Secret, by indentation, and by braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from sealkit.scanning.hit import Hits, View
from sealkit.scanning.secrets import VALUE_FIELDS, look_at_value
from sealkit.scanning.tree import Text

_TAB: Final = 8
_FAR: Final = 20_000  # characters in which braces are looked for
_KIND: Final = re.compile(
    r"""^(?P<prefix>[ \t]{0,99}(?:\#{1,9}|//|[>+*|])?)(?P<indent>[ \t]{0,99}(?:-[ \t]{1,9})?)
    ["']?kind["']?[ \t]*:[ \t]*["']?Secret["']?[ \t\r]*(?:\#.*)?$""",
    re.VERBOSE | re.MULTILINE,
)
_KIND_KEY: Final = re.compile(r"""["']?kind["']?[ \t]*:""")
_KEY: Final = re.compile(r"""["']?(?P<key>[-._/A-Za-z0-9]+)["']?[ \t]*:(?:[ \t]+(?P<rest>.*))?""")
_BLOCK: Final = re.compile(r"[|>][-+0-9]*\s*(?:#.*)?")
_COMMENT: Final = re.compile(r"[ \t]#.*$")

_QUOTE: Final = r"""\\{0,3}["']"""
_FLOW_KIND: Final = re.compile(
    rf"""{_QUOTE}kind{_QUOTE}\s*:\s*{_QUOTE}Secret{_QUOTE}
    | [{{,]\s*kind\s*:\s*(?P<quote>["']?)Secret(?P=quote)\s*[,}}]""",
    re.VERBOSE,
)
_FLOW_DATA: Final = re.compile(r"""(?<![A-Za-z])(?P<section>data|stringData)["'\\]{0,4}\s*:\s*\{""")
_PAIR: Final = re.compile(
    r"""(?P<key>[-._/A-Za-z0-9]{1,253})["'\\]{0,4}\s*:\s*
    (?: \\{0,3}"(?P<double>(?:[^"\\]|\\(?!")[^"])*)\\{0,3}"
      | '(?P<single>[^']*)'
      | (?P<bare>[^\s"',{}][^,{}\r\n]*))""",
    re.VERBOSE,
)


class _Line(NamedTuple):
    start: int
    indent: int
    text: str


def look_at_lines(view: View) -> Hits:
    """Yield the values of Secrets in a text that cannot be parsed."""
    yield from _in_blocks(view, _KIND.finditer(view.excerpt.text))
    text = view.excerpt.text
    for match in _FLOW_KIND.finditer(text):
        start, end = _braces(text, match.start() + 1)
        for data in _FLOW_DATA.finditer(text, start, end):
            # Beside quotes, as in JSON and in programs, what is not quoted is no text.
            bare = match["quote"] == ""
            yield from _pairs(view, data["section"], data.end() - 1, end, bare=bare)


def look_at_comments(view: View) -> Hits:
    """Yield the values of Secrets that are commented out; parsers do not see them."""
    found = (match for match in _KIND.finditer(view.excerpt.text) if match["prefix"].strip())
    yield from _in_blocks(view, found)


def _in_blocks(view: View, kinds: Iterator[re.Match[str]]) -> Hits:
    for match in kinds:
        lines = _object(view.excerpt.text, match)
        width = _width(match["indent"])
        section = ""
        for number, line in enumerate(lines):
            key = _KEY.match(line.text)
            if line.indent == width:
                section = key["key"] if key and key["key"] in VALUE_FIELDS else ""
                if section and key and (key["rest"] or "").startswith("{"):
                    start = line.start + line.text.index("{")
                    yield from _pairs(view, section, start, start + len(line.text))
            elif section and key and line.indent == _first_indent(lines, number, width):
                yield from _entry(view, section, key, lines[number:])


def _object(text: str, kind: re.Match[str]) -> list[_Line]:
    """Return the lines of the object that a line `kind: Secret` is in."""
    prefix, width = kind["prefix"], _width(kind["indent"])
    before = [] if "-" in kind["indent"] else _before(text, prefix, kind.start(), width)
    return [*before[::-1], *_after(text, prefix, kind.end(), width)]


def _before(text: str, prefix: str, end: int, width: int) -> list[_Line]:
    """Return the lines of the object above an index, from there upwards."""
    found: list[_Line] = []
    while end > 0:
        start = text.rfind("\n", 0, end - 1) + 1
        line, end = _line(text, prefix, start), start
        if line.text.startswith("- ") and line.indent + 2 == width:  # the first key of an item
            return [*found, _Line(line.start + 2, width, line.text[2:])]
        if _is_outside(line, width):
            break
        if line.text:
            found.append(line)
    return found


def _after(text: str, prefix: str, start: int, width: int) -> Iterator[_Line]:
    """Yield the lines of the object below an index."""
    while (start := text.find("\n", start) + 1) > 0:
        line = _line(text, prefix, start)
        if _is_outside(line, width):
            break
        if line.text:
            yield line


def _is_outside(line: _Line, width: int) -> bool:
    if not line.text:
        return False
    is_next = line.indent == width and bool(_KIND_KEY.match(line.text))
    return is_next or line.indent < width or line.text.startswith("---")


def _line(text: str, prefix: str, start: int) -> _Line:
    end = text.find("\n", start)
    line = text[start : end if end >= 0 else len(text)]
    if prefix.strip() and not line.startswith(prefix.rstrip()):
        return _Line(start, -1, line.strip() or "-")  # where the comment ends, so does the object
    bare = line.removeprefix(prefix)
    skipped = len(line) - len(bare)
    content = bare.lstrip(" \t")
    lead = bare[: len(bare) - len(content)]
    return _Line(start + skipped + len(lead), _width(lead), content.rstrip("\r"))


def _width(lead: str) -> int:
    return len(lead.replace("-", " ").expandtabs(_TAB))


def _first_indent(lines: list[_Line], number: int, width: int) -> int:
    """Return the indentation of the first entry of the section that a line is in."""
    while lines[number - 1].indent > width:
        number -= 1
    return lines[number].indent


def _entry(view: View, section: str, key: re.Match[str], lines: list[_Line]) -> Hits:
    first, *others = lines
    body = []
    for line in others:
        if line.indent <= first.indent:
            break
        body.append(line)
    rest = _COMMENT.sub("", key["rest"] or "").strip()
    is_block = bool(_BLOCK.fullmatch(rest))
    texts = [line.text for line in body if is_block or not line.text.startswith("#")]
    value = "\n".join(texts) if is_block else " ".join([rest, *texts]).strip()
    last = body[-1] if body else first
    end = last.start + len(last.text)
    name = Text(key["key"], first.start, end, "")
    node = Text(value.strip("\"'"), first.start, end, _style(value, is_block=is_block))
    yield from _value(view, section, name, node)


def _style(value: str, *, is_block: bool) -> str:
    return "|" if is_block else value[:1] if value[:1] in ('"', "'") else ""


def _value(view: View, section: str, name: Text, value: Text) -> Hits:
    at = view.below(section, name.value)
    yield from look_at_value(name, value, at, is_encoded=section == "data")


def _braces(text: str, at: int) -> tuple[int, int]:
    """Return where the braces around an index open and close."""
    return _brace(text, at, -1), _brace(text, at, 1)


def _brace(text: str, at: int, step: int) -> int:
    depth = 0
    inwards, outwards = ("}", "{") if step < 0 else ("{", "}")
    limit = max(at - _FAR, 0) if step < 0 else min(at + _FAR, len(text) - 1)
    while at != limit:
        depth += (text[at] == inwards) - (text[at] == outwards)
        if depth < 0:
            break
        at += step
    return at


def _pairs(view: View, section: str, start: int, end: int, *, bare: bool = True) -> Hits:
    """Yield the values of Secrets in braces; `bare`: also those without quotes."""
    end = min(end, _brace(view.excerpt.text, start + 1, 1) + 1)
    for match in _PAIR.finditer(view.excerpt.text, start, end):
        quoted = match["double"] if match["single"] is None else match["single"]
        value = match["bare"] if quoted is None else quoted
        if quoted is not None or bare:
            name = Text(match["key"], match.start("key"), match.end(), "")
            style = '"' if quoted is not None else ""
            yield from _value(view, section, name, Text(value, match.start(), match.end(), style))
