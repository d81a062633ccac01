"""Three-way merge of one manifest, entry by entry and without any key. Pure.

Works on the data of manifests that were read strictly. The result is a tree like a manifest in
which a `Conflict` stands wherever both sides changed one entry differently; everything else in it
is decided. Nothing is decrypted, so what only a key could tell is a conflict too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, NamedTuple

from sealkit.manifests.sealed import SealedValue
from sealkit.manifests.tree import same_data

Path = tuple[str, ...]


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT  # an entry that a side has not; None is a value


@dataclass(frozen=True, slots=True)
class Conflict:
    """What each side has in one place, `ABSENT` if nothing."""

    ours: object
    theirs: object


class Sides(NamedTuple):
    """One place in the common ancestor and in both sides, `ABSENT` where it is not there."""

    base: object
    ours: object
    theirs: object

    def at(self, *path: str) -> Sides:
        """Return the place that a path leads to from here."""
        return Sides(*(_at(side, path) for side in self))


_VALUES: Final = ("encryptedData", "references")
# What is below these is merged as a whole, even where it is a mapping.
_WHOLE: Final = frozenset((("spec", "vault"), ("spec", "template", "build")))


def merge(
    base: object, ours: Mapping[str, object], theirs: Mapping[str, object]
) -> dict[str, object]:
    """Merge the data of one manifest; `base` is `ABSENT` where both sides added it.

    All of them must be data that `SealedSecret.from_dict` takes; whether it takes the result is
    for the caller to check, as template and values may come from different sides.
    """
    sides = Sides(base, ours, theirs)
    values, references = (_values(sides.at("spec"), name) for name in _VALUES)
    envelopes = _envelopes(sides.at("spec", "envelopes"), values)
    parts = {"encryptedData": values, "references": references, "envelopes": envelopes}
    special: dict[Path, object] = {("spec", name): part for name, part in parts.items()}
    special["spec", "rolloutRestart"] = _list(sides.at("spec", "rolloutRestart"))
    merged = _mapping((), sides, special)
    return {name: _lifted(value) for name, value in merged.items()}


def conflicts(tree: object, path: Path = ()) -> Iterator[tuple[Path, Conflict]]:
    """Yield every conflict in a merged tree and where it is."""
    if isinstance(tree, Conflict):
        yield path, tree
    elif isinstance(tree, Mapping):
        for name, value in tree.items():
            yield from conflicts(value, (*path, name))


def resolved(tree: object, side: Literal["ours", "theirs"]) -> object:
    """Return a merged tree with one side's entries in the place of all conflicts."""
    if isinstance(tree, Conflict):
        return getattr(tree, side)
    if not isinstance(tree, Mapping):
        return tree
    entries = ((name, resolved(value, side)) for name, value in tree.items())
    return {name: value for name, value in entries if value is not ABSENT}


def _at(node: object, path: Path) -> object:
    for name in path:
        node = node.get(name, ABSENT) if isinstance(node, Mapping) else ABSENT
    return node


def _decided(compared: Sides, entry: Sides) -> object:
    """Return the entry of the side that changed what is compared, or the conflict of both."""
    if same_data(compared.base, compared.theirs) or same_data(entry.ours, entry.theirs):
        return entry.ours
    if same_data(compared.base, compared.ours):
        return entry.theirs
    return Conflict(entry.ours, entry.theirs)


def _merged(path: Path, sides: Sides, special: Mapping[Path, object]) -> object:
    if path in special:
        return _unless_gone(special[path], sides)
    nested = all(isinstance(side, Mapping) or side is ABSENT for side in sides)
    if nested and path[:-1] not in _WHOLE:
        return _unless_gone(_mapping(path, sides, special), sides)
    return _decided(sides, sides)


def _mapping(path: Path, sides: Sides, special: Mapping[Path, object]) -> dict[str, object]:
    names = _names(sides)
    tree = {name: _merged((*path, name), sides.at(name), special) for name in names}
    return {name: value for name, value in tree.items() if value is not ABSENT}


def _unless_gone(tree: object, sides: Sides) -> object:
    """Return a collection; an empty one only if neither side took it away."""
    there = Sides(*(side is not ABSENT for side in sides))
    return tree if tree or _decided(there, there) else ABSENT


