"""A report for people: one line a finding, as compilers write them, and a hint below."""

from __future__ import annotations

from collections.abc import Iterator

from sealkit.findings.finding import Finding, Severity
from sealkit.findings.report import Report


def render(report: Report) -> str:
    """Return the findings, then the allowed ones if they are to be shown."""
    lines = [line for finding in report.findings for line in _lines(finding)]
    lines += [f"{_line(finding, 'allowed')} ({finding.reason})" for finding in report.shown_allowed]
    return "".join(f"{line}\n" for line in lines)


def _lines(finding: Finding) -> Iterator[str]:
    yield _line(finding, finding.severity)
    if finding.hint:
        yield f"  hint: {finding.hint}"


def _line(finding: Finding, word: str) -> str:
    return f"{finding.place}: {word} {finding.rule.id}: {finding.text}"


def summary(report: Report) -> str:
    """Return one line that says how much there is of everything, allowed findings too."""
    counts = [_counted(report.count(severity), severity) for severity in Severity]
    found = ", ".join(count for count in counts if count) or "no findings"
    allowed = f"; {_counted(len(report.allowed), 'finding')} allowed" if report.allowed else ""
    number = len(report.subjects)
    return f"{number} manifest{'' if number == 1 else 's'}: {found}{allowed}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}" if number else ""
