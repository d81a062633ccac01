"""VaultStore and ClusterVaultStore: where a Vault is, and as whom it is asked. Pure.

A store names credentials, it holds none. Those of a VaultStore are in its own namespace. Those of
a ClusterVaultStore are in its `credentialsNamespace`; without one each namespace that uses it has
its own, and the store shares configuration only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sealkit import fields
from sealkit.errors import ManifestError, ReferenceSyntaxError
from sealkit.manifests.allow import Rule, parse_rules
from sealkit.manifests.duration import duration, seconds
from sealkit.manifests.vault import (
    DEFAULT_INTERVAL_SECONDS,
    MAX_INTERVAL_SECONDS,
    MIN_INTERVAL_SECONDS,
)
from sealkit.references.checks import check_path
from sealkit.references.store import Method, StoreKind

DEFAULT_AUDIENCE: Final = "vault"
_MAX_TEXT: Final = 1024
_MAX_CA: Final = 1 << 16  # characters of PEM


@dataclass(frozen=True)
class KeyRef:
    """One value of a Secret or ConfigMap."""

    name: str
    key: str


@dataclass(frozen=True)
class Account:
    """A service account; a token of it for this audience is asked for each login."""

    name: str
    audience: str


@dataclass(frozen=True)
class KubernetesAuth:
    """Vault reviews a token of a service account."""

    role: str
    account: Account
    mount: str


@dataclass(frozen=True)
class JwtAuth:
    """Vault checks the signature of a token: of a service account, or kept in a Secret."""

    role: str
    source: Account | KeyRef
    mount: str


@dataclass(frozen=True)
class AppRoleAuth:
    """A role id, here or in a Secret, and the secret id, if the role wants one."""

    role_id: str | KeyRef
    secret_id: KeyRef | None
    mount: str


@dataclass(frozen=True)
class TokenAuth:
    """A token kept in a Secret."""

    token: KeyRef


@dataclass(frozen=True)
class CertAuth:
    """The client certificate of the connection."""

    role: str
    mount: str


@dataclass(frozen=True)
class PasswordAuth:
    """A name, and a password kept in a Secret: userpass and ldap."""

    username: str
    password: KeyRef
    mount: str


Auth = KubernetesAuth | JwtAuth | AppRoleAuth | TokenAuth | CertAuth | PasswordAuth


@dataclass(frozen=True)
class Tls:
    """How the server is known, and how to be known there. There is no way to skip verification.

    At most one of `ca_bundle` (PEM), `ca_secret` and `ca_config_map` is given. `client_secret` is
    the name of a Secret of type kubernetes.io/tls.
    """

    ca_bundle: str = ""
    ca_secret: KeyRef | None = None
    ca_config_map: KeyRef | None = None
    client_secret: str = ""
    server_name: str = ""


@dataclass(frozen=True)
class VaultStore:
    """A store of either kind; `namespace` is that of the object, "" for one of the cluster.

    `vault_namespace` is where to read, `auth_namespace` where to log in. The rest of what only a
    ClusterVaultStore has: `credentials_namespace` and the rules of who may read what, none of
    which allow nothing.
    """

    kind: StoreKind
    namespace: str
    name: str
    address: str
    auth: Auth
    vault_namespace: str = ""
    auth_namespace: str = ""
    tls: Tls = Tls()
    refresh_interval: str = ""
    credentials_namespace: str = ""
    allow: tuple[Rule, ...] = ()

    @classmethod
    def from_dict(cls, raw: Mapping[str, object]) -> VaultStore:
        """Parse a store, from a file or from the API server.

        Raises:
            ManifestError: a field is unknown, missing or wrong.
        """
        kind = fields.one_of(StoreKind, raw.get("kind", ""), "kind")
        metadata = fields.mapping(raw.get("metadata", {}), "metadata")
        spec = fields.mapping(raw.get("spec", {}), "spec")
        is_cluster = kind is StoreKind.CLUSTER
        extra = ("credentialsNamespace", "allow") if is_cluster else ()
        fields.only(
            spec, ("address", "namespace", "tls", "auth", "refreshInterval", *extra), "spec"
        )
        auth = fields.mapping(spec.get("auth", {}), "spec.auth")
        vault_namespace = _path(spec.get("namespace", ""), "spec.namespace")
        store = cls(
            kind=kind,
            namespace="" if is_cluster else fields.text(metadata.get("namespace", ""), "metadata"),
            name=fields.object_name(metadata.get("name", "")),
            address=_word(spec, "address", "spec"),
            auth=_auth({name: value for name, value in auth.items() if name != "namespace"}),
            vault_namespace=vault_namespace,
            auth_namespace=_path(auth.get("namespace", vault_namespace), "spec.auth.namespace"),
            tls=_tls(spec.get("tls", {})),
            refresh_interval=_interval(spec.get("refreshInterval", "")),
            credentials_namespace=fields.namespace_or_none(
                spec.get("credentialsNamespace", ""), "spec.credentialsNamespace"
            ),
            allow=parse_rules(spec.get("allow", []), "spec.allow"),
        )
        store.check()
        return store

    def check(self) -> None:
        """Check what concerns several fields at once.

        Raises:
            ManifestError: cert auth without a client certificate; a CA by name in a cluster store
                that leaves credentials to those who use it.
        """
        if isinstance(self.auth, CertAuth) and not self.tls.client_secret:
            what = "needs spec.tls.clientCertSecretRef"
            raise ManifestError(what, field="spec.auth.cert")
        named = self.tls.ca_secret or self.tls.ca_config_map
        if self.kind is StoreKind.CLUSTER and named and not self.credentials_namespace:
            hint = "put the PEM into spec.tls.caBundle"
            what = "names a CA, and there is no spec.credentialsNamespace to look for it"
            raise ManifestError(what, field="spec.tls", hint=hint)

    @property
    def interval_seconds(self) -> int:
        """How long what was read is good."""
        if not self.refresh_interval:
            return DEFAULT_INTERVAL_SECONDS
        return seconds(self.refresh_interval, "", MIN_INTERVAL_SECONDS, MAX_INTERVAL_SECONDS)

    def credentials_in(self, user: str) -> str:
        """Return the namespace of the credentials for a manifest of namespace `user`."""
        return self.namespace or self.credentials_namespace or user

    def allows(self, user: str, path: str, method: Method = Method.GET) -> bool:
        """Tell whether a manifest of namespace `user` may ask for `path`, mount in front.

        What a VaultStore may read is for Vault's policies to say: its identity is of its namespace.
        """
        if self.kind is StoreKind.NAMESPACED:
            return user == self.namespace
        return any(rule.allows(user, path, method) for rule in self.allow)


def _interval(raw: object) -> str:
    if raw == "":
        return ""
    return duration(raw, "spec.refreshInterval", MIN_INTERVAL_SECONDS, MAX_INTERVAL_SECONDS)


def _path(raw: object, path: str) -> str:
    """Read a mount or a namespace of Vault."""
    text = fields.text(raw, path).strip("/")
    if text:
        try:
            check_path(text, path)
        except ReferenceSyntaxError as error:
            raise ManifestError(error.problem, field=path) from None
    return text


def _word(raw: Mapping[str, object], name: str, path: str) -> str:
    """Read a field that must be there and not empty."""
    where = f"{path}.{name}"
    text = fields.text(raw.get(name, ""), where)
    if not text:
        raise ManifestError("is missing", field=where)
    if len(text) > _MAX_TEXT or not text.isprintable():
        raise ManifestError("is too long or holds a control character", field=where)
    return text


def _key_ref(raw: object, path: str, key: str = "") -> KeyRef:
    given = fields.mapping(raw, path)
    fields.only(given, ("name", "key"), path)
    name = fields.object_name(given.get("name", ""), f"{path}.name")
    return KeyRef(name, _word({"key": key, **given}, "key", path))


def _tls(raw: object) -> Tls:
    path = "spec.tls"
    given = fields.mapping(raw, path)
    sources = ("caBundle", "caSecretRef", "caConfigMapRef")
    fields.only(given, (*sources, "clientCertSecretRef", "serverName"), path)
    if sum(name in given for name in sources) > 1:
        raise ManifestError(f"has more than one of {', '.join(sources)}", field=path)
    bundle = fields.text(given.get("caBundle", ""), f"{path}.caBundle")
    if len(bundle) > _MAX_CA:
        raise ManifestError(f"is longer than {_MAX_CA} characters", field=f"{path}.caBundle")

    def ref(name: str) -> KeyRef | None:
        return _key_ref(given[name], f"{path}.{name}", "ca.crt") if name in given else None

    client = fields.mapping(given.get("clientCertSecretRef", {}), f"{path}.clientCertSecretRef")
    fields.only(client, ("name",), f"{path}.clientCertSecretRef")
    client_name = f"{path}.clientCertSecretRef.name"
    return Tls(
        ca_bundle=bundle,
        ca_secret=ref("caSecretRef"),
        ca_config_map=ref("caConfigMapRef"),
        client_secret=fields.object_name(client.get("name", ""), client_name) if client else "",
        server_name=fields.text(given.get("serverName", ""), f"{path}.serverName"),
    )


def _auth(given: Mapping[str, object]) -> Auth:
    known = ", ".join(_METHODS)
    if len(given) != 1:
        raise ManifestError(f"needs exactly one of {known}", field="spec.auth")
    ((method, raw),) = given.items()
    if method not in _METHODS:
        raise ManifestError(f"is not one of {known}", field=f"spec.auth.{method}")
    path = f"spec.auth.{method}"
    return _METHODS[method](fields.mapping(raw, path), path)


def _mount(given: Mapping[str, object], path: str, default: str) -> str:
    return _path(given.get("mount", default), f"{path}.mount") or default


def _account(given: Mapping[str, object], path: str) -> Account:
    name = fields.object_name(given.get("serviceAccountName", ""), f"{path}.serviceAccountName")
    return Account(name, _word({"audience": DEFAULT_AUDIENCE, **given}, "audience", path))


def _kubernetes(given: Mapping[str, object], path: str) -> KubernetesAuth:
    fields.only(given, ("role", "mount", "serviceAccountName", "audience"), path)
    mount = _mount(given, path, "kubernetes")
    return KubernetesAuth(_word(given, "role", path), _account(given, path), mount)


def _jwt(given: Mapping[str, object], path: str) -> JwtAuth:
    fields.only(given, ("role", "mount", "serviceAccountName", "audience", "secretRef"), path)
    if ("secretRef" in given) == ("serviceAccountName" in given):
        raise ManifestError("needs one of serviceAccountName and secretRef", field=path)
    source = (
        _key_ref(given["secretRef"], f"{path}.secretRef", "token")
        if "secretRef" in given
        else _account(given, path)
    )
    return JwtAuth(_word(given, "role", path), source, _mount(given, path, "jwt"))


def _app_role(given: Mapping[str, object], path: str) -> AppRoleAuth:
    fields.only(given, ("roleId", "roleIdSecretRef", "secretIdSecretRef", "mount"), path)
    if ("roleId" in given) == ("roleIdSecretRef" in given):
        raise ManifestError("needs one of roleId and roleIdSecretRef", field=path)

    def ref(name: str, key: str) -> KeyRef | None:
        return _key_ref(given[name], f"{path}.{name}", key) if name in given else None

    role_id = ref("roleIdSecretRef", "role-id") or _word(given, "roleId", path)
    secret_id = ref("secretIdSecretRef", "secret-id")
    return AppRoleAuth(role_id, secret_id, _mount(given, path, "approle"))


def _token(given: Mapping[str, object], path: str) -> TokenAuth:
    fields.only(given, ("secretRef",), path)
    return TokenAuth(_key_ref(given.get("secretRef", {}), f"{path}.secretRef", "token"))


def _cert(given: Mapping[str, object], path: str) -> CertAuth:
    fields.only(given, ("role", "mount"), path)
    role = _word(given, "role", path) if "role" in given else ""
    return CertAuth(role, _mount(given, path, "cert"))


def _password(default_mount: str) -> Callable[[Mapping[str, object], str], Auth]:
    def read(given: Mapping[str, object], path: str) -> PasswordAuth:
        fields.only(given, ("username", "passwordSecretRef", "mount"), path)
        password = _key_ref(
            given.get("passwordSecretRef", {}), f"{path}.passwordSecretRef", "password"
        )
        mount = _mount(given, path, default_mount)
        return PasswordAuth(_word(given, "username", path), password, mount)

    return read


_METHODS: Final[Mapping[str, Callable[[Mapping[str, object], str], Auth]]] = {
    "kubernetes": _kubernetes,
    "jwt": _jwt,
    "appRole": _app_role,
    "token": _token,
    "cert": _cert,
    "userpass": _password("userpass"),
    "ldap": _password("ldap"),
}
