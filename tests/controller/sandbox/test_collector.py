"""The garbage collector judges objects as they are, not as they were when it was told of them."""

from __future__ import annotations

from sealkit_controller.objects import CONFIG_MAPS, SECRETS, JsonObject, Metadata
from sealkit_controller.sandbox import Sandbox
from tests.faults.hand import Hand

GIVE_UP_SECONDS = 10


def owned(name: str, owner: str, uid: str) -> JsonObject:
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": uid}
    metadata = {"name": name, "namespace": "shop", "ownerReferences": [reference]}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}


def test_an_object_that_was_given_to_another_owner_meanwhile_stays() -> None:
    with Sandbox() as box:
        hand = Hand(box)
        hand.namespace("shop")
        body: JsonObject = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}
        new = hand.create(CONFIG_MAPS, body, "shop")
        assert new
        changed = box._database.changed
        with changed:  # the collector hears of both writes before it can do anything
            assert hand.create(SECRETS, owned("db", "old", "nobody"), "shop")
            metadata = owned("db", "new", Metadata.of(new).uid)["metadata"]
            hand.edit(SECRETS, {"metadata": metadata}, ("shop", "db"))
            assert hand.create(SECRETS, owned("orphan", "old", "nobody"), "shop")
            assert changed.wait_for(
                lambda: hand.get(SECRETS, ("shop", "orphan")) is None, GIVE_UP_SECONDS
            )
        assert hand.get(SECRETS, ("shop", "db"))
