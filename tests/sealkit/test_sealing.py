"""Sealing and opening: what went in comes out, with any one key, and changes stay small."""

from __future__ import annotations

import os
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.crypto.x1 import NAME
from sealkit.errors import ManifestError, NoKeyError, UnsealError, UsageError
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import MAX_ENVELOPES, SealedSecret
from sealkit.manifests.secret import MAX_DATA_BYTES, Secret
from sealkit.sealing import seal, set_values, unseal, unset_values
from sealkit.sensitive import Sensitive
from tests.sealkit.samples import (
    KEY,
    KEYS,
    OTHER,
    THIRD,
    a_manifest,
    a_secret,
    revealed,
    ring,
    sensitive,
)

data_keys = st.from_regex(r"[a-zA-Z0-9_-][-._a-zA-Z0-9]{0,5}", fullmatch=True)
values = st.dictionaries(data_keys, st.binary(max_size=300), max_size=4)
scopes = st.sampled_from(Scope)


@given(values, scopes, st.integers(1, 3))
def test_any_secret_comes_back_with_any_one_key(
    data: dict[str, bytes], scope: Scope, clusters: int
) -> None:
    secret = a_secret(data)
    sealed = a_manifest(data, scope, KEYS[:clusters])
    assert SealedSecret.from_dict(sealed.to_dict()) == sealed
    for key in KEYS[:clusters]:
        assert unseal(sealed, ring(key)) == secret


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes(range(256)), id="binary"),
        pytest.param(b"\0" * 100, id="zeros"),
        pytest.param(b"x" * 16380, id="one-full-chunk"),
        pytest.param(os.urandom(MAX_DATA_BYTES), id="largest"),
    ],
)
def test_a_value_of_any_kind_comes_back(value: bytes) -> None:
    sealed = SealedSecret.from_dict(a_manifest({"key": value}).to_dict())
    assert revealed(unseal(sealed, ring(KEY))) == {"key": value}


def test_type_immutability_labels_and_annotations_come_back() -> None:
    data = sensitive({"tls.crt": b"crt", "tls.key": b"key"})
    secret = Secret(
        name="db",
        namespace="shop",
        data=data,
        type="kubernetes.io/tls",
        immutable=True,
        labels={"app": "db"},
        annotations={"owner": "me"},
    )
    sealed = seal(secret, [KEY.public], Scope.STRICT, os.urandom)
    assert unseal(sealed, ring(KEY)) == secret


def test_what_gitops_tools_keep_for_themselves_goes_to_the_manifest_not_to_the_secret() -> None:
    notes = {
        "argocd.argoproj.io/sync-wave": "3",
        "argocd.argoproj.io/sync-options": "Prune=false",
        "owner": "me",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    }
    secret = a_secret()._replace(annotations=notes)
    sealed = seal(secret, [KEY.public], Scope.STRICT, os.urandom)
    assert sealed.annotations == {"argocd.argoproj.io/sync-wave": "3"}
    for entries in (sealed.template.annotations, unseal(sealed, ring(KEY)).annotations):
        assert entries == {"argocd.argoproj.io/sync-options": "Prune=false", "owner": "me"}


def test_what_the_controller_writes_on_its_secrets_goes_nowhere() -> None:
    """A Secret that comes from the cluster, to be sealed again."""
    secret = a_secret()._replace(
        labels={"sealkit.dev/managed": "true", "app": "db"},
        annotations={"sealkit.dev/spec-hash": "5d", "sealkit.dev/deletion-policy": "Retain"},
    )
    sealed = seal(secret, [KEY.public], Scope.STRICT, os.urandom)
    assert (sealed.labels, sealed.annotations) == ({}, {})
    assert (sealed.template.labels, sealed.template.annotations) == ({"app": "db"}, {})


def test_a_tools_label_in_the_template_stays_off_the_secret() -> None:
    sealed = a_manifest()
    labels = {"argocd.argoproj.io/instance": "a", "app": "db"}
    sealed = sealed._replace(template=sealed.template._replace(labels=labels))
    assert unseal(sealed, ring(KEY)).labels == {"app": "db"}


def test_sealing_the_same_secret_twice_shares_nothing() -> None:
    one, two = a_manifest(), a_manifest()
    assert not set(one.envelopes) & set(two.envelopes)
    assert one.encrypted_data["user"].item != two.encrypted_data["user"].item


