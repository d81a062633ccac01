"""The whole controller on an API server over the network: the sandbox, and the real one."""

import base64
import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

import pytest

from sealkit.crypto.recipient import Recipient
from sealkit.crypto.x1 import PrivateKey
from sealkit.keypair import KeyPair
from sealkit_controller.app import Controller
from sealkit_controller.cluster import ApiError, PatchKind, Selection, Target
from sealkit_controller.kube import HttpCluster
from sealkit_controller.objects import (
    CONFIG_MAPS,
    EVENTS,
    KEY_LABEL,
    SEALED_SECRETS,
    SECRETS,
    JsonObject,
    Metadata,
    ObjectKey,
    Resource,
    child,
    strings,
    text,
)
from sealkit_controller.sandbox import Sandbox
from sealkit_controller.settings import Settings
from tests.apiserver import ApiServer
from tests.controller.server import access, create_namespace
from tests.controller.world import condition, running, sealed


@dataclass(frozen=True)
class World:
    """An API server with a namespace for keys and one for manifests, both of this test only."""

    server: ApiServer
    cluster: HttpCluster
    system: str
    namespace: str

    @property
    def settings(self) -> Settings:
        return Settings(
            namespace=self.system,
            watch_namespaces=(self.namespace,),
            workers=4,
            cluster_name="test",
        )

    @contextmanager
    def controller(self) -> Iterator[Controller]:
        with running(self.cluster, self.settings) as controller:
            yield controller

    def key(self) -> PrivateKey:
        """Return the key that the controller made."""
        raw = self.cluster.get(Target(SECRETS, self.system, "sealkit-key-1"))
        return KeyPair.from_secret(raw).key

    def place(self, name: str = "db") -> ObjectKey:
        return ObjectKey(self.namespace, name)

    def apply(self, raw: JsonObject) -> None:
        target = Target(SEALED_SECRETS, self.namespace, Metadata.of(raw).key.name)
        self.cluster.patch(target, raw, PatchKind.APPLY)

    def edit(self, resource: Resource, change: JsonObject, name: str = "db") -> None:
        """Merge a change as somebody else does, under another field manager."""
        path = f"{Target(resource, self.namespace, name).path}?fieldManager=somebody"
        answer = self.server.ask("PATCH", path, json.dumps(change), PatchKind.MERGE.value)
        assert answer.status == 200, answer.body

    def find(self, resource: Resource, key: ObjectKey) -> JsonObject | None:
        try:
            return self.cluster.get(Target(resource, *key))
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    def remove(self, resource: Resource, name: str = "db") -> None:
        """Delete whatever version there is, as a person does."""
        answer = self.server.ask("DELETE", Target(resource, self.namespace, name).path)
        assert answer.status == 200, answer.body

    def wait_for(
        self, resource: Resource, holds: Callable[[JsonObject | None], bool], name: str = "db"
    ) -> JsonObject | None:
        """Watch until the object, None if it is not there, is as wanted, and return it."""
        for _ in range(10):  # each round outlives one watch, or one fault that was meant for others
            with suppress(ApiError):
                found = self._watch_for(resource, holds, self.place(name))
                if holds(found):
                    return found
        pytest.fail(f"{resource.plural} {name} is not as wanted")

    def _watch_for(
        self, resource: Resource, holds: Callable[[JsonObject | None], bool], key: ObjectKey
    ) -> JsonObject | None:
        selection = Selection(resource, self.namespace)
        version = [page.resource_version for page in self.cluster.pages(selection)][-1]
        found = self.find(resource, key)
        if holds(found):
            return found
        with closing(self.cluster.watch(selection, version)) as watch:
            for event in watch:
                if Metadata.of(event.object).key == key:
                    found = None if event.type == "DELETED" else event.object
                    if holds(found):
                        break
        return found

    def wait_synced(self, name: str = "db") -> None:
        self.wait_for(SEALED_SECRETS, lambda raw: condition(raw) == ("True", "Synced"), name)

    def wait_data(self, data: dict[str, bytes], name: str = "db") -> None:
        wanted = {key: base64.b64encode(value).decode() for key, value in data.items()}
        self.wait_for(SECRETS, lambda raw: raw is not None and strings(raw, "data") == wanted, name)


FAST = Settings(watch_timeout_seconds=5, request_timeout_seconds=10)


