"""Comments that allow findings."""

from __future__ import annotations

import pytest

from sealkit.findings import rules
from sealkit.findings.allowing import UNUSABLE, Comments, divided
from sealkit.findings.finding import Finding, Place

ALLOW = "# sealkit:allow SK105 previews"


def allowed_lines(text: str, rule: str = "SK105") -> list[int]:
    """Tell on which lines a finding is allowed."""
    comments = Comments.read(text)
    (checked,) = (one for one in rules.VERIFY if one.id == rule)
    lines = range(1, text.count("\n") + 1)
    findings = [Finding(checked, Place("f", line=line), "x") for line in lines]
    return [one.place.line for one in divided(findings, {"f": comments})[1]]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"{ALLOW}\na: 1\nb: 2\n", [2, 3]),
        (f"\ufeff# a\n\n{ALLOW}\n\n# b\na: 1\nb: 2\n", [6, 7]),
        (f"{ALLOW}\n---\na: 1\nb: 2\n", [3, 4]),
        (f"---\n{ALLOW}\na: 1\n---\nb: 2\n", [3]),
        (f"a: 1\n---  \n{ALLOW}\r\nb: 2\nc: 3\n", [4, 5]),
        (f"a: 1\n...\n{ALLOW}\nb: 2\nc: 3\n", [4, 5]),
        (f"a: 1\n  {ALLOW}\nb: 2\nc: 3\n", [3]),
        (f"a: 1\n{ALLOW}\n# more\nb: 2\nc: 3\n", [4]),
        (f"a: 1\n{ALLOW}\n\nb: 2\n", []),
        (f"a: 1\n{ALLOW}\n", []),
        (f"a: 1 {ALLOW}\nb: 2\n", []),
        ("a: 1\nb: 2\n", []),
    ],
    ids=[
        *("head", "among-comments", "before-the-marker", "one-document", "second-document"),
        *("after-dots", "above-a-line", "block-above", "not-above", "at-the-end", "behind", "none"),
    ],
)
def test_what_a_comment_covers(text: str, lines: list[int]) -> None:
    assert allowed_lines(text) == lines


@pytest.mark.parametrize("rule", ["SK105", "SK104", "SK103"])
def test_only_the_rules_it_names(rule: str) -> None:
    text = "#sealkit:allow  SK105,SK104  since ever\na: 1\n"
    assert bool(allowed_lines(text, rule)) == (rule != "SK103")


@pytest.mark.parametrize(
    "comment",
    [
        "# sealkit:allow",
        "# sealkit:allow SK105",
        "# sealkit:allow SK105 ",
        "# sealkit:allow because",
        "# sealkit:allow SK105, SK104 why",
        "# sealkit:allow SK1050 why",
    ],
)
def test_without_rule_or_reason_it_is_a_finding_itself(comment: str) -> None:
    comments = Comments.read(f"a: 1\n{comment}\nb: 2\n")
    finding = Finding(rules.SCOPE_NOT_ALLOWED, Place("f", line=3), "x")
    kept, allowed = divided([finding], {"f": comments})
    assert [(one.rule, one.place.line) for one in kept] == [
        (rules.SCOPE_NOT_ALLOWED, 3),
        (UNUSABLE, 2),
    ]
    assert not allowed


def test_no_comment_allows_the_finding_about_a_comment() -> None:
    comments = Comments.read("# sealkit:allow SK001 why\n# sealkit:allow\na: 1\n")
    kept, allowed = divided([], {"f": comments})
    assert (len(kept), allowed) == (1, [])


def test_words_that_only_begin_so_are_no_comment_of_ours() -> None:
    assert Comments.read("# sealkit:allowance SK105 x\na: 1\n") == Comments()


def test_the_reason_goes_along_and_other_files_are_not_touched() -> None:
    comments = {"f": Comments.read(f"{ALLOW}\na: 1\n")}
    findings = [Finding(rules.SCOPE_NOT_ALLOWED, Place(file, line=2), "x") for file in ("f", "g")]
    kept, allowed = divided(findings, comments)
    assert [one.place.file for one in kept] == ["g"]
    assert [one.reason for one in allowed] == ["previews"]
