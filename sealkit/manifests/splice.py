"""Edits by text splice: what is not meant keeps its bytes, its comments and its layout.

An edit is planned as patches on the old text, made, and then checked by reading the new text: only
the intended fields of the intended objects may differ, or nothing is done. `block_patches` and
`flow_patches` know where the patches go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sealkit.errors import ManifestError
from sealkit.manifests import block_patches
from sealkit.manifests.documents import Document, Resource, read_documents
from sealkit.manifests.patches import Layout, Patch, applied, unsafe
from sealkit.manifests.tree import MappingNode, Node, SequenceNode, field_path, same_data, to_plain


class Set(NamedTuple):
    """Set the field at `path`; mappings that are missing on the way are made."""

    path: tuple[str, ...]
    value: object


class Remove(NamedTuple):
    """Remove the field at `path`; a field that is not there is no error."""

    path: tuple[str, ...]


Edit = Set | Remove


class Update(NamedTuple):
    """Make `resource` equal to `target`, touching only the lines of what differs.

    A new field goes where `target` has it: after the nearest field before it that stays.
    """

    resource: Resource
    target: Mapping[str, object]


class Replace(NamedTuple):
    """Write `resource` anew as `target`: comments and layout inside it go, around it they stay."""

    resource: Resource
    target: Mapping[str, object]


Change = Update | Replace


def apply_edits(resource: Resource, edits: Sequence[Edit]) -> str:
    """Return the whole text with all `edits` made, in their order, in this one object.

    A new key goes before the first sibling that sorts after it.

    Raises:
        ManifestError: a path leads through something that is no mapping, or as `rewrite`.
    """
    target = resource.to_dict()
    for edit in edits:
        try:
            target = _edited(target, edit, 0)
        except ManifestError as error:
            resource.located(error)
            raise
    return rewrite(resource.document.text, [Update(resource, target)])


def update_resource(resource: Resource, target: Mapping[str, object]) -> str:
    """Return the whole text with one `Update`. Raises as `rewrite`."""
    return rewrite(resource.document.text, [Update(resource, target)])


def replace_resource(resource: Resource, target: Mapping[str, object]) -> str:
    """Return the whole text with one `Replace`. Raises as `rewrite`."""
    return rewrite(resource.document.text, [Replace(resource, target)])


def rewrite(text: str, changes: Sequence[Change], before: Sequence[Document] = ()) -> str:
    """Return `text` with all `changes` made at once, at most one for each resource.

    Byte order mark, line ends and the state of the last line are kept. `before` are all documents
    of the text, if they are at hand; else they are read again.

    Raises:
        ManifestError: the layout is one that cannot be edited safely, such as `? key` lines.
        ValueError: a resource comes from another text.
    """
    known = [*before, *(change.resource.document for change in changes)]
    if any(document.text is not text and document.text != text for document in known):
        raise ValueError("the resource comes from another text")
    if not changes:
        return text
    try:
        edited = applied(text, [patch for change in changes for patch in _planned(text, change)])
        edited = _ending_like(text, edited)
        _check(before or read_documents(text), edited, changes)
    except ManifestError as error:
        changes[0].resource.located(error)
        raise
    return edited


def _ending_like(text: str, edited: str) -> str:
    """Take the last line end away from `edited` if `text` has none."""
    if text.endswith("\n") or not edited.endswith("\n"):
        return edited
    return edited[:-2] if edited.endswith("\r\n") else edited[:-1]


def _planned(text: str, change: Change) -> list[Patch]:
    node = change.resource.node
    layout = Layout.of(text, node)
    if isinstance(change, Replace):
        return block_patches.replacement(layout, node, change.target)
    return block_patches.difference(layout, node, change.target)


def _edited(data: dict[str, object], edit: Edit, depth: int) -> dict[str, object]:
    """Return `data` with the edit made below `depth` steps of its path."""
    key = edit.path[depth]
    if depth + 1 == len(edit.path):
        if isinstance(edit, Set):
            return _with(data, key, edit.value)
        return {name: value for name, value in data.items() if name != key}
    inner = data.get(key)
    if inner is None:
        return data if isinstance(edit, Remove) else _with(data, key, _edited({}, edit, depth + 1))
    if not isinstance(inner, dict):
        raise ManifestError("is not a mapping", field=field_path(edit.path[: depth + 1]))
    return data | {key: _edited(inner, edit, depth + 1)}


def _with(data: dict[str, object], key: str, value: object) -> dict[str, object]:
    """Return `data` with one entry more, before the first that sorts after it, or one changed."""
    if key in data:
        return data | {key: value}
    names = list(data)
    place = next((index for index, name in enumerate(names) if name > key), len(names))
    names.insert(place, key)
    return {name: value if name == key else data[name] for name in names}


def _check(before: Sequence[Document], edited: str, changes: Sequence[Change]) -> None:
    """Refuse an edit whose result, read again, is not exactly what was meant."""
    targets = {change.resource.node.start: change for change in changes}
    try:
        after = read_documents(edited)
    except ManifestError as error:
        raise unsafe() from error
    if len(before) != len(after):
        raise unsafe()
    for old, new in zip(before, after, strict=True):
        if not same_data(_expected(old.root, targets), new.to_plain()):
            raise unsafe()


def _expected(node: Node | None, targets: Mapping[int, Change]) -> object:
    if isinstance(node, MappingNode):
        change = targets.get(node.start)
        if change is not None:
            return change.target
        return {key: _expected(entry.value, targets) for key, entry in node.entries.items()}
    if isinstance(node, SequenceNode):
        return [_expected(item, targets) for item in node.items]
    return to_plain(node)
