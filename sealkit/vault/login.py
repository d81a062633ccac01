"""How to log in: one value for each auth method, which knows its request. Secrets in `Sensitive`.

The mount of a method is where it is enabled below `auth/`, without that prefix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sealkit.sensitive import Sensitive
from sealkit.vault.paths import quoted, quoted_segment

if TYPE_CHECKING:
    import hvac  # type: ignore[import-untyped]  # has no annotations
    import requests

Jwt = Callable[[], Sensitive]  # asked anew for each login; what it raises passes through


class Login(Protocol):
    """An auth method with its credentials."""

    def send(self, client: hvac.Client) -> requests.Response:
        """Make the request that answers with a token. `client` has none."""


@dataclass(frozen=True, slots=True)
class TokenLogin:
    """A token that was made elsewhere. It must be allowed to look itself up, as by default."""

    token: Sensitive

    def send(self, client: hvac.Client) -> requests.Response:
        """Look the token up: its life is not known otherwise."""
        client.token = self.token.reveal().decode()
        response: requests.Response = client.auth.token.lookup_self()
        return response


@dataclass(frozen=True, slots=True)
class KubernetesLogin:
    """A token of a Kubernetes service account, which Vault reviews."""

    role: str
    jwt: Jwt
    mount: str = "kubernetes"

    def send(self, client: hvac.Client) -> requests.Response:
        """See `Login`."""
        return _posted(client, self.mount, {"role": self.role, "jwt": _text(self.jwt())})


@dataclass(frozen=True, slots=True)
class JwtLogin:
    """A signed token of any issuer that the mount trusts."""

    role: str
    jwt: Jwt
    mount: str = "jwt"

    def send(self, client: hvac.Client) -> requests.Response:
        """See `Login`."""
        return _posted(client, self.mount, {"role": self.role, "jwt": _text(self.jwt())})


@dataclass(frozen=True, slots=True)
class AppRoleLogin:
    """A role id and, unless the role asks for none, a secret id."""

    role_id: str
    secret_id: Sensitive | None
    mount: str = "approle"

    def send(self, client: hvac.Client) -> requests.Response:
        """See `Login`."""
        secret = {"secret_id": _text(self.secret_id)} if self.secret_id else {}
        return _posted(client, self.mount, {"role_id": self.role_id, **secret})


@dataclass(frozen=True, slots=True)
class CertLogin:
    """The client certificate of the connection. An empty role lets Vault find one that fits."""

    role: str = ""
    mount: str = "cert"

    def send(self, client: hvac.Client) -> requests.Response:
        """See `Login`."""
        return _posted(client, self.mount, {"name": self.role} if self.role else {})


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """A user's name and password: the methods userpass and ldap, which differ by mount only."""

    username: str
    password: Sensitive
    mount: str

    def send(self, client: hvac.Client) -> requests.Response:
        """See `Login`."""
        body = {"password": _text(self.password)}
        return _posted(client, self.mount, body, f"/{quoted_segment(self.username)}")


def userpass_login(username: str, password: Sensitive, mount: str = "userpass") -> PasswordLogin:
    """Return the login of a user that Vault itself keeps."""
    return PasswordLogin(username, password, mount)


def ldap_login(username: str, password: Sensitive, mount: str = "ldap") -> PasswordLogin:
    """Return the login of a user of a directory."""
    return PasswordLogin(username, password, mount)


def _posted(
    client: hvac.Client, mount: str, body: dict[str, str], user: str = ""
) -> requests.Response:
    """Log in by hvac's adapter: its methods for cert and userpass do not quote what they get."""
    path = f"/v1/auth/{quoted(mount)}/login{user}"
    response: requests.Response = client.adapter.post(path, json=body)
    return response


def _text(secret: Sensitive) -> str:
    return secret.reveal().decode()
