"""Digests with a key: they change with the data, and with nothing else."""

from __future__ import annotations

import itertools
import os

import pytest

from sealkit.sensitive import Sensitive
from sealkit_controller.cluster import ApiError
from sealkit_controller.digests import NAME, Digests
from sealkit_controller.objects import SECRETS, ObjectKey, child, strings
from tests.controller.world import NAMESPACE
from tests.fakes.cluster import FakeCluster

KEY = ObjectKey(NAMESPACE, NAME)
DATA = {"a": Sensitive(b"one"), "b": Sensitive(b"two")}


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def digests(cluster: FakeCluster) -> Digests:
    return Digests(cluster, NAMESPACE, os.urandom)


def test_equal_data_has_an_equal_digest_in_every_process(cluster: FakeCluster) -> None:
    first = digests(cluster).mac("uid", "Opaque", DATA)
    again = digests(cluster).mac("uid", "Opaque", dict(reversed(DATA.items())))
    assert first == again
    assert len(first) == 32
    assert digests(FakeCluster()).mac("uid", "Opaque", DATA) != first


def test_anything_else_has_another(cluster: FakeCluster) -> None:
    made = digests(cluster)
    cases = [
        ("uid", "Opaque", DATA),
        ("other", "Opaque", DATA),
        ("uid", "example.com/x", DATA),
        ("uid", "Opaque", {"a": DATA["a"]}),
        ("uid", "Opaque", {"a": Sensitive(b"on"), "b": Sensitive(b"etwo")}),
        ("uid", "Opaque", {"ab": Sensitive(b"one"), "": Sensitive(b"two")}),
        ("uid", "Opaque", {"a": DATA["b"], "b": DATA["a"]}),
    ]
    for one, other in itertools.combinations(cases, 2):
        assert made.mac(*one) != made.mac(*other)


def test_a_salt_is_the_same_for_a_context_and_a_manifest(cluster: FakeCluster) -> None:
    made = digests(cluster)
    salt = made.salt("uid")
    assert salt(b"context") == made.salt("uid")(b"context")
    assert len({salt(b"context"), salt(b"other"), made.salt("other")(b"context")}) == 3
    assert len(salt(b"context")) == 16


def test_the_key_is_made_once_and_never_changed(cluster: FakeCluster) -> None:
    digests(cluster).mac("uid", "Opaque", DATA)
    found = cluster.find(SECRETS, KEY)
    assert found is not None
    assert found["immutable"] is True
    digests(cluster).mac("uid", "Opaque", DATA)
    assert len(cluster.sent("create", "secrets")) == 1


def test_of_two_that_make_it_at_once_both_use_one(cluster: FakeCluster) -> None:
    other = digests(cluster)
    expected: list[str] = []

    def first(_: object) -> None:
        if cluster.sent("create") and not expected:
            expected.append("")
            expected[0] = other.mac("uid", "Opaque", DATA)

    cluster.on_request = first
    assert digests(cluster).mac("uid", "Opaque", DATA) == expected[0]


def test_a_damaged_key_is_no_reason_for_a_new_one(cluster: FakeCluster) -> None:
    cluster.put(
        SECRETS,
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": NAME, "namespace": NAMESPACE},
            "data": {"key": "not base64"},
        },
    )
    with pytest.raises(ApiError, match="DamagedKey"):
        digests(cluster).mac("uid", "Opaque", DATA)
    assert strings(child({"o": cluster.find(SECRETS, KEY)}, "o"), "data") == {"key": "not base64"}


def test_an_api_server_that_does_not_answer_is_told(cluster: FakeCluster) -> None:
    for verb in ("get", "create"):
        cluster.fail(verb, "secrets", ApiError(503, "ServiceUnavailable"))
        with pytest.raises(ApiError, match="ServiceUnavailable"):
            digests(cluster).mac("uid", "Opaque", DATA)
