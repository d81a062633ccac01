"""Patches inside flow collections: JSON, and the `{…}` parts of YAML.

What is new is written as JSON, which is YAML too, in the layout of its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from sealkit.manifests.emit import json_string, json_text
from sealkit.manifests.patches import Layout, Patch, additions, kept_keys
from sealkit.manifests.tree import Entry, MappingNode, same_data, to_plain

_COLON: Final = re.compile(r"[ \t]*:[ \t]*")
_COMMA: Final = re.compile(r"[ \t]*,([ \t]*)")
_OMITTED: Final = re.compile(r"[ \t\r\n]*:")
_DEFAULT_UNIT: Final = "  "


class _Style(NamedTuple):
    """How one flow mapping is laid out."""

    gap: str  # between a comma and the next key: spaces, or a line end and spaces
    colon: str
    unit: str | None  # one level of indentation; None for a single line
    closing: str  # before the closing brace, if it stands on its own line
    eol: str

    def nested(self, value: object) -> str:
        """Return a value as it stands inside this mapping."""
        return self._text(value, self.closing + (self.unit or ""))

    def whole(self, value: Mapping[str, object]) -> str:
        """Return a mapping that takes the place of this one."""
        return self._text(value, self.closing)

    def _text(self, value: object, prefix: str) -> str:
        return json_text(value, self.unit, prefix, self.colon).replace("\n", self.eol)

    def entry(self, key: str, value: object) -> str:
        """Return one entry without a comma."""
        return f"{json_string(key)}{self.colon}{self.nested(value)}"


def replacement(layout: Layout, node: MappingNode, target: Mapping[str, object]) -> list[Patch]:
    """Write the whole mapping anew."""
    return [Patch(node.start, node.end, _style(layout, node).whole(target))]


def difference(layout: Layout, node: MappingNode, target: Mapping[str, object]) -> list[Patch]:
    """Make the mapping equal to `target`, touching only what differs."""
    kept = kept_keys(node, target)
    if not kept:
        return replacement(layout, node, target)
    style = _style(layout, node)
    patches = _removed(node, kept)
    for key in kept:
        patches += _changed(layout, style, node.entries[key], target[key])
    for anchor, entries in additions(node, target).items():
        texts = [style.entry(key, value) for key, value in entries]
        patches.append(_added(node, anchor, texts, style.gap))
    return patches


def _added(node: MappingNode, anchor: str | None, texts: list[str], gap: str) -> Patch:
    if anchor is not None:
        place = node.entries[anchor].value.end
        return Patch(place, place, "".join(f",{gap}{text}" for text in texts))
    place = next(iter(node.entries.values())).key.start
    return Patch(place, place, "".join(f"{text},{gap}" for text in texts))


def _removed(node: MappingNode, kept: list[str]) -> list[Patch]:
    """Remove each run of entries with the comma before it, or after it where it is the first."""
    patches: list[Patch] = []
    entries = list(node.entries.items())
    stay = [index for index, (key, _) in enumerate(entries) if key in kept]
    if stay[0] > 0:
        patches.append(Patch(entries[0][1].key.start, entries[stay[0]][1].key.start, ""))
    for here, after in zip(stay, [*stay[1:], len(entries)], strict=True):
        if after - here > 1:
            patches.append(Patch(entries[here][1].value.end, entries[after - 1][1].value.end, ""))
    return patches


def _changed(layout: Layout, style: _Style, entry: Entry, value: object) -> list[Patch]:
    old = entry.value
    if same_data(to_plain(old), value):
        return []
    if isinstance(old, MappingNode) and isinstance(value, Mapping) and old.entries:
        return difference(layout, old, value)
    if old.start < old.end:
        return [Patch(old.start, old.end, style.nested(value))]
    colon = _OMITTED.match(layout.text, entry.key.end)
    place = colon.end() if colon else entry.key.end
    return [Patch(place, old.end, f"{' ' if colon else ': '}{style.nested(value)}")]


def _style(layout: Layout, node: MappingNode) -> _Style:
    text, entries = layout.text, list(node.entries.values())
    if not entries:
        return _Style(" ", ": ", None, "", layout.eol)
    colon = text[entries[0].key.end : entries[0].value.start]
    colon = colon if _COLON.fullmatch(colon) else ": "
    gap = _gap(text, node, entries, " " if colon.endswith(" ") else "")
    if "\n" not in gap:
        return _Style(gap, colon, None, "", layout.eol)
    brace = node.end - 1
    begin = layout.line_start(brace)
    closing = text[begin:brace] if not text[begin:brace].strip() else ""
    inner = gap[gap.rindex("\n") + 1 :]
    unit = inner[len(closing) :] if inner.startswith(closing) else ""
    return _Style(
        f"{layout.eol}{closing}{unit or _DEFAULT_UNIT}",
        colon,
        unit or _DEFAULT_UNIT,
        closing,
        layout.eol,
    )


def _gap(text: str, node: MappingNode, entries: list[Entry], default: str) -> str:
    lead = text[node.start + 1 : entries[0].key.start]
    if "\n" in lead and not lead.strip():
        return lead
    if len(entries) > 1:
        comma = _COMMA.fullmatch(text, entries[0].value.end, entries[1].key.start)
        return comma[1] if comma else default
    return default
