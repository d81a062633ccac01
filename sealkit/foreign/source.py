"""A foreign document, read so that nothing of it gets lost: what is not taken out gives a note.

No note quotes a text of the document that was not looked at: it may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple

from sealkit import fields
from sealkit.errors import ManifestError, ReferenceSyntaxError

_INDEX: Final = re.compile(r"\[\d+\]")
_UNKNOWN: Final = "is not a field that sealkit knows: see whether you can do without it"
_SERVER: Final = "is kept by the API server: nothing to do"
_COMMON: Final[Mapping[str, str]] = {
    "status": _SERVER,
    **{
        f"metadata.{name}": _SERVER
        for name in (
            *("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"),
            *("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"),
        )
    },
    "metadata.ownerReferences": "is not carried over: whoever made the old object does not own it",
    "metadata.finalizers": "belong to the operator that is left: nothing to do",
}


class Note(NamedTuple):
    """What is not carried over: where it stands, what it was, and what to do about it."""

    field: str
    found: str
    todo: str

    def __str__(self) -> str:
        """Return the note for people, on one line."""
        found = f"({self.found})" if self.found else ""
        place = " ".join(part for part in (self.field, found) if part)
        return f"{place}: {self.todo}" if place else self.todo


class Source:
    """One mapping of a foreign document. Each field can be taken once; null means absent.

    Raises:
        ManifestError: it is no mapping with names; so do the methods where a field is of another
            type, naming it.
    """

    __slots__ = ("_notes", "_parts", "_rest", "path")

    def __init__(self, raw: object, path: str = "", notes: list[Note] | None = None) -> None:
        given = fields.mapping(raw, path)
        self.path = path
        self._rest = {name: value for name, value in given.items() if value is not None}
        self._parts: list[Source] = []
        self._notes: list[Note] = [] if notes is None else notes

    def __contains__(self, name: str) -> bool:
        """Tell whether a field is there and not taken yet."""
        return name in self._rest

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that are not taken yet."""
        return tuple(self._rest)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was noted so far, in the whole document."""
        return tuple(self._notes)

    def at(self, name: str) -> str:
        """Return the path of a field."""
        return f"{self.path}.{name}" if self.path and name else self.path or name

    def take(self, name: str) -> object:
        """Take a field of any type; None if it is absent."""
        return self._rest.pop(name, None)

    def text(self, name: str, default: str = "") -> str:
        """Take a text."""
        raw = self.take(name)
        return default if raw is None else fields.text(raw, self.at(name))

    def required(self, name: str) -> str:
        """Take a text that must be there and not be empty."""
        text = self.text(name)
        if not text:
            raise ManifestError("is missing", field=self.at(name))
        return text

    def flag(self, name: str) -> bool:
        """Take a boolean, false by default."""
        raw = self.take(name)
        return raw is not None and fields.flag(raw, self.at(name))

    def number(self, name: str) -> int:
        """Take a whole number that must be there."""
        raw = self.take(name)
        if not isinstance(raw, int) or isinstance(raw, bool):
            raise ManifestError("is not a whole number", field=self.at(name))
        return raw

    def texts(self, name: str) -> tuple[str, ...]:
        """Take a list of texts, empty by default."""
        items = enumerate(self._list(name))
        return tuple(fields.text(one, f"{self.at(name)}[{number}]") for number, one in items)

    def strings(self, name: str) -> dict[str, str]:
        """Take a mapping of texts, empty by default."""
        raw = self.take(name)
        return {} if raw is None else fields.string_map(raw, self.at(name))

    def inner(self, name: str) -> Source:
        """Take a mapping, empty by default, to take its fields one by one."""
        raw = self.take(name)
        return self._part({} if raw is None else raw, self.at(name))

    def entries(self, name: str) -> list[Source]:
        """Take a list of mappings, empty by default."""
        items = enumerate(self._list(name))
        return [self._part(one, f"{self.at(name)}[{number}]") for number, one in items]

    def _list(self, name: str) -> list[object]:
        raw = self.take(name)
        if raw is not None and not isinstance(raw, list):
            raise ManifestError("is not a list", field=self.at(name))
        return raw or []

    def _part(self, raw: object, path: str) -> Source:
        part = Source(raw, path, self._notes)
        self._parts.append(part)
        return part

    def note(self, name: str, found: object, todo: str) -> None:
        """Note something about a field; `name` "" is the mapping itself."""
        self._notes.append(Note(self.at(name), _said(found), todo))

    def drop(self, name: str, todo: str) -> None:
        """Take a field, or all that is left for `name` "", and note that it is not carried over."""
        if name:
            self.note(name, _kind_of(self._rest.pop(name, None)), todo)
            return
        self.note("", f"mapping of {', '.join(self._rest) or 'what is below'}", todo)
        self._rest.clear()
        self._parts.clear()

    def expect(self, name: str, usual: str, todo: str) -> None:
        """Take a text that changes nothing here if it is the usual one, and gives a note if not."""
        found = self.text(name, usual)
        if found != usual:
            self.note(name, found, todo)

    def left_over(self, hints: Mapping[str, str]) -> Iterator[Note]:
        """Yield a note for every field that nobody took; `hints` say what to do about known ones.

        The names of the hints are paths with `[]` for every place in a list.
        """
        for name, value in self._rest.items():
            path = self.at(name)
            pattern = _INDEX.sub("[]", path)
            todo = hints.get(pattern) or _COMMON.get(pattern, _UNKNOWN)
            yield Note(path, _kind_of(value), todo)
        for part in self._parts:
            yield from part.left_over(hints)

    @contextmanager
    def as_references(self, names: Mapping[str, str]) -> Iterator[None]:
        """Say in errors about a reference which field here is wrong; `names` are theirs by ours."""
        try:
            yield
        except ReferenceSyntaxError as error:
            field = self.at(names.get(error.field, error.field))
            raise ManifestError(error.problem, field=field, hint=error.hint) from None


def _said(found: object) -> str:
    return str(found).lower() if isinstance(found, bool) else str(found)


def _kind_of(value: object) -> str:
    """Describe a value that nobody looked at, without quoting text."""
    if isinstance(value, Mapping):
        return f"mapping of {len(value)}"
    if isinstance(value, list):
        return f"list of {len(value)}"
    return "text" if isinstance(value, str) else _said(value)
