"""A reconciler on the in-memory API server, without threads."""

from collections.abc import Mapping

from sealkit_controller.cache import Store, nothing
from sealkit_controller.cluster import Selection
from sealkit_controller.digests import Digests
from sealkit_controller.manifest import keep
from sealkit_controller.objects import SEALED_SECRETS, SECRETS, JsonObject, child
from sealkit_controller.reconcile import Outcome, Reconciler
from sealkit_controller.sources import NoVault, Sources
from tests.controller.world import DB, NAMESPACE, NOW, ring
from tests.fakes.cluster import FakeCluster

MANAGED = Selection(SECRETS, labels="sealkit.dev/managed=true", metadata_only=True)


class World:
    """A reconciler whose views are brought up to date by hand, so that they can also lag."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.ring = ring()
        self.restart()

    def restart(self) -> None:
        """Forget everything a new process would not know."""
        self.manifests = Store(keep)
        self.secrets = Store(nothing)
        digests = Digests(self.cluster, NAMESPACE, bytes)
        sources = Sources(NoVault(), digests, lambda: NOW)
        self.reconciler = Reconciler(
            self.cluster, self.manifests, self.secrets, lambda: self.ring, sources
        )

    def look(self) -> None:
        """Bring the views up to date."""
        for store, selection in (
            (self.manifests, Selection(SEALED_SECRETS)),
            (self.secrets, MANAGED),
        ):
            pages = list(self.cluster.pages(selection))
            store.replace([store.entry(raw) for page in pages for raw in page.items])

    def run(self, *, look: bool = True) -> Outcome:
        """Reconcile once, with views up to date or as they are."""
        if look:
            self.look()
        self.cluster.requests.clear()
        return self.reconciler.reconcile(DB)

    def apply(self, raw: JsonObject) -> None:
        """Create the manifest, or change its spec."""
        if self.cluster.find(SEALED_SECRETS, DB) is None:
            self.cluster.put(SEALED_SECRETS, raw)
        else:
            self.cluster.put(SEALED_SECRETS, {"metadata": self._kept(), "spec": raw["spec"]})

    def _kept(self) -> Mapping[str, object]:
        return child(self.cluster.find(SEALED_SECRETS, DB) or {}, "metadata")

    @property
    def secret(self) -> JsonObject:
        found = self.cluster.find(SECRETS, DB)
        assert found is not None
        return found

    @property
    def manifest(self) -> JsonObject:
        found = self.cluster.find(SEALED_SECRETS, DB)
        assert found is not None
        return found

    def wrote(self) -> list[tuple[str, str]]:
        """Return what the last run sent to change something."""
        return [(sent.verb, sent.resource) for sent in self.cluster.writes()]
