"""Keys at the desk: what counts, until when, and which files hold none."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sealkit.crypto.recipient import Recipient
from sealkit.errors import ConfigError, ManifestError
from sealkit.keypair import KeyPair, KeyState
from sealkit.keystore import (
    Standing,
    last_day,
    load_recipient,
    parse_private_keys,
    parse_recipient,
    pinned_recipient,
    standing,
    unpinned_recipient,
)
from tests.sealkit.samples import KEY, OTHER, THIRD

TODAY = date(2026, 11, 1)
BEFORE, AFTER = date(2026, 10, 31), date(2026, 11, 2)


def saved(folder: Path, not_after: date | None = None) -> Path:
    path = folder / "prod.pub"
    path.write_text(str(Recipient("prod", KEY.public, not_after)))
    return path


@pytest.mark.parametrize(
    ("of_file", "of_config", "last", "expected"),
    [
        (None, None, None, Standing.USABLE),
        (TODAY, None, TODAY, Standing.USABLE),
        (None, TODAY, TODAY, Standing.USABLE),
        (BEFORE, None, BEFORE, Standing.EXPIRED),
        (AFTER, BEFORE, BEFORE, Standing.EXPIRED),
        (BEFORE, AFTER, BEFORE, Standing.EXPIRED),
        (AFTER, TODAY, TODAY, Standing.USABLE),
    ],
)
def test_the_earlier_last_day_counts(
    of_file: date | None, of_config: date | None, last: date | None, expected: Standing
) -> None:
    recipient = Recipient("prod", KEY.public, of_file)
    assert last_day(recipient, of_config) == last
    assert standing(recipient, KEY.kid, of_config, TODAY) == expected


def test_another_key_is_worse_than_an_old_one() -> None:
    recipient = Recipient("prod", KEY.public, BEFORE)
    assert standing(recipient, OTHER.kid, None, TODAY) == Standing.MISMATCHED


def test_the_pinned_key_is_returned(tmp_path: Path) -> None:
    path = saved(tmp_path, AFTER)
    expected = Recipient("prod", KEY.public, AFTER)
    assert pinned_recipient(path, KEY.kid, None, TODAY) == expected
    assert unpinned_recipient(path, TODAY) == expected


@pytest.mark.parametrize(
    ("kid", "not_after", "what"),
    [(OTHER.kid, None, "holds key"), (KEY.kid, BEFORE, "the key expired on 2026-10-31")],
)
def test_what_cannot_be_sealed_for(
    tmp_path: Path, kid: str, not_after: date | None, what: str
) -> None:
    path = saved(tmp_path)
    with pytest.raises(ConfigError, match=what) as caught:
        pinned_recipient(path, kid, not_after, TODAY)
    assert caught.value.file == str(path)
    assert "--replace" in caught.value.hint


def test_an_expired_file_that_nobody_pins(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expired"):
        unpinned_recipient(saved(tmp_path, BEFORE), TODAY)


@pytest.mark.parametrize("raw", [b"", b"\xff", b"-----BEGIN SEALKIT RECIPIENT-----\n"])
def test_no_recipient(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "x.pub"
    path.write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        load_recipient(path)
    assert caught.value.file == str(path)
    with pytest.raises(ConfigError) as caught:
        parse_recipient(raw, "here")
    assert caught.value.file == "here"


def key_secret(number: int) -> dict[str, object]:
    key = (KEY, OTHER, THIRD)[number]
    pair = KeyPair(key, KeyState.ACTIVE, datetime(2026, 1, 1, tzinfo=UTC))
    return pair.to_secret(f"key-{number}", "sealkit-system")


class TestPrivateKeys:
    """Key Secrets as kubectl prints them."""

    def test_documents_lists_and_other_objects(self) -> None:
        items = [{"kind": "ConfigMap"}, key_secret(0), {"kind": "Secret", "type": "Opaque"}]
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        text += f"\n---\n{json.dumps(key_secret(1))}\n---\n"
        assert set(parse_private_keys(text.encode(), "x")) == {KEY.kid, OTHER.kid}

    @pytest.mark.parametrize("raw", [b"", b"kind: Secret\n", b"- 1\n", b"a\n"])
    def test_none(self, raw: bytes) -> None:
        with pytest.raises(ConfigError, match="holds no key of sealkit") as caught:
            parse_private_keys(raw, "keys.yaml")
        assert caught.value.file == "keys.yaml"
        assert "kubectl get secret" in caught.value.hint

    def test_a_damaged_one_among_others_is_told(self) -> None:
        bad = key_secret(1) | {"data": {"suite": "WDE="}}
        raw = {"apiVersion": "v1", "kind": "List", "items": [key_secret(0), bad]}
        with pytest.raises(ConfigError) as caught:
            parse_private_keys(json.dumps(raw).encode(), "keys.yaml")
        assert str(caught.value).startswith("keys.yaml:1: items[1]")

    def test_text_that_is_none(self) -> None:
        with pytest.raises(ManifestError) as caught:
            parse_private_keys(b"\xff", "keys.yaml")
        assert caught.value.file == "keys.yaml"
