"""Findings that a comment allows: `# sealkit:allow SK105 why`.

A comment directly above a line is about that line; one above the first line of a document is about
the whole document. Without a reason it allows nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from sealkit.findings.finding import Finding, Place, Rule, Severity

UNUSABLE: Final = Rule(
    "SK001", "unusable-allowance", Severity.WARNING, "A comment that is to allow something does not"
)

_SIGN: Final = "sealkit:allow"
_COMMENT: Final = re.compile(r"#+[ \t]*sealkit:allow(?:[ \t]+(?P<ids>\S+)(?:[ \t]+(?P<why>.*))?)?")
_IDS: Final = re.compile(r"SK[0-9]{3}(?:,SK[0-9]{3})*")
_MARKERS: Final = ("---", "...")


class Allowance(NamedTuple):
    """Rules that lines `first` to `last` may break, and why."""

    ids: frozenset[str]
    reason: str
    first: int
    last: int


@dataclass
class Comments:
    """The allowances in one text, and the comments that were to be one; `stop` ends the text."""

    allowances: list[Allowance] = field(default_factory=list)
    unusable: list[int] = field(default_factory=list)

    @classmethod
    def read(cls, text: str) -> Comments:
        """Read the comments of a text in YAML."""
        found = cls()
        if _SIGN in text:
            found._read(text.split("\n"))
        return found

    def _read(self, lines: Sequence[str]) -> None:
        pending: list[tuple[frozenset[str], str]] = []
        is_head = True
        for number, line in enumerate(lines, start=1):
            stripped = line.strip(" \t\r\ufeff")
            if stripped.startswith("#"):
                pending += self._comment(stripped, number)
            elif line.startswith(_MARKERS):
                is_head = True
            elif stripped:
                last = _document_end(lines, number) if is_head else number
                self.allowances += [Allowance(*one, number, last) for one in pending]
                pending, is_head = [], False
            elif not is_head:
                pending = []

    def _comment(self, text: str, number: int) -> Iterator[tuple[frozenset[str], str]]:
        match = _COMMENT.fullmatch(text)
        ids, reason = (match["ids"] or "", match["why"] or "") if match else ("", "")
        if _IDS.fullmatch(ids) and reason:
            yield frozenset(ids.split(",")), reason
        elif match:
            self.unusable.append(number)

    def reason_for(self, finding: Finding) -> str:
        """Return why a finding of this text is allowed; empty if it is not."""
        line = finding.place.line
        for allowance in self.allowances:
            if finding.rule.id in allowance.ids and allowance.first <= line <= allowance.last:
                return allowance.reason
        return ""


def _document_end(lines: Sequence[str], start: int) -> int:
    following = range(start, len(lines))
    return next((number for number in following if lines[number].startswith("---")), len(lines))


def divided(
    findings: Iterable[Finding], comments: Mapping[str, Comments]
) -> tuple[list[Finding], list[Finding]]:
    """Return the findings that count and those that are allowed; `comments` are by file.

    Comments that cannot be used are findings themselves, and no comment allows those.
    """
    kept, allowed = [], []
    for finding in findings:
        own = comments.get(finding.place.file)
        reason = own.reason_for(finding) if own else ""
        if reason:
            allowed.append(replace(finding, reason=reason))
        else:
            kept.append(finding)
    return [*kept, *_unusable(comments)], allowed


def _unusable(comments: Mapping[str, Comments]) -> Iterator[Finding]:
    for file, found in comments.items():
        for line in found.unusable:
            what = "allows nothing, expected rule and reason"
            hint = "# sealkit:allow SK105 why it is right here"
            yield Finding(UNUSABLE, Place(file, line=line, column=1), what, hint)
