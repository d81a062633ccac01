"""The six formats of a report."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from sealkit.findings import github, gitlab, json_format, junit, sarif, text
from sealkit.findings.finding import Finding, Severity
from sealkit.findings.rendering import FORMATS, render
from sealkit.findings.report import Report
from tests.sealkit.findings.samples import ALLOWED, DB, ERROR, NOTE, WARNING, report
from tests.sealkit.findings.schemas import is_sarif

CLEAN = replace(report(), findings=(), allowed=())


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("shown", [report(), report(shows_allowed=True), CLEAN])
def test_every_format_is_rendered_and_ends_its_last_line(name: str, shown: Report) -> None:
    out = render(shown, name)
    assert out.endswith("\n") or (not out and not shown.findings)


class TestText:
    """For people."""

    def test_a_line_a_finding_with_its_hint(self) -> None:
        assert text.render(report()).splitlines() == [
            "apps/a.yaml:7:1: note SK306: shop/a: is far",
            "apps/db & co.yaml:4:3: warning SK204: shop/db: metadata.namespace: is missing",
            (
                "apps/db & co.yaml:12:3: error SK105: shop/db: spec.scope: "
                'is "wide", 100%\\nnot <strict>'
            ),
            "  hint: seal, again: x",
        ]

    def test_allowed_ones_come_last_with_their_reason(self) -> None:
        assert text.render(report(NOTE, shows_allowed=True)).splitlines()[1] == (
            "apps/db & co.yaml:12:3: allowed SK104: shop/db: spec.scope: is unknown (on purpose)"
        )

    def test_the_summary(self) -> None:
        counts = "3 manifests: 1 error, 1 warning, 1 note; 1 finding allowed"
        assert text.summary(report()) == counts
        assert text.summary(CLEAN) == "3 manifests: no findings"
        one = replace(CLEAN, subjects=CLEAN.subjects[:1], findings=(ERROR, ERROR))
        assert text.summary(one) == "1 manifest: 2 errors"


class TestJson:
    """For programs."""

    def test_counts_and_findings(self) -> None:
        said = json.loads(json_format.render(report()))
        assert said["summary"] == {
            "manifests": 3,
            "errors": 1,
            "warnings": 1,
            "notes": 1,
            "allowed": 1,
        }
        assert "allowed" not in said
        (found,) = (one for one in said["findings"] if one["severity"] == "error")
        assert len(found.pop("fingerprint")) == 32
        assert found == {
            "rule": "SK105",
            "name": "scope-not-allowed",
            "severity": "error",
            "file": DB.file,
            "document": 2,
            "line": 12,
            "column": 3,
            "field": "spec.scope",
            "subject": "shop/db",
            "message": 'is "wide", 100%\\nnot <strict>',
            "hint": "seal, again: x",
        }

    def test_allowed_ones_say_why(self) -> None:
        (found,) = json.loads(json_format.render(report(shows_allowed=True)))["allowed"]
        assert (found["rule"], found["reason"]) == ("SK104", "on purpose")


class TestSarif:
    """For code scanning."""

    @pytest.mark.parametrize("shown", [report(), report(shows_allowed=True), CLEAN])
    def test_it_has_the_shape_of_sarif(self, shown: Report) -> None:
        is_sarif(sarif.render(shown))

    def test_a_finding(self) -> None:
        (run,) = json.loads(sarif.render(report(ERROR)))["runs"]
        (result,) = run["results"]
        assert result["message"]["text"].endswith("(seal, again: x)")
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "apps/db%20%26%20co.yaml"
        ends = {"endLine": 12, "endColumn": 4}
        assert place["region"] == {"startLine": 12, "startColumn": 3} | ends

    def test_a_finding_without_a_line_is_on_the_first(self) -> None:
        finding = replace(ERROR, place=DB._replace(line=0, column=0))
        (run,) = json.loads(sarif.render(report(finding)))["runs"]
        region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
        assert (region["startLine"], region["startColumn"]) == (1, 1)

    def test_allowed_ones_are_suppressed(self) -> None:
        (run,) = json.loads(sarif.render(report(NOTE, shows_allowed=True)))["runs"]
        assert run["results"][1]["suppressions"] == [
            {"kind": "inSource", "justification": "on purpose"}
        ]

    def test_of_too_many_the_worst_are_shown_and_a_note_says_so(self) -> None:
        notes: list[Finding] = [NOTE] * sarif.MAX_RESULTS
        run = is_sarif(sarif.render(replace(report(), findings=(*notes, ERROR))))
        assert run["results"][0]["level"] == "error"
        assert len(run["results"]) == sarif.MAX_RESULTS
        (note,) = run["invocations"][0]["toolExecutionNotifications"]
        assert note["message"]["text"].startswith("1 of the findings are left out")

    @pytest.mark.parametrize(
        ("file", "uri"),
        [
            ("apps/ü.yaml", "apps/%C3%BC.yaml"),
            ("/srv/a b.yaml", "file:///srv/a%20b.yaml"),
            ("a\\b.yaml", "a/b.yaml"),
            ("./a.yaml", "a.yaml"),
            ("a:b#c?.yaml", "a%3Ab%23c%3F.yaml"),
            ("\udc80.yaml", "%80.yaml"),
        ],
    )
    def test_paths_as_uris(self, file: str, uri: str) -> None:
        assert sarif.uri_of(file) == uri


class TestJunit:
    """For test reports."""

    def parsed(self, shown: Report) -> ET.Element:
        return ET.fromstring(junit.render(shown))  # noqa: S314 (our own text)

    def test_a_case_for_each_manifest(self) -> None:
        root = self.parsed(report())
        assert root.attrib == {"tests": "3", "failures": "1", "errors": "0"}
        (suite,) = root
        assert suite.attrib["name"] == "sealkit verify"
        cases = {case.attrib["name"]: [one.tag for one in case] for case in suite}
        assert cases == {"shop/a": ["system-out"], "shop/clean": [], "shop/db": ["failure"]}

    def test_a_failure_lists_all_that_is_wrong(self) -> None:
        (failure,) = self.parsed(report()).iter("failure")
        assert failure.attrib["type"] == "SK204"
        assert failure.attrib["message"].endswith("is missing (and 1 more)")
        assert (failure.text or "").count("\n") == 1
        assert '"wide", 100%\\nnot <strict>' in (failure.text or "")

    def test_a_finding_about_no_manifest_has_a_case_of_its_own(self) -> None:
        finding = replace(ERROR, place=DB._replace(file="x.yaml", subject=""))
        cases = {case.attrib["name"] for case in self.parsed(report(finding)).iter("testcase")}
        assert "x.yaml" in cases

    def test_allowed_ones_are_skipped(self) -> None:
        (skipped,) = self.parsed(report(shows_allowed=True)).iter("skipped")
        assert skipped.attrib["message"] == "SK104 is allowed: on purpose"

    def test_what_xml_has_no_place_for(self) -> None:
        raw = "\x00\x1b\ufffe\udc80 <&>\"'\t\n\U0001f512"
        element = ET.fromstring(f'<a b="{junit.escaped(raw)}"/>')  # noqa: S314 (same)
        assert element.attrib["b"] == "\ufffd\ufffd\ufffd\ufffd <&>\"'\t\n\U0001f512"


class TestGithub:
    """For annotations."""

    def test_commands_the_worst_first(self) -> None:
        assert github.render(report()).splitlines() == [
            (
                "::error file=apps/db & co.yaml,line=12,col=3,title=SK105 scope-not-allowed::"
                'shop/db: spec.scope: is "wide", 100%25\\nnot <strict>%0Ahint: seal, again: x'
            ),
            (
                "::warning file=apps/db & co.yaml,line=4,col=3,title=SK204 no-namespace::"
                "shop/db: metadata.namespace: is missing"
            ),
            "::notice file=apps/a.yaml,line=7,col=1,title=SK306 unknown-store::shop/a: is far",
        ]

    def test_escapes(self) -> None:
        place = DB._replace(file="a,b:c%\n.yaml", line=0, column=0)
        shown = replace(
            report(), findings=(replace(ERROR, place=place, message="a\r\n::b", hint=""),)
        )
        assert github.render(shown) == (
            "::error file=a%2Cb%3Ac%25%0A.yaml,title=SK105 scope-not-allowed::"
            "shop/db: spec.scope: a%0D%0A::b\n"
        )


class TestGitlab:
    """For Code Quality."""

    def test_issues(self) -> None:
        issues = json.loads(gitlab.render(report()))
        assert [one["severity"] for one in issues] == ["info", "minor", "critical"]
        for issue in issues:
            assert re.fullmatch(r"[0-9a-f]{32}", issue.pop("fingerprint"))
        assert issues[1] == {
            "description": "shop/db: metadata.namespace: is missing",
            "check_name": "SK204",
            "severity": "minor",
            "location": {"path": DB.file, "lines": {"begin": 4}},
        }

    def test_a_fingerprint_stays_when_a_line_moves(self) -> None:
        moved = replace(WARNING, place=WARNING.place._replace(line=40))
        before, after = (json.loads(gitlab.render(report(one))) for one in (WARNING, moved))
        assert before[0]["fingerprint"] == after[0]["fingerprint"]
        assert before[0]["location"] != after[0]["location"]


def test_every_severity_has_a_word_everywhere() -> None:
    everything = report(ERROR, WARNING, NOTE, ALLOWED)
    assert {one.severity for one in everything.findings} == set(Severity)
