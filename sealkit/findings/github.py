"""A report as workflow commands of GitHub Actions: annotations of the lines.

GitHub shows the first ten of each level in a step, so the worst come first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sealkit.findings.finding import Finding, Severity
from sealkit.findings.report import Report

_COMMANDS: Final = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "notice",
}
_IN_MESSAGE: Final[Mapping[int, str]] = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY: Final[Mapping[int, str]] = {**_IN_MESSAGE, ord(":"): "%3A", ord(","): "%2C"}


def render(report: Report) -> str:
    """Return one command a line."""
    return "".join(f"{_command(finding)}\n" for finding in report.by_severity())


def _command(finding: Finding) -> str:
    place = finding.place
    properties = {
        "file": place.file,
        "line": str(place.line or ""),
        "col": str(place.column or ""),
        "title": f"{finding.rule.id} {finding.rule.name}",
    }
    said = ",".join(f"{k}={v.translate(_IN_PROPERTY)}" for k, v in properties.items() if v)
    message = finding.text + (f"\nhint: {finding.hint}" if finding.hint else "")
    return f"::{_COMMANDS[finding.severity]} {said}::{message.translate(_IN_MESSAGE)}"
