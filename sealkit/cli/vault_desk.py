"""Vault as it is asked from a desk: with the user's own token, where environment and stores say.

A token goes only to an address that its owner named: in the environment, or in a file given for
that. The address of a store that merely lies beside a manifest is anybody's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from sealkit.cli.app import App
from sealkit.cli.resources import Found
from sealkit.errors import UsageError, VaultError
from sealkit.files import read_bytes
from sealkit.manifests.sealed import API_VERSION
from sealkit.manifests.stores import VaultStore
from sealkit.references.reference import Method, Store, StoreKind
from sealkit.sensitive import Sensitive

if TYPE_CHECKING:
    from sealkit.vault import Vault

STORES: Final = frozenset((API_VERSION, kind.value) for kind in StoreKind)

_NO_ADDRESS_HINT: Final = "set VAULT_ADDR, or pass --store-file with the store"


class Own(NamedTuple):
    """What is the user's: a token with its Vault namespace, an address ("": none) and its CA."""

    token: Sensitive
    address: str
    namespace: str
    ca: bytes


class Place(NamedTuple):
    """A server, the namespace to read in, and how to know the server."""

    address: str
    namespace: str = ""
    ca: bytes = b""
    server_name: str = ""


def own_access(app: App) -> Own:
    """Read what Vault's own command line reads: VAULT_ADDR and so on, or BAO_ADDR, ~/.vault-token.

    Raises:
        UsageError: there is no token.
        SealkitError: the file of the CA cannot be read.
    """
    ca = _setting(app, "CACERT")
    return Own(
        token=_token(app),
        address=_setting(app, "ADDR"),
        namespace=_setting(app, "NAMESPACE").strip("/"),
        ca=read_bytes(app.path(ca)) if ca else b"",
    )


def _setting(app: App, name: str) -> str:
    named = (app.environment.get(f"{prefix}_{name}", "") for prefix in ("BAO", "VAULT"))
    return next((value for value in named if value), "")


def _token(app: App) -> Sensitive:
    token = _setting(app, "TOKEN").encode(errors="surrogateescape")
    home = app.environment.get("HOME", "")
    kept = os.path.join(home, ".vault-token")
    if not token and home and os.path.exists(kept):
        token = read_bytes(kept)
    if not token.strip():
        raise UsageError("there is no token for Vault", hint="vault login, or set VAULT_TOKEN")
    return Sensitive(token.strip())


@dataclass(frozen=True)
class Connections:
    """The clients of one command, one for each place."""

    token: Sensitive
    login_namespace: str
    clients: dict[Place, Vault] = field(default_factory=dict)

    def client(self, place: Place) -> Vault:
        """Return the client for a place, as the user.

        Raises:
            VaultError: InvalidReference, if the address or the CA cannot be; AuthFailed.
        """
        from sealkit.vault import Identity, Server, Tls, TokenLogin, Vault  # noqa: PLC0415  # slow

        if place not in self.clients:
            is_https = place.address.startswith("https:")
            tls = Tls(ca=place.ca, server_name=place.server_name) if is_https else Tls()
            server = Server(place.address, place.namespace, tls)
            identity = Identity(TokenLogin(self.token), self.login_namespace)
            self.clients[place] = Vault(server, identity)
            _check_token(self.clients[place])
        return self.clients[place]


def _check_token(client: Vault) -> None:
    """Try the token once, so that a bad one is told in words that fit a desk."""
    try:
        client.check_login()
    except VaultError as error:
        if error.reason == "AuthFailed":
            error.hint = "is the token still good there? vault login, or set VAULT_TOKEN"
        raise


@contextmanager
def connecting(own: Own) -> Iterator[Connections]:
    """Connect as the user for as long as a block lasts; the token lives on."""
    connections = Connections(own.token, own.namespace)
    try:
        yield connections
    finally:
        for client in connections.clients.values():
            client.close()


def own_place(own: Own) -> Place:
    """Return the place that the environment names.

    Raises:
        UsageError: it names none.
    """
    if not own.address:
        raise UsageError("it is not known where Vault is", hint="set VAULT_ADDR")
    return Place(own.address, own.namespace, own.ca)


class KnownStore(NamedTuple):
    """A store from a file; `named` tells whether the file was given for its stores."""

    store: VaultStore
    named: bool


@dataclass(frozen=True)
class Stores:
    """The stores that files hold, by kind, namespace and name."""

    own: Own
    known: Mapping[tuple[StoreKind, str, str], KnownStore]

    def find(self, user: str, store: Store) -> VaultStore | None:
        """Return the store that a manifest in the namespace `user` means, None if no file has it.

        A VaultStore that says no namespace is one of every namespace, as before it is applied.
        """
        found = self._find(user, store)
        return found.store if found else None

    def _find(self, user: str, store: Store) -> KnownStore | None:
        exact = "" if store.kind is StoreKind.CLUSTER else user
        known = (self.known.get((store.kind, place, store.name)) for place in (exact, ""))
        return next((one for one in known if one), None)

    def place(self, user: str, store: Store) -> Place:
        """Return where references to a store are looked up.

        Raises:
            UsageError: neither a file nor the environment says.
        """
        known = self._find(user, store)
        if not self.own.address and not (known and known.named):
            what = f"{store.kind} {store.name}: it is not known where this store is"
            raise UsageError(what, hint=_NO_ADDRESS_HINT)
        if known is None:
            return own_place(self.own)
        found = known.store
        bundle = found.tls.ca_bundle.encode() or self.own.ca
        if known.named or self.own.address == found.address:
            return Place(found.address, found.vault_namespace, bundle, found.tls.server_name)
        return Place(self.own.address, found.vault_namespace, self.own.ca)


def stores_of(own: Own, entries: list[Found], named: list[Found]) -> Stores:
    """Return the stores among the objects of the input, and of a file given for its stores.

    Raises:
        ManifestError: one of them is wrong.
    """
    known = {}
    for found, is_named in ((entries, False), (named, True)):
        for entry in found:
            if entry.type in STORES:
                with entry.located():
                    store = VaultStore.from_dict(entry.raw)
                known[store.kind, store.namespace, store.name] = KnownStore(store, is_named)
    return Stores(own, known)


@dataclass(frozen=True)
class DeskAccess:
    """What the references of a manifest in the namespace `user` may reach; see `resolve.Access`."""

    stores: Stores
    connections: Connections
    user: str

    def vault(self, store: Store | None, namespace: str) -> Vault:
        """See `Access.vault`."""
        place = self.stores.place(self.user, _given(store))
        client = self.connections.client(place)
        return client.in_namespace(namespace) if namespace else client

    def check(self, store: Store | None, namespace: str, method: Method, path: str) -> None:
        """See `Access.check`: what the controller would refuse is refused here, too."""
        found = self.stores.find(self.user, _given(store))
        if found is None or found.kind is not StoreKind.CLUSTER:
            return
        name = f"{found.kind} {found.name}"
        if namespace not in {"", found.vault_namespace}:
            raise _not_allowed(f"{name} reads in its own Vault namespace only")
        if not self.user:
            hint = "pass --namespace"
            raise _not_allowed(f"{name} allows paths to namespaces, and none is known", hint)
        if not found.allows(self.user, path, method):
            raise _not_allowed(f"{name} does not allow {method} {path} to {self.user}")


def _given(store: Store | None) -> Store:
    assert store is not None  # noqa: S101  (every reference was given its store)
    return store


def _not_allowed(what: str, hint: str = "") -> VaultError:
    from sealkit.vault import Reason  # noqa: PLC0415  # slow

    return VaultError(what, Reason.PATH_NOT_ALLOWED, hint=hint)
