"""References become Secrets, stay right, and keep their last value when Vault gives none."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest

from sealkit_controller.objects import SEALED_SECRETS, SECRETS, child, text
from tests.controller.reconciling import World
from tests.controller.vault.conftest import Mount
from tests.controller.vault.world import VaultWorld, referring
from tests.controller.world import DB, condition

HOUR = 3600


@pytest.fixture
def synced(world: VaultWorld, kv: Mount) -> VaultWorld:
    world.apply(referring({"password": kv.ref("db", "password")}))
    world.done()
    return world


def test_a_reference_becomes_a_value(world: VaultWorld, kv: Mount) -> None:
    world.apply(
        referring(
            {
                "password": kv.ref("db", "password"),
                "port": {"path": f"{kv.name}/db", "key": "port"},
                "url": f"postgres://${{{kv.ref('db', 'username')}}}@db:5432",
            },
            {"salt": b"sealed"},
        )
    )
    assert world.done().action == "created"
    assert world.data == {
        "password": b"hunter2",
        "port": b"5432",
        "url": b"postgres://shop@db:5432",
        "salt": b"sealed",
    }
    # One login, one look at the mount and one read, though three values come of it.
    assert world.asked == {"login": 1, "lookup": 1, "read": 1}


def test_the_second_time_vault_is_not_asked(synced: VaultWorld) -> None:
    assert synced.done().action is None
    assert not synced.asked
    assert synced.wrote() == []


def test_a_restart_asks_nothing_and_writes_nothing(synced: VaultWorld) -> None:
    synced.restart()
    outcome = synced.done()
    assert (outcome.action, synced.wrote(), synced.asked) == (None, [], {})
    assert outcome.again_seconds is not None
    assert 0.9 * HOUR <= outcome.again_seconds <= HOUR


def test_what_changed_in_vault_comes_when_the_interval_is_over(
    synced: VaultWorld, kv: Mount
) -> None:
    kv.write("db", {"password": "changed"})
    synced.later(0.89 * HOUR)
    synced.done()
    assert synced.data == {"password": b"hunter2"}
    synced.later(0.11 * HOUR)
    assert synced.done().action == "updated"
    assert synced.data == {"password": b"changed"}
    assert synced.refreshed == synced.time


def test_what_did_not_change_is_not_written(synced: VaultWorld) -> None:
    version = synced.version
    synced.later(HOUR)
    outcome = synced.done()
    assert (outcome.action, synced.version) == (None, version)
    assert synced.refreshed == synced.time
    assert synced.wrote() == [("replace", "sealedsecrets/status")]


def test_the_interval_is_the_manifests_else_the_stores(world: VaultWorld, kv: Mount) -> None:
    spec = {"token": {"secretRef": {"name": "vault-token"}}}
    world.store(spec, refreshInterval="10m")
    world.apply(referring({"password": kv.ref("db", "password")}))
    again = world.done().again_seconds
    assert again is not None
    assert 540 <= again <= 600
    world.apply(referring({"password": kv.ref("db", "password")}, vault={"refreshInterval": "1m"}))
    again = world.done().again_seconds
    assert again is not None
    assert 54 <= again <= 60


def test_a_request_asks_at_once(synced: VaultWorld, kv: Mount) -> None:
    kv.write("db", {"password": "changed"})
    annotations = {"metadata": {"annotations": {"sealkit.dev/refresh": "now"}}}
    synced.cluster.edit(SEALED_SECRETS, DB, annotations)
    assert synced.done().action == "updated"
    assert synced.data == {"password": b"changed"}
    assert synced.done().action is None
    assert not synced.asked


def test_a_secret_that_somebody_changed_is_repaired(synced: VaultWorld) -> None:
    synced.cluster.edit(SECRETS, DB, {"data": {"password": "eA=="}})
    assert synced.done().action == "updated"
    assert synced.data == {"password": b"hunter2"}
    synced.cluster.drop(SECRETS, DB)
    assert synced.done().action == "created"


def test_on_change_asks_for_nothing_by_time(world: VaultWorld, kv: Mount) -> None:
    terms = {"refreshPolicy": "OnChange"}
    world.apply(referring({"password": kv.ref("db", "password")}, vault=terms))
    assert world.done().again_seconds is None
    kv.write("db", {"password": "changed", "username": "other"})
    world.later(100 * HOUR)
    world.done()
    assert world.data == {"password": b"hunter2"}
    both = {"password": kv.ref("db", "password"), "user": kv.ref("db", "username")}
    world.apply(referring(both, vault=terms))
    world.done()
    assert world.data == {"password": b"changed", "user": b"other"}


def test_created_once_is_never_touched_again_but_made_again(world: VaultWorld, kv: Mount) -> None:
    terms = {"refreshPolicy": "CreatedOnce"}
    kv.admin.do("DELETE", f"{kv.name}/data/db")
    world.apply(referring({"password": kv.ref("db", "password")}, vault=terms))
    assert world.fails()[0] == "VersionDeleted"  # once means once successfully
    kv.write("db", {"password": "first"})
    world.done()
    kv.write("db", {"password": "second"})
    world.later(100 * HOUR)
    world.restart()
    world.done()
    assert not world.asked
    assert world.data == {"password": b"first"}
    world.cluster.drop(SECRETS, DB)
    world.done()
    assert world.data == {"password": b"second"}


Break = Callable[[Mount], object]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (lambda kv: kv.write("db", {"username": "shop"}), "KeyNotFound"),
        (lambda kv: kv.write("db", {"password": None}), "NullValue"),
        (lambda kv: kv.admin.do("DELETE", f"{kv.name}/data/db"), "VersionDeleted"),
        (
            lambda kv: kv.admin.do("PUT", f"{kv.name}/destroy/db", {"versions": [1]}),
            "VersionDestroyed",
        ),
        (lambda kv: kv.admin.do("DELETE", f"{kv.name}/metadata/db"), "PathNotFound"),
        (lambda kv: kv.allow("list"), "PermissionDenied"),
        (lambda kv: kv.write("db", {"password": "x" * (1 << 20) + "x"}), "TargetTooLarge"),
    ],
)
def test_the_last_good_secret_is_kept_and_recovers_by_itself(
    synced: VaultWorld, kv: Mount, broken: Break, reason: str
) -> None:
    version, refreshed = synced.version, synced.refreshed
    broken(kv)
    synced.later(2 * HOUR)
    found = synced.stalls() if reason == "TargetTooLarge" else synced.fails()[0]
    assert found == reason
    assert (synced.version, synced.refreshed) == (version, refreshed)
    assert synced.sources.stale == {DB: refreshed}
    assert "hunter2" not in json.dumps(synced.manifest)
    if reason != "TargetTooLarge":
        assert synced.fails()[0] == reason  # it does not become right by itself
    kv.allow()
    kv.write("db", {"password": "again"})
    synced.later(400)
    assert synced.done().action == "updated"
    assert synced.data == {"password": b"again"}
    assert synced.sources.stale == {}


def test_all_or_nothing(world: VaultWorld, kv: Mount) -> None:
    world.apply(
        referring({"a": kv.ref("db", "password"), "b": kv.ref("none", "x")}, {"c": b"sealed"})
    )
    reason, outcome = world.fails()
    assert reason == "PathNotFound"
    assert outcome.report.message.startswith("b: ")
    assert world.wrote() == [("replace", "sealedsecrets/status")]


def test_absent_values_may_be_optional_or_have_a_default(world: VaultWorld, kv: Mount) -> None:
    path = f"{kv.name}/db"
    world.apply(
        referring(
            {
                "a": {"path": path, "key": "none", "optional": True},
                "b": {"path": path, "key": "gone", "default": "stand-in"},
                "c": {"path": path, "key": "password"},
            }
        )
    )
    world.done()
    assert world.data == {"b": b"stand-in", "c": b"hunter2"}


def test_what_transit_encrypted_is_decrypted(world: VaultWorld, kv: Mount) -> None:
    engine = f"transit-{kv.name}"
    kv.admin.mount(engine, "transit")
    kv.admin.do("POST", f"{engine}/keys/app", {})
    binary = base64.b64encode(bytes(range(256))).decode()
    said = kv.admin.do("POST", f"{engine}/encrypt/app", {"plaintext": binary})
    kv.admin.policy(kv.name, {f"{engine}/decrypt/app": "update", f"{kv.name}/*": "read"})
    body = json.dumps({"ciphertext": said["data"]["ciphertext"]})
    path = {"path": f"{engine}/decrypt/app", "method": "PUT", "body": body}
    world.apply(referring({"raw": {**path, "key": "plaintext", "decode": "base64"}}))
    world.done()
    assert world.data == {"raw": bytes(range(256))}


def test_a_store_that_comes_later_is_enough(world: VaultWorld, kv: Mount) -> None:
    token = {"token": {"secretRef": {"name": "late"}}}
    world.apply(referring({"p": kv.ref("db", "password")}, vault={"store": "late"}))
    assert world.fails()[0] == "VaultUnavailable"
    world.store(token, name="late")
    assert world.fails()[0] == "AuthFailed"
    world.credentials({"other": "x"}, name="late")
    assert world.fails()[0] == "AuthFailed"
    world.credentials({"token": kv.token()}, name="late")
    world.done()
    assert world.data == {"p": b"hunter2"}


def test_new_credentials_are_seen_without_a_restart(synced: VaultWorld, kv: Mount) -> None:
    synced.credentials({"token": "wrong"})
    synced.later(2 * HOUR)
    assert synced.fails()[0] == "AuthFailed"
    synced.credentials({"token": kv.token()})
    synced.later(6)
    synced.done()


def test_a_template_sees_references_and_sealed_values(world: VaultWorld, kv: Mount) -> None:
    world.apply(
        referring(
            {"user": kv.ref("db", "username"), "pass": kv.ref("db", "password")},
            {"host": b"db.shop"},
            template={
                "type": "Opaque",
                "mergePolicy": "Replace",
                "data": {"url": "postgres://{{ .user }}:{{ .pass }}@{{ .host }}"},
                "build": {"htpasswd": {"users": [{"username": "user", "password": "pass"}]}},
            },
        )
    )
    world.done()
    assert set(world.data) == {"url", "auth"}
    assert world.data["url"] == b"postgres://shop:hunter2@db.shop"
    assert world.data["auth"].startswith(b"shop:$2y$10$")
    version = world.version
    world.later(HOUR)
    world.done()
    assert world.version == version  # the salt is the same each time


def test_what_a_template_cannot_make_needs_a_change(world: VaultWorld, kv: Mount) -> None:
    world.apply(
        referring(
            {"pass": kv.ref("db", "password")},
            template={"type": "Opaque", "data": {"n": "{{ index .pass 5000 }}"}},
        )
    )
    assert world.stalls() == "TemplateError"
    assert "hunter2" not in json.dumps(world.manifest)


def test_a_value_is_never_read_again(world: VaultWorld, kv: Mount) -> None:
    inner = kv.ref("db", "password")
    kv.write("evil", {"a": inner, "b": "${" + inner + "}", "c": "{{ .password }}"})
    world.apply(
        referring(
            {
                "a": kv.ref("evil", "a"),
                "b": f"x ${{{kv.ref('evil', 'b')}}} y",
                "c": kv.ref("evil", "c"),
            },
            template={"type": "Opaque", "data": {"d": "{{ .c }}"}},
        )
    )
    world.done()
    assert world.data["a"] == inner.encode()
    assert world.data["b"] == f"x ${{{inner}}} y".encode()
    assert world.data["d"] == b"{{ .password }}"


def test_the_status_holds_a_digest_that_tells_nothing(synced: VaultWorld, kv: Mount) -> None:
    mac = text(child(synced.manifest, "status"), "dataMac")
    assert len(mac) == 32
    synced.later(HOUR)
    synced.done()
    assert text(child(synced.manifest, "status"), "dataMac") == mac
    kv.write("db", {"password": "changed"})
    synced.later(HOUR)
    synced.done()
    assert text(child(synced.manifest, "status"), "dataMac") != mac


def test_without_vault_a_reference_says_so(world: VaultWorld, kv: Mount) -> None:
    plain = World()
    plain.apply(referring({"password": kv.ref("db", "password")}))
    plain.run()
    assert condition(plain.manifest) == ("False", "InvalidReference")
