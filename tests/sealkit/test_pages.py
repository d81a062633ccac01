"""The pages on format and threats are true: their figures are computed, their tests exist."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

from sealkit.crypto.context import Binding, context
from sealkit.crypto.recipient import Recipient
from sealkit.crypto.x1 import Envelope, PrivateKey
from sealkit.encoding import to_uuid
from sealkit.manifests import template
from sealkit.manifests.sealed import _OBJECT_META, _SPEC_FIELDS
from sealkit.padding import pad
from sealkit.sensitive import Sensitive
from tests.sealkit.test_sizes import text_of
from tests.vectors.second_reader import public_key

ROOT = Path(__file__).parents[2]
FORMAT = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
THREATS = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")

SEED = bytes(range(32))
KEY = PrivateKey(Sensitive(SEED))
EID = bytes(range(16))
PLACE = ("X1", "strict", "shop", "db", EID)


def hexadecimal(text: str) -> str:
    """The hexadecimal digits of a block, without the remarks at the ends of its lines."""
    lines = [re.split(r" {3,}", line)[0] for line in text.splitlines()]
    return "".join(lines).replace(" ", "")


FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = [hexadecimal(block) for block in FENCED.findall(FORMAT)]


@pytest.mark.parametrize("last", ["password", KEY.kid])
def test_the_worked_contexts_are_right(last: str) -> None:
    raw = context("value" if last == "password" else "wrap", *PLACE, last)
    assert raw.hex() in BLOCKS
    assert f"{len(raw)} bytes" in FORMAT


@pytest.mark.parametrize(
    "fact",
    [
        SEED.hex(),
        KEY.kid,
        sha256(KEY.public.raw).hexdigest(),
        KEY.public.raw[-32:].hex(),
        sha256(context("kid", "X1", KEY.public.raw)).hexdigest()[:32],
        to_uuid(EID),
        EID.hex(),
    ],
)
def test_the_known_answers_are_right(fact: str) -> None:
    assert f"`{fact}`" in FORMAT


def test_the_second_implementation_has_the_same_public_key() -> None:
    assert public_key(SEED) == KEY.public.raw


@pytest.mark.parametrize("size", [0, 60, 61, 124, 1020, 1021, 10_000, 16_380, 100_000, 1_048_576])
def test_the_table_of_lengths_is_right(size: int) -> None:
    padded = len(pad(bytes(size)))
    item = len(
        Envelope(Sensitive(SEED), Binding("strict", "shop", "db"), EID).seal(
            "k", Sensitive(bytes(size))
        )
    )
    row = rf"\| [^|]*\b{size:,}\b[^|]* \| {padded:,} \| {item:,} \|"
    assert re.search(row, FORMAT)


def test_the_worked_padding_is_right() -> None:
    shown = "0000000768756e74657232"
    assert pad(b"hunter2") == bytes.fromhex(shown) + bytes(53)
    assert f"`{shown[:8]} {shown[8:]}` and 53 bytes `00`" in FORMAT


def test_the_recipient_file_is_as_the_grammar_says() -> None:
    lines = str(Recipient("prod", KEY.public)).splitlines()
    start = FORMAT.index("-----BEGIN SEALKIT RECIPIENT-----")
    shown = FORMAT[start:].splitlines()
    assert lines[:4] == shown[:4]
    assert [len(line) for line in lines[5:-1]] == [64] * 25 + [24]


@pytest.mark.parametrize("name", sorted(set(_OBJECT_META) - {"name", "namespace"}))
def test_the_fields_of_metadata_are_listed(name: str) -> None:
    assert re.search(rf"`(metadata\.)?{name}`", FORMAT)


@pytest.mark.parametrize("name", _SPEC_FIELDS)
def test_the_fields_of_the_spec_are_listed(name: str) -> None:
    assert f"\n| `spec.{name}" in FORMAT


@pytest.mark.parametrize("names", [_SPEC_FIELDS, template._FIELDS], ids=["spec", "template"])
def test_fields_are_written_in_the_order_that_is_listed(names: tuple[str, ...]) -> None:
    text = " ".join(re.sub(r"`metadata` \([^)]*\)", "`metadata`", FORMAT).split())
    assert ", ".join(f"`{name}`" for name in names) in text


@pytest.mark.parametrize("keys", [1, 5, 20, 50])
def test_the_table_of_sizes_is_right(keys: int) -> None:
    """A wrap that begins with `+` is quoted: two bytes more, one time in 64."""
    row = re.search(rf"\| {keys} \| ([\d,]+) bytes \| ([\d,]+) bytes \|", FORMAT)
    assert row
    for shown, clusters in zip(row.groups(), (1, 3), strict=True):
        assert len(text_of(keys, clusters)) - int(shown.replace(",", "")) in range(0, 7, 2)


REFERENCES = sorted(set(re.findall(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`", FORMAT + THREATS)))


def test_the_pages_name_tests() -> None:
    assert len(REFERENCES) >= 18


@pytest.mark.parametrize(("path", "name"), REFERENCES)
def test_every_test_that_a_page_names_exists(path: str, name: str) -> None:
    source = (ROOT / path).read_text(encoding="utf-8")
    assert not name or f"\ndef {name}(" in source
