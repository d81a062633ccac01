"""Questions: each has a name that lasts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sealkit.references.reference import JsonObject, Kv, Method, Store, StoreKind
from sealkit.vault import Question

PLAIN = Question("kv/data/shop/db", kv=Kv.V2, mount="kv")
OTHERS = [
    replace(PLAIN, path="kv/data/shop/dc"),
    replace(PLAIN, store=Store("db")),
    replace(PLAIN, store=Store("db", StoreKind.CLUSTER)),
    replace(PLAIN, namespace="db"),
    replace(PLAIN, kv=Kv.RAW),
    replace(PLAIN, mount="kv/data"),
    replace(PLAIN, version=1),
    replace(PLAIN, method=Method.PUT),
    replace(PLAIN, body=JsonObject('{"a":1}')),
]


def test_a_digest_is_the_same_in_every_release() -> None:
    assert PLAIN.digest == "a7e5b824130cf9a284481702197e17c8"


def test_different_questions_have_different_digests() -> None:
    digests = {question.digest for question in (PLAIN, *OTHERS)}
    assert len(digests) == len(OTHERS) + 1
    assert {len(digest) for digest in digests} == {32}


@pytest.mark.parametrize(
    ("question", "secret"),
    [
        pytest.param(PLAIN, "shop/db", id="plain"),
        pytest.param(replace(PLAIN, path="kv/data/data/db"), "data/db", id="called data"),
        pytest.param(replace(PLAIN, path="a/kv/data/db", mount="a/kv"), "db", id="slashes"),
    ],
)
def test_the_path_of_a_secret_in_its_mount(question: Question, secret: str) -> None:
    assert question.secret == secret
