"""Each rule of `scan` has a page, and each page a rule."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from sealkit.findings.finding import Rule
from sealkit.scanning import rules

PAGES: Final = Path(__file__).parents[3] / "docs" / "rules"
OWN: Final = [rule for rule in rules.SCAN if rule.id.startswith("SK4")]


def test_every_rule_is_in_the_list_once() -> None:
    defined = [one for one in vars(rules).values() if isinstance(one, Rule)]
    assert sorted(rules.SCAN) == sorted(defined)
    assert len({rule.name for rule in rules.SCAN}) == len(rules.SCAN)


def test_every_page_is_about_a_rule() -> None:
    assert {path.stem for path in PAGES.glob("SK4*.md")} == {rule.id for rule in OWN}


@pytest.mark.parametrize("rule", OWN, ids=lambda rule: rule.id)
def test_a_page_says_what_the_rule_says(rule: Rule) -> None:
    page = (PAGES / f"{rule.id}.md").read_text()
    assert page.startswith(f"# {rule.id} {rule.name}\n\n{rule.summary}. Severity: {rule.severity}.")
    assert "\n## What to do\n" in page
