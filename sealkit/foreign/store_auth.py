"""How a SecretStore logs in: one of seven methods, as our stores have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sealkit.foreign.source import Source
from sealkit.foreign.store import Draft, Fields, audience
from sealkit.manifests.stores import DEFAULT_AUDIENCE

_NO_ACCOUNT: Final = (
    "names no service account, and the controller never lends its own token, so the store stays "
    "as it is"
)


def take_auth(auth: Source, draft: Draft) -> Fields | None:
    """Take `auth`; None with a note if sealkit cannot log in so.

    Raises:
        ManifestError: a field is missing or wrong.
    """
    namespace = auth.text("namespace")
    methods = [name for name in auth.names if name in {*_METHODS, *_OTHERS}]
    if len(methods) != 1 or methods[0] not in _METHODS:
        todo = f"is not exactly one of {', '.join(_METHODS)}, so the store stays as it is"
        auth.note("", ", ".join(auth.names) or "none", todo)
        return None
    method, take = methods[0], _METHODS[methods[0]]
    made = take(auth.inner(method), draft)
    if made is None:
        return None
    ours = _NAMES.get(method, method)
    return {**({"namespace": namespace} if namespace else {}), ours: made}


def _account(ref: Source, more: tuple[str, ...], draft: Draft) -> Fields:
    name = ref.required("name")
    draft.found_in(ref)
    return {"serviceAccountName": name, **audience(ref, ref.texts("audiences") + more)}


def _key_ref(ref: Source, draft: Draft, default: str = "") -> Fields:
    name = ref.required("name")
    key = ref.text("key", default) or ref.required("key")
    draft.found_in(ref)
    return {"name": name, "key": key}


def take_client_certificate(source: Source, certificate: str, key: str, draft: Draft) -> None:
    """Take the two halves of a client certificate, which are in one Secret here.

    Raises:
        ManifestError: one of them names no Secret.
    """
    halves = (
        _key_ref(source.inner(certificate), draft, "tls.crt"),
        _key_ref(source.inner(key), draft, "tls.key"),
    )
    wanted = tuple({"name": halves[0]["name"], "key": one} for one in ("tls.crt", "tls.key"))
    if halves != wanted:
        todo = "are tls.crt and tls.key of one Secret here: make one of type kubernetes.io/tls"
        source.note("", f"{certificate}, {key}", todo)
    draft.set_client_certificate(str(halves[0]["name"]), source.at(certificate))


def _kubernetes(given: Source, draft: Draft) -> Fields | None:
    if "serviceAccountRef" not in given:
        given.note("", "", _NO_ACCOUNT)
        return None
    if "secretRef" in given:
        given.drop("secretRef", "the service account comes first")
    account = _account(given.inner("serviceAccountRef"), (), draft)
    return {
        "role": given.required("role"),
        "mount": given.text("mountPath", "kubernetes"),
        **account,
    }


def _jwt(given: Source, draft: Draft) -> Fields | None:
    role: Fields = {"role": given.text("role"), "mount": given.text("path", "jwt")}
    if not role["role"]:
        given.note("role", "none", "is needed here, so the store stays as it is")
        return None
    if "secretRef" in given:
        if "kubernetesServiceAccountToken" in given:
            given.drop("kubernetesServiceAccountToken", "the Secret comes first")
        return {**role, "secretRef": _key_ref(given.inner("secretRef"), draft)}
    token = given.inner("kubernetesServiceAccountToken")
    if "serviceAccountRef" not in token:
        given.note("", "", _NO_ACCOUNT)
        return None
    more = token.texts("audiences")
    ref = token.inner("serviceAccountRef")
    more = more if more or "audiences" in ref else (DEFAULT_AUDIENCE,)
    return {**role, **_account(ref, more, draft)}


def _app_role(given: Source, draft: Draft) -> Fields:
    if "roleId" in given:
        role: Fields = {"roleId": given.required("roleId")}
        if "roleRef" in given:
            given.drop("roleRef", "roleId comes first")
    else:
        role = {"roleIdSecretRef": _key_ref(given.inner("roleRef"), draft)}
    secret = _key_ref(given.inner("secretRef"), draft)
    return {**role, "secretIdSecretRef": secret, "mount": given.text("path", "approle")}


def _token(given: Source, draft: Draft) -> Fields:
    return {"secretRef": _key_ref(given, draft)}


def _cert(given: Source, draft: Draft) -> Fields:
    take_client_certificate(given, "clientCert", "secretRef", draft)
    role = given.text("vaultRole")
    return {"mount": given.text("path", "cert"), **({"role": role} if role else {})}


def _password(given: Source, draft: Draft) -> Fields:
    return {
        "username": given.required("username"),
        "passwordSecretRef": _key_ref(given.inner("secretRef"), draft),
        **({"mount": mount} if (mount := given.text("path")) else {}),
    }


_METHODS: Final[Mapping[str, Callable[[Source, Draft], Fields | None]]] = {
    "kubernetes": _kubernetes,
    "jwt": _jwt,
    "appRole": _app_role,
    "tokenSecretRef": _token,
    "cert": _cert,
    "userPass": _password,
    "ldap": _password,
}
_OTHERS: Final = ("iam", "gcp")
_NAMES: Final = {"tokenSecretRef": "token", "userPass": "userpass"}
