"""The status of a SealedSecret: the one place that decides what it says. Pure.

Argo CD, Flux, Helm (kstatus), `kubectl wait` and Terraform read the same few fields in different
ways. What is written here means the same to all of them (controller/README.md, "Status").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sealkit_controller.objects import JsonObject, Metadata, child, children, text
from sealkit_controller.record import Record, to_text

MAX_TOKEN: Final = 253  # characters of a reconcile request that are kept, as the CRD says
_MAX_MESSAGE: Final = 1024  # characters; the CRD allows more, a table in a terminal does not


class Verdict(StrEnum):
    """The status of the conditions `Synced` and `Ready`."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Reason(StrEnum):
    """Why, as one stable word that scripts and alerts may rely on."""

    SYNCED = "Synced"
    SUSPENDED = "Suspended"
    # Permanent: only a change of the manifest, the keys or the Secret helps.
    DECRYPTION_FAILED = "DecryptionFailed"
    NO_KEY = "NoKey"
    INVALID_MANIFEST = "InvalidManifest"
    SECRET_NOT_OWNED = "SecretNotOwned"  # noqa: S105  (a reason, not a password)
    SECRET_IMMUTABLE = "SecretImmutable"  # noqa: S105
    SECRET_INVALID = "SecretInvalid"  # noqa: S105
    TYPE_REFUSED = "TypeRefused"
    # Transient: tried again by itself.
    API_UNAVAILABLE = "ApiUnavailable"
    API_REFUSED = "ApiRefused"
    SECRET_TERMINATING = "SecretTerminating"  # noqa: S105
    # Of references to Vault. Tried again by itself, except for the last four.
    PATH_NOT_FOUND = "PathNotFound"
    KEY_NOT_FOUND = "KeyNotFound"
    NULL_VALUE = "NullValue"
    VERSION_DELETED = "VersionDeleted"
    VERSION_DESTROYED = "VersionDestroyed"
    PERMISSION_DENIED = "PermissionDenied"
    AUTH_FAILED = "AuthFailed"
    VAULT_UNAVAILABLE = "VaultUnavailable"
    RATE_LIMITED = "RateLimited"
    INVALID_REFERENCE = "InvalidReference"
    PATH_NOT_ALLOWED = "PathNotAllowed"
    TEMPLATE_ERROR = "TemplateError"
    TARGET_TOO_LARGE = "TargetTooLarge"


_ONLY_A_CHANGE_HELPS: Final = frozenset(
    {
        *(Reason.INVALID_REFERENCE, Reason.PATH_NOT_ALLOWED),
        *(Reason.TEMPLATE_ERROR, Reason.TARGET_TOO_LARGE),
    }
)


@dataclass(frozen=True, slots=True)
class Report:
    """What there is to say about a manifest. `message` never holds anything that was decrypted.

    A failure that is `retried` is one all the same: what it is about is out of our hands.
    """

    verdict: Verdict
    reason: Reason
    message: str
    retried: bool = False


def synced(message: str = "the Secret is what the manifest says") -> Report:
    """The Secret is right."""
    return Report(Verdict.TRUE, Reason.SYNCED, message)


def failed(reason: Reason, message: str) -> Report:
    """It cannot work until something changes: `Stalled`, which ends a GitOps tool's waiting."""
    return Report(Verdict.FALSE, reason, message)


def retrying(reason: Reason, message: str) -> Report:
    """It did not work yet: `Reconciling`. Never False, which Argo CD takes for a failed sync."""
    return Report(Verdict.UNKNOWN, reason, message)


def unresolved(reason: Reason, message: str) -> Report:
    """A reference has no value. The last Secret is kept, and it is tried again where that helps."""
    return Report(Verdict.FALSE, reason, message, retried=reason not in _ONLY_A_CHANGE_HELPS)


def new_status(
    previous: Mapping[str, object],
    manifest: Metadata,
    report: Report,
    record: Record,
    now: datetime,
) -> JsonObject | None:
    """Return the status to write in place of `previous`, None if that says so already.

    No field changes merely because time passes: our own write comes back as an event.
    """
    status: JsonObject = {
        "observedGeneration": manifest.generation,
        "conditions": _conditions(children(previous, "conditions"), report, now),
    }
    if manifest.requested:
        status["lastHandledReconcileAt"] = manifest.requested[:MAX_TOKEN]
    status |= record.to_dict()
    return None if status == previous else status


def status_of(raw: Mapping[str, object]) -> Mapping[str, object]:
    """Return the status of a SealedSecret."""
    return child(raw, "status")


def says_synced(status: Mapping[str, object]) -> bool:
    """Tell whether a status says that all is well; of which generation is another question."""
    conditions = children(status, "conditions")
    return bool(conditions) and text(conditions[0], "status") == Verdict.TRUE


def _conditions(
    previous: list[Mapping[str, object]], report: Report, now: datetime
) -> list[JsonObject]:
    """`Synced` first: printer columns of Bitnami's CRD read conditions[0]."""
    types = [("Synced", report.verdict), ("Ready", report.verdict)]
    # Both are abnormal-true: present only when true, and never both, for kstatus takes the first.
    if report.verdict is Verdict.FALSE and not report.retried:
        types.append(("Stalled", Verdict.TRUE))
    elif report.verdict is not Verdict.TRUE and report.reason is not Reason.SUSPENDED:
        types.append(("Reconciling", Verdict.TRUE))
    since = {(text(c, "type"), text(c, "status")): text(c, "lastTransitionTime") for c in previous}
    instant = to_text(now)
    return [
        {
            "type": kind,
            "status": value.value,
            "reason": report.reason.value,
            "message": report.message[:_MAX_MESSAGE],
            "lastTransitionTime": since.get((kind, value.value)) or instant,
        }
        for kind, value in types
    ]
