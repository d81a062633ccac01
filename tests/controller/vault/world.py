"""A reconciler on the in-memory API server whose references lead to a real OpenBao.

The clock of the controller is virtual; that of the server is the machine's.
"""

from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sealkit.references.reference import StoreKind
from sealkit_controller.cache import Store, whole
from sealkit_controller.cluster import Selection
from sealkit_controller.digests import Digests
from sealkit_controller.objects import (
    CLUSTER_VAULT_STORES,
    SEALED_SECRETS,
    SECRETS,
    VAULT_STORES,
    JsonObject,
    Metadata,
    ObjectKey,
    child,
    children,
    strings,
    text,
)
from sealkit_controller.reconcile import Done, Outcome, Reconciler, RetryAfter, Terminal
from sealkit_controller.record import to_instant
from sealkit_controller.sources import Sources
from sealkit_controller.vaults import Clock, Vaults
from tests.controller.reconciling import World
from tests.controller.world import DB, NAMESPACE, condition, sealed
from tests.fakes.vault_admin import Admin

STORE = {
    "apiVersion": "sealkit.dev/v1alpha1",
    "kind": "VaultStore",
    "metadata": {"name": "default", "namespace": DB.namespace},
}
CREDENTIALS = "vault-token"


def referring(
    references: Mapping[str, object],
    values: Mapping[str, bytes] | None = None,
    key: ObjectKey = DB,
    **spec: object,
) -> JsonObject:
    """Return a manifest with references, and sealed values beside them."""
    raw = sealed(values or {}, key)
    return raw | {"spec": {**child(raw, "spec"), "references": dict(references), **spec}}


class VaultWorld(World):
    """A world in which namespace `shop` has a VaultStore `default` with a token of its own.

    `policy` is what that token may do. `asked` counts the requests to the server by operation.
    """

    def __init__(self, admin: Admin, address: str = "") -> None:
        self.admin = admin
        self.address = address or admin.address
        self.time = datetime.now(UTC).replace(microsecond=0)
        self.seconds = 1000.0
        self.asked: Counter[str] = Counter()
        self.unrevoked: list[Exception] = []
        super().__init__()
        self.store({"token": {"secretRef": {"name": CREDENTIALS}}})

    def restart(self) -> None:
        super().restart()
        self.views = {StoreKind.NAMESPACED: Store(whole), StoreKind.CLUSTER: Store(whole)}
        clock = Clock(lambda: self.seconds, lambda: self.time)
        self.vaults = Vaults(
            self.cluster, self.views, clock, {self.address, self.admin.address}, self._observe
        )
        digests = Digests(self.cluster, NAMESPACE, os.urandom)
        self.sources = Sources(
            self.vaults, digests, lambda: self.time, lambda _, error: self.unrevoked.append(error)
        )
        self.reconciler = Reconciler(
            self.cluster, self.manifests, self.secrets, lambda: self.ring, self.sources
        )

    def _observe(self, operation: str, _status: int, _seconds: float) -> None:
        self.asked[operation] += 1

    def look(self) -> None:
        super().look()
        for kind, resource in (
            (StoreKind.NAMESPACED, VAULT_STORES),
            (StoreKind.CLUSTER, CLUSTER_VAULT_STORES),
        ):
            view = self.views[kind]
            pages = list(self.cluster.pages(Selection(resource)))
            view.replace([view.entry(raw) for page in pages for raw in page.items])

    def run(self, *, look: bool = True) -> Outcome:
        self.asked.clear()
        return super().run(look=look)

    def done(self) -> Done:
        """Reconcile, which has to succeed."""
        outcome = self.run()
        assert isinstance(outcome, Done), outcome
        assert condition(self.manifest) == ("True", "Synced")
        return outcome

    def fails(self) -> tuple[str, RetryAfter]:
        """Reconcile, which has to fail and be tried again; return the reason."""
        outcome = self.run()
        assert isinstance(outcome, RetryAfter), outcome
        assert condition(self.manifest, "Ready")[0] == "False"
        assert condition(self.manifest, "Reconciling")[0] == "True"
        return outcome.report.reason.value, outcome

    def stalls(self) -> str:
        """Reconcile, which has to fail for good; return the reason."""
        outcome = self.run()
        assert isinstance(outcome, Terminal), outcome
        assert condition(self.manifest, "Stalled")[0] == "True"
        return outcome.report.reason.value

    def later(self, seconds: float) -> None:
        """Let time pass for the controller."""
        self.time += timedelta(seconds=seconds)
        self.seconds += seconds

    def store(
        self,
        auth: Mapping[str, object],
        *,
        namespace: str = DB.namespace,
        name: str = "default",
        **spec: object,
    ) -> None:
        """Make a VaultStore, or change it."""
        metadata: JsonObject = {"name": name, "namespace": namespace}
        raw = {
            **STORE,
            "metadata": metadata,
            "spec": {"address": self.address, **spec, "auth": auth},
        }
        self._put(VAULT_STORES, ObjectKey(namespace, name), raw)

    def cluster_store(
        self, auth: Mapping[str, object], allow: list[JsonObject], **spec: object
    ) -> None:
        """Make a ClusterVaultStore `shared`, or change it."""
        raw = {
            **STORE,
            "kind": "ClusterVaultStore",
            "metadata": {"name": "shared"},
            "spec": {"address": self.address, "auth": auth, "allow": allow, **spec},
        }
        self._put(CLUSTER_VAULT_STORES, ObjectKey("", "shared"), raw)

    def credentials(
        self, data: Mapping[str, str], name: str = CREDENTIALS, namespace: str = DB.namespace
    ) -> None:
        """Make a Secret with credentials, or change it."""
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        raw = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace},
            "data": encoded,
        }
        self._put(SECRETS, ObjectKey(namespace, name), raw)

    def _put(self, resource: object, key: ObjectKey, raw: Mapping[str, object]) -> None:
        found = self.cluster.find(resource, key)  # type: ignore[arg-type]  # a Resource
        if found is not None:
            raw = {**raw, "metadata": child(found, "metadata")}
        self.cluster.put(resource, raw)  # type: ignore[arg-type]  # same

    @property
    def data(self) -> dict[str, bytes]:
        """What the Secret holds."""
        values = strings(self.secret, "data")
        return {key: base64.b64decode(value) for key, value in values.items()}

    @property
    def version(self) -> str:
        """The version of the Secret."""
        return Metadata.of(self.secret).resource_version

    @property
    def leases(self) -> list[Mapping[str, object]]:
        """What the status says of leases."""
        return children(child(self.manifest, "status"), "leases")

    @property
    def refreshed(self) -> datetime:
        """When the status says that all was resolved."""
        found = to_instant(text(child(self.manifest, "status"), "refreshedAt"))
        assert found is not None
        return found

    def delete(self) -> None:
        """Delete the manifest."""
        self.cluster.drop(SEALED_SECRETS, DB)
