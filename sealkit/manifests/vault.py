"""What a manifest says about Vault and about who is told: its references, their terms, restarts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from sealkit import fields
from sealkit.errors import ManifestError, ReferenceSyntaxError
from sealkit.manifests.duration import duration, seconds
from sealkit.references.store import Store, store_to_raw

if TYPE_CHECKING:
    from sealkit.references.reference import Reference
    from sealkit.references.template import Template

DEFAULT_STORE: Final = Store("default")
DEFAULT_INTERVAL_SECONDS: Final = 3600
MIN_INTERVAL_SECONDS: Final = 10
MAX_INTERVAL_SECONDS: Final = 8760 * 3600
MAX_RESTARTS: Final = 16


class RefreshPolicy(StrEnum):
    """When Vault is asked again.

    PERIODIC: when the interval is over. ON_CHANGE: only when the manifest changes, or on request.
    CREATED_ONCE: only to make a Secret that is not there.
    """

    PERIODIC = "Periodic"
    ON_CHANGE = "OnChange"
    CREATED_ONCE = "CreatedOnce"


class VaultTerms(NamedTuple):
    """How the references of a manifest are resolved; `interval` "" leaves it to the store.

    `revoke_on_delete` ends the leases of dynamic credentials with the manifest.
    """

    store: Store = DEFAULT_STORE
    policy: RefreshPolicy = RefreshPolicy.PERIODIC
    interval: str = ""
    revoke_on_delete: bool = False

    @property
    def interval_seconds(self) -> int | None:
        """The interval, None if the store decides."""
        if not self.interval:
            return None
        return seconds(self.interval, "", MIN_INTERVAL_SECONDS, MAX_INTERVAL_SECONDS)

    def store_of(self, reference: Reference) -> Store:
        """Return the store that a reference is looked up in."""
        return reference.store or self.store

    def to_dict(self) -> dict[str, object]:
        """Return `spec.vault` without what is as by default, empty if everything is."""
        raw: dict[str, object] = {}
        if self.store != DEFAULT_STORE:
            raw["store"] = store_to_raw(self.store)
        if self.policy is not RefreshPolicy.PERIODIC:
            raw["refreshPolicy"] = self.policy.value
        if self.interval:
            raw["refreshInterval"] = self.interval
        if self.revoke_on_delete:
            raw["revokeOnDelete"] = True
        return raw


def parse_vault(raw: object) -> VaultTerms:
    """Parse `spec.vault`.

    Raises:
        ManifestError: a field is unknown or wrong.
    """
    path = "spec.vault"
    given = fields.mapping(raw, path)
    fields.only(given, ("store", "refreshPolicy", "refreshInterval", "revokeOnDelete"), path)
    policy = given.get("refreshPolicy", RefreshPolicy.PERIODIC.value)
    interval = f"{path}.refreshInterval"
    return VaultTerms(
        store=_store(given["store"]) if "store" in given else DEFAULT_STORE,
        policy=fields.one_of(RefreshPolicy, policy, f"{path}.refreshPolicy"),
        interval=duration(
            given["refreshInterval"], interval, MIN_INTERVAL_SECONDS, MAX_INTERVAL_SECONDS
        )
        if "refreshInterval" in given
        else "",
        revoke_on_delete=fields.flag(given.get("revokeOnDelete", False), f"{path}.revokeOnDelete"),
    )


def _store(raw: object) -> Store:
    from sealkit.references.structured import store_from_raw  # noqa: PLC0415  # cold start

    try:
        return store_from_raw(raw)
    except ReferenceSyntaxError as error:
        raise _as_manifest_error(error, f"spec.vault.{error.field or 'store'}") from None


def parse_references(raw: object) -> dict[str, Template]:
    """Parse `spec.references`: data key to the template of its value, sorted.

    Raises:
        ManifestError: an entry holds no reference, or one that is wrong.
    """
    entries = fields.mapping(raw, "spec.references")
    return {key: _reference(key, entries[key]) for key in sorted(entries)}


def _reference(key: str, raw: object) -> Template:
    from sealkit.references.template import from_raw  # noqa: PLC0415  # cold start

    path = f"spec.references.{key}"
    try:
        return from_raw(raw, path)
    except ReferenceSyntaxError as error:
        raise _as_manifest_error(error, error.field or path) from None


def _as_manifest_error(error: ReferenceSyntaxError, field: str) -> ManifestError:
    return ManifestError(error.problem, field=field, hint=error.hint)


class WorkloadKind(StrEnum):
    """What can be restarted by a change of its pod template."""

    DEPLOYMENT = "Deployment"
    STATEFUL_SET = "StatefulSet"
    DAEMON_SET = "DaemonSet"


class Workload(NamedTuple):
    """Workloads of the manifest's namespace: one by its `name`, or all that carry `labels`."""

    kind: WorkloadKind
    name: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def selector(self) -> str:
        """The labels as a label selector."""
        return ",".join(f"{key}={value}" for key, value in self.labels)

    def to_dict(self) -> dict[str, object]:
        """Return the entry of `spec.rolloutRestart`."""
        if self.name:
            return {"kind": self.kind.value, "name": self.name}
        return {"kind": self.kind.value, "matchLabels": dict(self.labels)}


def parse_restarts(raw: object) -> tuple[Workload, ...]:
    """Parse `spec.rolloutRestart`.

    Raises:
        ManifestError: more than 16 entries; one with an unknown field or kind, or that has not
            exactly one of `name` and `matchLabels`, of which none may be empty.
    """
    path = "spec.rolloutRestart"
    if not isinstance(raw, list):
        raise ManifestError("is not a list", field=path)
    if len(raw) > MAX_RESTARTS:
        raise ManifestError(f"has more than {MAX_RESTARTS} entries", field=path)
    return tuple(_workload(one, f"{path}[{number}]") for number, one in enumerate(raw))


def _workload(raw: object, path: str) -> Workload:
    given: Mapping[str, object] = fields.mapping(raw, path)
    fields.only(given, ("kind", "name", "matchLabels"), path)
    kind = fields.one_of(WorkloadKind, given.get("kind", ""), f"{path}.kind")
    if ("name" in given) == ("matchLabels" in given):
        raise ManifestError("needs one of name and matchLabels", field=path)
    if "name" in given:
        return Workload(kind, fields.object_name(given["name"], f"{path}.name"))
    labels = fields.label_map(given["matchLabels"], f"{path}.matchLabels")
    if not labels:
        raise ManifestError("is empty, which would be everything", field=f"{path}.matchLabels")
    return Workload(kind, labels=tuple(labels.items()))
