"""Each rule has a page, and each page a rule."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from sealkit.findings import rules
from sealkit.findings.finding import Rule

PAGES: Final = Path(__file__).parents[3] / "docs" / "rules"


def defined() -> list[Rule]:
    return [one for one in vars(rules).values() if isinstance(one, Rule)]


def test_every_rule_is_in_the_list_once() -> None:
    ids = [rule.id for rule in rules.VERIFY]
    assert sorted(ids) == sorted(rule.id for rule in defined())
    assert len(set(ids)) == len(ids) == len({rule.name for rule in rules.VERIFY})
    assert all(re.fullmatch(r"SK[0-3][0-9]{2}", one) for one in ids)


def test_every_page_is_about_a_rule() -> None:
    known = {rule.id for rule in defined()}
    # Pages of other verbs are theirs to hold.
    found = {path.stem for path in PAGES.glob("SK[0-3]*.md")}
    assert found == known


@pytest.mark.parametrize("rule", defined(), ids=lambda rule: rule.id)
def test_a_page_says_what_the_rule_says(rule: Rule) -> None:
    page = (PAGES / f"{rule.id}.md").read_text()
    assert page.startswith(f"# {rule.id} {rule.name}\n\n{rule.summary}. Severity: {rule.severity}.")
    assert "\n## What to do\n" in page
