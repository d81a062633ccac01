"""Every vector gives its verdict: from sealkit, and from a second implementation of the format."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sealkit.crypto.x1 import PrivateKey
from sealkit.errors import ManifestError, NoKeyError, UnsealError
from sealkit.manifests.sealed import SealedSecret
from sealkit.sealing import unseal
from sealkit.sensitive import Sensitive
from tests.sealkit.samples import revealed, ring
from tests.vectors import second_reader
from tests.vectors.make_x1 import CASES, FOLDER
from tests.vectors.x1_build import decoded

FILES = {path.stem: json.loads(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))}
VERDICTS = {"success", "no-key", "unseal-failure", "manifest-failure"}
each_file = pytest.mark.parametrize("vector", FILES.values(), ids=list(FILES))

Verdict = tuple[str, str | None, dict[str, bytes] | None]


def of_sealkit(vector: dict[str, Any]) -> Verdict:
    keys = ring(*(PrivateKey(Sensitive(bytes.fromhex(seed))) for seed in vector["keys"]))
    try:
        secret = unseal(SealedSecret.from_dict(vector["manifest"]), keys)
    except ManifestError as error:
        return "manifest-failure", error.field, None
    except NoKeyError:
        return "no-key", None, None
    except UnsealError:
        return "unseal-failure", None, None
    return "success", None, revealed(secret)


def wanted(vector: dict[str, Any]) -> Verdict:
    data = decoded(vector["data"]) if "data" in vector else None
    return vector["expect"], vector.get("field"), data


def test_there_are_vectors_of_every_verdict() -> None:
    assert len(FILES) >= 24
    assert {vector["expect"] for vector in FILES.values()} == VERDICTS


@each_file
def test_sealkit_gives_the_verdict_of_the_vector(vector: dict[str, Any]) -> None:
    assert of_sealkit(vector) == wanted(vector)


@each_file
def test_a_second_implementation_gives_the_verdict_of_the_vector(vector: dict[str, Any]) -> None:
    seeds = [bytes.fromhex(seed) for seed in vector["keys"]]
    expect, _, data = wanted(vector)
    assert second_reader.verdict(vector["manifest"], seeds) == (expect, data)


def test_the_files_are_those_that_the_script_makes() -> None:
    assert sorted(case.name for case in CASES) == sorted(FILES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_says_what_the_script_says(case: Any) -> None:
    assert {key: value for key, value in FILES[case.name].items() if key != "manifest"} == (
        case.facts()
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_manifest_made_anew_gives_the_same_verdict(case: Any) -> None:
    vector = case.facts() | {"manifest": json.loads(json.dumps(case.manifest()))}
    assert of_sealkit(vector) == wanted(vector)


@each_file
def test_a_manifest_that_is_read_is_canonical(vector: dict[str, Any]) -> None:
    if vector["expect"] == "manifest-failure":
        return
    manifest = vector["manifest"]
    assert SealedSecret.from_dict(manifest).to_dict() == manifest
