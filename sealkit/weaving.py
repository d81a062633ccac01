"""Three-way merge of whole files with manifests in them. Pure; merging of lines is passed in.

The manifests that both sides have are merged as data; then all three texts get the merged data, by
edits that keep their comments and layout, and only what still differs is merged as lines. So the
comments and the other documents of both sides come together as they always do in Git.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from sealkit.errors import ManifestError, SealkitError
from sealkit.manifests.documents import Resource, iter_resources, read_documents
from sealkit.manifests.sealed import API_VERSION, KIND, SealedSecret
from sealkit.manifests.splice import Update, rewrite
from sealkit.manifests.tree import field_path, same_data
from sealkit.markers import MARK, SIZE, Found, expanded, marked
from sealkit.merging import ABSENT, conflicts, merge

_Identity = tuple[str, str]  # namespace and name
_Manifests = Mapping[_Identity, Resource]


class Texts(NamedTuple):
    """A file in the common ancestor and on both sides; empty where it is not there."""

    base: bytes
    ours: bytes
    theirs: bytes


class Lines(NamedTuple):
    """What a merge of lines made, and whether without conflict."""

    text: bytes
    clean: bool


class Woven(NamedTuple):
    """A merged file. Unless it is `clean`, both sides are in it between conflict markers.

    `fields` are the places in manifests that both sides changed differently. `uneven` are the
    names of manifests whose values open in different clusters now, as those of no side did.
    `problem` is why what both sides make together is no manifest, where each side alone is.
    """

    text: bytes
    clean: bool
    fields: tuple[str, ...] = ()
    uneven: tuple[str, ...] = ()
    problem: str = ""


MergeLines = Callable[[Texts], Lines]


class _Plan(NamedTuple):
    """The texts, the manifests in each, and those of both sides merged."""

    texts: tuple[str, ...]
    manifests: tuple[_Manifests, ...]
    trees: Mapping[_Identity, Mapping[str, object]]


def weave(texts: Texts, merge_lines: MergeLines, marker_size: int = SIZE) -> Woven:
    """Merge a file.

    What cannot be read as manifests is merged as lines. A result that is `clean` reads strictly,
    unless neither side did.
    """
    try:
        plan = _plan(texts)
    except SealkitError:
        return _as_lines(texts, merge_lines)
    found = [one for tree in plan.trees.values() for one in conflicts(tree)]
    lines = merge_lines(_edited(plan, texts))
    try:
        text = expanded(lines.text, found, marker_size)
    except ManifestError:
        return Woven(_forced(texts, merge_lines), clean=False, fields=_fields(found))
    if found or not lines.clean:
        return Woven(text, clean=False, fields=_fields(found))
    if problem := _problem(text, plan):
        return Woven(_forced(texts, merge_lines), clean=False, problem=problem)
    return Woven(text, clean=True, uneven=tuple(_uneven(plan)))


def _plan(texts: Texts) -> _Plan:
    """Read all three texts.

    Raises:
        SealkitError: one cannot be read strictly.
    """
    aligned = _with_all_documents(_aligned([_decoded(text) for text in texts]))
    base, ours, theirs = manifests = tuple(_manifests(text) for text in aligned)
    trees = {
        identity: merge(
            base[identity].to_dict() if identity in base else ABSENT,
            resource.to_dict(),
            theirs[identity].to_dict(),
        )
        for identity, resource in ours.items()
        if identity in theirs
    }
    return _Plan(tuple(aligned), manifests, trees)


def _decoded(text: bytes) -> str:
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        raise ManifestError("not UTF-8 text") from None
    if MARK in decoded:
        raise ManifestError("holds what marks conflicts during a merge")
    return decoded


def _manifests(text: str) -> dict[_Identity, Resource]:
    """Return the manifests in a text, all read strictly.

    Raises:
        SealkitError: one is wrong, or two have one name.
    """
    found: dict[_Identity, Resource] = {}
    for document in read_documents(text):
        for resource in iter_resources(document):
            raw = resource.to_dict()
            if (raw.get("apiVersion"), raw.get("kind")) != (API_VERSION, KIND):
                continue
            sealed = SealedSecret.from_dict(raw)
            if found.setdefault((sealed.namespace, sealed.name), resource) is not resource:
                raise ManifestError("is there twice", field="metadata.name")
    return found


def _aligned(texts: list[str]) -> list[str]:
    """Return the texts with one kind of line end: that of the side that changed it."""
    base, ours, theirs = (_line_end(text) for text in texts)
    wanted = theirs if ours == base else ours
    if not (ours and theirs) or base == ours == theirs:
        return texts
    return [text.replace("\r\n", "\n").replace("\n", wanted) for text in texts]


def _line_end(text: str) -> str:
    """Return the line end of a text, "" if there is none or not only one kind."""
    windows, all_of_them = text.count("\r\n"), text.count("\n")
    if windows == all_of_them:
        return "\r\n" if windows else ""
    return "" if windows else "\n"


def _with_all_documents(texts: list[str]) -> list[str]:
    """Return the texts with the manifests that one side added at the end of the others too.

    So two that were added in one place do not meet: to a merge of lines they were always there.
    """
    base, ours, theirs = (_documents(text) for text in texts)
    ours_only = [ours[one] for one in ours if one not in base and one not in theirs]
    theirs_only = [theirs[one] for one in theirs if one not in base and one not in ours]
    can_follow = all(text.endswith("\n") for text in (*texts, *ours_only, *theirs_only))
    if not (ours_only and theirs_only and can_follow):
        return texts
    added = (ours_only + theirs_only, theirs_only, ours_only)
    return ["".join((text, *more)) for text, more in zip(texts, added, strict=True)]


def _documents(text: str) -> dict[_Identity, str]:
    """Return the manifests that are documents with a `---` line of their own, as text."""
    found = {}
    for identity, resource in _manifests(text).items():
        document = resource.document
        source = text[document.start : document.end]
        if not resource.field and source.startswith("---"):
            found[identity] = source
    return found


def _edited(plan: _Plan, texts: Texts) -> Texts:
    """Return the texts with the merged data in all of them; as they are if that is not safe."""
    numbers = itertools.count()
    targets = {identity: marked(tree, numbers) for identity, tree in plan.trees.items()}
    edited = []
    for text, manifests in zip(plan.texts, plan.manifests, strict=True):
        changes = [
            Update(resource, targets[identity])
            for identity, resource in manifests.items()
            if identity in targets
        ]
        try:
            edited.append(rewrite(text, changes).encode())
        except ManifestError:
            return texts
    return Texts(*edited)


def _fields(found: Found) -> tuple[str, ...]:
    """Return where the conflicts are; those of envelopes only if there are no others."""
    paths = [path for path, _ in found]
    others = [path for path in paths if path[:2] != ("spec", "envelopes")]
    return tuple(dict.fromkeys(field_path(path) for path in others or paths))


def _as_lines(texts: Texts, merge_lines: MergeLines) -> Woven:
    lines = merge_lines(texts)
    problem = _unreadable(lines.text)
    if not (lines.clean and problem) or all(map(_unreadable, (texts.ours, texts.theirs))):
        return Woven(*lines)
    return Woven(_forced(texts, merge_lines), clean=False, problem=problem)


def _unreadable(text: bytes) -> str:
    """Return why a text cannot be read strictly, "" if it can."""
    try:
        _manifests(_decoded(text))
    except SealkitError as error:
        return ": ".join(part for part in (error.field, error.problem) if part)
    return ""


def _forced(texts: Texts, merge_lines: MergeLines) -> bytes:
    """Return the texts merged as lines, with conflicts; if there are none, where sides differ."""
    lines = merge_lines(texts)
    return merge_lines(texts._replace(base=b"")).text if lines.clean else lines.text


def _problem(text: bytes, plan: _Plan) -> str:
    """Return what is wrong with a merged text, "" if it reads strictly and is what was meant."""
    if problem := _unreadable(text):
        return problem
    manifests = _manifests(text.decode())
    as_planned = all(
        identity in manifests and same_data(manifests[identity].to_dict(), tree)
        for identity, tree in plan.trees.items()
    )
    return "" if as_planned else "the lines of both sides do not fit together"


def _uneven(plan: _Plan) -> Iterator[str]:
    _, ours, theirs = plan.manifests
    for identity, tree in plan.trees.items():
        sides = (ours[identity].to_dict(), theirs[identity].to_dict())
        if _is_uneven(tree) and not any(_is_uneven(side) for side in sides):
            yield "/".join(part for part in identity if part)


def _is_uneven(raw: Mapping[str, object]) -> bool:
    return len({frozenset(one.wraps) for one in SealedSecret.from_dict(raw).envelopes.values()}) > 1