def test_the_same_value_under_two_keys_looks_different() -> None:
    sealed = a_manifest({"a": b"same", "b": b"same"})
    assert sealed.encrypted_data["a"].item != sealed.encrypted_data["b"].item


def test_one_recipient_given_twice_gets_one_wrap() -> None:
    sealed = a_manifest(keys=[KEY, KEY])
    assert sealed.kids() == {KEY.kid}


def test_all_values_of_one_sealing_share_one_envelope_of_the_suite() -> None:
    (envelope,) = a_manifest().envelopes.values()
    assert envelope.suite == NAME
    assert list(envelope.wraps) == sorted([KEY.kid, OTHER.kid])


def test_a_secret_without_values_needs_no_envelope_and_no_key() -> None:
    sealed = a_manifest({})
    assert sealed.envelopes == {}
    assert unseal(sealed, {}).data == {}


def test_sealing_for_nobody_is_refused() -> None:
    with pytest.raises(UsageError):
        seal(a_secret(), [], Scope.STRICT, os.urandom)


def test_sealing_checks_the_secret_first() -> None:
    with pytest.raises(ManifestError) as caught:
        seal(a_secret()._replace(type="kubernetes.io/tls"), [KEY.public], Scope.STRICT, os.urandom)
    assert caught.value.field == "data.tls.crt"


@pytest.mark.parametrize("scope", [Scope.STRICT, Scope.NAMESPACE])
def test_sealing_needs_the_namespace_that_the_scope_binds(scope: Scope) -> None:
    with pytest.raises(ManifestError) as caught:
        seal(a_secret()._replace(namespace=""), [KEY.public], scope, os.urandom)
    assert caught.value.field == "metadata.namespace"


def test_without_a_fitting_key_the_error_names_the_ids_and_has_its_own_exit_code() -> None:
    with pytest.raises(NoKeyError) as caught:
        unseal(a_manifest(), ring(THIRD))
    assert isinstance(caught.value, UnsealError)
    assert (caught.value.exit_code, UnsealError.exit_code) == (4, 5)
    assert KEY.kid in str(caught.value)
    assert OTHER.kid in str(caught.value)


def test_one_bad_value_and_nothing_is_opened() -> None:
    sealed = a_manifest()
    good, bad = sealed.encrypted_data["password"], sealed.encrypted_data["user"]
    damaged = bad._replace(item=bad.item[:-1] + bytes([bad.item[-1] ^ 1]))
    broken = sealed._replace(encrypted_data={"password": good, "user": damaged})
    with pytest.raises(UnsealError):
        unseal(broken, ring(KEY))


def test_one_envelope_without_a_key_and_nothing_is_opened() -> None:
    sealed = set_values(a_manifest(), sensitive({"new": b"1"}), [THIRD.public], os.urandom)
    with pytest.raises(NoKeyError) as caught:
        unseal(sealed, ring(KEY))
    assert caught.value.problem == f"no key here for kid {THIRD.kid}"


def test_opening_checks_the_rules_of_the_type() -> None:
    data = {".dockerconfigjson": b"not json"}
    sealed = a_manifest(data)
    typed = sealed.template._replace(type="kubernetes.io/dockerconfigjson")
    with pytest.raises(ManifestError) as caught:
        unseal(sealed._replace(template=typed), ring(KEY))
    assert caught.value.field == "data..dockerconfigjson"


CHANGES = sensitive({"password": b"new", "extra": b""})


def test_set_needs_no_private_key_and_opens_with_the_new_values() -> None:
    sealed = set_values(a_manifest(), CHANGES, [KEY.public], os.urandom)
    assert revealed(unseal(sealed, ring(KEY))) == {
        "extra": b"",
        "password": b"new",
        "user": b"shop",
    }


def test_set_makes_one_envelope_and_leaves_every_other_byte() -> None:
    before = a_manifest()
    after = set_values(before, CHANGES, [KEY.public, OTHER.public], os.urandom)
    (old,) = before.envelopes
    (new,) = set(after.envelopes) - {old}
    assert after.envelopes[old] == before.envelopes[old]
    assert after.encrypted_data["user"] == before.encrypted_data["user"]
    assert {after.encrypted_data[key].envelope for key in CHANGES} == {new}


