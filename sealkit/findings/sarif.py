"""A report as SARIF 2.1.0 (OASIS), within the limits of GitHub's code scanning."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from sealkit.findings.finding import Finding, Place, Rule
from sealkit.findings.report import Report, fingerprinted

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
MAX_RESULTS: Final = 25_000  # of a run: GitHub refuses a file with more
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


def render(report: Report) -> str:
    """Return one log with one run; of too many findings the worst, and a note that says so."""
    shown = report.findings
    if len(shown) > MAX_RESULTS:
        shown = report.by_severity()[:MAX_RESULTS]
    room = MAX_RESULTS - len(shown)
    pairs = [*fingerprinted(shown), *fingerprinted(report.shown_allowed[:room])]
    left_out = len(report.findings) + len(report.shown_allowed) - len(pairs)
    run = {
        "tool": {"driver": _driver(report)},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(left_out)],
        "results": [_result(finding, name, report.rules) for finding, name in pairs],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _driver(report: Report) -> dict[str, object]:
    rules = [_rule(rule) for rule in report.rules]
    return {"name": "sealkit", "version": report.version, "rules": rules}


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "help": {"text": f"docs/rules/{rule.id}.md"},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _invocation(left_out: int) -> dict[str, object]:
    if not left_out:
        return {"executionSuccessful": True}
    text = f"{left_out} of the findings are left out: a run holds {MAX_RESULTS:,} at most"
    note = {"level": "warning", "message": {"text": text}}
    return {"executionSuccessful": True, "toolExecutionNotifications": [note]}


def _result(finding: Finding, fingerprint: str, rules: Sequence[Rule]) -> dict[str, object]:
    hint = f" ({finding.hint})" if finding.hint else ""
    result = {
        "ruleId": finding.rule.id,
        "ruleIndex": rules.index(finding.rule),
        "level": finding.severity.value,
        "message": {"text": finding.text + hint},
        "locations": [{"physicalLocation": _location(finding.place)}],
        "partialFingerprints": {"sealkit/v1": fingerprint},
    }
    if finding.reason:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.reason}]
    return result


def _location(place: Place) -> dict[str, object]:
    location: dict[str, object] = {"artifactLocation": {"uri": uri_of(place.file)}}
    region = {"startLine": max(place.line, 1)}  # GitHub needs one
    if place.column:
        region["startColumn"] = place.column
    return location | {"region": region}


def uri_of(file: str) -> str:
    """Return a path as a URI, relative as it is; RFC 3986 section 2."""
    raw = file.replace("\\", "/").encode(errors="surrogateescape")
    text = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in raw)
    return f"file://{text}" if text.startswith("/") else text
