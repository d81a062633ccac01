"""Patches inside block YAML: whole lines come and go, values change in place."""

from __future__ import annotations

from collections.abc import Mapping

from sealkit.manifests.emit import entry_lines, is_block, nested_lines, yaml_inline, yaml_lines
from sealkit.manifests.patches import Layout, Patch, additions, kept_keys, unsafe
from sealkit.manifests.tree import Entry, MappingNode, Node, Scalar, same_data, to_plain


def replacement(layout: Layout, node: MappingNode, target: Mapping[str, object]) -> list[Patch]:
    """Write an object anew, and drop the comments in it and at the end of it.

    A comment after it that is indented like its fields counts as part of it: it may well be an
    old value. One at the left margin stays.
    """
    if node.flow:
        from sealkit.manifests import flow_patches  # noqa: PLC0415 (cold start: rare)

        return flow_patches.replacement(layout, node, target)
    column = layout.column(_first(node).key.start)
    end = _comments_end(layout, layout.line_end(layout.value_end(node)), max(column, 1))
    return [Patch(node.start, end, layout.joined(yaml_lines(target), column))]


def difference(
    layout: Layout, node: MappingNode, target: Mapping[str, object], head: int | None = None
) -> list[Patch]:
    """Make a mapping equal to `target`, touching only the lines of what differs.

    `head` is where the line after the parent's key begins: a new first entry goes there, above
    the comments of the entry that was first.
    """
    if node.flow:
        from sealkit.manifests import flow_patches  # noqa: PLC0415 (cold start: rare)

        return flow_patches.difference(layout, node, target)
    kept = kept_keys(node, target)
    column = layout.column(_first(node).key.start)
    if not kept:
        end = layout.line_end(layout.value_end(node))
        return [Patch(_first(node).key.start, end, layout.joined(yaml_lines(target), column))]
    patches = [p for key in kept for p in _changed(layout, node.entries[key], target[key])]
    patches += _removed(layout, node, kept)
    for anchor, entries in additions(node, target).items():
        lines = [line for key, value in entries for line in entry_lines(key, value, layout.step)]
        if anchor is not None:
            patches.append(_after(layout, node.entries[anchor], lines, column))
        else:
            patches.append(_in_front(layout, _first(node), lines, head))
    return patches


def _first(node: MappingNode) -> Entry:
    return next(iter(node.entries.values()))


def _entry_end(layout: Layout, entry: Entry) -> int:
    return layout.next_line(layout.value_end(entry.value))


def _after(layout: Layout, entry: Entry, lines: list[str], column: int) -> Patch:
    place = _entry_end(layout, entry)
    text = " " * column + layout.joined(lines, column)
    if layout.text[place - 1] == "\n":
        return Patch(place, place, text + layout.eol)
    return Patch(place, place, layout.eol + text)  # the text ends without a line end


def _in_front(layout: Layout, first: Entry, lines: list[str], head: int | None) -> Patch:
    start = first.key.start
    column = layout.column(start)
    text = layout.joined(lines, column) + layout.eol
    if not layout.starts_line(start):  # "- key: value": the first entry shares its line
        return Patch(start, start, text + " " * column)
    place = layout.line_start(start) if head is None else head
    return Patch(place, place, " " * column + text)


def _removed(layout: Layout, node: MappingNode, kept: list[str]) -> list[Patch]:
    patches: list[Patch] = []
    entries = list(node.entries.items())
    shared = not layout.starts_line(entries[0][1].key.start)
    if shared and entries[0][0] not in kept:
        run = next(index for index, (key, _) in enumerate(entries) if key in kept)
        end = _entry_end(layout, entries[run - 1][1])
        while layout.text[end] == " ":
            end += 1
        patches.append(Patch(entries[0][1].key.start, end, ""))
        entries = entries[run:]
    before: Entry | None = None
    for key, entry in entries:
        if key in kept:
            before = entry
            continue
        begin, end = layout.line_start(entry.key.start), _entry_end(layout, entry)
        if before and layout.keeps_blank_lines(before.value):
            end = layout.skip_blank_lines(end)  # else they would become part of that value
        patches.append(Patch(begin, end, ""))
    return patches


def _changed(layout: Layout, entry: Entry, value: object) -> list[Patch]:
    old = entry.value
    if same_data(to_plain(old), value):
        return []
    colon = layout.text.find(":", entry.key.end)
    if colon < 0:
        raise unsafe()
    if isinstance(old, MappingNode) and old.entries and isinstance(value, Mapping) and value:
        return difference(layout, old, value, layout.next_line(colon))
    if is_block(value):
        return _to_block(layout, entry, colon + 1, value)
    return [_to_line(layout, old, colon + 1, yaml_inline(value))]


def _to_line(layout: Layout, old: Node, start: int, text: str) -> Patch:
    """Put a value on one line in the place of an old one that begins behind `start`."""
    end = layout.value_end(old)
    if not isinstance(old, Scalar) and not old.flow:
        return Patch(start, layout.line_end(end), f" {text}")
    return Patch(old.start, end, text) if old.start < old.end else Patch(start, end, f" {text}")


def _to_block(layout: Layout, entry: Entry, start: int, value: object) -> list[Patch]:
    """Put lines of their own in the place of a value; a comment behind the old one stays."""
    column = layout.column(entry.key.start)
    lines = nested_lines(value, layout.step)
    text = layout.eol + " " * column + layout.joined(lines, column)
    end = layout.value_end(entry.value)
    line_end = layout.line_end(end)
    is_inline = isinstance(entry.value, Scalar) or entry.value.flow
    if is_inline and "\n" not in layout.text[start:end]:
        return [Patch(start, end, ""), Patch(line_end, line_end, text)]
    return [Patch(start, line_end, text)]


def _comments_end(layout: Layout, end: int, column: int) -> int:
    """Return the end of the last comment that follows `end` indented by `column` or more."""
    line = layout.next_line(end)
    while line < len(layout.text):
        stop = layout.line_end(line)
        content = layout.text[line:stop].lstrip(" \t")
        if content and (not content.startswith("#") or stop - line - len(content) < column):
            break
        end = stop if content else end
        line = layout.next_line(stop)
    return end