@pytest.fixture(
    params=["sandbox", pytest.param("control_plane", marks=pytest.mark.cluster)], scope="module"
)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiServer]:
    if request.param == "control_plane":
        yield request.getfixturevalue("control_plane")
        return
    with Sandbox() as box:
        box.install_crds()
        ca_file = tmp_path_factory.mktemp("sandbox") / "ca.pem"
        ca_file.write_bytes(box.ca_pem)
        yield ApiServer(box.url, box.admin_token, ca_file)


@pytest.fixture
def world(server: ApiServer) -> Iterator[World]:
    unique = uuid.uuid4().hex[:8]
    with closing(HttpCluster(access(server), FAST)) as cluster:
        made = World(server, cluster, f"system-{unique}", f"shop-{unique}")
        create_namespace(cluster, made.system)
        create_namespace(cluster, made.namespace)
        yield made


def test_a_life_of_one_secret(world: World) -> None:
    with world.controller():
        key = world.key()
        world.apply(sealed({"a": b"\x00\xff", "empty": b""}, world.place(), to=key))
        world.wait_synced()
        world.wait_data({"a": b"\x00\xff", "empty": b""})

        world.apply(sealed({"a": b"2"}, world.place(), to=key))
        world.wait_data({"a": b"2"})

        world.edit(SECRETS, {"data": {"a": "d3Jvbmc=", "extra": "eA=="}})
        world.wait_data({"a": b"2"})

        world.remove(SECRETS)
        world.wait_data({"a": b"2"})

        world.remove(SEALED_SECRETS)
        world.wait_for(SECRETS, lambda raw: raw is None)


def test_the_key_is_published_where_the_recipient_is_served(world: World) -> None:
    with world.controller() as controller:
        key = world.key()
        published = world.cluster.get(Target(CONFIG_MAPS, world.system, "sealkit-public-keys"))
        recipient = Recipient.parse(strings(published, "data")["recipient"])
        assert recipient == Recipient("test", key.public)
        assert controller.is_ready


@pytest.mark.parametrize(
    ("secret_type", "data"),
    [
        ("kubernetes.io/tls", {"tls.crt": b"c", "tls.key": b"k"}),
        ("kubernetes.io/dockerconfigjson", {".dockerconfigjson": b"{}"}),
        ("kubernetes.io/basic-auth", {"username": b"u"}),
        ("example.com/own", {}),
    ],
)
def test_types_that_the_api_server_knows(
    world: World, secret_type: str, data: dict[str, bytes]
) -> None:
    with world.controller():
        raw = sealed(data, world.place(), to=world.key(), secret={"type": secret_type})
        world.apply(raw)
        world.wait_synced()
    found = world.find(SECRETS, world.place())
    assert found is not None
    assert found["type"] == secret_type


def test_a_renamed_manifest_is_refused_with_a_clear_condition(world: World) -> None:
    with world.controller():
        raw = sealed(key=world.place("db"), to=world.key())
        world.apply(raw | {"metadata": {"namespace": world.namespace, "name": "other"}})
        refused = world.wait_for(
            SEALED_SECRETS, lambda raw: condition(raw, "Stalled")[0] == "True", "other"
        )
    assert condition(refused) == ("False", "DecryptionFailed")
    assert world.find(SECRETS, world.place("other")) is None


def test_a_foreign_secret_is_left_alone_until_it_is_handed_over(world: World) -> None:
    metadata = {"namespace": world.namespace, "name": "db"}
    foreign = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"x": "eA=="}}
    world.cluster.create(SECRETS, world.namespace, foreign)
    with world.controller():
        world.apply(sealed({"a": b"1"}, world.place(), to=world.key()))
        world.wait_for(SEALED_SECRETS, lambda raw: condition(raw)[1] == "SecretNotOwned")
        world.wait_data({"x": b"x"})
        world.edit(SECRETS, {"metadata": {"annotations": {"sealkit.dev/adopt": "true"}}})
        world.edit(SEALED_SECRETS, {"metadata": {"annotations": {"sealkit.dev/refresh": "1"}}})
        world.wait_synced()
    world.wait_data({"a": b"1"})


