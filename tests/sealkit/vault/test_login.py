"""Every auth method, against the real server where it offers the method."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealkit.sensitive import Sensitive
from sealkit.vault import (
    AppRoleLogin,
    CertLogin,
    JwtLogin,
    KubernetesLogin,
    Login,
    Reason,
    Server,
    Tls,
    TokenLogin,
    ldap_login,
    userpass_login,
)
from tests.fakes.vault_admin import Admin
from tests.fakes.vault_certificates import Authority
from tests.fakes.vault_server import OpenBao
from tests.fakes.vault_stub import Asked, Reply, stub
from tests.sealkit.vault.world import Connect, refused

POLICY = {"kv1/login/*": "read"}


@pytest.fixture
def admin(bao: OpenBao) -> Admin:
    bao.admin.policy("login", POLICY)
    bao.admin.do("POST", "kv1/login/a", {"key": "value"})
    return bao.admin


def enabled(admin: Admin, mount: str, kind: str) -> None:
    if f"{mount}/" not in admin.do("GET", "sys/auth"):
        admin.enable(mount, kind)


class Issuer:
    """Signs web tokens, as a Kubernetes API server or a CI system does."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        pem = self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.public_key = pem.decode()

    def sign(self, **claims: Any) -> Sensitive:
        now = int(time.time())
        payload = {"iss": "tests", "aud": ["vault"], "iat": now, "exp": now + 600, **claims}
        head = {"alg": "ES256", "typ": "JWT"}
        text = b".".join(_base64(json.dumps(one).encode()) for one in (head, payload))
        r, s = decode_dss_signature(self._key.sign(text, ec.ECDSA(hashes.SHA256())))
        return Sensitive(text + b"." + _base64(r.to_bytes(32) + s.to_bytes(32)))


def _base64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def test_token(admin: Admin, connect: Connect) -> None:
    login = TokenLogin(Sensitive(admin.token("login", ttl="1h").encode()))
    vault = connect(admin.address, login)
    assert vault.read_kv1("kv1", "login/a").reveal() == {"key": "value"}
    assert 3590 <= vault._session.current().lease_seconds <= 3600


def test_a_root_token_has_no_end(admin: Admin, connect: Connect) -> None:
    assert connect(admin.address)._session.current().ends == float("inf")


def test_a_revoked_static_token_is_told(admin: Admin, connect: Connect) -> None:
    token = admin.token("login")
    vault = connect(admin.address, TokenLogin(Sensitive(token.encode())))
    vault.read_kv1("kv1", "login/a")
    admin.do("POST", "auth/token/revoke", {"token": token})
    with refused(Reason.AUTH_FAILED, 403):
        vault.read_kv1("kv1", "login/a")


def test_app_role(admin: Admin, connect: Connect) -> None:
    enabled(admin, "approle", "approle")
    admin.do("POST", "auth/approle/role/app", {"token_policies": ["login"], "token_ttl": "1h"})
    role_id = admin.do("GET", "auth/approle/role/app/role-id")["data"]["role_id"]
    secret = admin.do("POST", "auth/approle/role/app/secret-id")["data"]["secret_id"]
    vault = connect(admin.address, AppRoleLogin(role_id, Sensitive(secret.encode())))
    assert vault.read_kv1("kv1", "login/a").reveal() == {"key": "value"}
    assert vault._session.current().renewable


def test_app_role_without_a_secret_id(admin: Admin, connect: Connect) -> None:
    enabled(admin, "approle", "approle")
    role = {"bind_secret_id": False, "secret_id_bound_cidrs": [], "token_policies": ["login"]}
    role |= {"token_bound_cidrs": ["127.0.0.1/32"]}
    admin.do("POST", "auth/approle/role/bare", role)
    role_id = admin.do("GET", "auth/approle/role/bare/role-id")["data"]["role_id"]
    vault = connect(admin.address, AppRoleLogin(role_id, None))
    assert vault.read_kv1("kv1", "login/a").reveal() == {"key": "value"}


@pytest.mark.parametrize("user", ["ann", "ann.b-c"])
def test_userpass(admin: Admin, connect: Connect, user: str) -> None:
    body = {"password": "pass-word", "token_policies": ["login"]}
    admin.do("POST", f"auth/userpass/users/{user}", body)
    vault = connect(admin.address, userpass_login(user, Sensitive(b"pass-word")))
    assert vault.read_kv1("kv1", "login/a").reveal() == {"key": "value"}


def test_cert(admin: Admin, bao: OpenBao, authority: Authority, connect: Connect) -> None:
    enabled(admin, "cert", "cert")
    role = {"certificate": authority.pem.decode(), "token_policies": ["login"]}
    admin.do("POST", "auth/cert/certs/web", role)
    pair = authority.issue("client.example")
    tls = Tls(authority.pem, pair.certificate, Sensitive(pair.key))
    for login in (CertLogin("web"), CertLogin()):
        vault = connect(Server(bao.tls_address, tls=tls), login)
        assert vault.read_kv1("kv1", "login/a").reveal() == {"key": "value"}


def test_cert_of_a_stranger(
    admin: Admin, bao: OpenBao, authority: Authority, connect: Connect
) -> None:
    enabled(admin, "cert", "cert")
    role = {"certificate": authority.pem.decode(), "token_policies": ["login"]}
    admin.do("POST", "auth/cert/certs/web", role)
    pair = Authority("a stranger").issue("client.example")
    tls = Tls(authority.pem, pair.certificate, Sensitive(pair.key))
    with refused(Reason.AUTH_FAILED):
        connect(Server(bao.tls_address, tls=tls), CertLogin("web")).check_login()


