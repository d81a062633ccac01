"""What `sealkit import` tells: a line for each object, notes, what is left to do, a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from sealkit.cli.output import counted
from sealkit.foreign import Note
from sealkit.lines import printable

_FEW: Final = 5  # names of files that are of little interest
_PLAIN_HISTORY: Final = (
    "the plaintext stays in Git's history: change these values; sealkit scan --history shows where"
)
_SOPS_HISTORY: Final = (
    "what sops encrypted stays in Git's history, and its old keys open it there: change the values "
    "before such a key gets lost; what ever was plain there, sealkit scan --history shows"
)


class Origin(StrEnum):
    """Where the values of a Secret were, if it was no matter of references."""

    OTHER = ""
    SOPS = "sops"
    PLAIN = "plain"


@dataclass(frozen=True)
class Imported:
    """One line of the report: what an object became, and what was not carried over.

    `to` is its new kind and name; None if it stays as it is or became a part of others (`goes`).
    """

    file: str
    document: int
    item: str
    was: tuple[str, str]
    to: tuple[str, str] | None
    goes: bool
    notes: tuple[Note, ...]
    origin: Origin = Origin.OTHER

    @property
    def changes(self) -> bool:
        """Whether the file is another one by this."""
        return self.to is not None or self.goes

    @property
    def stays_plain(self) -> bool:
        """Whether it is a Secret in plain text that was not to be sealed."""
        return self.origin is Origin.PLAIN and not self.changes

    @property
    def sort(self) -> tuple[str, str]:
        """What it is counted as."""
        return self.was[0], self.origin.value

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.file}:{self.document}: {f'{self.item}: ' if self.item else ''}"

    def _asdict(self) -> Mapping[str, object]:
        kind, name = self.was
        stays = "plain" if self.stays_plain else "unchanged"
        return {
            "file": self.file,
            "document": self.document,
            "item": self.item,
            "kind": kind,
            "name": name,
            "origin": self.origin.value,
            "result": "joined" if self.goes else "converted" if self.to else stays,
            "to": {"kind": self.to[0], "name": self.to[1]} if self.to else None,
            "notes": [note._asdict() for note in self.notes],
        }

    def text(self, *, check: bool, with_file: bool) -> str:
        """Return the line for people."""
        was = " ".join(filter(None, self.was))
        where = f" in {self.file}" if with_file else ""
        if not self.changes:
            return printable(f"left {was}{where} as it is")
        became = " ".join(self.to) if self.to else "part of its stores"
        done = "would import" if check else "imported"
        return printable(f"{done} {was}{where}: {became}")


class Result(NamedTuple):
    """What becomes of one file: its old content, its new text, and the lines about it.

    `is_named` tells it from one that was found in a folder; `is_unread`: it is no YAML or JSON.
    """

    name: str
    label: str
    is_named: bool
    old: bytes = b""
    text: str = ""
    lines: tuple[Imported, ...] = ()
    is_unread: bool = False

    @property
    def changes(self) -> bool:
        """Whether anything in the file is to be replaced."""
        return any(line.changes for line in self.lines)


class Report(NamedTuple):
    """What became of all files."""

    results: Sequence[Result]
    check: bool

    @property
    def lines(self) -> list[Imported]:
        """All objects that were looked at."""
        return [line for result in self.results for line in result.lines]

    @property
    def notes(self) -> int:
        """How many notes there are."""
        return sum(len(line.notes) for line in self.lines)

    @property
    def changes(self) -> bool:
        """Whether a file is, or would be, another one."""
        return any(result.changes for result in self.results)

    @property
    def _several(self) -> bool:
        return len(self.results) > 1

    def texts(self) -> list[str]:
        """Return a line an object, for people; Secrets that stay plain are told together."""
        return [
            line.text(check=self.check, with_file=self._several)
            for line in self.lines
            if line.changes or (line.notes and not line.stays_plain)
        ]

    def said(self) -> list[str]:
        """Return the notes on objects, each once with the places that it is about."""
        places: dict[str, list[str]] = {}
        for line in self.lines:
            for note in line.notes:
                places.setdefault(str(note), []).append(line.place)
        return [printable(f"{_first(found)}{note}") for note, found in places.items()]

    def rest(self, paths: Sequence[str]) -> list[str]:
        """Return what is left, and what is still in Git; `paths` is where was looked."""
        return [*self._left(paths), *self._history()]

    def _left(self, paths: Sequence[str]) -> Iterable[str]:
        if plain := [line for line in self.lines if line.stays_plain]:
            files = ", ".join(dict.fromkeys(line.file for line in plain))
            secrets = "1 Secret is" if len(plain) == 1 else f"{len(plain)} Secrets are"
            yield printable(f"{secrets} left in plain text, which --secrets seals: {files}")
        if unread := [result.label for result in self.results if result.is_unread]:
            more = f" and {len(unread) - _FEW} more" if len(unread) > _FEW else ""
            names = ", ".join(unread[:_FEW])
            yield printable(f"left alone, being no YAML or JSON that is safe: {names}{more}")
        named = [result for result in self.results if result.is_named]
        empty = [result.label for result in named if not result.lines]
        if not named and not self.lines:
            empty = list(paths)
        for label in empty:
            yield printable(f"there is nothing to import in {label}")

    def _history(self) -> Iterable[str]:
        """Return what stays in Git, once these files are replaced."""
        origins = {line.origin for line in self.lines if line.to and not self.check}
        if Origin.PLAIN in origins:
            yield _PLAIN_HISTORY
        if Origin.SOPS in origins:
            yield _SOPS_HISTORY

    def summary(self) -> str:
        """Return the last line about several files, else nothing."""
        if not self._several or not self.lines:
            return ""
        kinds = Counter(line.sort for line in self.lines if line.changes)
        found = ", ".join(
            counted(number, kind) + (f" ({origin})" if origin else "")
            for (kind, origin), number in sorted(kinds.items())
        )
        done, end = ("would import", "would change") if self.check else ("imported", "changed")
        changed = sum(1 for result in self.results if result.changes)
        files = counted(len(self.results), "file")
        return printable(f"{done} {found or 'nothing'}: {changed} of {files} {end}")


def _first(places: Sequence[str]) -> str:
    """Return the first of the places that a note is about, and how many more there are."""
    if len(places) == 1:
        return places[0]
    return f"{places[0].removesuffix(': ')} and {counted(len(places) - 1, 'more place')}: "
