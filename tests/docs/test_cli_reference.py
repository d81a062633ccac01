"""docs/cli.md says what the command line does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sealkit.config import NAME, load_config
from sealkit.errors import SealkitError
from tests.docs.cli_reference import COMMAND, MARKER, PAGE, contexts, options, page
from tests.sealkit.cli.desk import families


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text()
    assert page(text) == text, f"docs/cli.md is out of date: run {COMMAND}"


def test_a_page_without_the_marker_is_not_overwritten() -> None:
    for text in ("", MARKER * 2):
        with pytest.raises(ValueError, match="needs one line"):
            page(text)


def test_every_verb_and_option_is_explained() -> None:
    found = list(contexts())
    assert len(found) >= 11
    for context in found:
        assert context.command.help, context.command_path
        for option in options(context.command):
            assert option.help, f"{context.command_path} {option.name}"


def test_every_exit_code_of_an_error_is_in_the_table() -> None:
    table = dict(re.findall(r"^\| (\d+) \| (.*) \|$", PAGE.read_text(), re.MULTILINE))
    codes = {str(family.exit_code) for family in families()} | {"0", "3", "10", "130"}
    assert set(table) == codes
    assert SealkitError.exit_code == 1


def test_the_example_configuration_is_one(tmp_path: Path) -> None:
    (example,) = re.findall(
        r"```yaml\n(apiVersion: sealkit.dev/config/v1\n.*?)```", PAGE.read_text(), re.DOTALL
    )
    (tmp_path / NAME).write_text(example)
    config = load_config(tmp_path / NAME)
    assert set(config.clusters) == {"prod", "staging"}
    assert len(config.rules) == 2


def test_every_field_of_the_configuration_is_explained() -> None:
    text = PAGE.read_text()
    fields = {
        *("apiVersion", "clusters", "rules"),
        *("clusters.NAME.kid", "clusters.NAME.recipient", "clusters.NAME.notAfter"),
        *("rules[].paths", "rules[].clusters", "rules[].scopes"),
    }
    assert set(re.findall(r"^\| `([^`]*)` \| (?:yes|no) \|", text, re.MULTILINE)) == fields
