"""Reading from one Vault server as one identity: KV, any engine, leases."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from sealkit.vault.answer import (
    Answer,
    Lease,
    Mount,
    parse_answer,
    parse_mount,
    parse_renewal,
    parse_version,
)
from sealkit.vault.breaker import Breaker
from sealkit.vault.login import Login
from sealkit.vault.mounts import Mounts
from sealkit.vault.paths import quoted
from sealkit.vault.server import Limits, Server
from sealkit.vault.session import Session
from sealkit.vault.wire import JsonObject, Observe, Reply, Request, Wire, part, unobserved

if TYPE_CHECKING:
    import hvac  # type: ignore[import-untyped]  # has no annotations
    import requests

_DEFAULT_LIMITS: Final = Limits()

Call = Callable[["hvac.Client"], "requests.Response"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who to be. `namespace` is where the auth method is, None for the namespace to read in."""

    login: Login
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to any engine: `path` as `vault read` takes it, unquoted, with its mount.

    `parameters` go into the query. GET and LIST send no body; one that is text is JSON already.
    """

    path: str
    method: Literal["GET", "LIST", "POST", "PUT"] = "GET"
    body: Mapping[str, object] | str | None = field(default=None, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)


class Vault:
    """One identity at one server, for any number of threads.

    Make one for each identity and keep it: it holds the token. `breaker` is shared by all that ask
    the same server. `monotonic` gives seconds, `observe` hears of each request. Each method raises
    VaultError, as `Wire.ask`, `Reply.json` and `Session.current` do: nothing is retried, except
    once after a new login when the token was refused.
    """

    def __init__(  # noqa: PLR0913  (the parts of the world, each replaceable by itself)
        self,
        server: Server,
        identity: Identity,
        *,
        limits: Limits = _DEFAULT_LIMITS,
        breaker: Breaker | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        observe: Observe = unobserved,
    ) -> None:
        self._namespace = server.namespace
        self._now = monotonic
        self._wire = Wire(server, limits, breaker or Breaker(), monotonic, observe)
        login_in = server.namespace if identity.namespace is None else identity.namespace
        self._session = Session(self._wire, identity.login, login_in, monotonic)
        self._mounts = Mounts(monotonic)

    def in_namespace(self, namespace: str) -> Vault:
        """Return the same identity, with the same token, asking in another namespace of Vault.

        It is closed with this one.

        Raises:
            VaultError: InvalidReference, if it is no canonical path; "" is the root.
        """
        if namespace:
            quoted(namespace)
        other = copy.copy(self)
        other._namespace = namespace  # noqa: SLF001 (it is of this class)
        return other

    def ask(self, ask: Ask) -> Answer:
        """Read or write any path; the data is returned as the engine wraps it.

        Raises:
            VaultError: PathNotFound, PermissionDenied, InvalidReference …
        """
        path = f"/v1/{quoted(ask.path)}"
        sent = _sent(ask)

        def call(client: hvac.Client) -> requests.Response:
            return client.adapter.request(  # type: ignore[no-any-return]  # hvac is untyped
                ask.method, path, params=dict(ask.parameters), **sent
            )

        return parse_answer(self._authorized(f"{ask.method.lower()} {ask.path}", call))

    def read_kv1(self, mount: str, path: str) -> Answer:
        """Read a secret of KV version 1.

        Raises:
            VaultError: PathNotFound …
        """
        return self.ask(Ask(f"{mount}/{path}"))

    def read_kv2(self, mount: str, path: str, version: int | None = None) -> Answer:
        """Read a version of a secret of KV version 2, the latest by default.

        Raises:
            VaultError: PathNotFound (a version that never was, too), VersionDeleted,
                VersionDestroyed …
        """
        quoted(mount), quoted(path)  # hvac quotes them itself, but refuses nothing

        def call(client: hvac.Client) -> requests.Response:
            return client.secrets.kv.v2.read_secret_version(  # type: ignore[no-any-return]  # same
                path, version=version, mount_point=mount, raise_on_deleted_version=True
            )

        which = f" version {version}" if version is not None else ""
        return parse_version(self._authorized(f"read {mount}/{path}{which}", call))

    def mount_of(self, path: str) -> Mount:
        """Return the mount that a path is in, as it was within the last five minutes.

        Raises:
            VaultError: PermissionDenied if there is none, or the identity can read nothing in it.
        """
        known = self._mounts.find(self._namespace, path)
        if known:
            return known
        url = f"/v1/sys/internal/ui/mounts/{quoted(path)}"

        def call(client: hvac.Client) -> requests.Response:
            return client.adapter.get(url)  # type: ignore[no-any-return]  # same

        mount = parse_mount(self._authorized(f"look up the mount of {path}", call))
        if f"{path}/".startswith(f"{mount.path}/"):  # not so for auth methods
            self._mounts.keep(self._namespace, mount)
        return mount

    def renew_lease(self, lease_id: str, increment_seconds: int) -> Lease:
        """Prolong a lease; near its maximum life it gets less than was asked for.

        Raises:
            VaultError: PathNotFound if it has ended …
        """

        def call(client: hvac.Client) -> requests.Response:
            return client.sys.renew_lease(lease_id, increment_seconds)  # type: ignore[no-any-return]  # same

        return parse_renewal(self._authorized("renew a lease", call))

    def revoke_lease(self, lease_id: str) -> None:
        """End a lease. One that has ended already is no error.

        Raises:
            VaultError: PermissionDenied …
        """

        def call(client: hvac.Client) -> requests.Response:
            return client.sys.revoke_lease(lease_id)  # type: ignore[no-any-return]  # same

        self._authorized("revoke a lease", call).json()

    def check_login(self) -> JsonObject:
        """Log in if need be, and return what the server knows of the token, without the token.

        Raises:
            VaultError: AuthFailed …
        """
        data = part(self._session.lookup(self._session.current()).json(), "data")
        return {name: value for name, value in data.items() if name != "id"}

    def log_in(self) -> str:
        """Log in if need be, and return `token_mark`.

        Raises:
            VaultError: as for `ask`.
        """
        return self._session.current().mark

    def token_mark(self) -> str:
        """Return what tells this token from the next one, no secret; "" if unknown or none yet."""
        token = self._session.known
        return token.mark if token else ""

    def token_ends_in_seconds(self) -> float | None:
        """Return how long the token lives unless it is renewed; None: for ever, or none yet."""
        token = self._session.known
        if token is None or token.ends == math.inf:
            return None
        return max(token.ends - self._now(), 0.0)

    def revoke_token(self) -> None:
        """Give the token back; every lease that was got with it ends too.

        A token that was not got by a login is only forgotten.
        """
        self._session.revoke()

    def close(self) -> None:
        """Close the connections, for good. The token lives on: see `revoke_token`."""
        self._wire.close()

    def _authorized(self, doing: str, call: Call) -> Reply:
        """Ask with the token, once more with another one if that was refused for its own sake."""
        token = self._session.current()
        reply = self._wire.ask(Request(doing, call, token.value, self._namespace))
        if reply.status == 403:
            other = self._session.replaced(token)
            if other:
                token = other
                reply = self._wire.ask(Request(doing, call, token.value, self._namespace))
        return replace(reply, token_mark=token.mark)


def _sent(ask: Ask) -> dict[str, Any]:
    """Return what `requests` shall send along."""
    if ask.method in {"GET", "LIST"}:
        return {}
    text = ask.body if isinstance(ask.body, str) else json.dumps(dict(ask.body or {}))
    return {"data": text.encode(), "headers": {"Content-Type": "application/json"}}
