"""Recipient files: canonical, and the key id is recomputed."""

from __future__ import annotations

from datetime import date

import pytest

from sealkit.crypto.recipient import Recipient
from sealkit.crypto.x1 import PrivateKey
from sealkit.errors import ConfigError
from sealkit.sensitive import Sensitive

KEY = PrivateKey(Sensitive(bytes(range(32)))).public
OTHER = PrivateKey(Sensitive(bytes(32))).public
RECIPIENT = Recipient("prod", KEY, date(2027, 5, 1))
TEXT = str(RECIPIENT)


@pytest.mark.parametrize(
    "recipient", [RECIPIENT, Recipient("eu-1.prod", KEY)], ids=["dated", "not"]
)
def test_a_file_reads_back(recipient: Recipient) -> None:
    assert Recipient.parse(str(recipient)) == recipient


@pytest.mark.parametrize(
    "text", [TEXT.replace("\n", "\r\n"), f"\n  {TEXT}\n\n"], ids=["crlf", "space"]
)
def test_what_editors_and_git_do_to_line_ends_is_accepted(text: str) -> None:
    assert Recipient.parse(text) == RECIPIENT


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("-----BEGIN CERTIFICATE-----\n", id="other-block"),
        pytest.param(TEXT * 2, id="two-blocks"),
        pytest.param(TEXT.replace(KEY.kid, OTHER.kid), id="kid-of-another-key"),
        pytest.param(TEXT.replace("Suite: X1", "Suite: X2"), id="other-suite"),
        pytest.param(TEXT.replace("Suite: X1\n", ""), id="no-suite"),
        pytest.param(TEXT.replace("Cluster: prod\n", ""), id="no-cluster"),
        pytest.param(TEXT.replace("prod", "Prod"), id="upper-case-cluster"),
        pytest.param(TEXT.replace("2027-05-01", "2027-5-1"), id="bad-date"),
        pytest.param(TEXT.replace("2027-05-01", "20270501"), id="other-date-form"),
        pytest.param(TEXT.replace("Kid:", "Owner: me\nKid:"), id="unknown-header"),
        pytest.param(TEXT.replace("\n\nb", "\n\n!"), id="not-base64"),
        pytest.param(TEXT.replace("\n\nb", "\n\n"), id="short-key"),
        pytest.param(TEXT.replace("-----END", "-----FIN"), id="no-end"),
        pytest.param(TEXT + "x" * 9000, id="huge"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        Recipient.parse(text)


def test_every_changed_character_is_refused_or_changes_only_the_name_or_the_date() -> None:
    for position, old in enumerate(TEXT):
        changed = TEXT[:position] + ("A" if old != "A" else "B") + TEXT[position + 1 :]
        try:
            recipient = Recipient.parse(changed)
        except ConfigError:
            continue
        assert recipient.key == KEY
