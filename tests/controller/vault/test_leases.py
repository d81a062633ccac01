"""What ends: credentials with a lease, rotated passwords, certificates; on a real PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from sealkit_controller.objects import SECRETS
from sealkit_controller.reconcile import Done
from sealkit_controller.record import to_instant
from tests.controller.vault.gateway import Gateway
from tests.controller.vault.world import VaultWorld, referring
from tests.controller.world import DB
from tests.fakes import postgres
from tests.fakes.vault_admin import Admin
from tests.fakes.vault_server import OpenBao
from tests.fakes.vault_stub import Reply, stub

HOUR = 3600
_serial = itertools.count()
CREATE = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"
CREDENTIALS = {"user": "vault:db/creds/app#username", "password": "vault:db/creds/app#password"}


@pytest.fixture(scope="session")
def database(bao: OpenBao) -> Iterator[Admin]:
    """A server with a database engine at `db`, and a certificate authority at `pki`."""
    found = postgres.find_postgres()
    if found is None:
        pytest.skip(postgres.NO_POSTGRES)
    admin = bao.admin
    with postgres.running(found) as address:
        admin.mount("db", "database")
        config = {
            "plugin_name": "postgresql-database-plugin",
            "allowed_roles": ["*"],
            "connection_url": "postgresql://{{username}}:{{password}}@"
            f"{address}/postgres?sslmode=disable",
            "username": "postgres",
            "password": postgres.PASSWORD,
        }
        admin.do("POST", "db/config/main", config)
        role = {"db_name": "main", "default_ttl": "1h", "max_ttl": "3h"}
        admin.do("POST", "db/roles/app", {**role, "creation_statements": [CREATE]})
        static = "CREATE ROLE rotated WITH LOGIN PASSWORD '{{password}}'"
        admin.do("POST", "db/roles/maker", {**role, "creation_statements": [static]})
        admin.do("GET", "db/creds/maker")
        account = {"db_name": "main", "username": "rotated", "rotation_period": 600}
        admin.do("POST", "db/static-roles/rotated", account)
        admin.mount("pki", "pki")
        root = {"common_name": "root", "key_type": "ec", "ttl": "24h"}
        admin.do("POST", "pki/root/generate/internal", root)
        web = {"allow_any_name": True, "key_type": "ec", "max_ttl": "6h"}
        admin.do("POST", "pki/roles/web", web)
        yield admin
        # While there is a database to end them at.
        admin.do("PUT", "sys/leases/revoke-prefix/db")


@pytest.fixture
def world(database: Admin) -> Iterator[VaultWorld]:
    made = VaultWorld(database)
    name = f"leases-{next(_serial)}"
    lease = "sys/leases/renew", "sys/leases/revoke"
    rules = {"db/*": "read", "pki/*": "create update"} | dict.fromkeys(lease, "update")
    database.policy(name, rules)
    made.credentials({"token": database.token(name, period="24h")})
    yield made
    made.vaults.close()


def exists(admin: Admin, lease: str) -> bool:
    return admin.ask("PUT", "sys/leases/lookup", {"lease_id": lease}).status == 200


@pytest.fixture
def synced(world: VaultWorld) -> VaultWorld:
    world.apply(referring(CREDENTIALS, vault={"refreshInterval": "20h"}))
    world.done()
    return world


def only(world: VaultWorld) -> Any:
    (lease,) = world.leases
    return lease


def test_user_and_password_are_of_one_lease(synced: VaultWorld) -> None:
    assert synced.data["user"].startswith(b"v-token-app")
    assert synced.asked["get"] == 1
    assert only(synced)["id"].startswith("db/creds/app/")
    assert only(synced)["seconds"] == HOUR


def test_a_lease_is_renewed_at_two_thirds_and_the_secret_stays(synced: VaultWorld) -> None:
    version = synced.version
    synced.later(0.6 * HOUR)
    outcome = synced.done()
    assert outcome.again_seconds is not None
    assert outcome.again_seconds < 0.1 * HOUR
    assert not synced.asked
    synced.later(0.1 * HOUR)
    synced.done()
    assert synced.asked == {"renew": 1}
    assert synced.version == version
    ends = to_instant(only(synced)["endsAt"])
    assert ends is not None
    assert ends > synced.time


def test_a_restart_goes_on_with_the_lease(synced: VaultWorld) -> None:
    lease, version = only(synced), synced.version
    synced.restart()
    synced.done()
    assert (only(synced), synced.version, dict(synced.asked)) == (lease, version, {})


def test_a_new_process_renews_what_another_got_with_the_same_token(synced: VaultWorld) -> None:
    lease, version = only(synced), synced.version
    synced.restart()
    synced.later(0.7 * HOUR)
    synced.done()
    assert (synced.asked["renew"], synced.asked["get"]) == (1, 0)
    assert synced.version == version
    assert only(synced)["id"] == lease["id"]
    assert only(synced)["endsAt"] > lease["endsAt"]


def test_the_interval_is_no_reason_for_new_credentials(world: VaultWorld) -> None:
    world.apply(referring(CREDENTIALS, vault={"refreshInterval": "1m"}))
    world.done()
    version = world.version
    for _ in range(3):
        world.restart()
        world.later(300)
        world.done()
    assert world.version == version


def test_a_lease_of_another_token_is_replaced_before_it_ends(
    synced: VaultWorld, database: Admin
) -> None:
    """A restart with a login: nobody renews the token of before, with which the lease ends."""
    first = only(synced)["id"]
    database.policy("next", {"db/*": "read", "sys/leases/*": "update"})
    synced.credentials({"token": database.token("next", period="24h")})
    synced.restart()
    synced.done()
    assert only(synced)["id"] == first
    synced.later(0.7 * HOUR)
    synced.done()
    assert only(synced)["id"] != first
    assert synced.asked["renew"] == 0


def test_a_renewal_that_is_not_answered_is_tried_again(database: Admin) -> None:
    passing = Gateway(database.address)
    with stub(passing) as server:
        world = VaultWorld(database, server.address)
        database.policy("gate", {"db/*": "read", "sys/leases/*": "update"})
        world.credentials({"token": database.token("gate", period="24h")})
        world.apply(referring(CREDENTIALS, vault={"refreshInterval": "20h"}))
        world.done()
        lease, version = only(world), world.version
        passing.fault = lambda asked: Reply(503) if "leases" in asked.path else None
        world.later(0.7 * HOUR)
        assert world.fails()[0] == "VaultUnavailable"
        assert (only(world), world.version) == (lease, version)
        passing.fault = lambda _: None
        world.later(100)
        world.done()
        assert world.version == version
        world.vaults.close()
    passing.close()


def test_near_the_longest_life_there_are_new_credentials(
    synced: VaultWorld, database: Admin
) -> None:
    first, user = only(synced)["id"], synced.data["user"]
    # The server's clock stands still, so its maximum is brought near by a role that ends sooner.
    database.do("PUT", "sys/leases/revoke", {"lease_id": first, "sync": True})
    synced.later(0.7 * HOUR)
    outcome = synced.done()
    assert outcome.action == "updated"
    assert only(synced)["id"] != first
    assert synced.data["user"] != user


def test_a_repaired_secret_has_what_was_held(synced: VaultWorld) -> None:
    user = synced.data["user"]
    synced.cluster.drop(SECRETS, DB)
    synced.done()
    assert synced.data["user"] == user
    assert synced.asked["get"] == 0


def test_other_references_are_refreshed_beside_a_lease(world: VaultWorld, database: Admin) -> None:
    database.mount("plain", "kv", version="1")
    database.do("POST", "plain/a", {"k": "one"})
    database.policy("plain", {"plain/*": "read", "db/*": "read", "sys/leases/*": "update"})
    world.credentials({"token": database.token("plain", period="24h")})
    world.apply(
        referring({**CREDENTIALS, "k": "vault:plain/a#k"}, vault={"refreshInterval": "10m"})
    )
    world.done()
    user = world.data["user"]
    database.do("POST", "plain/a", {"k": "two"})
    world.later(600)
    world.done()
    assert world.data["k"] == b"two"
    assert world.data["user"] == user


@pytest.mark.parametrize("revoke", [False, True])
def test_a_lease_ends_with_its_manifest_by_choice(
    world: VaultWorld, database: Admin, *, revoke: bool
) -> None:
    world.apply(referring(CREDENTIALS, vault={"revokeOnDelete": revoke}))
    world.done()
    world.restart()
    world.done()
    lease = only(world)["id"]
    world.delete()
    assert isinstance(world.run(), Done)
    assert exists(database, lease) is not revoke
    assert world.unrevoked == []


def test_a_lease_that_cannot_be_revoked_is_told(world: VaultWorld, database: Admin) -> None:
    database.policy("poor", {"db/*": "read"})
    world.credentials({"token": database.token("poor")})
    world.apply(referring(CREDENTIALS, vault={"revokeOnDelete": True}))
    world.done()
    world.delete()
    world.run()
    assert [str(error).split(":")[0] for error in world.unrevoked] == ["revoke a lease"]


def test_a_rotated_password_is_read_again_when_it_rotates(
    world: VaultWorld, database: Admin
) -> None:
    world.apply(referring({"p": "vault:db/static-creds/rotated#password"}))
    again = world.done().again_seconds
    assert again is not None
    assert again <= 601
    before = world.data
    database.do("POST", "db/rotate-role/rotated")
    world.later(again)
    world.done()
    assert world.data != before


WEB = {"path": "pki/issue/web", "method": "PUT", "body": '{"common_name":"shop.example"}'}


def test_a_certificate_and_its_key_are_of_one_answer(world: VaultWorld) -> None:
    names = {"cert": "certificate", "key": "private_key", "ca": "issuing_ca"}
    world.apply(
        referring(
            {name: {**WEB, "key": key} for name, key in names.items()},
            template={
                "type": "kubernetes.io/tls",
                "mergePolicy": "Replace",
                "build": {"tls": {"certificate": "cert", "key": "key", "ca": "ca"}},
            },
            vault={"refreshInterval": "10m"},
        )
    )
    world.done()  # the builder refuses a key that does not fit
    assert set(world.data) == {"tls.crt", "tls.key", "ca.crt"}
    first = world.data
    world.later(HOUR)
    world.done()
    assert world.data == first  # the interval is no reason for another certificate
    world.later(3.2 * HOUR)
    world.done()
    assert world.data != first


def test_credentials_are_new_before_the_token_of_their_lease_ends(
    world: VaultWorld, database: Admin
) -> None:
    database.policy("brief", {"db/*": "read", "sys/leases/*": "update"})
    world.credentials({"token": database.token("brief", ttl="15m", renewable=False)})
    world.apply(referring(CREDENTIALS))
    world.done()
    ends = to_instant(only(world)["endsAt"])
    assert ends is not None
    assert (ends - world.time).total_seconds() <= 15 * 60
