"""Every answer recorded from Go is ours too, byte for byte, but for the differences we mean.

Source: `vectors/*.json`, written by `record/main.go`, which says how to add a case.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

import sealkit.templates
from sealkit.errors import TemplateError
from sealkit.sensitive import Sensitive
from sealkit.templates.functions import FUNCTIONS
from sealkit.templates.lookup import MissingKey
from sealkit.templates.template import DELIMITERS, Values, parse

MISSING = {
    "default": MissingKey.NO_VALUE,
    "zero": MissingKey.ZERO,
    "error": MissingKey.ERROR,
}


def load() -> dict[str, list[dict[str, Any]]]:
    paths = sorted((Path(__file__).parent / "vectors").glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8"))["cases"] for path in paths}


FILES = load()
DIFFERENCES = FILES.pop("differences")
SAME = [
    pytest.param(case, id=f"{stem}-{case['name']}")
    for stem, cases in FILES.items()
    for case in cases
]
DIFFERENT = [pytest.param(case, id=case["name"]) for case in DIFFERENCES]


def boxed(values: dict[str, Any]) -> Values:
    return {
        key: Sensitive(value.encode()) if isinstance(value, str) else boxed(value)
        for key, value in values.items()
    }


def values_of(case: dict[str, Any]) -> Values:
    raw = {key: Sensitive(b64decode(value)) for key, value in case.get("values_base64", {}).items()}
    return {**raw, **boxed(case.get("values", {}))}


def answer_of(case: dict[str, Any]) -> bytes | None:
    """What Go wrote; None if it refused."""
    if "answer_base64" in case:
        return b64decode(case["answer_base64"])
    return None if case.get("refused") else str(case["answer"]).encode()


def ours(case: dict[str, Any]) -> bytes | None:
    """What we write; None if we refuse."""
    left, right = case.get("delimiters", DELIMITERS)
    try:
        template = parse(case["template"], (left, right))
        return template.render(values_of(case), MISSING[case.get("missing", "default")]).reveal()
    except TemplateError:
        return None


def test_there_are_vectors() -> None:
    assert len(SAME) >= 1400
    assert len(DIFFERENT) >= 50


@pytest.mark.parametrize("case", SAME)
def test_the_answer_is_the_one_of_go(case: dict[str, Any]) -> None:
    assert ours(case) == answer_of(case)


@pytest.mark.parametrize("case", DIFFERENT)
def test_the_answer_differs_from_the_one_of_go_as_meant(case: dict[str, Any]) -> None:
    answer = ours(case)
    assert answer == (None if case.get("ours_refused") else case["ours"].encode())
    assert answer != answer_of(case)


def test_the_table_of_differences_names_every_case_and_no_other() -> None:
    rows = re.findall(r"^\|[^|]*\|[^|]*\|([^|]*)\|$", sealkit.templates.__doc__ or "", re.MULTILINE)
    named = " ".join(row for row in rows[2:] if "(" not in row).split()
    assert sorted(named) == sorted(case["name"] for case in DIFFERENCES)


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - {"required", "toYaml"}))
def test_every_function_was_tried_against_go(name: str) -> None:
    calls = re.compile(rf"(?<![\w.$]){name}(?!\w)")
    cases = [case for cases in FILES.values() for case in cases]
    answered = (case["template"] for case in cases if "answer" in case)
    assert any(map(calls.search, answered))
