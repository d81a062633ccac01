"""`sealkit vault check`: whether references resolve and their Secrets can be made; no value shows.

Whatever is made for the check alone, such as credentials of a database, is revoked at its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, NamedTuple

from sealkit.assembly import assemble, render_values
from sealkit.cli.app import STDIO, App
from sealkit.cli.making import making
from sealkit.cli.output import counted
from sealkit.cli.resources import SEALED, SECRET, Found, label_of, read_resources
from sealkit.cli.seal import divided_secret
from sealkit.cli.unseal import read_keys
from sealkit.cli.vault_desk import (
    Connections,
    DeskAccess,
    Stores,
    connecting,
    own_access,
    stores_of,
)
from sealkit.cli.vault_report import OK, Checked, CheckedSecret, Tried
from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.errors import ManifestError, TemplateError, UsageError, VaultError
from sealkit.lines import printable
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.secret import check_contents
from sealkit.manifests.template import Template
from sealkit.references.failures import Failed, Outcome
from sealkit.references.reference import Reference, Store
from sealkit.sealing import open_values
from sealkit.sensitive import Sensitive

if TYPE_CHECKING:
    from sealkit.vault import Vault


class CheckRequest(NamedTuple):
    """What to check, with which stores, and with which private keys for what is sealed beside."""

    sources: tuple[str, ...]
    store_file: str
    namespace: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class _Subject:
    """A manifest or plain Secret with references; `known` are its other values, None if sealed."""

    entry: Found
    sealed: SealedSecret
    known: Mapping[str, Sensitive] | None

    def stores(self) -> dict[Store, None]:
        """Return the stores that are meant, each once."""
        return dict.fromkeys(self.sealed.vault.store_of(one) for one in self._every())

    def full(self) -> dict[Reference, Reference]:
        """Return the references, and each with the store that is meant."""
        return {one: replace(one, store=self.sealed.vault.store_of(one)) for one in self._every()}

    def _every(self) -> Iterator[Reference]:
        for template in self.sealed.references.values():
            yield from template.references


def run(request: CheckRequest, app: App) -> Checked:
    """Resolve all references, and revoke what was made for it.

    Raises:
        UsageError: there is no token, or it is not known where to ask; nothing was asked then.
        ManifestError, ReferenceSyntaxError: an object in the files is wrong.
        NoKeyError, UnsealError: sealed values do not open with the keys that were given.
    """
    if (*request.sources, *request.keys, request.store_file).count(STDIO) > 1:
        raise UsageError("standard input can be only one of them: FILE, --store-file or --key")
    entries = [entry for source in request.sources for entry in read_resources(app, source)[1]]
    subjects = _subjects(request, app, entries)
    if not subjects:
        files = ", ".join(label_of(source) for source in request.sources)
        app.say(f"sealkit: note: there is no reference to Vault in {files}")
        return Checked(())
    named = read_resources(app, request.store_file)[1] if request.store_file else []
    stores = stores_of(own_access(app), entries, named)
    _check_places(app, stores, subjects)
    leases = _Leases()
    with connecting(stores.own) as connections, _revoking(app, leases):
        trial = _Trial(app, stores, connections, leases)
        checked = tuple(trial.checked(subject) for subject in subjects)
    return Checked(checked, leases.revoked, tuple(leases.left))


def _subjects(request: CheckRequest, app: App, entries: list[Found]) -> list[_Subject]:
    keys = read_keys(app, request.keys)
    found = (_subject(request, entry, keys) for entry in entries)
    return [subject for subject in found if subject]


def _subject(
    request: CheckRequest, entry: Found, keys: Mapping[Kid, PrivateKey]
) -> _Subject | None:
    with entry.located():
        if entry.type == SEALED:
            return _of_manifest(entry, request.namespace, keys)
        if entry.type == SECRET:
            return _of_secret(entry, request.namespace)
    return None


def _of_manifest(entry: Found, namespace: str, keys: Mapping[Kid, PrivateKey]) -> _Subject | None:
    sealed = SealedSecret.from_dict(entry.raw)
    if not sealed.references:
        return None
    sealed = sealed._replace(namespace=sealed.namespace or namespace)
    if sealed.encrypted_data and not keys:
        return _Subject(entry, sealed, None)
    return _Subject(entry, sealed, open_values(sealed, keys))


def _of_secret(entry: Found, namespace: str) -> _Subject | None:
    divided = divided_secret(entry.raw, "", "")
    secret = divided.secret
    if not divided.references:
        return None
    sealed = SealedSecret(
        name=secret.name,
        namespace=secret.namespace or namespace,
        scope=Scope.STRICT,
        envelopes={},
        encrypted_data={},
        template=Template(type=secret.type),
        references=divided.references,
    )
    return _Subject(entry, sealed, secret.data)


def _check_places(app: App, stores: Stores, subjects: list[_Subject]) -> None:
    """Find out where everything is before anything is asked, and tell where the token goes.

    Raises:
        UsageError: it is not known of some store.
    """
    meant = ((one.sealed.namespace, store) for one in subjects for store in one.stores())
    addresses = (stores.place(user, store).address for user, store in meant)
    for address in dict.fromkeys(addresses):
        if address != stores.own.address:
            app.say(f"sealkit: note: asking {printable(address)}, as the store says")


@dataclass
class _Leases:
    """What was made for the check: the clients and ids of leases; `left` could not be revoked."""

    ids: list[tuple[Vault, str]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def revoked(self) -> int:
        return len(self.ids) - len(self.left)


@contextmanager
def _revoking(app: App, leases: _Leases) -> Iterator[None]:
    """Revoke all leases at the end of a block, however it ends, and tell of those that stay."""
    try:
        yield
    finally:
        for vault, lease_id in leases.ids:
            try:
                vault.revoke_lease(lease_id)
            except VaultError as error:
                left = f"{lease_id}: {error}"
                leases.left.append(left)
                app.say(f"sealkit: note: a lease was not revoked, it will end: {printable(left)}")


@dataclass(frozen=True)
class _Trial:
    """One run: the world, whom to ask, and what was made meanwhile."""

    app: App
    stores: Stores
    connections: Connections
    leases: _Leases

    def checked(self, subject: _Subject) -> CheckedSecret:
        """Resolve the references of one Secret and make it."""
        sealed, entry = subject.sealed, subject.entry
        outcomes = self._outcomes(subject)
        made, detail = self._made(subject, outcomes)
        return CheckedSecret(
            file=entry.resource.document.file,
            document=entry.document,
            namespace=sealed.namespace,
            name=sealed.name,
            references=tuple(
                _tried(sealed, key, one, outcomes[one])
                for key, template in sealed.references.items()
                for one in dict.fromkeys(template.references)
            ),
            made=made,
            detail=detail,
        )

    def _outcomes(self, subject: _Subject) -> dict[Reference, Outcome | None]:
        from sealkit.vault import resolve  # noqa: PLC0415 (a third of a second)

        access = DeskAccess(self.stores, self.connections, subject.sealed.namespace)
        full = subject.full()
        # Of the time of day depends only for how long answers are kept, and here none is.
        now = datetime.combine(self.app.today(), time(), UTC)
        found = resolve(access, list(dict.fromkeys(full.values())), now)
        for held in found.held.values():
            if held.term.lease_id:
                vault = access.vault(held.question.store, held.question.namespace)
                self.leases.ids.append((vault, held.term.lease_id))
        return {one: found.outcomes[full[one]] for one in full}

    def _made(
        self, subject: _Subject, outcomes: Mapping[Reference, Outcome | None]
    ) -> tuple[bool, str]:
        sealed = subject.sealed
        values = render_values(sealed, outcomes)
        if isinstance(values, Failed):
            return False, f"not made: {values.reason} for {values.detail.partition(':')[0]}"
        try:
            if subject.known is None:
                check_contents(sealed.template.type, values)
                sealed_count = counted(len(sealed.encrypted_data), "sealed value")
                return True, f"made in part: {sealed_count} not opened, --key FILE does"
            with making(self.app.random) as salt:
                secret = assemble(sealed, {**subject.known, **values}, salt)
        except (ManifestError, TemplateError) as error:
            return False, f"not made: {error}"
        return True, f"made: type {secret.type}, {counted(len(secret.data), 'key')}"


def _tried(sealed: SealedSecret, key: str, one: Reference, outcome: Outcome | None) -> Tried:
    store = sealed.vault.store_of(one)
    tried = Tried(key, str(one), f"{store.kind} {store.name}", OK)
    if isinstance(outcome, Failed):
        key_in = f"#{one.key}" if one.key else ""
        said_already = f"{one.location}{key_in} in {tried.store}: "
        detail = outcome.detail.removeprefix(said_already)
        return replace(tried, outcome=outcome.reason.value, detail=detail)
    return replace(tried, bytes=len(outcome.reveal())) if outcome else tried