def test_set_drops_an_envelope_that_nothing_uses_any_more() -> None:
    before = a_manifest()
    after = set_values(before, sensitive({"password": b"", "user": b""}), [KEY.public], os.urandom)
    assert len(after.envelopes) == 1
    assert not set(before.envelopes) & set(after.envelopes)


def test_set_of_nothing_changes_nothing() -> None:
    sealed = a_manifest()
    assert set_values(sealed, {}, [KEY.public], os.urandom) == sealed


@given(scopes)
def test_set_binds_to_the_place_and_scope_of_the_manifest(scope: Scope) -> None:
    after = set_values(a_manifest(scope=scope), CHANGES, [KEY.public], os.urandom)
    assert unseal(after, ring(KEY)).data["password"] == CHANGES["password"]


def test_set_for_nobody_is_refused() -> None:
    with pytest.raises(UsageError):
        set_values(a_manifest(), CHANGES, [], os.urandom)


def test_set_refuses_a_bad_data_key() -> None:
    with pytest.raises(ManifestError) as caught:
        set_values(a_manifest(), sensitive({"a b": b""}), [KEY.public], os.urandom)
    assert caught.value.field == "spec.encryptedData.a b"


def test_set_refuses_values_that_could_never_open() -> None:
    with pytest.raises(ManifestError) as caught:
        set_values(
            a_manifest(), {"a": Sensitive(bytes(MAX_DATA_BYTES + 1))}, [KEY.public], os.urandom
        )
    assert caught.value.field == "data"


def test_set_checks_what_the_type_demands_of_the_new_value() -> None:
    sealed = a_manifest({".dockerconfigjson": b"{}"})
    typed = sealed._replace(
        template=sealed.template._replace(type="kubernetes.io/dockerconfigjson")
    )
    with pytest.raises(ManifestError) as caught:
        set_values(typed, sensitive({".dockerconfigjson": b"[]"}), [KEY.public], os.urandom)
    assert caught.value.field == "data..dockerconfigjson"


def test_set_stops_at_the_largest_number_of_envelopes() -> None:
    keys = [f"key{number}" for number in range(MAX_ENVELOPES + 1)]
    sealed = a_manifest(dict.fromkeys(keys, b""), keys=[KEY])
    for key in keys[1:-1]:
        sealed = set_values(sealed, {key: Sensitive(b"")}, [KEY.public], os.urandom)
    assert len(sealed.envelopes) == MAX_ENVELOPES
    with pytest.raises(ManifestError) as caught:
        set_values(sealed, {"one-more": Sensitive(b"")}, [KEY.public], os.urandom)
    assert caught.value.field == "spec.envelopes"


def test_unset_removes_values_and_leaves_every_other_byte() -> None:
    before = a_manifest()
    after = unset_values(before, ["password"])
    assert after == before._replace(encrypted_data={"user": before.encrypted_data["user"]})


def test_unset_drops_an_envelope_that_nothing_uses_any_more() -> None:
    before = a_manifest()
    changed = set_values(before, CHANGES, [KEY.public], os.urandom)
    assert unset_values(changed, ["password", "extra"]).envelopes == before.envelopes
    assert unset_values(changed, [*changed.encrypted_data]).envelopes == {}


def test_unset_of_a_key_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        unset_values(a_manifest(), ["passwort"])
    assert caught.value.field == "spec.encryptedData.passwort"


def test_unset_of_a_key_that_the_type_needs_is_refused() -> None:
    secret = Secret("db", "shop", sensitive({"ssh-privatekey": b"k"}), "kubernetes.io/ssh-auth")
    sealed = seal(secret, [KEY.public], Scope.STRICT, os.urandom)
    with pytest.raises(ManifestError) as caught:
        unset_values(sealed, ["ssh-privatekey"])
    assert caught.value.field == "spec.encryptedData.ssh-privatekey"


@given(st.lists(values, min_size=2, max_size=4))
def test_any_chain_of_edits_ends_in_the_last_values(steps: list[dict[str, bytes]]) -> None:
    sealed, wanted = a_manifest(steps[0], keys=[KEY]), dict(steps[0])
    for before, after in pairwise(steps):
        sealed = set_values(sealed, sensitive(after), [KEY.public], os.urandom)
        sealed = unset_values(sealed, before.keys() - after.keys() & wanted.keys())
        wanted = after
        assert revealed(unseal(sealed, ring(KEY))) == wanted
        assert len(sealed.envelopes) <= 1 + len(steps)
