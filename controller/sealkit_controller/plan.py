"""What to do about one manifest, decided from what is there. Pure.

Nothing here asks what happened: the same decision covers a new manifest, a change, a Secret that
somebody edited, and a restart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Final, Literal

from sealkit.assembly import Salt, assemble, no_salt
from sealkit.crypto.x1 import Kid
from sealkit.errors import ManifestError, NoKeyError, TemplateError, UnsealError
from sealkit.keypair import KeyState
from sealkit.manifests.gitops import belongs_to_a_tool
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.secret import REFUSED_TYPES, TOO_LARGE, Secret
from sealkit.manifests.vault import RefreshPolicy, Workload
from sealkit.sealing import open_values
from sealkit.sensitive import Sensitive
from sealkit_controller.keyring import KeyRing
from sealkit_controller.manifest import Manifest
from sealkit_controller.objects import (
    ADOPT_ANNOTATION,
    FIELD_MANAGER,
    HASH_ANNOTATION,
    MANAGED_LABEL,
    RETAIN_ANNOTATION,
    SEALED_SECRETS,
    JsonObject,
    Metadata,
    child,
    children,
    strings,
    text,
)
from sealkit_controller.status import (
    MAX_TOKEN,
    Reason,
    Report,
    Verdict,
    failed,
    retrying,
    synced,
)

Action = Literal["created", "updated", "recreated"]

# Without an owner, Argo CD would take the Secret for something that Git forgot, and prune it.
_RETAINED: Final = {
    RETAIN_ANNOTATION: "Retain",
    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
    "argocd.argoproj.io/sync-options": "Prune=false",
}


@dataclass(frozen=True, slots=True)
class Desired:
    """The Secret that should be, and its owner; without one it outlives its manifest.

    `restarts` are the workloads to restart when its data changes.
    """

    secret: Secret
    owner: Metadata | None
    restarts: tuple[Workload, ...] = ()

    @property
    def spec_hash(self) -> str:
        """What the Secret is made of; see the function of this name."""
        return self.secret.annotations[HASH_ANNOTATION]

    def body(self) -> JsonObject:
        """Return the Secret as the API server takes it. The result holds plaintext."""
        body = self.secret.to_dict()
        if self.owner is not None:
            reference = {
                "apiVersion": SEALED_SECRETS.api_version,
                "kind": SEALED_SECRETS.kind,
                "name": self.owner.key.name,
                "uid": self.owner.uid,
                "controller": True,
                # True needs the right to update finalizers, and would delay the manifest's end.
                "blockOwnerDeletion": False,
            }
            body["metadata"] = {**child(body, "metadata"), "ownerReferences": [reference]}
        return body


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write, if anything, and what to say once that has worked.

    `recreated` first deletes exactly the Secret that was looked at, by uid and resourceVersion.
    `desired` is there unless the manifest failed, even when nothing has to be written.
    """

    report: Report
    action: Action | None = None
    desired: Desired | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A version of a Secret that was compared value by value with what `spec_hash` stands for."""

    secret_version: str
    spec_hash: str


def spec_hash(manifest: Manifest, ring: KeyRing) -> str:
    """Return what the Secret is made of: ciphertext, uid and the keys at hand that may open it.

    Equal hashes mean equal Secrets, so nothing has to be decrypted to see that nothing changed.
    A key that this manifest has no wrap for does not matter to it.
    """
    parts = [manifest.metadata.uid, sorted(_usable_kids(manifest, ring)), manifest.digest]
    return sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


def _usable_kids(manifest: Manifest, ring: KeyRing) -> set[Kid]:
    return {kid for kid in ring.pairs if any(kid in envelope for envelope in manifest.wraps)}


def settle(
    manifest: Manifest, secret: Metadata | None, ring: KeyRing, seen: Seen | None
) -> Report | None:
    """Decide what can be decided without a decryption; None if the manifest must be opened.

    `secret` is the metadata at hand, `seen` what this process compared last. A reconcile request
    that was not answered yet always opens. Whether Vault has to be asked again is another question.
    """
    digest = spec_hash(manifest, ring)
    made_of_this = secret is not None and secret.annotations.get(HASH_ANNOTATION) == digest
    if manifest.suspended:
        return _suspended(in_step=made_of_this)
    if secret is not None and _is_made_once(manifest, secret):
        return synced("the Secret was made once, and is left as it is")
    if secret is None or not made_of_this or secret.deleting or _is_requested(manifest):
        return None
    recorded = Seen(text(manifest.status, "secretResourceVersion"), digest)
    is_untouched = Seen(secret.resource_version, digest) in {recorded, seen}
    return _synced(manifest, ring) if is_untouched else None


def _is_made_once(manifest: Manifest, secret: Metadata) -> bool:
    refreshing = manifest.refreshing
    if refreshing is None or refreshing.policy is not RefreshPolicy.CREATED_ONCE:
        return False
    owner = secret.controller
    is_ours = (
        owner.uid == manifest.metadata.uid if owner else RETAIN_ANNOTATION in secret.annotations
    )
    return is_ours and HASH_ANNOTATION in secret.annotations and not secret.deleting


def _is_requested(manifest: Manifest) -> bool:
    token = manifest.metadata.requested[:MAX_TOKEN]
    return bool(token) and text(manifest.status, "lastHandledReconcileAt") != token


def _suspended(*, in_step: bool) -> Report:
    if in_step:
        message = "suspended; the Secret was made from this manifest"
        return Report(Verdict.TRUE, Reason.SUSPENDED, message)
    message = "suspended; the Secret was not made from this manifest"
    return Report(Verdict.UNKNOWN, Reason.SUSPENDED, message)


def _synced(manifest: Manifest, ring: KeyRing) -> Report:
    """Say that all is well, and which key must not be removed yet though it is out of use."""
    kids = sorted(_usable_kids(manifest, ring))
    states = [ring.pairs[kid].state for kid in kids]
    if KeyState.COMPROMISED in states:
        bad = kids[states.index(KeyState.COMPROMISED)]
        return synced(f"sealed to compromised key {bad}: change the values, then seal them anew")
    if states and KeyState.ACTIVE not in states:
        return synced(f"the Secret is what the manifest says; it needs retired key {kids[0]}")
    return synced()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A manifest of which a Secret may be made, with the values that were sealed."""

    manifest: Manifest
    sealed: SealedSecret
    values: Mapping[str, Sensitive]


