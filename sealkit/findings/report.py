"""A report: all findings in a fixed order, with names that stay the same from run to run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sealkit.findings.finding import Finding, Place, Rule, Severity
from sealkit.lines import printable


@dataclass(frozen=True)
class Report:
    """What `verb` found; `subjects` are the objects it looked at, clean ones included.

    `allowed` findings are shown only if `shows_allowed`; they are counted in any case.
    """

    verb: str
    version: str
    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...]
    allowed: tuple[Finding, ...] = ()
    subjects: tuple[Place, ...] = ()
    shows_allowed: bool = False

    @property
    def shown_allowed(self) -> tuple[Finding, ...]:
        """The allowed findings, if they are to be shown."""
        return self.allowed if self.shows_allowed else ()

    def count(self, severity: Severity) -> int:
        """Return how many findings have a severity."""
        return sum(finding.severity is severity for finding in self.findings)

    def fails(self, threshold: Severity) -> bool:
        """Tell whether there is a finding as bad as `threshold`, or worse."""
        return any(finding.severity.reaches(threshold) for finding in self.findings)

    def by_severity(self) -> tuple[Finding, ...]:
        """Return the findings, the worst first: some readers show only the first few."""
        return tuple(sorted(self.findings, key=lambda finding: finding.severity.rank))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by place, each in words that no terminal acts on."""
    return tuple(sorted(map(_cleaned, findings), key=lambda one: (*one.place[:4], one.rule.id)))


def cleaned(place: Place) -> Place:
    """Return a place whose names, which a stranger may have chosen, are printable."""
    return place._replace(
        file=printable(place.file),
        field=printable(place.field),
        subject=printable(place.subject),
    )


def _cleaned(finding: Finding) -> Finding:
    return replace(
        finding,
        place=cleaned(finding.place),
        message=printable(finding.message),
        hint=printable(finding.hint),
        reason=printable(finding.reason),
    )


def fingerprinted(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str]]:
    """Yield each finding with a name that does not change when lines, documents or words move.

    It is made of rule, file, object and field; equal ones are told apart by their order.
    """
    import hashlib  # noqa: PLC0415 (cold start)

    seen: Counter[tuple[str, ...]] = Counter()
    for finding in findings:
        place = finding.place
        about = (finding.rule.id, place.file, place.subject, place.field)
        text = "\0".join((*about, str(seen[about])))
        seen[about] += 1
        yield finding, hashlib.sha256(text.encode()).hexdigest()[:32]
