"""`sealkit config`: check, explain, and a schema that says what the parser does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from sealkit.config import NAME, load_config
from sealkit.errors import ConfigError
from tests.sealkit.cli.desk import CANARY, TODAY, Desk, key_of

PUBLISHED: Final = Path(__file__).parents[3] / "docs" / "config.schema.json"
ALL: Final = {"paths": ["**"], "clusters": ["prod"]}


def rule(*paths: str, **more: object) -> dict[str, object]:
    return {"paths": list(paths), "clusters": ["prod"], **more}


def findings(desk: Desk, *arguments: str, code: int = 0, today: date = TODAY) -> list[Any]:
    result = desk.run("config", "check", "--json", *arguments, today=today)
    assert (result.code, result.err) == (code, "")
    return list(result.json)


class TestCheck:
    """What stops those who seal is an error, what looks wrong a warning."""

    def test_nothing_wrong(self, desk: Desk) -> None:
        desk.config(rules=[ALL])
        result = desk.ok("config", "check")
        assert (result.out, result.err) == ("", "checked .sealkit.yaml: 0 errors, 0 warnings\n")
        assert findings(desk) == []

    def test_the_nearest_from_a_folder_below(self, desk: Desk) -> None:
        (desk.folder / "apps").mkdir()
        inner = Desk(desk.folder / "apps", desk.keys_folder)
        assert "0 errors" in inner.ok("config", "check").err

    def test_no_configuration(self, bare: Desk) -> None:
        result = bare.run("config", "check")
        assert (result.code, result.out) == (2, "")
        assert f"there is no {NAME} here or above" in result.err

    def test_an_error_of_the_text_with_what_was_meant(self, desk: Desk) -> None:
        desk.config(rules=[{"paths": ["**"], "clustrs": ["prod"]}])
        result = desk.run("config", "check")
        assert result.code == 2
        assert result.err.splitlines() == [
            "sealkit: error: .sealkit.yaml: rules[0].clustrs: is not a field that exists here",
            "sealkit: hint: did you mean 'clusters'?",
            "checked .sealkit.yaml: 1 error, 0 warnings",
        ]
        (found,) = findings(desk, code=2)
        assert (found["level"], found["field"]) == ("error", "rules[0].clustrs")

    def test_an_error_of_the_syntax_names_the_document(self, desk: Desk) -> None:
        desk.write("other.yaml", "a: [")
        (found,) = findings(desk, "other.yaml", code=2)
        assert (found["file"], found["document"]) == ("other.yaml", 1)
        assert "other.yaml:1: " in desk.run("config", "check", "other.yaml").err

    def test_a_file_that_is_not_there(self, desk: Desk) -> None:
        (found,) = findings(desk, "none.yaml", code=2)
        assert (found["file"], found["level"]) == ("none.yaml", "error")

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            pytest.param(
                lambda desk: (desk.folder / ".sealkit/prod.pub").unlink(), "read", id="missing"
            ),
            pytest.param(lambda desk: desk.recipient("prod", key="lab"), "pins", id="other-key"),
            pytest.param(
                lambda desk: desk.recipient("prod", not_after=date(2026, 10, 31)),
                "expired on 2026-10-31",
                id="expired",
            ),
            pytest.param(
                lambda desk: desk.write(".sealkit/prod.pub", CANARY), "recipient file", id="junk"
            ),
        ],
    )
    def test_recipient_files(self, desk: Desk, spoil: Callable[[Desk], object], said: str) -> None:
        spoil(desk)
        (found,) = findings(desk, code=2)
        assert (found["level"], found["field"]) == ("error", "clusters.prod.recipient")
        assert found["problem"].startswith(".sealkit/prod.pub: ")
        assert said in found["problem"]
        assert "--replace" in found["hint"]
        assert CANARY not in str(found)

    def test_every_wrong_recipient_is_told_at_once(self, desk: Desk) -> None:
        for name in ("prod", "staging"):
            desk.recipient(name, key="lab")
        assert len(findings(desk, code=2)) == 2

    @pytest.mark.parametrize(
        ("today", "count"), [(date(2027, 4, 1), 1), (date(2027, 3, 31), 0), (date(2027, 5, 1), 1)]
    )
    def test_a_last_day_that_is_near(self, desk: Desk, today: date, count: int) -> None:
        desk.config(clusters={"prod": desk.entry("prod", notAfter="2027-05-01")})
        found = findings(desk, today=today)
        assert [one["level"] for one in found] == ["warning"] * count

    def test_a_glob_that_matches_nothing(self, desk: Desk) -> None:
        desk.write("apps/db.yaml", "")
        desk.config(rules=[rule("apps/**", "app/**"), ALL])
        (found,) = findings(desk)
        assert (found["level"], found["field"]) == ("warning", "rules[0].paths")
        assert found["problem"] == "'app/**' matches no file"

    def test_a_rule_that_never_decides(self, desk: Desk) -> None:
        desk.write("apps/prod/db.yaml", "")
        desk.config(rules=[rule("apps/**"), rule("apps/prod/*"), ALL])
        (found,) = findings(desk)
        assert (found["level"], found["field"]) == ("warning", "rules[1]")
        assert "never decides" in found["problem"]

    def test_a_rule_of_which_something_is_left(self, desk: Desk) -> None:
        desk.write("apps/prod/db.yaml", "")
        desk.write("apps/db.yaml", "")
        desk.config(rules=[rule("apps/prod/*"), rule("apps/**"), ALL])
        assert findings(desk) == []

    @pytest.mark.parametrize("folder", ["apps", ".git"])
    def test_files_that_it_does_not_rule(self, desk: Desk, folder: str) -> None:
        desk.write(f"{folder}/db.yaml", "")
        desk.write(f"apps/{NAME}", "apiVersion: sealkit.dev/config/v1\n")
        desk.config(rules=[rule(f"{folder}/**"), ALL])
        (found,) = findings(desk)
        assert found["problem"] == f"'{folder}/**' matches no file"

    def test_what_a_terminal_would_act_on_is_spelt_out(self, desk: Desk) -> None:
        desk.write(NAME, 'apiVersion: sealkit.dev/config/v1\n"\\e[2J": 1\n')
        result = desk.run("config", "check")
        assert "\x1b" not in result.err
        assert "\\x1b[2J" in result.err

    def test_nothing_is_changed(self, desk: Desk) -> None:
        before = desk.files()
        desk.ok("config", "check")
        desk.ok("config", "explain", "db.yaml")
        assert desk.files() == before


class TestExplain:
    """Which rule decides, and why."""

    def explained(self, desk: Desk, file: str) -> dict[str, Any]:
        return dict(desk.ok("config", "explain", "--json", file).json)

    def test_the_first_that_matches(self, desk: Desk) -> None:
        desk.config(
            rules=[
                rule("a/**"),
                {"paths": ["x", "apps/*/db.yaml"], "clusters": ["staging"], "scopes": ["strict"]},
                rule("**"),
            ]
        )
        assert self.explained(desk, "apps/shop/db.yaml") == {
            "file": "apps/shop/db.yaml",
            "config": NAME,
            "path": "apps/shop/db.yaml",
            "rule": 1,
            "glob": "apps/*/db.yaml",
            "clusters": ["staging"],
            "scopes": ["strict"],
            "later": [2],
            "refused": False,
        }
        assert desk.ok("config", "explain", "apps/shop/db.yaml").out.splitlines() == [
            (
                "apps/shop/db.yaml: rules[1] of .sealkit.yaml decides, its 'apps/*/db.yaml' is the "
                "first to match 'apps/shop/db.yaml'"
            ),
            "  clusters: staging",
            "  scopes: strict",
            "  rules[2] matches as well, but comes later",
        ]

    def test_what_is_explained_is_what_sealing_does(self, desk: Desk) -> None:
        desk.config(rules=[rule("apps/**"), {"paths": ["b/*"], "clusters": ["staging"]}])
        text = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: a}\ndata: {A: YQ==}\n"
        for folder in ("apps", "b"):
            (desk.folder / folder).mkdir()
            desk.ok("seal", "-o", f"{folder}/db.yaml", stdin=text)
            expected = set(self.explained(desk, f"{folder}/db.yaml")["clusters"])
            assert desk.opens_in(desk.read(f"{folder}/db.yaml")) == expected
        assert self.explained(desk, "c.yaml")["refused"]
        assert desk.run("seal", "-o", "c.yaml", stdin=text).code == 6

    def test_no_rule_matches(self, desk: Desk) -> None:
        desk.config(rules=[rule("apps/**")])
        found = self.explained(desk, "db.yaml")
        assert (found["rule"], found["clusters"], found["refused"]) == (None, [], True)
        out = desk.ok("config", "explain", "db.yaml").out
        assert out == (
            "db.yaml: no rule of .sealkit.yaml matches 'db.yaml', so that sealing is refused\n"
        )

    def test_no_rules(self, desk: Desk) -> None:
        found = self.explained(desk, "db.yaml")
        assert (found["rule"], found["refused"]) == (None, False)
        assert found["clusters"] == ["prod", "staging"]
        assert "has no rules" in desk.ok("config", "explain", "db.yaml").out

    def test_no_clusters_either(self, bare: Desk) -> None:
        bare.write(NAME, "apiVersion: sealkit.dev/config/v1\n")
        assert "clusters: none yet" in bare.ok("config", "explain", "db.yaml").out

    def test_the_nearest_configuration(self, desk: Desk) -> None:
        desk.write(f"apps/{NAME}", "apiVersion: sealkit.dev/config/v1\n")
        found = self.explained(desk, "apps/shop/db.yaml")
        assert (found["config"], found["path"]) == (f"apps/{NAME}", "shop/db.yaml")

    def test_a_link_is_followed_as_sealing_does(self, desk: Desk) -> None:
        desk.write("apps/db.yaml", "")
        (desk.folder / "link.yaml").symlink_to("apps/db.yaml")
        assert self.explained(desk, "link.yaml")["path"] == "apps/db.yaml"

    def test_no_configuration(self, bare: Desk) -> None:
        result = bare.run("config", "explain", "db.yaml")
        assert result.code == 2
        assert "db.yaml: there is no .sealkit.yaml beside it or above" in result.err

    def test_a_wrong_configuration(self, desk: Desk) -> None:
        desk.write(NAME, f"{CANARY}: 1")
        assert desk.run("config", "explain", "db.yaml").code == 2


KID: Final = key_of("prod").kid
GOOD: Final = f"""\
apiVersion: sealkit.dev/config/v1
clusters:
  prod: {{kid: {KID}, recipient: .sealkit/prod.pub, notAfter: "2027-05-01"}}
  eu-1.staging: {{kid: {KID}, recipient: .sealkit/staging.pub, notAfter: null}}
