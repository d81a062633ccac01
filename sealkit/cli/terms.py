"""For whom, how far and with which store Secrets are sealed; shared by the verbs that do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sealkit.cli.app import App
from sealkit.cli.audience import Audience, Choice, audience_for
from sealkit.cli.output import counted
from sealkit.errors import PolicyError, ReferenceSyntaxError, UsageError
from sealkit.manifests.scope import Scope
from sealkit.manifests.vault import VaultTerms
from sealkit.references.store import Store, StoreKind
from sealkit.referring import Divided
from sealkit.sealing import Random, Referred, seal


class Sealed(NamedTuple):
    """One line of the report: what was sealed, and for whom; and what is referred to."""

    file: str
    document: int
    namespace: str
    name: str
    keys: int
    references: int
    scope: str
    clusters: tuple[str, ...]

    def __str__(self) -> str:
        """Return the line for people."""
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        parts = []
        if self.keys or not self.references:
            parts.append(f"{counted(self.keys, 'value')} for {', '.join(self.clusters)}")
        if self.references:
            parts.append(counted(self.references, "reference"))
        return f"sealed {name}: {', '.join(parts)} ({self.scope})"


class Made(NamedTuple):
    """What sealing made of a text: the new text, a line for each Secret, notes for people."""

    text: str
    lines: Sequence[Sealed] = ()
    notes: Sequence[str] = ()
    old: bytes = b""


class Terms(NamedTuple):
    """For whom and how far everything in one source is sealed, and where references lead."""

    audience: Audience
    scope: Scope
    vault: VaultTerms
    random: Random

    def check_keys(self, divided: Divided) -> None:
        """Refuse what needs to be encrypted and cannot be. Raises as `Audience.check_keys`."""
        if divided.secret.data or not divided.references:
            self.audience.check_keys()

    def seal(self, divided: Divided) -> dict[str, object]:
        """Return the manifest. Raises as `sealkit.sealing.seal`."""
        vault = self.vault if divided.references else VaultTerms()
        recipients = self.audience.keys if divided.secret.data else ()
        referred = Referred(divided.references, vault)
        return seal(divided.secret, recipients, self.scope, self.random, referred).to_dict()

    def line(self, divided: Divided, file: str, document: int) -> Sealed:
        """Return the line of the report for one Secret."""
        secret = divided.secret
        return Sealed(
            file=file,
            document=document,
            namespace=secret.namespace,
            name=secret.name,
            keys=len(secret.data),
            references=len(divided.references),
            scope=self.scope.value,
            clusters=self.audience.names if secret.data or not divided.references else (),
        )


class Wish(NamedTuple):
    """What was asked for on the command line; the configuration may refuse it."""

    choice: Choice
    scope: Scope | None = None
    store: Store | None = None


def terms_for(app: App, target: str | None, wish: Wish) -> Terms:
    """Decide the terms of what will live at `target`; None means that nobody knows where.

    Raises:
        SealkitError: as `audience_for`; the scope is not allowed there.
    """
    return terms_of(app, audience_for(app, target, wish.choice), target, wish)


def terms_of(app: App, audience: Audience, target: str | None, wish: Wish) -> Terms:
    """Return the terms of what will live at `target`, for those who may read it.

    Raises:
        PolicyError: the scope is not allowed there.
    """
    scope = wish.scope or audience.scopes[0]
    try:
        audience.check_scope(scope)
    except PolicyError as error:
        error.located(file=target or "")
        raise
    vault = VaultTerms(wish.store) if wish.store else VaultTerms()
    return Terms(audience, scope, vault, app.random)


def store_asked_for(store: str, cluster_store: str) -> Store | None:
    """Return the store that --store or --cluster-store names, None for neither.

    Raises:
        UsageError: both are given, or it is no name.
    """
    if store and cluster_store:
        raise UsageError("--store and --cluster-store exclude each other")
    option = "--store" if store else "--cluster-store"
    kind = StoreKind.NAMESPACED if store else StoreKind.CLUSTER
    try:
        return Store(store or cluster_store, kind) if store or cluster_store else None
    except ReferenceSyntaxError as error:
        raise UsageError(error.problem, field=option) from error
