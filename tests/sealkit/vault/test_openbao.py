"""The real server only: namespaces, engines, leases, trouble that is no fake."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sealkit.sensitive import Sensitive
from sealkit.vault import Ask, Breaker, Limits, Reason, Server, Tls, userpass_login
from tests.fakes.vault_certificates import Authority
from tests.fakes.vault_server import TLS_NAME, OpenBao
from tests.fakes.vault_stub import Reply, stub
from tests.sealkit.vault.world import Clock, Connect, refused

ANN = userpass_login("ann", Sensitive(b"pass-word"))


def make_user(bao: OpenBao, rules: dict[str, str], *, within: str = "", **more: Any) -> None:
    """Let `ann` log in and do what the rules say."""
    admin = bao.admin
    if "userpass/" not in admin.do("GET", "sys/auth", within=within):
        admin.enable("userpass", "userpass", within=within)
    admin.policy("ann", rules, within=within)
    body = {"password": "pass-word", "token_policies": ["ann"], **more}
    admin.do("POST", "auth/userpass/users/ann", body, within=within)


def test_a_namespace_is_read_in(bao: OpenBao, connect: Connect) -> None:
    bao.admin.do("POST", "sys/namespaces/team-a", {})
    bao.admin.mount("kv", "kv", within="team-a", version="2")
    bao.admin.do("POST", "kv/data/db", {"data": {"of": "team-a"}}, within="team-a")
    make_user(bao, {"kv/data/*": "read"}, within="team-a")
    vault = connect(Server(bao.address, "team-a"), ANN)
    assert vault.read_kv2("kv", "db").reveal() == {"of": "team-a"}
    assert vault.mount_of("kv/db").kv_version == 2


def test_login_in_the_parent_namespace(bao: OpenBao, connect: Connect) -> None:
    bao.admin.do("POST", "sys/namespaces/team-b", {})
    bao.admin.mount("kv", "kv", within="team-b", version="1")
    bao.admin.do("POST", "kv/db", {"of": "team-b"}, within="team-b")
    make_user(bao, {"team-b/kv/*": "read"}, token_ttl=60)
    clock = Clock()
    vault = connect(Server(bao.address, "team-b"), ANN, login_namespace="", monotonic=clock)
    assert vault.read_kv1("kv", "db").reveal() == {"of": "team-b"}
    before = vault.check_login()["accessor"]
    clock.advance(41)  # so that the token has to be renewed, in the namespace it is of
    assert vault.check_login()["accessor"] == before


def test_another_namespace_with_the_same_token(bao: OpenBao, connect: Connect) -> None:
    for name, version in (("team-d", "1"), ("team-e", "2")):
        bao.admin.do("POST", f"sys/namespaces/{name}", {})
        bao.admin.mount("kv", "kv", within=name, version=version)
    root = connect(bao.address)
    one, two = root.in_namespace("team-d"), root.in_namespace("team-e")
    assert (one.mount_of("kv/a").kv_version, two.mount_of("kv/a").kv_version) == (1, 2)
    assert two.in_namespace("").mount_of("kv1/a") == root.mount_of("kv1/a")
    assert one.token_mark() == two.token_mark() == root.token_mark() != ""
    assert one.token_ends_in_seconds() is None
    with refused(Reason.INVALID_REFERENCE):
        root.in_namespace("team-d/../team-e")


def test_an_auth_method_is_told_from_an_engine(bao: OpenBao, connect: Connect) -> None:
    vault = connect(bao.address)
    for _ in range(2):
        assert vault.mount_of("auth/token/lookup-self").type == "auth"
    with refused(Reason.PERMISSION_DENIED, 403):
        vault.mount_of("token/a")


def test_login_in_the_wrong_namespace(bao: OpenBao, connect: Connect) -> None:
    bao.admin.do("POST", "sys/namespaces/team-c", {})
    make_user(bao, {"kv1/*": "read"})
    with refused(Reason.AUTH_FAILED):
        connect(Server(bao.address, "team-c"), ANN).check_login()


def test_transit_decrypts(bao: OpenBao, connect: Connect) -> None:
    bao.admin.mount("transit", "transit")
    bao.admin.do("POST", "transit/keys/app", {})
    plaintext = base64.b64encode(b"value").decode()
    sealed = bao.admin.do("POST", "transit/encrypt/app", {"plaintext": plaintext})
    body = {"ciphertext": sealed["data"]["ciphertext"]}
    answer = connect(bao.address).ask(Ask("transit/decrypt/app", "POST", body))
    assert answer.reveal() == {"plaintext": plaintext}


def test_pki_issues(bao: OpenBao, connect: Connect) -> None:
    bao.admin.mount("pki", "pki")
    bao.admin.do("POST", "pki/root/generate/internal", {"common_name": "root", "key_type": "ec"})
    role = {"allow_any_name": True, "key_type": "ec", "generate_lease": True, "max_ttl": "1h"}
    bao.admin.do("POST", "pki/roles/web", role)
    vault = connect(bao.address)
    answer = vault.ask(Ask("pki/issue/web", "POST", {"common_name": "shop.example"}))
    assert str(answer.reveal()["private_key"]).startswith("-----BEGIN")
    assert answer.lease.id.startswith("pki/issue/web/")
    assert answer.lease.seconds > 0
    vault.revoke_lease(answer.lease.id)
    vault.revoke_lease(answer.lease.id)


def test_a_role_that_is_not_there_is_the_requests_fault(bao: OpenBao, connect: Connect) -> None:
    bao.admin.mount("db", "database")
    with refused(Reason.INVALID_REFERENCE, 400):
        connect(bao.address).ask(Ask("db/creds/none"))


def test_a_method_that_the_path_has_not(bao: OpenBao, connect: Connect) -> None:
    with refused(Reason.INVALID_REFERENCE, 405):
        connect(bao.address).ask(Ask("sys/mounts", "POST"))


def test_dynamic_credentials_have_a_lease(bao: OpenBao, connect: Connect) -> None:
    """A stub takes the place of the RabbitMQ that the engine makes users in."""
    with stub(lambda _: Reply(204)) as rabbit:
        bao.admin.mount("rabbit", "rabbitmq")
        account = {"username": "admin", "password": "admin", "verify_connection": False}
        bao.admin.do(
            "POST", "rabbit/config/connection", account | {"connection_uri": rabbit.address}
        )
        bao.admin.do("POST", "rabbit/config/lease", {"ttl": 60, "max_ttl": 90})
        bao.admin.do("POST", "rabbit/roles/app", {"tags": "monitoring"})
        vault = connect(bao.address)
        lease = vault.ask(Ask("rabbit/creds/app")).lease
        assert (lease.seconds, lease.renewable) == (60, True)
        assert vault.renew_lease(lease.id, 30).seconds == 30
        assert vault.renew_lease(lease.id, 600).seconds <= 90
        vault.revoke_lease(lease.id)
        with refused(Reason.PATH_NOT_FOUND, 400):
            vault.renew_lease(lease.id, 30)
        assert [asked.method for asked in rabbit.asked] == ["PUT", "DELETE"]


def test_leases_end_with_the_token(bao: OpenBao, connect: Connect) -> None:
    with stub(lambda _: Reply(204)) as rabbit:
        bao.admin.mount("rabbit-2", "rabbitmq")
        account = {"username": "admin", "password": "admin", "verify_connection": False}
        url = {"connection_uri": rabbit.address}
        bao.admin.do("POST", "rabbit-2/config/connection", account | url)
        bao.admin.do("POST", "rabbit-2/roles/app", {"tags": "monitoring"})
        make_user(bao, {"rabbit-2/creds/*": "read"})
        vault = connect(bao.address, ANN)
        lease = vault.ask(Ask("rabbit-2/creds/app")).lease
        vault.revoke_token()
        with refused(Reason.PATH_NOT_FOUND, 400):
            vault.renew_lease(lease.id, 30)


@pytest.mark.parametrize("name", ["a b", "a#b", "a?b", "ü", "a+b", "a&b=c", "a:b", "~a", "a;b"])
def test_names_arrive_as_they_are(bao: OpenBao, connect: Connect, name: str) -> None:
    vault = connect(bao.address)
    vault.ask(Ask(f"kv1/names/{name}", "POST", {"key": name}))
    vault.ask(Ask(f"kv2/data/names/{name}", "POST", {"data": {"key": name}}))
    assert name in bao.admin.do("GET", "kv1/names?list=true")["data"]["keys"]
    assert vault.read_kv1("kv1", f"names/{name}").reveal() == {"key": name}
    assert vault.read_kv2("kv2", f"names/{name}").reveal() == {"key": name}


def test_query_parameters_are_passed(bao: OpenBao, connect: Connect) -> None:
    vault = connect(bao.address)
    for value in ("old", "new"):
        vault.ask(Ask("kv2/data/parameters", "POST", {"data": {"key": value}}))
    answer = vault.ask(Ask("kv2/data/parameters", parameters={"version": "1"}))
    assert answer.reveal()["data"] == {"key": "old"}


def test_a_sealed_server_is_unavailable(own_bao: OpenBao, connect: Connect) -> None:
    vault = connect(own_bao.address)
    vault.check_login()
    own_bao.admin.do("PUT", "sys/seal")
    with refused(Reason.VAULT_UNAVAILABLE, 503):
        vault.ask(Ask("secret/config"))


def test_a_server_is_killed_and_comes_back_empty(
    own_bao: OpenBao, connect: Connect, clock: Clock
) -> None:
    vault = connect(own_bao.address, ANN, monotonic=clock, breaker=Breaker(failures=2))
    make_user(own_bao, {"kv/*": "read"})
    vault.check_login()
    own_bao.kill()
    for _ in range(3):
        with refused(Reason.VAULT_UNAVAILABLE, 0):
            vault.read_kv1("kv", "db")
    own_bao.start()
    make_user(own_bao, {"kv/*": "read"})
    own_bao.admin.mount("kv", "kv", version="1")
    own_bao.admin.do("POST", "kv/db", {"key": "value"})
    with refused(Reason.VAULT_UNAVAILABLE, 0) as errors:
        vault.read_kv1("kv", "db")
    assert errors[0].retry_after_seconds == 1
    clock.advance(1)
    assert vault.read_kv1("kv", "db").reveal() == {"key": "value"}


def test_a_quota_is_respected(own_bao: OpenBao, connect: Connect, clock: Clock) -> None:
    own_bao.admin.do("PUT", "sys/quotas/config", {"enable_rate_limit_response_headers": True})
    quota = {"path": "secret/", "rate": 1, "interval": "1h"}
    own_bao.admin.do("POST", "sys/quotas/rate-limit/few", quota)
    vault = connect(own_bao.address, monotonic=clock)
    vault.ask(Ask("secret/config"))
    with refused(Reason.RATE_LIMITED, 429) as errors:
        vault.ask(Ask("secret/config"))
    assert 3000 < (errors[0].retry_after_seconds or 0) <= 3600
    with refused(Reason.RATE_LIMITED, 0) as errors:
        vault.ask(Ask("secret/config"))
    assert errors[0].retry_after_seconds == 300


def test_a_big_secret_is_cut(bao: OpenBao, connect: Connect) -> None:
    vault = connect(bao.address, limits=Limits(body_bytes=10_000))
    vault.ask(Ask("kv1/big", "POST", {"key": "x" * 20_000}))
    with refused(Reason.TARGET_TOO_LARGE, 200):
        vault.read_kv1("kv1", "big")
    assert vault.check_login()


def test_tls_by_the_right_authority(bao: OpenBao, authority: Authority, connect: Connect) -> None:
    for tls in (Tls(authority.pem), Tls(authority.pem, server_name=TLS_NAME)):
        assert connect(Server(bao.tls_address, tls=tls)).check_login()


@pytest.mark.parametrize("trust", ["another", "system", "name"])
def test_tls_that_is_not_trusted(
    bao: OpenBao, authority: Authority, connect: Connect, trust: str
) -> None:
    tls = {
        "another": Tls(Authority("another").pem),
        "system": Tls(),
        "name": Tls(authority.pem, server_name="another.example"),
    }[trust]
    with refused(Reason.VAULT_UNAVAILABLE, 0) as errors:
        connect(Server(bao.tls_address, tls=tls)).check_login()
    assert "not trusted" in str(errors[0])


def test_the_authority_changes(own_bao: OpenBao, authority: Authority, connect: Connect) -> None:
    """The server changes first; a client with the new CA beside the old one bridges it."""
    new = Authority("the next authority")
    assert connect(Server(own_bao.tls_address, tls=Tls(authority.pem))).check_login()
    own_bao.change_certificate(new)
    both = Tls(authority.pem + new.pem)
    assert connect(Server(own_bao.tls_address, tls=both)).check_login()
    with refused(Reason.VAULT_UNAVAILABLE, 0):
        connect(Server(own_bao.tls_address, tls=Tls(authority.pem))).check_login()
