"""A value opens only where it was sealed for: scope, namespace, name, data key, envelope."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.errors import UnsealError
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import EnvelopeId, SealedEnvelope, SealedSecret, SealedValue
from sealkit.sealing import seal, set_values, unseal
from sealkit.sensitive import Sensitive
from tests.sealkit.samples import KEY, OTHER, a_manifest, a_secret, revealed, ring, sensitive


def renamed(sealed: SealedSecret) -> SealedSecret:
    return sealed._replace(name="db2")


def moved(sealed: SealedSecret) -> SealedSecret:
    return sealed._replace(namespace="stage")


def moved_and_renamed(sealed: SealedSecret) -> SealedSecret:
    return moved(renamed(sealed))


OPENS: dict[tuple[Scope, Callable[[SealedSecret], SealedSecret]], bool] = {
    (Scope.STRICT, renamed): False,
    (Scope.STRICT, moved): False,
    (Scope.STRICT, moved_and_renamed): False,
    (Scope.NAMESPACE, renamed): True,
    (Scope.NAMESPACE, moved): False,
    (Scope.NAMESPACE, moved_and_renamed): False,
    (Scope.CLUSTER, renamed): True,
    (Scope.CLUSTER, moved): True,
    (Scope.CLUSTER, moved_and_renamed): True,
}
CASES = [pytest.param(*case, id=f"{case[0]}-{case[1].__name__}") for case in OPENS]


def opens(sealed: SealedSecret) -> bool:
    try:
        return revealed(unseal(sealed, ring(KEY))) == revealed(a_secret())
    except UnsealError:
        return False


@pytest.mark.parametrize(("scope", "change"), CASES)
def test_a_manifest_opens_as_far_as_its_scope_reaches(
    scope: Scope, change: Callable[[SealedSecret], SealedSecret]
) -> None:
    assert opens(change(a_manifest(scope=scope))) is OPENS[scope, change]


@pytest.mark.parametrize(("sealed_for", "claimed"), [*permutations(Scope, 2)])
def test_a_scope_changed_by_hand_never_opens(sealed_for: Scope, claimed: Scope) -> None:
    assert not opens(a_manifest(scope=sealed_for)._replace(scope=claimed))


def test_even_a_place_that_looks_like_a_wider_scope_does_not_open() -> None:
    """A strict value for the empty place is not the same as a cluster-wide value."""
    bare = a_secret()._replace(namespace="", name="")
    sealed = seal(bare, [KEY.public], Scope.CLUSTER, os.urandom)
    for claimed in (Scope.STRICT, Scope.NAMESPACE):
        assert not opens(sealed._replace(scope=claimed, namespace="shop", name="db"))


labels = st.text("a-", min_size=1, max_size=3)  # so few that near-collisions are drawn
places = st.tuples(labels, labels)


@given(places, places)
def test_strict_opens_in_one_place_only(here: tuple[str, str], there: tuple[str, str]) -> None:
    secret = a_secret()._replace(namespace=here[0], name=here[1])
    sealed = seal(secret, [KEY.public], Scope.STRICT, os.urandom)
    assert opens(sealed._replace(namespace=there[0], name=there[1])) is (here == there)


def with_value(sealed: SealedSecret, key: str, value: SealedValue) -> SealedSecret:
    return sealed._replace(encrypted_data={**sealed.encrypted_data, key: value})


def swap_values(sealed: SealedSecret, _: SealedSecret) -> SealedSecret:
    one, two = sealed.encrypted_data["password"], sealed.encrypted_data["user"]
    return with_value(with_value(sealed, "password", two), "user", one)


def copy_a_value_to_another_key(sealed: SealedSecret, _: SealedSecret) -> SealedSecret:
    return with_value(sealed, "copy", sealed.encrypted_data["user"])


def rename_a_data_key(sealed: SealedSecret, _: SealedSecret) -> SealedSecret:
    values = dict(sealed.encrypted_data)
    values["User"] = values.pop("user")
    return sealed._replace(encrypted_data=values)


def take_a_value_of_another_envelope(sealed: SealedSecret, other: SealedSecret) -> SealedSecret:
    """The item of another envelope, under the id of this one."""
    (mine,) = sealed.envelopes
    return with_value(sealed, "user", other.encrypted_data["user"]._replace(envelope=mine))


def take_the_envelope_of_another_manifest(
    sealed: SealedSecret, other: SealedSecret
) -> SealedSecret:
    (mine,), (theirs,) = sealed.envelopes, other.envelopes.values()
    return sealed._replace(envelopes={mine: theirs})


def take_the_wrap_of_another_envelope(sealed: SealedSecret, other: SealedSecret) -> SealedSecret:
    (mine, envelope), (theirs,) = *sealed.envelopes.items(), other.envelopes.values()
    wraps = {**envelope.wraps, KEY.kid: theirs.wraps[KEY.kid]}
    return sealed._replace(envelopes={mine: envelope._replace(wraps=wraps)})


def take_the_wrap_of_another_cluster(sealed: SealedSecret, _: SealedSecret) -> SealedSecret:
    ((mine, envelope),) = sealed.envelopes.items()
    wraps = {**envelope.wraps, KEY.kid: envelope.wraps[OTHER.kid]}
    return sealed._replace(envelopes={mine: envelope._replace(wraps=wraps)})


def rename_the_envelope(sealed: SealedSecret, _: SealedSecret) -> SealedSecret:
    ((old, envelope),) = sealed.envelopes.items()
    new = EnvelopeId(("b" if old[0] == "a" else "a") + old[1:])
    values = {key: value._replace(envelope=new) for key, value in sealed.encrypted_data.items()}
    return sealed._replace(envelopes={new: envelope}, encrypted_data=values)


@pytest.mark.parametrize(
    "tamper",
    [
        swap_values,
        copy_a_value_to_another_key,
        rename_a_data_key,
        take_a_value_of_another_envelope,
        take_the_envelope_of_another_manifest,
        take_the_wrap_of_another_envelope,
        take_the_wrap_of_another_cluster,
        rename_the_envelope,
    ],
)
def test_no_part_can_be_put_anywhere_else(
    tamper: Callable[[SealedSecret, SealedSecret], SealedSecret],
) -> None:
    """`other` is sealed for the same place: only the envelopes differ."""
    sealed, other = a_manifest(), a_manifest()
    tampered = SealedSecret.from_dict(tamper(sealed, other).to_dict())
    with pytest.raises(UnsealError):
        unseal(tampered, ring(KEY))


def test_a_value_with_its_envelope_does_not_open_in_another_manifest() -> None:
    stranger = a_manifest(name="cache")
    value = stranger.encrypted_data["user"]
    sealed = with_value(a_manifest(), "user", value)
    mixed = sealed._replace(envelopes={**sealed.envelopes, **stranger.envelopes})
    with pytest.raises(UnsealError):
        unseal(mixed, ring(KEY))


def test_an_old_value_with_its_envelope_opens_again_where_it_was_sealed_for() -> None:
    """Replay from history is possible on purpose: `git revert` must work (docs/threat-model.md)."""
    old = a_manifest()
    new = set_values(old, sensitive({"password": b"new"}), [KEY.public], os.urandom)
    replayed = with_value(new, "password", old.encrypted_data["password"])
    (eid,) = old.envelopes
    replayed = replayed._replace(envelopes={eid: old.envelopes[eid]})
    assert opens(replayed)


def test_two_clusters_cannot_be_shown_two_values() -> None:
    """An item commits to its data key: wraps of two data keys in one envelope do not both open."""
    one, two = a_manifest(keys=[KEY]), a_manifest(keys=[OTHER])
    (eid,), (theirs,) = one.envelopes, two.envelopes.values()
    wraps = {**one.envelopes[eid].wraps, **theirs.wraps}
    mixed = one._replace(envelopes={eid: SealedEnvelope("X1", wraps)})
    assert opens(mixed)
    with pytest.raises(UnsealError):
        unseal(mixed, ring(OTHER))


def test_the_key_that_opens_is_chosen_by_its_id_and_not_tried() -> None:
    with pytest.raises(UnsealError):
        unseal(a_manifest(keys=[KEY]), {KEY.kid: OTHER})


def test_opening_gives_sensitive_values_only() -> None:
    assert all(isinstance(v, Sensitive) for v in unseal(a_manifest(), ring(KEY)).data.values())