def test_an_immutable_secret_is_replaced_only_by_permission(world: World) -> None:
    locked = {"immutable": True}
    with world.controller():
        key = world.key()
        world.apply(sealed({"a": b"1"}, world.place(), to=key, secret=locked))
        world.wait_synced()
        changed = sealed({"a": b"2"}, world.place(), to=key, secret=locked)
        world.apply(changed)
        world.wait_for(SEALED_SECRETS, lambda raw: condition(raw)[1] == "SecretImmutable")
        world.wait_data({"a": b"1"})
        world.edit(SEALED_SECRETS, {"spec": {"recreate": True}})
        world.wait_data({"a": b"2"})
        world.wait_synced()


def test_labels_leave_with_the_template_and_foreign_ones_stay(world: World) -> None:
    with world.controller():
        key = world.key()
        labels = {"labels": {"old": "x", "kept": "y"}}
        world.apply(sealed(key=world.place(), to=key, secret=labels))
        world.wait_synced()
        world.edit(SECRETS, {"metadata": {"labels": {"foreign": "z"}}})
        world.apply(sealed(key=world.place(), to=key, secret={"labels": {"kept": "y"}}))

        def is_right(raw: JsonObject | None) -> bool:
            found = strings(child(raw or {}, "metadata"), "labels")
            return found == {"kept": "y", "foreign": "z", "sealkit.dev/managed": "true"}

        world.wait_for(SECRETS, is_right)


def test_a_retained_secret_outlives_its_manifest(world: World) -> None:
    with world.controller():
        key = world.key()
        world.apply(sealed({"a": b"1"}, world.place(), to=key))
        world.wait_synced()
        world.edit(SEALED_SECRETS, {"spec": {"deletionPolicy": "Retain"}})
        world.wait_for(SECRETS, lambda raw: Metadata.of(raw or {}).controller is None)
        world.remove(SEALED_SECRETS)
        world.wait_for(SEALED_SECRETS, lambda raw: raw is None)
        world.apply(sealed({"a": b"2"}, world.place(), to=key))
        world.wait_data({"a": b"2"})


def test_a_restored_key_wakes_what_waited_for_it(world: World) -> None:
    lost = PrivateKey.generate(os.urandom)
    with world.controller():
        world.apply(sealed({"a": b"1"}, world.place(), to=lost))
        world.wait_for(SEALED_SECRETS, lambda raw: condition(raw, "Stalled")[1] == "NoKey")
        current = world.cluster.get(Target(SECRETS, world.system, "sealkit-key-1"))
        metadata = {"namespace": world.system, "name": "restored", "labels": {KEY_LABEL: "retired"}}
        data = {
            **strings(current, "data"),
            "seed": base64.b64encode(lost.seed.reveal()).decode(),
            "kid": base64.b64encode(lost.kid.encode()).decode(),
        }
        restored = {**current, "metadata": metadata, "data": data}
        world.cluster.create(SECRETS, world.system, restored)
        world.wait_synced()
        world.wait_data({"a": b"1"})


def test_a_restart_writes_nothing(world: World) -> None:
    with world.controller():
        world.apply(sealed(key=world.place(), to=world.key()))
        world.wait_synced()
    before = {r.plural: world.find(r, world.place()) for r in (SEALED_SECRETS, SECRETS)}
    with world.controller() as controller:
        assert controller.wait_until_idle(10)
    assert before == {r.plural: world.find(r, world.place()) for r in (SEALED_SECRETS, SECRETS)}


def test_what_is_done_and_what_fails_is_told_in_events(world: World) -> None:
    with world.controller():
        key = world.key()
        world.apply(sealed({"a": b"canary-1f"}, world.place(), to=key))
        world.wait_synced()
        world.apply(sealed(key=world.place("bad"), to=PrivateKey.generate(os.urandom)))
        world.wait_for(SEALED_SECRETS, lambda raw: condition(raw)[1] == "NoKey", "bad")
        told: dict[str, JsonObject] = {}
        selection = Selection(EVENTS, world.namespace)
        while set(told) != {"Created", "NoKey"}:
            for page in world.cluster.pages(selection):
                told |= {text(raw, "reason"): raw for raw in page.items}
    assert (told["Created"]["type"], told["NoKey"]["type"]) == ("Normal", "Warning")
    assert child(told["NoKey"], "regarding")["name"] == "bad"
    assert "canary-1f" not in json.dumps(told)
