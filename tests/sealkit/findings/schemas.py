"""What others say a report has to be: schemas of SARIF and of JUnit, limits of GitHub."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import xmlschema
from jsonschema import Draft7Validator

from sealkit.findings.rules import VERIFY
from sealkit.scanning.rules import SCAN

VECTORS: Final = Path(__file__).parents[2] / "vectors"
RULES: Final = tuple(dict.fromkeys((*VERIFY, *SCAN)))


@cache
def sarif_schema() -> Draft7Validator:
    """The schema of OASIS, itself checked."""
    raw = json.loads((VECTORS / "sarif" / "sarif-schema-2.1.0.json").read_bytes())
    Draft7Validator.check_schema(raw)
    return Draft7Validator(raw)


@cache
def junit_schema() -> xmlschema.XMLSchema:
    """The schema of Jenkins' xUnit plugin."""
    return xmlschema.XMLSchema(VECTORS / "junit" / "junit-10.xsd")


def is_sarif(text: str) -> Any:
    """Hold a log to its schema and to GitHub's limits, and return its run."""
    log = json.loads(text)
    sarif_schema().validate(log)
    assert len(gzip.compress(text.encode())) <= 10_000_000
    assert log["$schema"]
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(rules) <= 25_000
    assert len(run["results"]) <= 25_000
    for rule in rules:
        _is_a_rule_of_github(rule)
    for result in run["results"]:
        _is_a_result_of_github(result, rules)
    return run


def _is_a_rule_of_github(rule: Any) -> None:
    assert rule["id"]
    assert 0 < len(rule["name"]) <= 255
    assert 0 < len(rule["shortDescription"]["text"]) <= 1024
    assert 0 < len(rule["fullDescription"]["text"]) <= 1024
    assert rule["help"]["text"]
    assert rule["defaultConfiguration"]["level"] in {"note", "warning", "error"}
    properties = rule.get("properties", {})
    assert len(properties.get("tags", ())) <= 10
    assert 0 < float(properties.get("security-severity", "1")) <= 10
    assert ("security" in properties.get("tags", ())) == rule["id"].startswith("SK4")


def _is_a_result_of_github(result: Any, rules: Any) -> None:
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert 0 < len(result["message"]["text"]) <= 1024
    assert result["partialFingerprints"]
    (location,) = result["locations"]
    place = location["physicalLocation"]
    assert place["artifactLocation"]["uri"].isascii()
    assert set(place["region"]) == {"startLine", "startColumn", "endLine", "endColumn"}
    assert place["region"]["endColumn"] > place["region"]["startColumn"]


def is_junit(text: str) -> None:
    """Hold a report to its schema."""
    junit_schema().validate(text)


def is_code_quality(text: str) -> None:
    """Hold a report to what GitLab's page "Code Quality" says of its format."""
    assert not text.startswith("\ufeff")
    issues = json.loads(text)
    assert isinstance(issues, list)
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert all(
            isinstance(issue[name], str) and issue[name] for name in issue.keys() - {"location"}
        )
        assert not issue["location"]["path"].startswith("./")
        assert issue["location"]["lines"]["begin"] >= 1
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