@dataclass(frozen=True, slots=True)
class Resolved:
    """The values that references stand for, and the salt for what is made of all values."""

    values: Mapping[str, Sensitive] = field(default_factory=dict)
    salt: Salt = no_salt


_NOTHING_RESOLVED: Final = Resolved()


def prepare(
    manifest: Manifest, existing: Mapping[str, object] | None, ring: KeyRing
) -> Prepared | Plan:
    """Open the manifest, unless the Secret that is there, None if there is none, is not ours.

    All or nothing: unless every value opens, there is nothing to write.
    """
    try:
        _check_type(manifest)
        refusal = _refuse_foreign(existing, manifest.metadata) if existing is not None else None
        return Plan(refusal) if refusal is not None else _open(manifest, ring)
    except _FailedError as error:
        return Plan(error.report)


def make_plan(
    prepared: Prepared,
    existing: Mapping[str, object] | None,
    ring: KeyRing,
    resolved: Resolved = _NOTHING_RESOLVED,
) -> Plan:
    """Compare what should be with the whole Secret that is there, None if there is none."""
    try:
        desired = _desired(prepared, ring, resolved)
    except _FailedError as error:
        return Plan(error.report)
    if existing is None:
        return Plan(_synced(prepared.manifest, ring), "created", desired)
    return _update(prepared.manifest, existing, desired, ring)


