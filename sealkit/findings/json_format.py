"""A report for programs; fields are added to it, never renamed."""

from __future__ import annotations

import json

from sealkit.findings.finding import Finding, Severity
from sealkit.findings.report import Report, fingerprinted


def render(report: Report) -> str:
    """Return one JSON object."""
    counts = {f"{severity}s": report.count(severity) for severity in Severity}
    value = {
        "verb": report.verb,
        "version": report.version,
        "summary": {
            "manifests": len(report.subjects),
            **counts,
            "allowed": len(report.allowed),
        },
        "findings": [_finding(*pair) for pair in fingerprinted(report.findings)],
    }
    if report.shows_allowed:
        pairs = fingerprinted(report.allowed)
        value["allowed"] = [{**_finding(*pair), "reason": pair[0].reason} for pair in pairs]
    return json.dumps(value, indent=2) + "\n"


def _finding(finding: Finding, fingerprint: str) -> dict[str, object]:
    return {
        "rule": finding.rule.id,
        "name": finding.rule.name,
        "severity": finding.severity.value,
        **finding.place._asdict(),
        "message": finding.message,
        "hint": finding.hint,
        "fingerprint": fingerprint,
    }
