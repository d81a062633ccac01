"""Which values go into a file, and what they are called there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sealkit.builders.fields import entries, text
from sealkit.errors import ManifestError
from sealkit.fields import mapping

MAX_KEYS: Final = 1024  # as many as a Secret may have

NameCheck = Callable[[str, str], None]
"""Given a name in the file and the path of it, raises ManifestError if it cannot be one."""


@dataclass(frozen=True)
class Selection:
    """Pairs of the name in the file and the name of the value, sorted; `pairs` is None for all."""

    pairs: tuple[tuple[str, str], ...] | None = None

    @property
    def names(self) -> frozenset[str]:
        """The names of the values, none if all are meant."""
        return frozenset(value for _, value in self.pairs or ())

    def among(self, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Return the pairs, given the names of all values there are."""
        return tuple((name, name) for name in sorted(names)) if self.pairs is None else self.pairs

    def to_dict(self) -> dict[str, object]:
        """Return `keys`: a list where each value keeps its name, a mapping if not, none for all."""
        if self.pairs is None:
            return {}
        if all(name == value for name, value in self.pairs):
            return {"keys": [name for name, _ in self.pairs]}
        return {"keys": dict(self.pairs)}


def parse_selection(given: Mapping[str, object], path: str, check: NameCheck) -> Selection:
    """Parse the field `keys`, which may be missing: a list of names, or a mapping to them.

    Raises:
        ManifestError: it is something else, empty, too long, or a name is there twice; `check`.
    """
    if "keys" not in given:
        return Selection()
    raw, where = given["keys"], f"{path}.keys"
    pairs = _mapped(raw, where, check) if isinstance(raw, Mapping) else _listed(raw, where, check)
    if not 0 < len(pairs) <= MAX_KEYS:
        raise ManifestError(f"has not 1 to {MAX_KEYS} entries", field=where)
    return Selection(tuple(sorted(pairs.items())))


def _mapped(raw: object, path: str, check: NameCheck) -> dict[str, str]:
    given = mapping(raw, path)
    for name in given:
        check(name, f"{path}.{name}")
    return {name: text(value, f"{path}.{name}") for name, value in given.items()}


def _listed(raw: object, path: str, check: NameCheck) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for one, where in entries(raw, path, MAX_KEYS):
        name = text(one, where)
        check(name, where)
        if name in pairs:
            raise ManifestError("is there twice", field=where)
        pairs[name] = name
    return pairs
