"""A report as GitLab Code Quality JSON."""

from __future__ import annotations

import json
from typing import Final

from sealkit.findings.finding import Severity
from sealkit.findings.report import Report, fingerprinted

_SEVERITIES: Final = {
    Severity.ERROR: "critical",
    Severity.WARNING: "minor",
    Severity.NOTE: "info",
}


def render(report: Report) -> str:
    """Return a list of issues; their fingerprints stay when lines move."""
    issues = [
        {
            "description": finding.text,
            "check_name": finding.rule.id,
            "fingerprint": fingerprint,
            "severity": _SEVERITIES[finding.severity],
            "location": {
                "path": finding.place.file.removeprefix("./"),
                "lines": {"begin": max(finding.place.line, 1)},
            },
        }
        for finding, fingerprint in fingerprinted(report.findings)
    ]
    return json.dumps(issues, indent=2) + "\n"
