"""What a store needs to log in, fetched from the cluster. Never our own service account's token."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from sealkit.errors import VaultError
from sealkit.manifests.stores import (
    Account,
    AppRoleAuth,
    CertAuth,
    JwtAuth,
    KeyRef,
    KubernetesAuth,
    PasswordAuth,
    TokenAuth,
    VaultStore,
)
from sealkit.sensitive import Sensitive
from sealkit_controller.cluster import ApiError, Cluster, Target
from sealkit_controller.objects import CONFIG_MAPS, SECRETS, Resource, child, text

if TYPE_CHECKING:
    from sealkit.vault import Identity, Login, Server, Tls

TOKEN_SECONDS: Final = 600  # the least that Kubernetes gives; each is used once, at once
_AUTH_FAILED: Final = "AuthFailed"
_NOT_FOUND: Final = 404
_FORBIDDEN: Final = 403


@dataclass(frozen=True, slots=True)
class Credentials:
    """A server and who to be there; `digest` is equal for equal ones, and stays in this process."""

    server: Server
    identity: Identity
    digest: bytes


class Fetcher:
    """Fetches for one store from one namespace, and notes what it saw."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._seen = hashlib.sha256()

    def fetch(self, store: VaultStore) -> Credentials:
        """Return what `store` needs.

        Raises:
            VaultError: AuthFailed if something is not there; InvalidReference if it is of no use.
            ApiError: the API server cannot be asked.
        """
        from sealkit.vault import Identity, Server  # noqa: PLC0415  # a third of a second

        server = Server(store.address, store.vault_namespace, self._tls(store))
        identity = Identity(self._login(store), store.auth_namespace)
        return Credentials(server, identity, self._seen.digest())

    def _tls(self, store: VaultStore) -> Tls:
        from sealkit.vault import Tls  # noqa: PLC0415  # same

        wanted = store.tls
        ca = wanted.ca_bundle.encode()
        if wanted.ca_secret:
            ca = self._secret(wanted.ca_secret).reveal()
        elif wanted.ca_config_map:
            ca = self._config_map(wanted.ca_config_map)
        certificate, key = b"", None
        if wanted.client_secret:
            certificate = self._secret(KeyRef(wanted.client_secret, "tls.crt")).reveal()
            key = self._secret(KeyRef(wanted.client_secret, "tls.key"))
        return Tls(ca, certificate, key, wanted.server_name)

    def _login(self, store: VaultStore) -> Login:  # noqa: PLR0911  (one for each method)
        from sealkit import vault  # noqa: PLC0415  # same

        auth = store.auth
        match auth:
            case KubernetesAuth():
                return vault.KubernetesLogin(auth.role, self._token_of(auth.account), auth.mount)
            case JwtAuth():
                return vault.JwtLogin(auth.role, self._jwt(auth.source), auth.mount)
            case AppRoleAuth():
                secret_id = self._secret(auth.secret_id) if auth.secret_id else None
                return vault.AppRoleLogin(self._role_id(auth.role_id), secret_id, auth.mount)
            case TokenAuth():
                return vault.TokenLogin(self._secret(auth.token))
            case CertAuth():
                return vault.CertLogin(auth.role, auth.mount)
            case PasswordAuth():
                password = self._secret(auth.password)
                return vault.PasswordLogin(auth.username, password, auth.mount)
            case _:
                assert_never(auth)

    def _jwt(self, source: Account | KeyRef) -> Callable[[], Sensitive]:
        if isinstance(source, Account):
            return self._token_of(source)
        token = self._secret(source)
        return lambda: token

    def _role_id(self, source: str | KeyRef) -> str:
        if isinstance(source, str):
            return source
        try:
            return self._secret(source).reveal().decode().strip()
        except UnicodeDecodeError:
            raise _failed(f"Secret {self._namespace}/{source.name} holds no text") from None

    def _token_of(self, account: Account) -> Callable[[], Sensitive]:
        cluster, namespace = self._cluster, self._namespace
        self._saw(account.name.encode(), account.audience.encode())
        return lambda: request_token(cluster, namespace, account)

    def _secret(self, ref: KeyRef) -> Sensitive:
        found = self._read(SECRETS, ref)
        try:
            raw = base64.b64decode(text(child(found, "data"), ref.key), validate=True)
        except ValueError:
            raw = b""
        return Sensitive(self._checked(raw, "Secret", ref))

    def _config_map(self, ref: KeyRef) -> bytes:
        raw = text(child(self._read(CONFIG_MAPS, ref), "data"), ref.key).encode()
        return self._checked(raw, "ConfigMap", ref)

    def _read(self, resource: Resource, ref: KeyRef) -> Mapping[str, object]:
        try:
            return self._cluster.get(Target(resource, self._namespace, ref.name))
        except ApiError as error:
            if error.status not in {_NOT_FOUND, _FORBIDDEN}:
                raise
            word = "is not there" if error.status == _NOT_FOUND else "may not be read"
            place = f"{resource.kind} {self._namespace}/{ref.name}"
            raise _failed(f"{place} with credentials {word}") from None

    def _checked(self, raw: bytes, kind: str, ref: KeyRef) -> bytes:
        if not raw:
            raise _failed(f"{kind} {self._namespace}/{ref.name} has nothing under {ref.key}")
        self._saw(raw)
        return raw

    def _saw(self, *parts: bytes) -> None:
        for part in parts:
            self._seen.update(len(part).to_bytes(8, "big") + part)


def request_token(cluster: Cluster, namespace: str, account: Account) -> Sensitive:
    """Return a new token of a service account, for its audience only. Source: TokenRequest API.

    Raises:
        VaultError: AuthFailed if there is no such account, or the API server itself would take
            the token, so that whoever received it could act as the account.
        ApiError: the API server cannot be asked.
    """
    place = f"ServiceAccount {namespace}/{account.name}"
    try:
        raw = cluster.request_token(namespace, account.name, account.audience, TOKEN_SECONDS)
    except ApiError as error:
        if error.status not in {_NOT_FOUND, _FORBIDDEN}:
            raise
        word = "is not there" if error.status == _NOT_FOUND else "is one we get no token of"
        raise _failed(f"{place} {word}") from None
    token = text(child(raw, "status"), "token")
    claims = _claims(token)
    # Those of the API server are what it fills in where none is asked for.
    default = cluster.request_token(namespace, account.name, "", TOKEN_SECONDS)
    taken = child(default, "spec").get("audiences")
    of_server = {claims.get("iss"), *(taken if isinstance(taken, list) else ())}
    if claims.get("aud") != [account.audience] or account.audience in of_server:
        raise _failed(f"the token of {place} would be good for others than its audience")
    return Sensitive(token.encode())


def _claims(token: str) -> Mapping[str, object]:
    """Read what a token says of itself. It came from the API server, so no signature is checked."""
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    with suppress(ValueError):
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if isinstance(claims, dict):
            return claims
    return {}


def _failed(problem: str) -> VaultError:
    return VaultError(problem, _AUTH_FAILED)
