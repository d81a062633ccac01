"""A report as SARIF 2.1.0 (OASIS), within the limits of GitHub's code scanning.

Those are in its page "SARIF support for code scanning": how many results, how large the compressed
file, how long a text, and which optional parts have to be there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from sealkit.findings.finding import Finding, Place, Rule, Severity
from sealkit.findings.report import Report, fingerprinted

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
MAX_RESULTS: Final = 25_000  # of a run: GitHub refuses a file with more
MAX_BYTES: Final = 10_000_000  # of a file behind gzip
MAX_TEXT: Final = 1_024  # characters of a text
# A rule with a score is about security: 7.0 and more is shown as high, 4.0 as medium (CVSS).
_SCORES: Final = {Severity.ERROR: "8.0", Severity.WARNING: "5.0"}
_ABOUT_SECRETS: Final = "SK4"
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


def render(report: Report) -> str:
    """Return one log with one run; of too many findings the worst, and a note that says so."""
    limit = MAX_RESULTS
    while _is_too_large(text := _log(report, limit)):
        limit //= 2
    return text


def _is_too_large(text: str) -> bool:
    import zlib  # noqa: PLC0415 (cold start)

    raw = text.encode()
    return len(raw) > MAX_BYTES and len(zlib.compress(raw)) > MAX_BYTES


def _log(report: Report, limit: int) -> str:
    shown = report.findings
    if len(shown) > limit:
        shown = report.by_severity()[:limit]
    room = limit - len(shown)
    pairs = [*fingerprinted(shown), *fingerprinted(report.shown_allowed[:room])]
    left_out = len(report.findings) + len(report.shown_allowed) - len(pairs)
    run = {
        "tool": {"driver": _driver(report)},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(left_out, limit)],
        "results": [_result(finding, name, report.rules) for finding, name in pairs],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _driver(report: Report) -> dict[str, object]:
    rules = [_rule(rule) for rule in report.rules]
    return {"name": "sealkit", "version": report.version, "rules": rules}


def _rule(rule: Rule) -> dict[str, object]:
    described: dict[str, object] = {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": f"docs/rules/{rule.id}.md"},
        "defaultConfiguration": {"level": rule.severity.value},
    }
    if not rule.id.startswith(_ABOUT_SECRETS):
        return described
    return described | {
        "properties": {"tags": ["security"], "security-severity": _SCORES[rule.severity]}
    }


def _invocation(left_out: int, limit: int) -> dict[str, object]:
    if not left_out:
        return {"executionSuccessful": True}
    text = f"{left_out} of the findings are left out: a run holds {limit:,} at most"
    note = {"level": "warning", "message": {"text": text}}
    return {"executionSuccessful": True, "toolExecutionNotifications": [note]}


def _result(finding: Finding, fingerprint: str, rules: Sequence[Rule]) -> dict[str, object]:
    hint = f" ({finding.hint})" if finding.hint else ""
    result = {
        "ruleId": finding.rule.id,
        "ruleIndex": rules.index(finding.rule),
        "level": finding.severity.value,
        "message": {"text": _clipped(finding.text + hint)},
        "locations": [{"physicalLocation": _location(finding.place)}],
        "partialFingerprints": {"sealkit/v1": fingerprint},
    }
    if finding.reason:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.reason}]
    return result


def _clipped(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _location(place: Place) -> dict[str, object]:
    """Return where a finding is: its first character, as GitHub wants both ends of a region."""
    line, column = max(place.line, 1), max(place.column, 1)
    region = {"startLine": line, "startColumn": column, "endLine": line, "endColumn": column + 1}
    return {"artifactLocation": {"uri": uri_of(place.file)}, "region": region}


def uri_of(file: str) -> str:
    """Return a path as a URI, relative as it is; RFC 3986 section 2."""
    raw = file.replace("\\", "/").removeprefix("./").encode(errors="surrogateescape")
    text = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in raw)
    return f"file://{text}" if text.startswith("/") else text