class _FailedError(Exception):
    """Carries a report out of the steps of `prepare` and `make_plan`."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.report = failed(reason, message)


def _check_type(manifest: Manifest) -> None:
    secret_type = child(child(manifest.content, "spec"), "template").get("type")
    if secret_type in REFUSED_TYPES:
        raise _FailedError(
            Reason.TYPE_REFUSED, f"Secrets of type {secret_type} are not made from manifests"
        )


def _open(manifest: Manifest, ring: KeyRing) -> Prepared:
    try:
        sealed = SealedSecret.from_dict(manifest.content)
    except ManifestError as error:
        raise _FailedError(Reason.INVALID_MANIFEST, str(error)) from None
    try:
        return Prepared(manifest, sealed, open_values(sealed, ring.private_keys))
    except NoKeyError as error:
        raise _FailedError(Reason.NO_KEY, str(error)) from None
    except UnsealError:
        message = (
            f"a value does not open as {manifest.metadata.key} with scope {sealed.scope}: it was"
            " sealed for another name, namespace, scope or data key, or it was changed"
        )
        raise _FailedError(Reason.DECRYPTION_FAILED, message) from None
    except ManifestError as error:
        raise _FailedError(Reason.INVALID_MANIFEST, str(error)) from None


def _desired(prepared: Prepared, ring: KeyRing, resolved: Resolved) -> Desired:
    manifest, sealed = prepared.manifest, prepared.sealed
    try:
        secret = assemble(sealed, {**prepared.values, **resolved.values}, resolved.salt)
    except TemplateError as error:
        raise _FailedError(Reason.TEMPLATE_ERROR, str(error)) from None
    except ManifestError as error:  # says which rule of the type, not what the value is
        if error.problem == TOO_LARGE:
            raise _FailedError(Reason.TARGET_TOO_LARGE, f"the Secret {TOO_LARGE}") from None
        message = f"{error.field} breaks a rule of Secret type {sealed.template.type}"
        raise _FailedError(Reason.SECRET_INVALID, message) from None
    retained = sealed.deletion_policy == "Retain"
    owned = {HASH_ANNOTATION: spec_hash(manifest, ring)} | (_RETAINED if retained else {})
    secret = secret._replace(
        labels=_for_secret(secret.labels) | {MANAGED_LABEL: "true"},
        annotations=_for_secret(secret.annotations) | owned,
    )
    return Desired(secret, None if retained else manifest.metadata, sealed.restarts)


def _for_secret(entries: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in entries.items() if not belongs_to_a_tool(key)}


def _refuse_foreign(existing: Mapping[str, object], manifest: Metadata) -> Report | None:
    """Say why a Secret must not be touched, None if it is ours or wants to be."""
    secret = Metadata.of(existing)
    owner = secret.controller
    if secret.deleting:
        return retrying(Reason.SECRET_TERMINATING, "the Secret is being deleted")
    if owner is None and not _is_handed_over(existing):
        message = (
            f"a Secret of this name exists; annotate it {ADOPT_ANNOTATION}=true to hand it over"
        )
        return failed(Reason.SECRET_NOT_OWNED, message)
    if owner is None or owner.uid == manifest.uid:
        return None
    if (owner.api_version, owner.kind) == (SEALED_SECRETS.api_version, SEALED_SECRETS.kind):
        # Of an earlier manifest of this name: the garbage collector removes it, then we create it.
        return retrying(
            Reason.SECRET_TERMINATING, "the Secret of a deleted manifest is still there"
        )
    return failed(Reason.SECRET_NOT_OWNED, f"the Secret is controlled by {owner.kind} {owner.name}")


def _is_handed_over(existing: Mapping[str, object]) -> bool:
    """Tell whether a Secret without a controller was ours, or its owner wants it to be."""
    metadata = child(existing, "metadata")
    annotations = strings(metadata, "annotations")
    managed = strings(metadata, "labels").get(MANAGED_LABEL) == "true"
    retained = managed and RETAIN_ANNOTATION in annotations
    return retained or annotations.get(ADOPT_ANNOTATION) == "true"


def _update(
    manifest: Manifest, existing: Mapping[str, object], desired: Desired, ring: KeyRing
) -> Plan:
    report = _synced(manifest, ring)
    if _needs_recreation(existing, desired.secret):
        if child(manifest.content, "spec").get("recreate") is True:
            return Plan(report, "recreated", desired)
        message = (
            "the type or the immutable content differs; set spec.recreate to replace the Secret"
        )
        return Plan(failed(Reason.SECRET_IMMUTABLE, message))
    if _is_in_place(existing, desired) and leftovers(existing, desired) is None:
        return Plan(report, None, desired)
    return Plan(report, "updated", desired)


def _needs_recreation(existing: Mapping[str, object], secret: Secret) -> bool:
    if text(existing, "type") != secret.type:
        return True
    if existing.get("immutable") is not True:
        return False
    return not secret.immutable or not _same_data(existing, secret)


def _same_data(existing: Mapping[str, object], secret: Secret) -> bool:
    wanted = strings(secret.to_dict(), "data")
    found = strings(existing, "data")
    same = [compare_digest(wanted[key].encode(), found.get(key, "").encode()) for key in wanted]
    return wanted.keys() == found.keys() and all(same)


def _is_in_place(existing: Mapping[str, object], desired: Desired) -> bool:
    metadata = child(existing, "metadata")
    secret = desired.secret
    owner = Metadata.of(existing).controller
    return (
        (owner.uid if owner else "") == (desired.owner.uid if desired.owner else "")
        and secret.labels.items() <= strings(metadata, "labels").items()
        and secret.annotations.items() <= strings(metadata, "annotations").items()
        and (existing.get("immutable") is True) == secret.immutable
        and _same_data(existing, secret)
    )


def leftovers(existing: Mapping[str, object], desired: Desired) -> JsonObject | None:
    """Return a merge patch that removes what an apply leaves behind, None if there is nothing.

    Server-side apply removes only what nobody else has set. All data keys are ours, whoever set
    them; labels and annotations only those that our field manager has set some time.
    """
    metadata = child(existing, "metadata")
    data = _without(strings(existing, "data").keys(), desired.secret.data)
    changes = {
        "labels": _without(_set_by_us(metadata, "labels"), desired.secret.labels),
        "annotations": _without(_set_by_us(metadata, "annotations"), desired.secret.annotations),
        "ownerReferences": _foreign_owners(metadata) if desired.owner is None else None,
    }
    changes = {field: change for field, change in changes.items() if change is not None}
    if data is None and not changes:
        return None
    patch: JsonObject = {"data": data} if data is not None else {}
    return patch | {"metadata": changes}


def overwrite(existing: Mapping[str, object], desired: Desired) -> JsonObject | None:
    """Return a merge patch to the whole Secret, None where an apply leaves nothing behind.

    It is for exactly `existing`: sent without its resourceVersion it could mix two versions.
    """
    removal = leftovers(existing, desired)
    if removal is None:
        return None
    body = desired.body()
    metadata = child(body, "metadata")
    owners = children(child(existing, "metadata"), "ownerReferences")
    foreign = [owner for owner in owners if owner.get("controller") is not True]
    owners = [*foreign, *children(metadata, "ownerReferences")]
    return _joined(removal, {**body, "metadata": {**metadata, "ownerReferences": owners}})


def _joined(base: Mapping[str, object], over: Mapping[str, object]) -> JsonObject:
    """Return both, mappings joined entry by entry; `over` wins."""
    both = {
        name: _joined(child(base, name), child(over, name)) for name in base if child(over, name)
    }
    return {**base, **over, **both}


def _without(present: Iterable[str], wanted: Mapping[str, object]) -> JsonObject | None:
    """Return a merge patch that removes what is not wanted, None if nothing is."""
    return {key: None for key in sorted(present) if key not in wanted} or None


def _foreign_owners(metadata: Mapping[str, object]) -> list[Mapping[str, object]] | None:
    """Return the owners without the controller, None if there is no controller among them."""
    owners = children(metadata, "ownerReferences")
    foreign = [owner for owner in owners if owner.get("controller") is not True]
    return foreign if len(foreign) < len(owners) else None


def _set_by_us(metadata: Mapping[str, object], field: str) -> set[str]:
    """Return the entries of `field` that are there and that our field manager has set some time."""
    names: set[str] = set()
    for entry in children(metadata, "managedFields"):
        if entry.get("manager") == FIELD_MANAGER:
            fields = child(child(child(entry, "fieldsV1"), "f:metadata"), f"f:{field}")
            names |= {name.removeprefix("f:") for name in fields}
    return names & strings(metadata, field).keys()
