"""Tokens of ServiceAccounts where time, keys and faults are ours to choose."""

import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from sealkit_controller.sandbox import Answer, Fault, Sandbox
from sealkit_controller.sandbox.objects.jwt import TokenError, make_key, read_unverified
from tests.contracts.client import Client, account
from tests.contracts.test_tokens import ask_token, encode, error_of, review, token_of, who_am_i
from tests.controller.sandbox.conftest import MakeSandbox

START = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)


ALPHABET = string.ascii_letters + string.digits + "-_"


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.mark.parametrize(
    ("seconds", "why"),
    [
        (-61, "[invalid bearer token, service account token is not valid yet]"),
        (-59, ""),
        (0, ""),
        (659, ""),
        (661, "[invalid bearer token, service account token has expired]"),
    ],
)
def test_a_token_is_good_for_its_time_and_a_minute(
    make_sandbox: MakeSandbox, seconds: int, why: str
) -> None:
    clock = Clock()
    _, api = make_sandbox(clock=clock)
    api.create("serviceaccounts", account("robot")).ok()
    token = token_of(api, expirationSeconds=600)
    clock.now = START + timedelta(seconds=seconds)
    assert error_of(review(api, token)) == why
    assert who_am_i(api.bearing(token)).code == (401 if why else 201)


def test_no_character_of_a_token_can_be_changed(api: Client) -> None:
    api.create("serviceaccounts", account("robot")).ok()
    token = token_of(api)
    assert error_of(review(api, token)) == ""
    for place, character in enumerate(token):
        other = "A" if character != "A" else "B"
        assert error_of(review(api, token[:place] + other + token[place + 1 :])) != "", place
    for last in ALPHABET.replace(token[-1], ""):  # four bits of it belong to no byte
        assert error_of(review(api, token[:-1] + last)) != "", last


def test_a_restart_ends_every_token(make_sandbox: MakeSandbox, tmp_path: Path) -> None:
    file = tmp_path / "objects.sqlite"
    first, api = make_sandbox(database=file)
    api.create("serviceaccounts", account("robot")).ok()
    token = token_of(api, "vault")
    first.close()
    _, again = make_sandbox(database=file)
    assert error_of(review(again, token, "vault")) != ""


def test_another_sandbox_does_not_know_the_token(make_sandbox: MakeSandbox) -> None:
    for _ in range(2):
        _, api = make_sandbox(new_uid=lambda: "the-same")
        api.create("serviceaccounts", account("robot")).ok()
        token = token_of(api, "vault")
    _, other = make_sandbox(new_uid=lambda: "the-same")
    other.create("serviceaccounts", account("robot")).ok()
    assert error_of(review(other, token, "vault")) == "invalid bearer token"


def test_an_account_may_do_everything(api: Client) -> None:
    api.create("serviceaccounts", account("robot")).ok()
    api.bearing(token_of(api)).get("secrets").ok()


def test_a_token_fails_where_a_test_wants_it(sandbox: Sandbox, api: Client) -> None:
    api.create("serviceaccounts", account("robot")).ok()
    fault = Fault(Answer(503), verb="create", resource="serviceaccounts/token", name="robot")
    sandbox.faults.add(fault)
    assert ask_token(api).code == 503
    assert ask_token(api).code == 201
    assert sandbox.requests.count("create", "serviceaccounts/token") == 2


def test_an_ending_namespace_gives_no_tokens(api: Client) -> None:
    body = account("robot", metadata={"name": "robot", "finalizers": ["example.com/held"]})
    other = Client(api.server, "ending")
    api.request("POST", "/api/v1/namespaces", {"metadata": {"name": "ending"}}).ok()
    other.create("serviceaccounts", body).ok()
    api.request("DELETE", "/api/v1/namespaces/ending").ok()
    reply = ask_token(other)
    assert (reply.code, reply.causes[0]["reason"]) == (403, "NamespaceTerminating")


KEY = make_key()


@given(st.text() | st.lists(st.text("ey.J-_=", max_size=4), min_size=3, max_size=3).map(".".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(TokenError):
        KEY.verify(read_unverified(text))


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())))
def test_what_was_signed_is_read_again(claims: dict[str, object]) -> None:
    token = read_unverified(KEY.sign(claims))
    KEY.verify(token)
    assert token.claims == claims


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES384", None])
def test_a_token_is_of_one_algorithm(algorithm: str | None) -> None:
    head = encode({"alg": algorithm, "kid": KEY.key_id})
    signed = f"{head}.{encode({})}"
    pair = decode_dss_signature(KEY._key.sign(signed.encode(), ec.ECDSA(SHA256())))
    signature = b"".join(number.to_bytes(32, "big") for number in pair)
    with pytest.raises(TokenError):
        KEY.verify(read_unverified(f"{signed}.{encode(signature)}"))


def test_a_token_is_of_one_key() -> None:
    token = read_unverified(KEY.sign({}))
    with pytest.raises(TokenError):
        make_key().verify(token)