rules:
- paths: ["apps/*/prod/**", "a..b/.c", "...", "**", "a?"]
  clusters: [prod]
  scopes: [strict, namespace-wide]
- {{paths: [".a/**"], clusters: [prod, eu-1.staging], scopes: null}}
"""


class TestSchema:
    """The schema and the parser agree, but for what a schema cannot see."""

    def test_what_is_published_is_what_is_printed(self, bare: Desk) -> None:
        assert PUBLISHED.read_text() == bare.ok("config", "schema").out, (
            "docs/config.schema.json is out of date: sealkit config schema > it"
        )

    def test_it_says_what_it_is(self, bare: Desk) -> None:
        schema = bare.ok("config", "schema").json
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["$id"].startswith("https://")

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(GOOD, id="everything"),
            pytest.param("apiVersion: sealkit.dev/config/v1\n", id="nothing"),
            pytest.param(
                "apiVersion: sealkit.dev/config/v1\nclusters:\nrules:\n", id="without-values"
            ),
            pytest.param(GOOD.replace("eu-1.staging", "a" * 253), id="long-name"),
            pytest.param(GOOD.replace("a?", "ä b"), id="other-characters"),
        ],
    )
    def test_both_accept(self, tmp_path: Path, text: str) -> None:
        assert (complaint(text), refused(tmp_path, text)) == ("", False)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            pytest.param("config/v1", "config/v2", id="version"),
            pytest.param("apiVersion: sealkit.dev/config/v1\n", "", id="no-version"),
            pytest.param("rules:", "rule:", id="unknown-field"),
            pytest.param("notAfter:", "notafter:", id="unknown-of-cluster"),
            pytest.param("  scopes:", "  scope:", id="unknown-of-rule"),
            pytest.param("  prod: {", "  Prod: {", id="cluster-name"),
            pytest.param("eu-1.staging", "-a", id="cluster-name-with-dash"),
            pytest.param("eu-1.staging", "a..b", id="cluster-name-with-dots"),
            pytest.param("eu-1.staging", "a" * 254, id="cluster-name-too-long"),
            pytest.param(f"kid: {KID}, ", "", id="no-kid"),
            pytest.param(KID, KID[:-1], id="short-kid"),
            pytest.param(KID, KID.upper(), id="upper-case-kid"),
            pytest.param(KID, f"{KID[:-1]}b", id="kid-with-spare-bits"),
            pytest.param(KID, "12", id="number-for-kid"),
            pytest.param("recipient: .sealkit/prod.pub, ", "", id="no-recipient"),
            pytest.param(".sealkit/prod.pub", '""', id="empty-recipient"),
            pytest.param("2027-05-01", "2027-5-1", id="loose-date"),
            pytest.param('"2027-05-01"', '"20270501"', id="basic-date"),
            pytest.param("2027-05-01", "2027-02-30", id="no-such-day"),
            pytest.param('"2027-05-01"', "true", id="no-date"),
            pytest.param("[prod]\n", "prod\n", id="no-list"),
            pytest.param("[prod]\n", "[]\n", id="no-cluster"),
            pytest.param("[prod]\n", "[prod, prod]\n", id="cluster-twice"),
            pytest.param("  clusters: [prod]\n", "", id="clusters-missing"),
            pytest.param("  clusters: [prod]\n", "  clusters:\n", id="clusters-without-value"),
            pytest.param("strict,", "wide,", id="unknown-scope"),
            pytest.param("[strict, namespace-wide]", "[]", id="no-scope"),
            pytest.param("[strict, namespace-wide]", "[strict, strict]", id="scope-twice"),
            pytest.param("[strict, namespace-wide]", "[1]", id="number-for-scope"),
            *(
                pytest.param('"a?"', glob, id=f"glob-{number}")
                for number, glob in enumerate(
                    [
                        *("1", "/a", "../a", "./a", "a/", "a//b", '""', "a/..", "a/./b"),
                        *("'a[b]'", "'{a,b}'", "'!a'", '"a\\\\b"', ".", '"**"'),
                    ]
                )
            ),
        ],
    )
    def test_both_refuse(self, tmp_path: Path, old: str, new: str) -> None:
        assert old in GOOD
        text = GOOD.replace(old, new)
        assert complaint(text)
        assert refused(tmp_path, text)

    @pytest.mark.parametrize(
        "rest", ["clusters: []", "clusters: {a: 1}", "rules: {}", "rules: [1]", "rules: false"]
    )
    def test_both_refuse_other_shapes(self, tmp_path: Path, rest: str) -> None:
        text = f"apiVersion: sealkit.dev/config/v1\n{rest}\n"
        assert complaint(text)
        assert refused(tmp_path, text)

    def test_only_the_parser_knows_the_clusters(self, tmp_path: Path) -> None:
        text = GOOD.replace("clusters: [prod]", "clusters: [dev]")
        assert (complaint(text), refused(tmp_path, text)) == ("", True)

    def test_the_validator_knows_every_word_of_the_schema(self) -> None:
        known = {"$schema", "$id", "title", "description", *RULES}
        assert set(words(json.loads(PUBLISHED.read_text()))) <= known


def refused(folder: Path, text: str) -> bool:
    (folder / NAME).write_text(text)
    try:
        load_config(folder / NAME)
    except ConfigError:
        return True
    return False


def complaint(text: str) -> str:
    """Return what the published schema has against a text, as a stranger's parser reads it."""
    return problem(json.loads(PUBLISHED.read_text()), yaml.safe_load(text))


