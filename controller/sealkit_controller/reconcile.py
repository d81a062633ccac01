"""One reconciliation: read what is there, let `plan` decide, write it, report it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from sealkit_controller.cluster import ApiError, Cluster, PatchKind, Target
from sealkit_controller.keyring import KeyRing
from sealkit_controller.manifest import Manifest
from sealkit_controller.objects import (
    SEALED_SECRETS,
    SECRETS,
    JsonObject,
    Metadata,
    ObjectKey,
    child,
    text,
)
from sealkit_controller.plan import (
    Action,
    Plan,
    Resolved,
    Seen,
    make_plan,
    overwrite,
    prepare,
    settle,
)
from sealkit_controller.record import Record
from sealkit_controller.restart import restart
from sealkit_controller.sources import FRESH, Fresh, Sources, Unresolved, Values
from sealkit_controller.status import (
    Reason,
    Report,
    Verdict,
    failed,
    new_status,
    retrying,
    unresolved,
)
from sealkit_controller.usage import Usage

_CONFLICT: Final = 409
_NOT_FOUND: Final = 404
_INVALID: Final = frozenset({400, 413, 422})


class Kept(Protocol):
    """An object in a view."""

    @property
    def metadata(self) -> Metadata:
        """Its metadata."""

    @property
    def body(self) -> bytes:
        """The object as JSON, if the view keeps it."""


class View(Protocol):
    """What a reconciliation needs of a cached view; see `cache.Store`."""

    def get(self, key: ObjectKey) -> Kept | None:
        """Return an object as it was last heard of."""

    def written(self, before: str, raw: JsonObject) -> Kept:
        """Note the outcome of our own write of version `before` ("" = it was not there)."""


@dataclass(frozen=True, slots=True)
class Done:
    """All is as it should be. `action` says what had to be written, None if nothing.

    `restarted` are workloads, as `<kind>/<name>`. In `again_seconds` something of it is due again.
    """

    manifest: Metadata | None = None
    action: Action | None = None
    report: Report | None = None
    restarted: tuple[str, ...] = ()
    again_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """It will be tried again: in `seconds` if a server said so, else by the back-off."""

    manifest: Metadata
    report: Report
    seconds: float = 0.0
    overload: bool = False


@dataclass(frozen=True, slots=True)
class Terminal:
    """Only a change of the manifest, the keys or the Secret can help."""

    manifest: Metadata
    report: Report


Outcome = Done | RetryAfter | Terminal


@dataclass(frozen=True, slots=True)
class _Made:
    """What came of it: what to say, to remember, what was done, and what comes next."""

    manifest: Manifest
    report: Report
    record: Record
    action: Action | None = None
    error: ApiError | None = None
    restarted: tuple[str, ...] = ()
    again_seconds: float | None = None
    retry_seconds: float = 0.0


class Reconciler:
    """Brings Secrets in step with SealedSecrets, one key at a time, from several threads."""

    def __init__(
        self,
        cluster: Cluster,
        manifests: View,
        secrets: View,
        ring: Callable[[], KeyRing],
        sources: Sources,
    ) -> None:
        self._sources = sources
        self._cluster = cluster
        self._manifests = manifests
        self._secrets = secrets
        self._ring = ring
        self._seen: dict[ObjectKey, Seen] = {}
        # Python runs one thread at a time. Those that wait for this lock leave it to the others,
        # the probes and watches, instead of taking turns with them.
        self._deciding = threading.Lock()
        self.usage = Usage()

    def reconcile(self, key: ObjectKey) -> Outcome:
        """Do what one object needs. Twice in a row writes nothing the second time.

        A manifest that is gone or going is left alone: the garbage collector takes its Secret.
        """
        entry = self._manifests.get(key)
        if entry is None or entry.metadata.deleting:
            self._seen.pop(key, None)
            self.usage.forget(key)
            self._sources.gone(key)
            return Done()
        with self._deciding:
            manifest = Manifest.load(entry.metadata, entry.body)
        self.usage.note(key, manifest.wraps)
        made = self._make(manifest)
        if made is None:
            return Done()
        self._sources.judge(made.manifest, made.report)
        if made.error is not None and made.error.status == _CONFLICT:
            return RetryAfter(made.manifest.metadata, made.report)  # nothing to tell
        return self._tell(made)

    def wrote(self, key: ObjectKey, version: str) -> bool:
        """Tell whether a version of a Secret is the one this process left or compared last."""
        seen = self._seen.get(key)
        return seen is not None and seen.secret_version == version

    def _make(self, manifest: Manifest) -> _Made | None:
        try:
            return self._make_secret(manifest)
        except ApiError as error:
            record = manifest.record
            return _Made(manifest, _report_of(error), record, error=error)

    def _make_secret(self, manifest: Manifest) -> _Made | None:
        key, ring = manifest.metadata.key, self._ring()
        kept = self._secrets.get(key)
        secret = kept.metadata if kept else None
        with self._deciding:
            report = settle(manifest, secret, ring, self._seen.get(key))
        if report is not None:
            fresh = self._fresh(manifest, report)
            if isinstance(fresh, Fresh):
                record = _to_record(manifest, secret, report, fresh)
                return _Made(manifest, report, record, again_seconds=fresh.again_seconds)
            if fresh is not None:
                return self._unresolved(manifest, fresh)
        whole = self._whole(manifest, may_be_gone=secret is None)
        return self._make_of(whole, secret) if whole is not None else None

    def _fresh(self, manifest: Manifest, report: Report) -> Fresh | Unresolved | None:
        """Renew what ends and has a right Secret; None if Vault has to be asked for all of it."""
        if manifest.refreshing is None or report.reason is not Reason.SYNCED:
            return FRESH
        self._sources.note(manifest)
        return self._sources.keep_fresh(manifest)

    def _unresolved(self, manifest: Manifest, why: Unresolved) -> _Made:
        report = unresolved(why.reason, why.message)
        record = manifest.record
        return _Made(manifest, report, record, retry_seconds=why.retry_seconds)

    def _make_of(self, manifest: Manifest, secret: Metadata | None) -> _Made:
        key = manifest.metadata.key
        existing = self._read(_secret(key)) if secret is not None else None
        plan, found = self._plan(manifest, existing)
        if isinstance(found, Unresolved):
            return self._unresolved(manifest, found)
        if plan.action == "created":
            try:
                return self._created(manifest, plan, found)
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise
            # The view shows only Secrets that are marked as ours.
            existing = self._read(_secret(key))
            plan, found = self._plan(manifest, existing, found)
            if isinstance(found, Unresolved):
                return self._unresolved(manifest, found)
        if existing is not None and plan.desired is not None:
            self._noted(secret, existing)
        return self._write(manifest, existing, plan, found)

    def _plan(
        self, manifest: Manifest, existing: JsonObject | None, found: Values | None = None
    ) -> tuple[Plan, Values | Unresolved | None]:
        """Decide what to do; `found` is what the references stand for, if that is known already."""
        ring = self._ring()
        with self._deciding:
            prepared = prepare(manifest, existing, ring)
        if isinstance(prepared, Plan):
            return prepared, None
        if prepared.sealed.references and found is None:
            self._sources.note(manifest)
            answer = self._sources.resolve(manifest, prepared.sealed)
            if isinstance(answer, Unresolved):
                return Plan(unresolved(answer.reason, answer.message)), answer
            found = answer
        salt = self._sources.salt(manifest.metadata.uid)
        resolved = Resolved(found.values if found else {}, salt)
        with self._deciding:
            return make_plan(prepared, existing, ring, resolved), found

    def _noted(self, shown: Metadata | None, existing: JsonObject) -> None:
        """Tell the view, which showed `shown`, what was read; else it could not miss it later."""
        known = shown.resource_version if shown else ""
        if known != Metadata.of(existing).resource_version:
            self._secrets.written(known, existing)

    def _whole(self, manifest: Manifest, *, may_be_gone: bool) -> Manifest | None:
        """Return a manifest with its content, None if it is gone; ask where that is not known.

        One that had a Secret and now has none may have gone first: two watches tell of two
        deletions in either order. A Secret made for a manifest that is gone would be a deleted one
        come back, for good if it is retained.
        """
        had_secret = bool(text(manifest.status, "secretResourceVersion"))
        if manifest.raw is not None and not (may_be_gone and had_secret):
            return manifest
        known = manifest.metadata
        found = self._read(Target(SEALED_SECRETS, *known.key))
        current = Metadata.of(found or {})
        if found is None or current.uid != known.uid or current.deleting:
            return None
        if current.resource_version != known.resource_version:
            self._manifests.written(known.resource_version, found)  # the view must not go back
        return Manifest.of(found)

    def _read(self, target: Target) -> JsonObject | None:
        try:
            return self._cluster.get(target)
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def _write(
        self, manifest: Manifest, existing: JsonObject | None, plan: Plan, found: Values | None
    ) -> _Made:
        if existing is None or plan.action == "created":
            return self._created(manifest, plan, found)
        before = Metadata.of(existing)
        if plan.action is None:
            if plan.report.verdict is not Verdict.TRUE:
                return _Made(manifest, plan.report, manifest.record)
            # Right as it is, though changed where we do not look. Recorded here only: a write for
            # each foreign change of a label would be a loop with whoever keeps changing it.
            recorded = manifest.record.secret_version
            made = self._finished(manifest, recorded or before.resource_version, plan, found)
            self._remember(manifest, before.resource_version, plan)
            return made
        if plan.action == "recreated":
            self._cluster.delete(_secret(before.key), before.uid, before.resource_version)
            return self._created(manifest, plan, found)
        return self._updated(manifest, existing, plan, found)

    def _created(self, manifest: Manifest, plan: Plan, found: Values | None) -> _Made:
        if plan.desired is None:
            return _Made(manifest, plan.report, replace(manifest.record, secret_version=""))
        key = manifest.metadata.key
        raw = self._cluster.create(SECRETS, key.namespace, plan.desired.body())
        return self._left(manifest, "", raw, plan, found)

    def _updated(
        self, manifest: Manifest, existing: JsonObject, plan: Plan, found: Values | None
    ) -> _Made:
        """Write once, and only onto what was looked at: never half of one version, half of another.

        An apply leaves behind what others have set, so where there is such, all goes by one patch.
        """
        assert plan.desired is not None  # noqa: S101  (every plan with an action has it)
        before = Metadata.of(existing)
        patch = overwrite(existing, plan.desired)
        kind = PatchKind.APPLY if patch is None else PatchKind.MERGE
        body = patch or plan.desired.body()
        looked_at = {"uid": before.uid, "resourceVersion": before.resource_version}
        body["metadata"] = {**child(body, "metadata"), **looked_at}
        raw = self._cluster.patch(_secret(before.key), body, kind)
        return self._left(manifest, before.resource_version, raw, plan, found)

    def _left(
        self, manifest: Manifest, before: str, raw: JsonObject, plan: Plan, found: Values | None
    ) -> _Made:
        version = Metadata.of(raw).resource_version
        self._secrets.written(before, raw)
        made = self._finished(manifest, version, plan, found)
        self._remember(manifest, version, plan)
        return made

    def _finished(
        self, manifest: Manifest, version: str, plan: Plan, found: Values | None
    ) -> _Made:
        """Restart who uses a Secret whose data changed, and say what is to be remembered.

        The digest of the data is remembered after the restarts: a crash before makes up for them.
        """
        record = self._sources.record(manifest, version, plan, found)
        restarted: tuple[str, ...] = ()
        known = manifest.record.data_mac
        if (
            plan.desired is not None
            and plan.desired.restarts
            and known not in {"", record.data_mac}
        ):
            key = manifest.metadata.key
            restarted = restart(self._cluster, key, plan.desired.restarts, record.data_mac)
        again = self._sources.again_seconds(manifest, record)
        return _Made(manifest, plan.report, record, plan.action, None, restarted, again)

    def _remember(self, manifest: Manifest, version: str, plan: Plan) -> None:
        if plan.desired is not None:
            self._seen[manifest.metadata.key] = Seen(version, plan.desired.spec_hash)

    def _tell(self, made: _Made) -> Outcome:
        status_error: ApiError | None = None
        try:
            self._tell_status(made)
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return Done()  # deleted meanwhile
            status_error = error
        return _outcome(made, status_error)

    def _tell_status(self, made: _Made) -> None:
        manifest = made.manifest
        if self._new_status(manifest, made) is None:
            return
        whole = self._whole(manifest, may_be_gone=False)
        if whole is None or whole.metadata.generation != manifest.metadata.generation:
            return  # that is another manifest, of which nothing is known yet
        status = self._new_status(whole, made)
        if status is not None:
            self._write_status(whole, status)

    def _new_status(self, manifest: Manifest, made: _Made) -> JsonObject | None:
        return new_status(
            manifest.status, manifest.metadata, made.report, made.record, self._sources.now()
        )

    def _write_status(self, manifest: Manifest, status: JsonObject) -> None:
        key, version = manifest.metadata.key, manifest.metadata.resource_version
        target = Target(SEALED_SECRETS, key.namespace, key.name, "status")
        # Replacing costs the API server less than patching, which is a read, a merge and this; and
        # what it replaces is the status alone, so the rest need not be sent.
        body: JsonObject = {
            "apiVersion": SEALED_SECRETS.api_version,
            "kind": SEALED_SECRETS.kind,
            "metadata": {**key._asdict(), "resourceVersion": version},
            "status": status,
        }
        metadata = child(self._cluster.replace(target, body), "metadata")
        raw = {**manifest.content, "status": status, "metadata": metadata}
        self._manifests.written(version, raw)


def _secret(key: ObjectKey) -> Target:
    return Target(SECRETS, key.namespace, key.name)


def _to_record(manifest: Manifest, secret: Metadata | None, report: Report, fresh: Fresh) -> Record:
    """Return what to remember of a manifest that was settled without a look at its Secret.

    The version recorded, unless the status still owes what an earlier run did: its write may have
    failed after that of the Secret.
    """
    record = manifest.record
    if fresh.leases is not None:
        record = replace(record, leases=fresh.leases)
    if secret is None or report.reason is not Reason.SYNCED:
        return record
    is_told = manifest.metadata.observed_generation == manifest.metadata.generation
    if record.secret_version and is_told:
        return record
    return replace(record, secret_version=secret.resource_version)


def _report_of(error: ApiError) -> Report:
    """Say what an error of the API server means to the owner of a manifest."""
    what = error.cause or error.reason or "no response"
    if error.status in _INVALID:
        return failed(Reason.SECRET_INVALID, f"the API server refuses the Secret: {what}")
    if 400 <= error.status < 500 and not error.is_overload:
        return retrying(Reason.API_REFUSED, f"the API server does not allow it: {what}")
    return retrying(Reason.API_UNAVAILABLE, "the API server cannot be reached or is overloaded")


def _outcome(made: _Made, status_error: ApiError | None) -> Outcome:
    """Return what came of it; an error of the status counts, for it has to be tried again."""
    manifest = made.manifest.metadata
    report, error = made.report, made.error or status_error
    if error is not None and made.error is None:
        report = _report_of(error)
    elif report.verdict is Verdict.FALSE and not report.retried:
        return Terminal(manifest, report)
    if error is not None:
        return RetryAfter(manifest, report, error.retry_after_seconds or 0.0, error.is_overload)
    if report.verdict is not Verdict.TRUE and report.reason is not Reason.SUSPENDED:
        return RetryAfter(manifest, report, made.retry_seconds)
    return Done(manifest, made.action, report, made.restarted, made.again_seconds)
