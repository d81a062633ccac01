"""What bank-vaults reads we read, and where we differ it is on purpose."""

from __future__ import annotations

import pytest

from sealkit.errors import ReferenceSyntaxError
from sealkit.references.bank_vaults import BankVaults
from sealkit.references.jsonpath import JsonPath
from sealkit.references.modifiers import Plain
from sealkit.references.reference import Decode, JsonObject, Method, Reference
from sealkit.references.template import parse

ENCODE, DECODE = (Plain.BASE64_ENCODE,), (Plain.BASE64_DECODE,)
PUT = Method.PUT

WHOLE = {
    "key": ("vault:secret/data/db#user", Reference("secret/data/db", "user")),
    "version": ("vault:secret/data/db#pass#3", Reference("secret/data/db", "pass", version=3)),
    "write": (
        ">>vault:pki/root/generate/internal#certificate",
        Reference("pki/root/generate/internal", "certificate", method=PUT),
    ),
    "empty-body": (
        ">>vault:pki/issue/a#certificate#{}",
        Reference("pki/issue/a", "certificate", method=PUT),
    ),
    "body": (
        '>>vault:pki/issue/a#key#{"common_name": "a#b|c}", "alt": [1.10, null]}',
        Reference(
            "pki/issue/a",
            "key",
            method=PUT,
            body=JsonObject('{"alt":[1.10,null],"common_name":"a#b|c}"}'),
        ),
    ),
    "template": ("vault:kv/db#${.user | b64enc}", Reference("kv/db", "user", modifiers=ENCODE)),
    "template-alone": ("vault:kv/db#${ .user }", Reference("kv/db", "user")),
    "template-chain": (
        "vault:kv/db#${.u|b64dec|sha256sum}#2",
        Reference("kv/db", "u", version=2, modifiers=(*DECODE, Plain.SHA256_SUM)),
    ),
    "transit-write": (
        '>>vault:transit/decrypt/k#${.plaintext | b64dec}#{"ciphertext":"vault:v1:x="}',
        Reference(
            "transit/decrypt/k",
            "plaintext",
            method=PUT,
            body=JsonObject('{"ciphertext":"vault:v1:x="}'),
            modifiers=DECODE,
        ),
    ),
    # Ours: bank-vaults has neither escapes nor modifiers, and keeps white space.
    "escapes": (r"vault:kv/a\|b#x\#y\|z\\\}\{\>", Reference("kv/a|b", "x#y|z\\}{>")),
    "backslash": (r"vault:kv/a#tls\.crt", Reference("kv/a", r"tls\.crt")),
    "modifier": ("vault:kv/a#k | base64decode", Reference("kv/a", "k", modifiers=DECODE)),
    "modifier-after-body": (
        '>>vault:kv/a#k#{"a":1} | base64decode',
        Reference("kv/a", "k", method=PUT, body=JsonObject('{"a":1}'), modifiers=DECODE),
    ),
    "json-path": (
        "vault:kv/a#k#1 | jsonPath {.a[0]}",
        Reference("kv/a", "k", version=1, modifiers=(JsonPath(("a", 0)),)),
    ),
    "line-break-of-a-file": ("vault:kv/a#k\n", Reference("kv/a", "k")),
    "braces-in-a-key": ("vault:kv/a#b}c{", Reference("kv/a", "b}c{")),
    # In bank-vaults whatever begins with vault:v1: is a ciphertext, even with a key.
    "mount-like-a-ciphertext": ("vault:v1:abc#k", Reference("v1:abc", "k")),
}


@pytest.mark.parametrize(("text", "reference"), WHOLE.values(), ids=list(WHOLE))
def test_a_whole_value_is_one_reference(text: str, reference: Reference) -> None:
    template = parse(text)
    assert template
    assert template.parts == (reference,)


