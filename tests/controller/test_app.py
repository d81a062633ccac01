import base64

from sealkit_controller.objects import SEALED_SECRETS, SECRETS
from tests.controller.world import DB, condition, key_secret, pair, running, sealed
from tests.fakes.cluster import FakeCluster


def cluster_with_key() -> FakeCluster:
    cluster = FakeCluster()
    cluster.put(SECRETS, key_secret(pair()))
    return cluster


def test_a_new_manifest_becomes_a_secret() -> None:
    cluster = cluster_with_key()
    with running(cluster):
        cluster.put(SEALED_SECRETS, sealed())
        secret = cluster.wait_for(SECRETS, DB, lambda raw: raw is not None)
        cluster.wait_for(SEALED_SECRETS, DB, lambda raw: condition(raw) == ("True", "Synced"))
    assert secret is not None
    assert secret["data"] == {"password": base64.b64encode(b"hunter2").decode()}
