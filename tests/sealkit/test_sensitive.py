"""A secret cannot be shown by accident: not the box itself, not what holds it, not an error."""

from __future__ import annotations

import base64
import copy
import pickle
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sealkit.crypto.context import Binding
from sealkit.crypto.x1 import Envelope, PrivateKey, unwrap
from sealkit.encoding import to_base64
from sealkit.keypair import KeyPair, KeyState
from sealkit.manifests.secret import Secret, check_values
from sealkit.padding import unpad
from sealkit.sealing import set_values, unseal
from sealkit.sensitive import Sensitive
from tests.sealkit.samples import KEY, OTHER, a_manifest, ring, sensitive

CANARY = b"canary-canary-canary-canary-0123"  # 32 bytes, so that it is a seed as well
SPELLINGS = (
    CANARY.decode(),
    CANARY.hex(),
    to_base64(CANARY).rstrip("="),
    base64.b32encode(CANARY).decode().rstrip("="),
    str(list(CANARY))[1:-1],
)

PRIVATE = PrivateKey(Sensitive(CANARY))
SECRET = Secret("db", "shop", {"password": Sensitive(CANARY)})
PLACE = Binding("strict", "shop", "db")
HOLDERS = {
    "Sensitive": Sensitive(CANARY),
    "Secret": SECRET,
    "PrivateKey": PRIVATE,
    "KeyPair": KeyPair(PRIVATE, KeyState.ACTIVE, datetime(2026, 1, 1, tzinfo=UTC)),
    "Envelope": Envelope(Sensitive(CANARY), PLACE, bytes(16)),
    "list": [Sensitive(CANARY)],
}
holders = pytest.mark.parametrize("holder", HOLDERS.values(), ids=list(HOLDERS))


def shows_the_canary(text: str) -> bool:
    return any(spelling.lower() in text.lower() for spelling in SPELLINGS)


@pytest.mark.parametrize(
    "shown", [CANARY, [*CANARY], CANARY.hex(), CANARY.upper(), to_base64(CANARY)]
)
def test_the_search_finds_what_it_looks_for(shown: object) -> None:
    assert shows_the_canary(f"<{shown!r}>")


@holders
@pytest.mark.parametrize(
    "show",
    [repr, str, format, ascii, "{}".format, "{!r}".format, lambda holder: "%s" % (holder,)],  # noqa: UP031  # one of the ways
    ids=["repr", "str", "format", "ascii", "braces", "braces-r", "percent"],
)
def test_no_way_of_showing_shows_the_content(show: Callable[[object], str], holder: object) -> None:
    assert not shows_the_canary(show(holder))


@holders
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_that_holds_a_secret_is_pickled(holder: object, protocol: int) -> None:
    with pytest.raises(TypeError) as caught:
        pickle.dumps(holder, protocol)
    assert not shows_the_canary(str(caught.value))


@holders
def test_nothing_that_holds_a_secret_is_copied_in_depth(holder: object) -> None:
    with pytest.raises(TypeError):
        copy.deepcopy(holder)


@pytest.mark.parametrize("box", [Sensitive(CANARY), PRIVATE], ids=["Sensitive", "PrivateKey"])
def test_a_box_is_not_copied_at_all(box: object) -> None:
    with pytest.raises(TypeError):
        copy.copy(box)


def test_a_tuple_that_holds_a_secret_is_unrolled_to_boxes() -> None:
    assert CANARY.decode() not in repr(SECRET._asdict())
    assert CANARY.decode() not in repr(tuple(SECRET))
    with pytest.raises(TypeError):
        copy.deepcopy(SECRET)


@pytest.mark.parametrize("spec", [">40", "s", "x"])
def test_a_format_specification_is_refused(spec: str) -> None:
    with pytest.raises(TypeError) as caught:
        format(Sensitive(CANARY), spec)
    assert not shows_the_canary(str(caught.value))


def test_a_box_shows_neither_content_nor_length() -> None:
    assert repr(Sensitive(b"")) == repr(Sensitive(CANARY)) == "Sensitive(…)"


def test_a_box_has_no_attributes_to_list() -> None:
    with pytest.raises(TypeError):
        vars(Sensitive(CANARY))