TEXTS: dict[str, tuple[str, list[str | Reference]]] = {
    "two": (
        "redis://${vault:db/creds/r#username}:${vault:db/creds/r#password}@host",
        [
            *("redis://", Reference("db/creds/r", "username"), ":"),
            *(Reference("db/creds/r", "password"), "@host"),
        ],
    ),
    "alone": ("${vault:kv/a#k}", [Reference("kv/a", "k")]),
    "version": ("a${vault:kv/a#k#3}", ["a", Reference("kv/a", "k", version=3)]),
    "write": ("a${>>vault:kv/a#k}", ["a", Reference("kv/a", "k", method=PUT)]),
    "body": (
        'a${>>vault:kv/a#k#{"a": {"b": "}"}}}b',
        ["a", Reference("kv/a", "k", method=PUT, body=JsonObject('{"a":{"b":"}"}}')), "b"],
    ),
    "template": (
        "a${vault:kv/a#${.k | b64enc}}b",
        ["a", Reference("kv/a", "k", modifiers=ENCODE), "b"],
    ),
    "modifier": (
        "a${vault:kv/a#k | jsonPath {.x['}']} | base64encode}b",
        ["a", Reference("kv/a", "k", modifiers=(JsonPath(("x", "}")), *ENCODE)), "b"],
    ),
    "escape": (r"a${vault:kv/a#k\}}b", ["a", Reference("kv/a", "k}"), "b"]),
    "one-angle": ("${>vault:a#b}${vault:kv/a#k}", ["${>vault:a#b}", Reference("kv/a", "k")]),
    "later": ("a vault:b#c ${vault:kv/a#k}", ["a vault:b#c ", Reference("kv/a", "k")]),
}
TEXTS["modifier"] = (TEXTS["modifier"][0].replace("'}'", r"'\}'"), TEXTS["modifier"][1])


@pytest.mark.parametrize(("text", "parts"), TEXTS.values(), ids=list(TEXTS))
def test_in_text_references_stand_in_braces(text: str, parts: list[str | Reference]) -> None:
    template = parse(text)
    assert template
    assert [*template.parts] == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "vault",
        "Vault:a#b",
        " vault:a#b",
        "vaults:a#b",
        ">vault:a#b",
        "$vault:a#b",
        "${env:A}",
    ],
)
def test_other_text_holds_no_reference(text: str) -> None:
    assert parse(text) is None


REFUSED = {
    "no-key": ("vault:kv/a", "key"),
    "login": ("vault:login", "key"),
    "empty-key": ("vault:kv/a#", "key"),
    "no-path": ("vault:#k", "path"),
    "empty-version": ("vault:kv/a#k#", "version"),
    "version-word": ("vault:kv/a#k#latest", "version"),
    "version-zero": ("vault:kv/a#k#0", "version"),
    "fourth": ("vault:kv/a#k#1#2", ""),
    "body-no-json": (">>vault:kv/a#k#{a}", "body"),
    "body-no-object": (">>vault:kv/a#k#[1]", "body"),
    "body-goes-on": (">>vault:kv/a#k#{} {}", ""),
    "template-function": ("vault:kv/a#${.k | env}", "key"),
    "template-logic": ("vault:kv/a#${ if .k }", "key"),
    "modifier": ("vault:kv/a#k | toUpper", "modifiers"),
    "open": ("a${vault:kv/a#k", ""),
    "open-path": ("a${vault:", "key"),
    "shell": ("${vault:-default}", "key"),
    "several-without-braces": ("vault:kv/a#b ${vault:kv/a#b}", ""),
    "inside-a-body": ('>>vault:t/e/k#c#{"plaintext":"${vault:kv/a#b}"}', ""),
    "other-inside": ("vault:kv/a#<path:kv/a#b>", ""),
    "ciphertext-without-key": ("vault:v1:8SDd3WHDOjf7mq69Cy==", ""),
}


@pytest.mark.parametrize(("text", "field"), REFUSED.values(), ids=list(REFUSED))
def test_what_begins_as_a_reference_is_one_or_refused(text: str, field: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        parse(text)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "text", ["vault:v1:8SDd+/==", "vault:v1:8SDd+/==\n", "${vault:v1:8SDd+/==}"]
)
def test_a_ciphertext_is_a_call_to_decrypt_it(text: str) -> None:
    template = parse(text, [BankVaults("shop", "team/transit")])
    assert template
    assert template.parts == (
        Reference(
            "team/transit/decrypt/shop",
            "plaintext",
            method=PUT,
            body=JsonObject('{"ciphertext":"vault:v1:8SDd+/=="}'),
            decode=Decode.BASE64,
        ),
    )


def test_a_ciphertext_that_goes_on_is_none() -> None:
    with pytest.raises(ReferenceSyntaxError):
        parse("vault:v1:8SDd}x", [BankVaults("shop")])
