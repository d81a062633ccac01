"""Findings to render: one of each severity, with what formats have to escape."""

from __future__ import annotations

from typing import Final

from sealkit.findings import rules
from sealkit.findings.finding import Finding, Place
from sealkit.findings.report import Report, in_order

DB: Final = Place("apps/db & co.yaml", 2, 12, 3, "spec.scope", "shop/db")
ERROR: Final = Finding(
    rules.SCOPE_NOT_ALLOWED, DB, 'is "wide", 100%\nnot <strict>', "seal, again: x"
)
WARNING: Final = Finding(
    rules.NO_NAMESPACE, DB._replace(line=4, field="metadata.namespace"), "is missing"
)
NOTE: Final = Finding(rules.UNKNOWN_STORE, Place("apps/a.yaml", 1, 7, 1, "", "shop/a"), "is far")
ALLOWED: Final = Finding(rules.UNKNOWN_KEY, DB, "is unknown", reason="on purpose")
SUBJECTS: Final = (
    Place("apps/a.yaml", 1, 3, 3, "metadata.name", "shop/a"),
    Place("apps/clean.yaml", 1, 3, 3, "metadata.name", "shop/clean"),
    Place("apps/db & co.yaml", 2, 3, 3, "metadata.name", "shop/db"),
)


def report(*findings: Finding, shows_allowed: bool = False) -> Report:
    return Report(
        verb="verify",
        version="1.2.3",
        rules=rules.VERIFY,
        findings=in_order(findings or (NOTE, WARNING, ERROR)),
        allowed=(ALLOWED,),
        subjects=SUBJECTS,
        shows_allowed=shows_allowed,
    )
