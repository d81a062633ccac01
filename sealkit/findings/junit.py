"""A report as JUnit XML: one test case for each object that was looked at, its class is the file.

Holds to the schema of Jenkins' xUnit plugin, the strictest of those who read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from sealkit.findings.finding import Finding, Severity
from sealkit.findings.report import Report

_Case = tuple[str, str]  # file and object
# What XML 1.0 section 2.2 has no place for, not even escaped.
_NO_CHARACTER: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPELT: Final[Mapping[int, str]] = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\t": "&#9;"}
)


def render(report: Report) -> str:
    """Return one test suite; notes do not fail a case, allowed findings are skipped ones."""
    cases: dict[_Case, list[Finding]] = {(one.file, one.subject): [] for one in report.subjects}
    for finding in report.findings:
        cases.setdefault((finding.place.file, finding.place.subject), []).append(finding)
    bodies = [_case(case, found) for case, found in cases.items()]
    bodies += [_skipped(finding) for finding in report.shown_allowed]
    failures = sum("<failure" in body for body in bodies)
    name = f"sealkit {report.verb}"
    counts = f'tests="{len(bodies)}" failures="{failures}" errors="0"'
    skipped = f'skipped="{len(report.shown_allowed)}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites {counts}>",
        f'<testsuite name="{escaped(name)}" {counts} {skipped}>',
        *bodies,
        "</testsuite>",
        "</testsuites>",
    ]
    return "".join(f"{line}\n" for line in lines)


def _case(case: _Case, findings: Iterable[Finding]) -> str:
    failing = [one for one in findings if one.severity is not Severity.NOTE]
    notes = [one for one in findings if one.severity is Severity.NOTE]
    body = ""
    if failing:
        first = failing[0]
        more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
        message = escaped(first.text + more)
        body += f'<failure type="{first.rule.id}" message="{message}">{_listed(failing)}</failure>'
    if notes:
        body += f"<system-out>{_listed(notes)}</system-out>"
    return _element(case, body)


def _skipped(finding: Finding) -> str:
    message = escaped(f"{finding.rule.id} is allowed: {finding.reason}")
    case = (finding.place.file, f"{finding.place.subject} {finding.rule.id}".strip())
    return _element(case, f'<skipped message="{message}"/>')


def _element(case: _Case, body: str) -> str:
    file, subject = map(escaped, case)
    return f'<testcase classname="{file}" name="{subject or file}">{body}</testcase>'


def _listed(findings: Iterable[Finding]) -> str:
    lines = (f"{one.place}: {one.severity} {one.rule.id}: {one.text}" for one in findings)
    return escaped("\n".join(lines))


def escaped(text: str) -> str:
    """Return text as it may stand in XML, in an element or in a quoted attribute."""
    return _NO_CHARACTER.sub("\ufffd", text).translate(_SPELT)
