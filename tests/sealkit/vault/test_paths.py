"""Paths: what is refused, and that nothing on the way changes what is not."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from sealkit.errors import VaultError
from sealkit.vault import Reason, quoted
from sealkit.vault.paths import quoted_segment
from tests.sealkit.vault.world import refused

DANGEROUS = [
    "", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../sys/x", "a/./b", "a/../../sys",
    "%2e%2e/sys", "a%2fb", "a%", "a\\b", "a\nb", "a\x00b", "a\x7fb", "\ud800", "a\u2028b",
]  # fmt: skip


@pytest.mark.parametrize("path", DANGEROUS, ids=ascii)
def test_what_could_be_another_path_is_refused(path: str) -> None:
    with refused(Reason.INVALID_REFERENCE):
        quoted(path)


@pytest.mark.parametrize("text", ["", ".", "..", "a\n", "\ud800"], ids=ascii)
def test_a_segment_is_one(text: str) -> None:
    with refused(Reason.INVALID_REFERENCE):
        quoted_segment(text)


def test_a_slash_within_a_segment_is_no_border() -> None:
    assert quoted_segment("a/b\\c%d") == "a%2Fb%5Cc%25d"


segments = st.text(st.sampled_from("a.%/\\#?; ~ü\t\u200b") | st.characters(), max_size=4)


@given(st.lists(segments, max_size=3).map("/".join))
def test_what_is_accepted_arrives_as_it_is(path: str) -> None:
    try:
        url = f"/v1/{quoted(path)}"
    except VaultError:
        return
    assert requests.Request("GET", f"http://vault{url}").prepare().path_url == url
    assert unquote(url) == f"/v1/{path}"
