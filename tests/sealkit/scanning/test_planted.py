"""Every planted secret is found, where it is, and is not shown."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping

import pytest

from sealkit.findings.finding import Finding
from sealkit.scanning.file import scan
from tests.sealkit.scanning.planted import Planted, planted

SEED = random.getrandbits(32)  # pytest-randomly seeds it: `-p "randomly_seed=…"` makes it again
CORPUS = list(planted(SEED))


def found_in(one: Planted) -> tuple[Finding, ...]:
    return scan(one.path, one.raw, reader(one.beside)).findings


def reader(beside: Mapping[str, bytes]):  # type: ignore[no-untyped-def]
    return beside.get


def test_there_are_enough_shapes() -> None:
    assert len(CORPUS) >= 120
    assert sum(one.rule == "SK401" for one in CORPUS) >= 75


@pytest.mark.parametrize("one", CORPUS, ids=lambda one: one.name)
def test_it_is_found(one: Planted) -> None:
    findings = found_in(one)
    assert one.rule in {finding.rule.id for finding in findings}, f"seed {SEED}"


@pytest.mark.parametrize("one", CORPUS, ids=lambda one: one.name)
def test_it_is_found_where_it_is(one: Planted) -> None:
    lines = {finding.place.line for finding in found_in(one) if finding.rule.id == one.rule}
    assert one.line is None or one.line in lines, f"seed {SEED}"


@pytest.mark.parametrize("one", CORPUS, ids=lambda one: one.name)
def test_it_is_not_shown(one: Planted) -> None:
    said = repr(found_in(one))
    encoded = base64.b64encode(one.secret.encode()).decode().rstrip("=")
    assert one.secret not in said
    assert encoded[: max(len(encoded) - 2, 8)] not in said
