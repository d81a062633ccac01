"""Findings, their order, and their names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sealkit.findings import rules
from sealkit.findings.finding import Finding, Place, Severity
from sealkit.findings.report import fingerprinted, in_order
from tests.sealkit.findings.samples import DB, ERROR, NOTE, WARNING, report


def names(*findings: Finding) -> list[str]:
    return [name for _, name in fingerprinted(findings)]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place("a.yaml"), "a.yaml"),
        (Place("a.yaml", 1, 3), "a.yaml:3"),
        (Place("a.yaml", 1, 3, 5), "a.yaml:3:5"),
    ],
    ids=["file", "line", "column"],
)
def test_a_place_is_spelt_as_far_as_it_is_known(place: Place, text: str) -> None:
    assert str(place) == text


def test_findings_stand_by_place() -> None:
    assert in_order([ERROR, WARNING, NOTE])[0] == NOTE
    assert [one.place.line for one in in_order([ERROR, WARNING])] == [4, 12]


def test_the_worst_first() -> None:
    worst_first = report().by_severity()
    assert [one.severity for one in worst_first] == list(Severity)


@pytest.mark.parametrize("severity", list(Severity))
def test_a_report_fails_from_a_severity_on(severity: Severity) -> None:
    assert [report(NOTE).fails(one) for one in Severity] == [False, False, True]
    assert report().fails(severity)


def test_nothing_that_a_terminal_acts_on() -> None:
    place = DB._replace(file="\x1b[31m\udc80.yaml", field="a\nb", subject="\u202ex")
    (clean,) = in_order([Finding(rules.NO_RULE, place, "a\x07b", "c\rd")])
    assert clean.place[:1] == ("\\x1b[31m\\udc80.yaml",)
    assert (clean.text, clean.hint) == ("\\u202ex: a\\nb: a\\x07b", "c\\rd")


def test_a_fingerprint_stays_when_lines_and_documents_move() -> None:
    moved = replace(ERROR, place=DB._replace(line=99, column=1, document=7), message="in words")
    assert names(ERROR) == names(moved)


def test_a_fingerprint_tells_findings_apart() -> None:
    others = [
        replace(ERROR, rule=rules.NO_RULE),
        replace(ERROR, place=DB._replace(file="x")),
        replace(ERROR, place=DB._replace(subject="x")),
        replace(ERROR, place=DB._replace(field="x")),
    ]
    assert len(set(names(ERROR, ERROR, *others))) == 6
