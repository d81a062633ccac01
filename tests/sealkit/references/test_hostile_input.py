"""Input made to hurt: time stays linear, and nothing but our own error comes out."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.errors import ReferenceSyntaxError
from sealkit.references.argocd import KeyPlaceholder, PathPlaceholder
from sealkit.references.bank_vaults import BankVaults
from sealkit.references.template import parse

SPELLINGS = (BankVaults("key"), PathPlaceholder(), KeyPlaceholder("kv/a"))

SIZE = 1 << 19
HOSTILE = {
    "angles": "<" * SIZE,
    "angles-and-letters": "<a" * SIZE,
    "escaped-angles": "<\\" * SIZE,
    "escaped-ends": "<" + "\\>" * SIZE,
    "begins": "x" + "${vault:" * SIZE,
    "path-begins": "x" + "<path:" * SIZE,
    "dollars": "${" * SIZE,
    "backslashes": "vault:" + "\\" * SIZE,
    "backslashes-in-braces": "x${vault:a#" + "\\" * SIZE,
    "spaces": "vault:a#b" + " " * SIZE + "c" + " " * SIZE + "#",
    "number-signs": "vault:" + "#" * SIZE,
    "pipes": "vault:a#b" + "|" * SIZE,
    "modifiers": "vault:a#b" + "|sha256sum" * (SIZE // 8),
    "template": "vault:a#${.a" + " | b64enc" * (SIZE // 8),
    "template-spaces": "vault:a#${.a" + " " * SIZE,
    "braces": "x${vault:a#b|jsonPath " + "{" * SIZE,
    "brace-pairs": "x${vault:a#b|jsonPath " + "{}" * SIZE,
    "json": ">>vault:a#b#" + '{"a":' * SIZE,
    "json-spaces": ">>vault:a#b#" + " " * SIZE + "{",
    "json-path": "vault:a#b|jsonPath {" + ".a" * SIZE + "}",
    "json-path-quotes": "vault:a#b|jsonPath {" + "['" * SIZE + "}",
    "ciphertext": "vault:v1:" + "A" * SIZE + "!",
    "ciphertext-spaces": "vault:v1:A" + " " * SIZE + "!",
    "segments": "vault:" + "a/" * SIZE + "#b",
    "version": "vault:a#b#" + "9" * SIZE,
    "indent": "vault:a#b|indent " + "9" * SIZE,
    "lines": "\n" * SIZE,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_a_megabyte_made_to_hurt_is_done_with(text: str) -> None:
    """Quadratic time would be hours here, and the run would not end."""
    with suppress(ReferenceSyntaxError):
        parse(text, SPELLINGS)


@given(st.text("$<>{}#|\\ \nvault:pkh/1\"'[].", max_size=60))
def test_whatever_the_text_nothing_else_is_raised(text: str) -> None:
    for lead in ("", "vault:", ">>vault:", "x${vault:a#", "<path:", "<"):
        with suppress(ReferenceSyntaxError):
            parse(lead + text, SPELLINGS)