def _names(sides: Sides) -> list[str]:
    """Return the names of both sides, in an order that agrees with that of each.

    A name of their side comes behind the name it follows there, sorted among new ones of ours.
    """
    ours, theirs = (list(side) if isinstance(side, Mapping) else [] for side in sides[1:])
    names, place = list(ours), 0
    for name in theirs:
        if name in ours:
            place = names.index(name) + 1
            continue
        while place < len(names) and names[place] not in theirs and names[place] < name:
            place += 1
        names.insert(place, name)
        place += 1
    return names


def _list(sides: Sides) -> object:
    """Merge lists as sets: what either side added is added, what either took away goes."""
    entries = Sides(*(_by_text(side) for side in sides))
    kept = (_decided(entries.at(name), entries.at(name)) for name in _names(entries))
    return [entry for entry in kept if entry is not ABSENT]


def _by_text(side: object) -> object:
    if not isinstance(side, list):
        return ABSENT
    return {json.dumps(entry, sort_keys=True): entry for entry in side}


def _values(spec: Sides, field: str) -> dict[str, object]:
    """Merge the values in one of the two fields; a key is one entry, in whichever field it is."""
    scope = _decided(spec.at("scope"), spec.at("scope"))
    tree: dict[str, object] = {}
    for key in _names(spec.at(field)):
        both = zip(*(spec.at(name, key) for name in _VALUES), strict=True)
        entry = spec.at(field, key)
        value = _decided(Sides(*both), entry)
        if field == "encryptedData":
            value = _within(scope, spec.at("scope"), entry, value)
        if value is not ABSENT:
            tree[key] = value
    return tree


def _within(scope: object, scopes: Sides, entry: Sides, value: object) -> object:
    """Return a value, but a conflict if it was sealed for another scope than the merged one.

    A value opens only in the scope it was sealed for: no key is needed to know that this one of
    the other side would not open.
    """
    if same_data(scopes.ours, scopes.theirs) or same_data(entry.ours, entry.theirs):
        return value
    keeper = entry.ours if scope == scopes.ours else entry.theirs
    fits = not isinstance(scope, Conflict) and same_data(value, keeper)
    return value if fits else Conflict(entry.ours, entry.theirs)


def _envelopes(sides: Sides, values: Mapping[str, object]) -> dict[str, object]:
    """Return the envelopes that the values use; one for a value in conflict is part of that."""
    pairs = [
        (value.ours, value.theirs) if isinstance(value, Conflict) else (value, value)
        for value in values.values()
    ]
    ours, theirs = ({_envelope_of(pair[side]) for pair in pairs} for side in (0, 1))
    tree: dict[str, object] = {}
    for eid in _names(sides):
        envelope = sides.at(eid)
        if eid in ours & theirs:
            tree[eid] = _envelope(envelope)
        elif eid in ours | theirs:
            tree[eid] = Conflict(
                envelope.ours if eid in ours else ABSENT,
                envelope.theirs if eid in theirs else ABSENT,
            )
    return tree


def _envelope_of(value: object) -> str:
    return SealedValue.parse(value, "").envelope if isinstance(value, str) else ""


def _envelope(sides: Sides) -> object:
    """Merge the wraps of one envelope, but never wraps of different data keys.

    Other bytes for the same cluster may be the same data key encrypted anew, or another one: only
    a key could tell.
    """
    if ABSENT in sides[1:]:
        return sides.theirs if sides.ours is ABSENT else sides.ours
    whole = _decided(sides, sides)
    if not isinstance(whole, Conflict) or not _one_data_key(sides):
        return whole
    wraps = _mapping((), sides.at("wraps"), {})
    return {**_as_mapping(sides.ours), "wraps": wraps} if wraps else whole


def _one_data_key(sides: Sides) -> bool:
    wraps: dict[str, object] = {}
    return all(
        wraps.setdefault(kid, wrap) == wrap
        for side in sides.at("wraps")
        for kid, wrap in _as_mapping(side).items()
    )


def _as_mapping(side: object) -> Mapping[str, object]:
    return side if isinstance(side, Mapping) else {}


def _lifted(tree: object) -> object:
    """Make one conflict of a mapping that would be empty on one side of its conflicts.

    The text of such a mapping would be a name without a value.
    """
    if not isinstance(tree, Mapping):
        return tree
    lifted = {name: _lifted(value) for name, value in tree.items()}
    if not lifted or not all(isinstance(value, Conflict) for value in lifted.values()):
        return lifted
    ours, theirs = resolved(lifted, "ours"), resolved(lifted, "theirs")
    return lifted if ours and theirs else Conflict(ours or ABSENT, theirs or ABSENT)
