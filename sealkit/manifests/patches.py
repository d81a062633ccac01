"""Patches on a text, and where lines, columns and values of block YAML begin and end in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from sealkit.errors import ManifestError
from sealkit.manifests.emit import STEP
from sealkit.manifests.tree import MappingNode, Node, Scalar, SequenceNode

_BLANK: Final = " \t\r\n"


class Patch(NamedTuple):
    """Put `text` in the place of `[start:end]` of the old text."""

    start: int
    end: int
    text: str


def applied(text: str, patches: Iterable[Patch]) -> str:
    """Return `text` with all patches made; those at one place keep their order.

    Raises:
        ManifestError: two of them overlap.
    """
    parts: list[str] = []
    done = 0
    for patch in sorted(patches, key=lambda patch: patch[:2]):
        if patch.start < done:
            raise unsafe()
        parts += (text[done : patch.start], patch.text)
        done = patch.end
    return "".join((*parts, text[done:]))


def unsafe() -> ManifestError:
    """Return the error for a layout that is understood but cannot be edited in place."""
    return ManifestError(
        "the layout of this document cannot be edited safely",
        hint="write it in plain block style or as indented JSON, and try again",
    )


class Layout(NamedTuple):
    """A text with the line end it uses and the indentation of one of its objects."""

    text: str
    eol: str
    step: int

    @classmethod
    def of(cls, text: str, node: MappingNode) -> Layout:
        """Find out line end and indentation; a line feed and two spaces if nothing shows them."""
        first = text.find("\n")
        eol = "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"
        return cls(text, eol, _step(cls(text, eol, STEP), node))

    def line_start(self, index: int) -> int:
        """Return where the line of `index` begins, behind a byte order mark."""
        return self.text.rfind("\n", 0, index) + 1 or int(self.text.startswith("\ufeff"))

    def line_end(self, index: int) -> int:
        """Return where the line of `index` ends, before its line end."""
        end = self.text.find("\n", index)
        if end < 0:
            return len(self.text)
        return end - 1 if end > index and self.text[end - 1] == "\r" else end

    def next_line(self, index: int) -> int:
        """Return where the next line begins; the end of the text if there is none."""
        return self.text.find("\n", index) + 1 or len(self.text)

    def column(self, index: int) -> int:
        """Return the number of characters before `index` in its line."""
        return index - self.line_start(index)

    def starts_line(self, index: int) -> bool:
        """Tell whether only spaces stand before `index` in its line."""
        return not self.text[self.line_start(index) : index].strip(" ")

    def value_end(self, node: Node) -> int:
        """Return where the last line of a value ends: before its line end, if it includes one."""
        if isinstance(node, Scalar):
            return self._block_scalar_end(node) if node.style in ("|", ">") else node.end
        if node.flow:
            return node.end
        last = _last(node)
        return node.end if last is None else self.value_end(last)

    def keeps_blank_lines(self, node: Node) -> bool:
        """Tell whether blank lines behind a value belong to it: `|+` is its last line."""
        if isinstance(node, Scalar):
            return node.style in ("|", ">") and "+" in self.text[node.start : node.start + 3]
        last = None if node.flow else _last(node)
        return last is not None and self.keeps_blank_lines(last)

    def skip_blank_lines(self, index: int) -> int:
        """Return where the next line begins that holds something, from a line start on."""
        while index < len(self.text) and not self.text[index : self.line_end(index)].strip(" "):
            index = self.next_line(index)
        return index

    def _block_scalar_end(self, scalar: Scalar) -> int:
        source = self.text[scalar.start : scalar.end]
        if self.keeps_blank_lines(scalar):
            return scalar.end - (source.endswith("\n") + source.endswith("\r\n"))
        return scalar.start + len(source.rstrip(_BLANK))

    def joined(self, lines: Iterable[str], column: int) -> str:
        """Return lines as text; all but the first are indented, the last has no line end."""
        return (self.eol + " " * column).join(lines)


def _last(node: MappingNode | SequenceNode) -> Node | None:
    if isinstance(node, SequenceNode):
        return node.items[-1] if node.items else None
    return node.entries[next(reversed(node.entries))].value if node.entries else None


def _step(layout: Layout, node: MappingNode) -> int:
    """Return by how much the first nested block mapping is indented."""
    for entry in node.entries.values():
        value = entry.value
        if isinstance(value, MappingNode) and value.entries and not value.flow:
            inner = next(iter(value.entries.values())).key.start
            return max(layout.column(inner) - layout.column(entry.key.start), 1)
    return STEP


def kept_keys(node: MappingNode, target: Mapping[str, object]) -> list[str]:
    """Return the keys of `node` that stay, in source order."""
    return [key for key in node.entries if key in target]


def additions(
    node: MappingNode, target: Mapping[str, object]
) -> dict[str | None, list[tuple[str, object]]]:
    """Group the new entries by the key that stays and that they follow, None for the front."""
    groups: dict[str | None, list[tuple[str, object]]] = {}
    anchor: str | None = None
    for key, value in target.items():
        if key in node.entries:
            anchor = key
        else:
            groups.setdefault(anchor, []).append((key, value))
    return groups
