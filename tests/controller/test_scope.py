"""Which part of a cluster a controller works for: namespaces, labels, a shard."""

import io
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from sealkit.keypair import KeyState
from sealkit_controller import logs
from sealkit_controller.app import Controller
from sealkit_controller.cluster import ApiError
from sealkit_controller.leader import shard_of
from sealkit_controller.objects import SEALED_SECRETS, SECRETS, JsonObject, ObjectKey, child
from sealkit_controller.settings import Settings
from tests.controller.world import KEY, OTHER_KEY, condition, key_secret, pair, running, sealed
from tests.fakes.cluster import FakeCluster

BASE = Settings(workers=2, key_renewal_days=0)
PLACES = tuple(ObjectKey(namespace, "db") for namespace in ("blog", "shop", "wiki"))


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    made.put(SECRETS, key_secret(pair()))
    return made


def is_synced(raw: JsonObject | None) -> bool:
    return condition(raw) == ("True", "Synced")


def made_in(cluster: FakeCluster) -> set[str]:
    """Return the namespaces that have a Secret of ours."""
    return {place.namespace for place in PLACES if cluster.find(SECRETS, place) is not None}


def test_several_namespaces_are_worked_for_and_no_other(cluster: FakeCluster) -> None:
    with running(cluster, replace(BASE, watch_namespaces=("blog", "wiki"))) as controller:
        for place in PLACES:
            cluster.put(SEALED_SECRETS, sealed(key=place))
        for place in (PLACES[0], PLACES[2]):
            cluster.wait_for(SEALED_SECRETS, place, is_synced)
        cluster.edit(SECRETS, PLACES[2], {"data": {"password": "eA=="}})
        cluster.wait_for(SECRETS, PLACES[2], lambda raw: "eA==" not in str(raw))
        assert controller.wait_until_idle(10)
    assert made_in(cluster) == {"blog", "wiki"}


def test_manifests_are_chosen_by_label(cluster: FakeCluster) -> None:
    with running(cluster, replace(BASE, label_selector="team=a")):
        for place in PLACES:
            raw = sealed(key=place)
            labels = {"team": "a"} if place.namespace == "shop" else {}
            metadata = {**child(raw, "metadata"), "labels": labels}
            cluster.put(SEALED_SECRETS, raw | {"metadata": metadata})
        cluster.wait_for(SEALED_SECRETS, PLACES[1], is_synced)
        cluster.wait_until_heard(3)
    assert made_in(cluster) == {"shop"}


def test_a_manifest_that_loses_its_label_keeps_its_secret(cluster: FakeCluster) -> None:
    raw = sealed(key=PLACES[0])
    labelled = {"metadata": {**child(raw, "metadata"), "labels": {"team": "a"}}}
    cluster.put(SEALED_SECRETS, raw | labelled)
    with running(cluster, replace(BASE, label_selector="team")) as controller:
        cluster.wait_for(SEALED_SECRETS, PLACES[0], is_synced)
        cluster.edit(SEALED_SECRETS, PLACES[0], {"metadata": {"labels": {"team": None}}})
        cluster.wait_until_heard(3)
        assert controller.wait_until_idle(10)
    assert made_in(cluster) == {"blog"}


def test_shards_share_the_namespaces_and_the_keys(cluster: FakeCluster) -> None:
    shards = 2
    assert {shard_of(place.namespace, shards) for place in PLACES} == {0, 1}
    for place in PLACES:
        cluster.put(SEALED_SECRETS, sealed(key=place))
    for shard in range(shards):
        before = made_in(cluster)
        with running(cluster, replace(BASE, shards=shards, shard=shard)) as controller:
            assert controller.wait_until_idle(10)
            for place in PLACES:
                if shard_of(place.namespace, shards) == shard:
                    cluster.wait_for(SEALED_SECRETS, place, is_synced)
        of_it = {p.namespace for p in PLACES if shard_of(p.namespace, shards) == shard}
        assert made_in(cluster) - before == of_it
    assert len(made_in(cluster)) == len(PLACES)


def test_a_key_is_made_by_the_shard_of_its_namespace() -> None:
    cluster = FakeCluster()
    owner = shard_of(BASE.namespace, 2)
    settings = replace(BASE, shards=2, probe_port=0, public_port=0, bind_address="127.0.0.1")
    other = Controller(replace(settings, shard=1 - owner), cluster)
    with other, running(cluster, replace(settings, shard=owner)):
        assert other.wait_until_ready(20)  # with the key that the other made
    assert [sent.name for sent in cluster.sent("create", "secrets")] == ["sealkit-key-1"]


@contextmanager
def logging(cluster: FakeCluster, said: io.StringIO) -> Iterator[Controller]:
    settings = replace(BASE, probe_port=0, public_port=0, bind_address="127.0.0.1")
    with Controller(settings, cluster, log=logs.logger(said, "info")) as controller:
        assert controller.wait_until_ready(20)
        yield controller


def test_a_refused_list_is_said(cluster: FakeCluster) -> None:
    cluster.fail("list", "sealedsecrets", ApiError(403, "Forbidden", doing="list sealedsecrets"))
    said = io.StringIO()
    with logging(cluster, said):
        pass
    (line,) = [json.loads(line) for line in said.getvalue().splitlines() if "Watching" in line]
    assert (line["level"], line["resource"], line["namespace"]) == ("warning", "sealedsecrets", "*")
    assert line["error"] == "list sealedsecrets: 403 Forbidden"


def usage(controller: Controller) -> dict[str, dict[str, int]]:
    """Return by key id what /metrics says of its use."""
    url = f"http://127.0.0.1:{controller.probe_port}/metrics"
    with urllib.request.urlopen(url, timeout=5) as response:
        lines = response.read().decode().splitlines()
    rows: dict[str, dict[str, int]] = {}
    for line in lines:
        name, _, rest = line.partition('{kid="')
        if name in {"sealkit_key_manifests", "sealkit_key_only"}:
            kid = rest.partition('"')[0]
            rows.setdefault(kid, {})[name.rpartition("_")[2]] = int(float(line.split()[-1]))
    return rows


def test_metrics_tell_what_depends_on_each_key(cluster: FakeCluster) -> None:
    cluster.put(SECRETS, key_secret(pair(OTHER_KEY, KeyState.RETIRED), "old"))
    cluster.put(SEALED_SECRETS, sealed(key=PLACES[0]))
    cluster.put(SEALED_SECRETS, sealed(key=PLACES[1], to=OTHER_KEY))
    with logging(cluster, io.StringIO()) as controller:
        for place in PLACES[:2]:
            cluster.wait_for(SEALED_SECRETS, place, is_synced)
        assert controller.wait_until_idle(10)
        one = {"manifests": 1, "only": 1}
        assert usage(controller) == {KEY.kid: one, OTHER_KEY.kid: one}
        cluster.drop(SEALED_SECRETS, PLACES[1])
        cluster.wait_until_heard(3)
        assert controller.wait_until_idle(10)
        assert usage(controller) == {KEY.kid: one, OTHER_KEY.kid: {"manifests": 0, "only": 0}}
