"""Reports of any kind hold to the schemas and limits of those who read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import ValidationError
from xmlschema import XMLSchemaValidationError

from sealkit.findings import sarif
from sealkit.findings.finding import Finding, Place
from sealkit.findings.rendering import render
from sealkit.findings.report import Report, cleaned, in_order
from tests.sealkit.cli.desk import NAMES, Desk, secret_text
from tests.sealkit.findings.samples import ERROR, NOTE, report
from tests.sealkit.findings.schemas import RULES, is_code_quality, is_junit, is_sarif

HOLDS: Final[dict[str, Callable[[str], object]]] = {
    "sarif": is_sarif,
    "junit": is_junit,
    "gitlab": is_code_quality,
}

# A stranger chooses names: lone surrogates are what Git's paths have for bytes that are no UTF-8.
words = st.text(max_size=30) | st.text("a/.:<&\"'%\\\n\x00\x1b\ud800\ufffe\U0001f512", max_size=9)
numbers = st.integers(0, 2**31 - 1)
places = st.builds(
    Place,
    file=words.filter(bool),
    document=numbers,
    line=numbers,
    column=numbers,
    field=words,
    subject=words,
)
findings = st.builds(
    Finding,
    rule=st.sampled_from(RULES),
    place=places,
    message=words.filter(bool) | words.filter(bool).map(lambda word: word * 1_100),
    hint=words,
)
reports = st.builds(
    Report,
    verb=st.sampled_from(["verify", "scan"]),
    version=st.just("1.2.3"),
    rules=st.just(RULES),
    findings=st.lists(findings, max_size=5).map(in_order),
    allowed=st.lists(st.builds(replace, findings, reason=words.filter(bool)), max_size=3).map(
        in_order
    ),
    subjects=st.lists(places.map(cleaned), max_size=3).map(tuple),
    shows_allowed=st.booleans(),
)


@pytest.mark.parametrize("name", HOLDS)
@given(shown=reports)
def test_any_report_holds(name: str, shown: Report) -> None:
    HOLDS[name](render(shown, name))


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("sarif", lambda text: text.replace('"startLine"', '"line"')),
        ("sarif", lambda text: text.replace('"version": "2.1.0"', '"version": "2.0"')),
        ("junit", lambda text: text.replace("classname=", "file=")),
        ("junit", lambda text: text.replace(" name=", " title=")),
    ],
)
def test_a_schema_refuses_what_is_broken(name: str, broken: Callable[[str], str]) -> None:
    text = render(report(), name)
    assert broken(text) != text
    with pytest.raises((ValidationError, XMLSchemaValidationError)):
        HOLDS[name](broken(text))


def test_a_report_that_is_too_large_behind_gzip_is_shortened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sarif, "MAX_BYTES", 20_000)
    notes = [replace(NOTE, place=NOTE.place._replace(field=f"f{n}")) for n in range(1_000)]
    (run,) = json.loads(sarif.render(replace(report(), findings=(*notes, ERROR))))["runs"]
    assert run["results"][0]["level"] == "error"
    assert 100 < len(run["results"]) < 1_000
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    left_out = 1_001 - len(run["results"])
    assert note["message"]["text"].startswith(f"{left_out} of the findings are left out")


def test_the_largest_report_of_all_is_within_the_limits() -> None:
    places = (
        NOTE.place._replace(file=f"apps/{n:x}.yaml", field=f"{n * 7919:x}") for n in range(30_000)
    )
    is_sarif(
        sarif.render(replace(report(), findings=tuple(replace(NOTE, place=p) for p in places)))
    )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A repository in which everything is wrong that is wrong most often."""
    (tmp_path / "repository").mkdir()
    desk = Desk(tmp_path / "repository", tmp_path)
    for name in NAMES:
        desk.recipient(name)
    desk.config()
    desk.ok("seal", "-o", "db.sealed.yaml", stdin=secret_text())
    sealed = desk.read("db.sealed.yaml")
    desk.write("a b.yaml", sealed.replace("scope: strict", "scope: x"))
    desk.write("ü.yaml", sealed.replace("name: db", "name: other"))
    desk.write("plain.yaml", f"# sealkit:allow SK402\n{secret_text(A='kT4-vuh8', B='changeme')}")
    desk.write("<&>.env", "PASSWORD=kq8W9vb2\n")
    return desk


@pytest.mark.parametrize("name", HOLDS)
@pytest.mark.parametrize("verb", ["verify", "scan"])
@pytest.mark.parametrize("more", [(), ("--show-allowed",)], ids=["", "allowed"])
def test_what_the_verbs_write_holds(
    desk: Desk, verb: str, name: str, more: tuple[str, ...]
) -> None:
    result = desk.run(verb, "--format", name, *more, "./plain.yaml", "./a b.yaml", ".")
    assert result.code == 3, result.err
    assert "SK" in result.out
    HOLDS[name](result.out)
