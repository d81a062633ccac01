"""What `sealkit diff` says: one entry for each manifest that differs. Pure; holds no value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sealkit.cli.output import json_of
from sealkit.comparing import Altered, Comparison, Manifest, Reader

_SHORT: Final = 100  # characters of a field that people read in a line
_TITLED: Final = ("metadata.name", "metadata.namespace")


@dataclass(frozen=True)
class Place:
    """Where a manifest is or was, and what it is called there."""

    file: str
    document: int
    namespace: str
    name: str

    @classmethod
    def of(cls, one: Manifest | None) -> Place | None:
        """Return the place of a manifest, if there is one."""
        return cls(one.file, one.document, one.namespace, one.name) if one else None

    def __str__(self) -> str:
        """Return the name, with the namespace if it has one."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True)
class Change:
    """One manifest that differs. With a key: changed values that are `same` inside or `unknown`.

    `clusters` are the names of the keys that the configuration of either state knows.
    """

    before: Place | None
    after: Place | None
    comparison: Comparison
    clusters: Mapping[str, str]
    same: tuple[str, ...] | None = None
    unknown: tuple[str, ...] | None = None

    @property
    def status(self) -> str:
        """What became of it, in a word."""
        if self.before is None or self.after is None:
            return "removed" if self.before else "added"
        if str(self.before) != str(self.after):
            return "renamed"
        return "moved" if self.before.file != self.after.file else "changed"

    @property
    def differs(self) -> bool:
        """Whether anything happened to it."""
        return self.status != "changed" or self.comparison.differs

    def to_dict(self) -> dict[str, object]:
        """Return it for programs."""
        raw = {"status": self.status, **_plain(self)}
        del raw["comparison"], raw["clusters"]
        raw |= _plain(self.comparison)
        raw["readers"] = [
            {"cluster": self.clusters.get(reader.kid, ""), **_plain(reader)}
            for reader in self.comparison.readers
        ]
        return raw

    def lines(self) -> Iterator[str]:
        """Yield the lines for people; of what was removed there is only the name to say."""
        yield f"{self.status} {self._title()}"
        if self.after is None:
            return
        yield from self._values()
        for reader in self.comparison.readers:
            yield from _reader_lines(reader, self.clusters.get(reader.kid, ""))
        for entry in self.comparison.references:
            yield _altered_line(f"reference {entry.field}", entry)
        for entry in self.comparison.fields:
            if entry.field not in _TITLED:
                yield _altered_line(entry.field, entry)
        old, new = self.comparison.envelopes
        if self.before and old != new:
            yield f"  ~ envelopes: {old} → {new}"

    def _title(self) -> str:
        places = [place for place in (self.before, self.after) if place]
        names = dict.fromkeys(str(place) for place in places)
        files = dict.fromkeys(place.file for place in places)
        return f"{' → '.join(names)} in {' → '.join(files)}"

    def _values(self) -> Iterator[str]:
        values = self.comparison.values
        yield from (f"  + value {key}" for key in values.added)
        yield from (f"  - value {key}" for key in values.removed)
        for key in values.changed:
            same = " (sealed anew, same value)" if key in (self.same or ()) else ""
            unknown = " (these keys do not open both)" if key in (self.unknown or ()) else ""
            yield f"  ~ value {key}{same}{unknown}"


@dataclass(frozen=True)
class Unread:
    """What cannot be read in one of the states, so that there is nothing to compare."""

    file: str
    document: int
    state: str
    problem: str

    def __str__(self) -> str:
        """Return the line for people."""
        place = f"{self.file}:{self.document}" if self.document else self.file
        return f"{place}: cannot be read in {self.state}: {self.problem}"


@dataclass(frozen=True)
class Report:
    """Everything that differs between two commits; `new` None is the working tree."""

    old: str
    new: str | None
    manifests: tuple[Change, ...]
    unreadable: tuple[Unread, ...]

    @property
    def differs(self) -> bool:
        """Whether anything does, or may."""
        return bool(self.manifests or self.unreadable)

    def to_dict(self) -> dict[str, object]:
        """Return it for programs."""
        return {**_plain(self), "manifests": [change.to_dict() for change in self.manifests]}


def _plain(value: Change | Comparison | Reader | Report) -> dict[str, object]:
    from dataclasses import asdict  # noqa: PLC0415 (rare: cold start)

    return asdict(value)


def _reader_lines(reader: Reader, cluster: str) -> Iterator[str]:
    name = f"recipient {reader.kid} {cluster or '(not in the configuration)'}"
    if reader.added or reader.removed:
        yield f"  {'+' if reader.added else '-'} {name}"
    if reader.gained:
        yield f"  ~ {name}: opens {', '.join(reader.gained)} now"
    if reader.lost:
        yield f"  ~ {name}: no longer opens {', '.join(reader.lost)}"
    if reader.rewrapped:
        yield f"  ~ {name}: wrapped anew"


def _altered_line(name: str, entry: Altered) -> str:
    sign = "+" if entry.old is None else "-" if entry.new is None else "~"
    said = " → ".join(_text(one) for one in (entry.old, entry.new) if one is not None)
    return f"  {sign} {name}: {said}" if len(said) <= _SHORT else f"  {sign} {name}"


def _text(value: object) -> str:
    return value if isinstance(value, str) and value.isprintable() else json_of(value)