def test_jwt_is_asked_for_at_each_login(admin: Admin, connect: Connect) -> None:
    issuer, asked = Issuer(), []
    enabled(admin, "jwt", "jwt")
    admin.do("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [issuer.public_key]})
    role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"]}
    admin.do("POST", "auth/jwt/role/ci", {**role, "token_policies": ["login"]})

    def jwt() -> Sensitive:
        asked.append(1)
        return issuer.sign(sub="repo")

    vault = connect(admin.address, JwtLogin("ci", jwt))
    for _ in range(3):
        assert vault.read_kv1("kv1", "login/a").reveal() == {"key": "value"}
    vault.revoke_token()
    vault.read_kv1("kv1", "login/a")
    assert len(asked) == 2


def test_jwt_for_another_audience(admin: Admin, connect: Connect) -> None:
    issuer = Issuer()
    enabled(admin, "jwt-2", "jwt")
    admin.do("POST", "auth/jwt-2/config", {"jwt_validation_pubkeys": [issuer.public_key]})
    role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"]}
    admin.do("POST", "auth/jwt-2/role/ci", role)
    login = JwtLogin("ci", lambda: issuer.sign(sub="repo", aud=["another"]), mount="jwt-2")
    with refused(Reason.AUTH_FAILED, 400):
        connect(admin.address, login).check_login()


def reviewer(account: str) -> Callable[[Asked], Reply]:
    """Return a Kubernetes API server that knows how to review tokens, of one account only."""

    def review(asked: Asked) -> Reply:
        user = {"username": f"system:serviceaccount:shop:{account}", "uid": "1-2-3"}
        status = {"authenticated": True, "user": user, "audiences": ["vault"]}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}
        return Reply(201, body)

    return review


@pytest.mark.parametrize("account", ["web", "another"])
def test_kubernetes(admin: Admin, authority: Authority, connect: Connect, account: str) -> None:
    issuer = Issuer()
    enabled(admin, "kubernetes", "kubernetes")
    claims = {
        "sub": "system:serviceaccount:shop:web",
        "kubernetes.io": {
            "namespace": "shop",
            "serviceaccount": {"name": "web", "uid": "1-2-3"},
        },
    }
    with stub(reviewer("web")) as api:
        config = {"kubernetes_host": api.address, "kubernetes_ca_cert": authority.pem.decode()}
        admin.do("POST", "auth/kubernetes/config", config | {"token_reviewer_jwt": "reviewer"})
        role = {"bound_service_account_names": [account], "audience": "vault"}
        role |= {"bound_service_account_namespaces": ["shop"], "token_policies": ["login"]}
        admin.do("POST", "auth/kubernetes/role/web", role)
        vault = connect(admin.address, KubernetesLogin("web", lambda: issuer.sign(**claims)))
        if account == "web":
            assert vault.read_kv1("kv1", "login/a").reveal() == {"key": "value"}
        else:
            with refused(Reason.AUTH_FAILED, 403):
                vault.check_login()


def directory(asked: Asked) -> Reply:
    """Answer as a server with the ldap method does; the real one no longer has it."""
    if asked.path == "/v1/auth/ldap/login/CORP%5Cann" and asked.body == {"password": "pass-word"}:
        return Reply(
            200, {"auth": {"client_token": "s.1", "lease_duration": 60, "renewable": True}}
        )
    return Reply(400, {"errors": ["ldap operation failed: failed to bind as user"]})


def test_ldap(connect: Connect) -> None:
    with stub(directory) as server:
        vault = connect(server.address, ldap_login("CORP\\ann", Sensitive(b"pass-word")))
        assert vault._session.current().value == Sensitive(b"s.1")
        with refused(Reason.AUTH_FAILED, 400):
            connect(server.address, ldap_login("ann", Sensitive(b"pass-word"))).check_login()


@pytest.mark.parametrize("mount", ["nowhere", "team/nowhere"])
def test_a_method_that_is_not_enabled(admin: Admin, connect: Connect, mount: str) -> None:
    with refused(Reason.AUTH_FAILED):
        connect(admin.address, AppRoleLogin("id", Sensitive(b"pass-word"), mount)).check_login()


def test_a_method_may_be_mounted_deeper(admin: Admin, connect: Connect) -> None:
    enabled(admin, "teams/shop", "userpass")
    body = {"password": "pass-word", "token_policies": ["login"]}
    admin.do("POST", "auth/teams/shop/users/ann", body)
    login = userpass_login("ann", Sensitive(b"pass-word"), mount="teams/shop")
    assert connect(admin.address, login).check_login()["ttl"]


LOGINS = [
    AppRoleLogin("id", Sensitive(b"s"), "../x"),
    userpass_login("..", Sensitive(b"s")),
    CertLogin(mount="a/%2e%2e"),
    KubernetesLogin("web", lambda: Sensitive(b"s"), "a//b"),
]


@pytest.mark.parametrize("login", LOGINS, ids=["approle", "userpass", "cert", "kubernetes"])
def test_a_login_reaches_no_other_path(connect: Connect, login: Login) -> None:
    with stub(lambda _: Reply(200)) as server:
        with refused(Reason.INVALID_REFERENCE, 0):
            connect(server.address, login).check_login()
        assert server.asked == []


def test_a_second_factor_is_not_taken_for_a_token(connect: Connect) -> None:
    wanted = {"auth": {"client_token": "", "mfa_requirement": {"mfa_request_id": "1"}}}
    with stub(lambda _: Reply(200, wanted)) as server:
        login = userpass_login("ann", Sensitive(b"pass-word"))
        with refused(Reason.AUTH_FAILED, 200):
            connect(server.address, login).check_login()