# A validator of the part of JSON Schema 2020-12 that our schema uses.
TYPES: Final[Mapping[str, type]] = {
    "object": dict, "array": list, "string": str, "null": type(None),
}  # fmt: skip


def problem(schema: Mapping[str, Any], value: object) -> str:
    """Return the first rule that a value breaks, "" for none."""
    broken = (
        f"{word}" for word, check in RULES.items() if word in schema and not check(schema, value)
    )
    return next(broken, "")


def is_type(schema: Mapping[str, Any], value: object) -> bool:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return any(isinstance(value, TYPES[kind]) for kind in kinds)


def is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def fields_fit(schema: Mapping[str, Any], value: object) -> bool:
    """`properties` and `additionalProperties` together."""
    if not isinstance(value, dict):
        return True
    named, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    return all(
        not problem(named[key], one)
        if key in named
        else others is not False and not problem(others, one)
        for key, one in value.items()
    )


def on(kind: type, check: Callable[[Any, Any], bool], word: str) -> Callable[[Any, Any], bool]:
    """A rule that only values of one type can break."""
    return lambda schema, value: not isinstance(value, kind) or check(schema[word], value)


RULES: Final[Mapping[str, Callable[[Mapping[str, Any], Any], bool]]] = {
    "type": is_type,
    "const": lambda schema, value: value == schema["const"],
    "enum": lambda schema, value: value in schema["enum"],
    "pattern": on(str, lambda pattern, text: bool(re.search(pattern, text)), "pattern"),
    "format": on(str, lambda name, text: name == "date" and is_date(text), "format"),
    "minLength": on(str, lambda least, text: len(text) >= least, "minLength"),
    "maxLength": on(str, lambda most, text: len(text) <= most, "maxLength"),
    "minItems": on(list, lambda least, items: len(items) >= least, "minItems"),
    "uniqueItems": on(
        list, lambda _, items: len({str(item) for item in items}) == len(items), "uniqueItems"
    ),
    "items": on(list, lambda inner, items: not any(problem(inner, one) for one in items), "items"),
    "required": on(dict, lambda names, entries: set(names) <= set(entries), "required"),
    "propertyNames": on(
        dict, lambda inner, keys: not any(problem(inner, key) for key in keys), "propertyNames"
    ),
    "properties": fields_fit,
    "additionalProperties": fields_fit,
}  # fmt: skip


def words(schema: Mapping[str, Any]) -> list[str]:
    """Return every keyword of a schema and of those inside it."""
    inner = [schema.get("items"), schema.get("propertyNames"), schema.get("additionalProperties")]
    inner += schema.get("properties", {}).values()
    return [*schema, *(word for one in inner if isinstance(one, dict) for word in words(one))]
