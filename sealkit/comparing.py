"""What changed between two states of sealed manifests, told without any key. Pure.

Two values are the same if their bytes are: to seal a value anew changes it, whatever is inside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.tree import field_path, same_data

# What is compared in another way than field by field.
_APART: Final = frozenset(("spec", name) for name in ("envelopes", "encryptedData", "references"))


@dataclass(frozen=True)
class Manifest:
    """A manifest where it stands; if it has a `problem` it cannot be read, its name included."""

    file: str
    document: int
    namespace: str
    name: str
    sealed: SealedSecret | None
    problem: str = ""


@dataclass(frozen=True)
class Keys:
    """Names of values, sorted. `changed` are those that are in both states."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True)
class Altered:
    """A field, or the reference of a value, before and after; None: it is not there."""

    field: str
    old: object
    new: object


@dataclass(frozen=True)
class Reader:
    """A key whose power over the values changed.

    `added`: it opened nothing before; `removed`: it opens nothing any more. Else `gained` and
    `lost` are values of both states that it opens now or opened before. `rewrapped`: the same
    envelope is encrypted to it in other bytes.
    """

    kid: str
    added: bool
    removed: bool
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    rewrapped: bool

    @property
    def differs(self) -> bool:
        """Whether anything changed for it."""
        return bool(self.added or self.removed or self.gained or self.lost or self.rewrapped)


@dataclass(frozen=True)
class Comparison:
    """Everything that differs between two states; `envelopes` are their numbers."""

    values: Keys
    references: tuple[Altered, ...]
    readers: tuple[Reader, ...]
    fields: tuple[Altered, ...]
    envelopes: tuple[int, int]

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        values = self.values.added or self.values.removed or self.values.changed
        return bool(values or self.references or self.readers or self.fields)


def compare(old: SealedSecret | None, new: SealedSecret | None) -> Comparison:
    """Return what differs; None is a manifest that is not there."""
    kids = sorted(_kids(old) | _kids(new))
    readers = (_reader(kid, old, new) for kid in kids)
    return Comparison(
        values=_keys(old.encrypted_data if old else {}, new.encrypted_data if new else {}),
        references=_altered(_references(old), _references(new)),
        readers=tuple(reader for reader in readers if reader.differs),
        fields=_altered(_fields(old), _fields(new)),
        envelopes=(len(old.envelopes) if old else 0, len(new.envelopes) if new else 0),
    )


def _keys(old: Mapping[str, object], new: Mapping[str, object]) -> Keys:
    return Keys(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(key for key in old.keys() & new.keys() if old[key] != new[key])),
    )


def _altered(old: Mapping[str, object], new: Mapping[str, object]) -> tuple[Altered, ...]:
    """Compare entry by entry, in the order of the new state, what is gone at the end."""
    return tuple(
        Altered(name, old.get(name), new.get(name))
        for name in {**new, **old}
        if not same_data(old.get(name), new.get(name))
    )


def _references(sealed: SealedSecret | None) -> dict[str, object]:
    templates = sealed.references if sealed else {}
    return {key: template.to_raw() for key, template in templates.items()}


def _fields(sealed: SealedSecret | None) -> dict[str, object]:
    """Return the leaves of a manifest by path, without what is compared in another way."""
    if sealed is None:
        return {}
    raw = sealed.to_dict()
    leaves = {
        path: value for name in ("metadata", "spec") for path, value in _leaves(raw[name], (name,))
    }
    return {field_path(path): leaves[path] for path in leaves if path[:2] not in _APART}


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    else:
        yield path, value


def _kids(sealed: SealedSecret | None) -> frozenset[str]:
    return sealed.kids() if sealed else frozenset()


def _reader(kid: str, old: SealedSecret | None, new: SealedSecret | None) -> Reader:
    before, after = _opens(kid, old), _opens(kid, new)
    both = _names(old) & _names(new) if before and after else frozenset()
    return Reader(
        kid=kid,
        added=not before,
        removed=not after,
        gained=tuple(sorted((after - before) & both)),
        lost=tuple(sorted((before - after) & both)),
        rewrapped=_rewrapped(kid, old, new),
    )


def _opens(kid: str, sealed: SealedSecret | None) -> frozenset[str]:
    """Return the values that a key opens."""
    if sealed is None:
        return frozenset()
    envelopes = {eid for eid, envelope in sealed.envelopes.items() if kid in envelope.wraps}
    return frozenset(key for key, v in sealed.encrypted_data.items() if v.envelope in envelopes)


def _names(sealed: SealedSecret | None) -> frozenset[str]:
    return frozenset(sealed.encrypted_data) if sealed else frozenset()


def _rewrapped(kid: str, old: SealedSecret | None, new: SealedSecret | None) -> bool:
    if old is None or new is None:
        return False
    both = old.envelopes.keys() & new.envelopes.keys()
    pairs = ((old.envelopes[eid].wraps.get(kid), new.envelopes[eid].wraps.get(kid)) for eid in both)
    return any(before != after for before, after in pairs if before and after)


Pair = tuple[Manifest | None, Manifest | None]


def pair(old: Iterable[Manifest], new: Iterable[Manifest]) -> list[Pair]:
    """Return which manifest became which; None stands beside what was added or removed.

    One is the same if it has the same name in the same file; else if it has the same name and one
    of its values is the same; else the same name; else if one of its values is the same. The
    order is that of `new`; what was removed comes at the end.
    """
    olds, news = dict(enumerate(old)), dict(enumerate(new))
    partner: dict[int, int] = {}
    for signs in _SIGNS:
        given = set(partner.values())
        free = {number: one for number, one in olds.items() if number not in given}
        wanting = {number: one for number, one in news.items() if number not in partner}
        partner |= _matched(free, wanting, signs)
    found: list[Pair] = [
        (olds[partner[number]] if number in partner else None, one) for number, one in news.items()
    ]
    gone = sorted(olds.keys() - partner.values())
    return found + [(olds[number], None) for number in gone]


Signs = Callable[[Manifest], Collection[Hashable]]


def _matched(
    olds: Mapping[int, Manifest], news: Mapping[int, Manifest], signs: Signs
) -> dict[int, int]:
    """Give each new manifest the first old one that shares a sign and is not given away yet."""
    places: dict[Hashable, list[int]] = defaultdict(list)
    for number, one in olds.items():
        for sign in signs(one):
            places[sign].append(number)
    found: dict[int, int] = {}
    given: set[int] = set()
    for number, one in news.items():
        candidates = (old for sign in signs(one) for old in places.get(sign, ()))
        match = next((old for old in candidates if old not in given), None)
        if match is not None:
            found[number] = match
            given.add(match)
    return found


def _values(one: Manifest) -> list[Hashable]:
    return list(one.sealed.encrypted_data.values()) if one.sealed else []


_SIGNS: Final[tuple[Signs, ...]] = (
    lambda one: [(one.file, one.namespace, one.name)],
    lambda one: [(one.namespace, one.name, value) for value in _values(one)],
    lambda one: [(one.namespace, one.name)],
    _values,
)