def test_boxes_are_equal_by_content_and_only_to_boxes() -> None:
    assert Sensitive(CANARY) == Sensitive(CANARY)
    assert Sensitive(CANARY) != Sensitive(CANARY[1:])
    assert Sensitive(CANARY) != CANARY


@pytest.mark.parametrize("holder", [Sensitive(CANARY), SECRET], ids=["Sensitive", "Secret"])
def test_what_could_be_guessed_from_its_hash_has_none(holder: object) -> None:
    with pytest.raises(TypeError):
        hash(holder)


def test_the_copy_of_a_secret_that_kubectl_keeps_in_an_annotation_is_not_kept() -> None:
    """`kubectl apply` stores the whole Secret, values and all, as an annotation of it."""
    applied = {"kubectl.kubernetes.io/last-applied-configuration": to_base64(CANARY), "a": "b"}
    raw = SECRET.to_dict() | {"metadata": {"name": "db", "annotations": applied}}
    secret = Secret.from_dict(raw)
    assert secret.annotations == {"a": "b"}
    assert not shows_the_canary(repr(secret))


# Every way to fail while a secret is at hand. Half a surrogate pair is text that is no UTF-8.
TEXT = CANARY.decode()
FAILURES: dict[str, Callable[[], object]] = {
    "base64": lambda: Secret.from_dict({"metadata": {"name": "a"}, "data": {"k": f"{TEXT}é"}}),
    "not-utf8": lambda: Secret.from_dict(
        {"metadata": {"name": "a"}, "stringData": {"k": f"{TEXT}\ud800"}}
    ),
    "not-a-string": lambda: Secret.from_dict({"metadata": {"name": "a"}, "data": {"k": [*CANARY]}}),
    "data-is-text": lambda: Secret.from_dict({"metadata": {"name": "a"}, "data": TEXT}),
    "docker": lambda: check_values(
        "kubernetes.io/dockerconfigjson", {".dockerconfigjson": Sensitive(CANARY)}
    ),
    "too-large": lambda: check_values("Opaque", {"k": Sensitive(CANARY * 40000)}),
    "seed-length": lambda: PrivateKey(Sensitive(CANARY + b"0")),
    "padding": lambda: unpad(CANARY * 2),
    "set": lambda: set_values(a_manifest(), sensitive({"a b": CANARY}), [KEY.public], bytes),
    "no-key": lambda: unseal(a_manifest({"k": CANARY}), ring(PRIVATE)),
    "moved": lambda: unseal(a_manifest({"k": CANARY})._replace(name="x"), ring(KEY)),
    "other-key": lambda: unseal(a_manifest({"k": CANARY}), {KEY.kid: PRIVATE}),
    "wrap": lambda: unwrap(bytes(1168), PRIVATE, PLACE, bytes(16)),
    "item": lambda: Envelope(Sensitive(CANARY), PLACE, bytes(16)).open("k", bytes(136)),
    "key-secret": lambda: KeyPair.from_secret(
        Secret(
            "key",
            "system",
            sensitive({"seed": CANARY, "suite": b"X1", "kid": OTHER.kid.encode()}),
            "sealkit.dev/key",
        ).to_dict()
    ),
    "damaged-key-secret": lambda: KeyPair.from_secret(
        Secret(
            "key",
            "system",
            sensitive({"seed": CANARY, "suite": CANARY + b"\xff"}),
            "sealkit.dev/key",
        ).to_dict()
    ),
}


def chain(error: BaseException | None) -> list[BaseException]:
    """The error with everything it was raised in the context of, shown or suppressed."""
    return [error, *chain(error.__context__)] if error else []


@pytest.mark.parametrize("fail", FAILURES.values(), ids=list(FAILURES))
def test_no_error_shows_a_secret(fail: Callable[[], object]) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # whatever it is, it must not tell
        fail()
    assert type(caught.value).__module__ == "sealkit.errors"
    assert not shows_the_canary(str(vars(caught.value)))
    assert not any(shows_the_canary(repr(error.args)) for error in chain(caught.value))
    assert not shows_the_canary("".join(traceback.format_exception(caught.value)))
