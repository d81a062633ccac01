"""Conflicts of a merge in text: a mark while texts are merged, both sides at the end. Pure.

A mark is a value that stands in the place of a conflict in all texts, so that a merge of lines
passes over it. Then the line it is on becomes both sides between Git's conflict markers.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sealkit.manifests.emit import entry_lines, json_string, json_text
from sealkit.manifests.patches import unsafe
from sealkit.merging import ABSENT, Conflict, Path

SIZE: Final = 7  # of a conflict marker, unless Git says another
OURS: Final = "ours"
BASE: Final = "base"
THEIRS: Final = "theirs"
MARK: Final = "sealkit-merge-conflict-"  # and a number

Found = Sequence[tuple[Path, Conflict]]

_ENTRY: Final = re.compile(
    rf"(?P<indent> *)([\"']?)(?P<name>[^\"']+)\2[ \t]*:[ \t]*"
    rf"(?P<quote>\"?){MARK}(?P<number>[0-9]+)(?P=quote)(?P<tail>,?|[ \t]+#.*)"
)


def marked(tree: Mapping[str, object], numbers: Iterator[int]) -> dict[str, object]:
    """Return a merged tree with a mark in the place of each conflict, numbered in their order."""
    target: dict[str, object] = {}
    for name, value in tree.items():
        if isinstance(value, Conflict):
            target[name] = f"{MARK}{next(numbers)}"
        else:
            target[name] = marked(value, numbers) if isinstance(value, Mapping) else value
    return target


def expanded(text: bytes, found: Found, size: int) -> bytes:
    """Put both sides, between conflict markers of this size, in the place of each mark.

    Neighbours become one conflict.

    Raises:
        ManifestError: the marks are not there once each, on lines of their own.
    """
    if not found:
        return text
    lines: list[str] = []
    seen: list[int] = []
    for is_marked, group in itertools.groupby(text.decode().split("\n"), lambda line: MARK in line):
        if not is_marked:
            lines += group
            continue
        entries = [_entry(line, found) for line in group]
        seen += (int(entry["number"]) for entry in entries)
        end = "\r" if entries[0].string.endswith("\r") else ""
        lines += (line + end for line in _conflict(entries, found, size))
    if sorted(seen) != list(range(len(found))):
        raise unsafe()
    return "\n".join(lines).encode()


def _entry(line: str, found: Found) -> re.Match[str]:
    entry = _ENTRY.fullmatch(line, 0, len(line) - line.endswith("\r"))
    number = int(entry["number"]) if entry else len(found)
    if entry is None or number >= len(found) or entry["name"] != found[number][0][-1]:
        raise unsafe()
    return entry


def _conflict(entries: list[re.Match[str]], found: Found, size: int) -> list[str]:
    pairs = [(entry, found[int(entry["number"])][1]) for entry in entries]
    return [
        f"{'<' * size} {OURS}",
        *(line for entry, conflict in pairs for line in _side(entry, conflict.ours)),
        "=" * size,
        *(line for entry, conflict in pairs for line in _side(entry, conflict.theirs)),
        f"{'>' * size} {THEIRS}",
    ]


def _side(entry: re.Match[str], value: object) -> list[str]:
    """Return the lines of an entry with the value of one side, none if it is not there."""
    if value is ABSENT:
        return []
    indent = entry["indent"]
    if entry["quote"]:  # a mark is quoted in JSON only
        text = f"{indent}{json_string(entry['name'])}: {json_text(value, '  ', indent)}"
        return f"{text}{entry['tail']}".split("\n")
    *lines, last = (indent + line for line in entry_lines(entry["name"], value))
    return [*lines, last + entry["tail"]]
