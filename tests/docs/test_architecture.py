"""The picture of layers in docs/architecture.md is the one that lint-imports checks."""

from __future__ import annotations

import re
import tomllib
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def contracts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"][
        "importlinter"
    ]["contracts"]
    return found


def cell(package: str, layer: str, pure: set[str]) -> str:
    names = [name.strip() for name in layer.split("|") if name.strip()]
    return ", ".join(f"`{n}`" if f"{package}.{n}" in pure else f"**`{n}`**" for n in names)


def test_the_layers_are_those_of_the_contracts() -> None:
    toolkit, controller, purity, *_ = contracts()
    pure = set(purity["source_modules"])
    pairs = zip_longest(toolkit["layers"], controller["layers"], fillvalue="")
    rows = [
        (cell("sealkit", ours, pure), cell("sealkit_controller", theirs, pure))
        for ours, theirs in pairs
    ]
    shown = re.findall(
        r"^\| ?(.*?) \| ?(.*?) \|$", PAGE.split("## Where things are")[0], re.MULTILINE
    )
    assert [row for row in shown if "`" in row[0] + row[1]][-len(rows) :] == rows


@pytest.mark.parametrize("line", re.findall(r"^  (\S.*?)   +\S", PAGE, re.MULTILINE))
def test_what_is_where_is_there(line: str) -> None:
    for name in line.split():
        places = [ROOT / top / name for top in ("sealkit", "controller", "tests")]
        assert any(place.exists() for place in places), name
