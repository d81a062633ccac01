"""What the controller remembers in a manifest's status, so that a new process goes on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sealkit_controller.objects import JsonObject, children, number, text

_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


def to_text(instant: datetime) -> str:
    """Return a time as Kubernetes writes it: UTC, whole seconds."""
    return instant.astimezone(UTC).strftime(_TIME)


def to_instant(raw: str) -> datetime | None:
    """Return the time that `to_text` wrote, None for anything else."""
    try:
        return datetime.strptime(raw, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class LeaseNote:
    """Something from Vault that ends: credentials with a lease, a certificate, a rotated password.

    `question` is the digest of what was asked, `store` its store as `<kind>/<name>`, `namespace`
    that of the server where it is not the store's, `id` the lease
    at the server, empty if there is none; `token` tells whose lease it is, since it ends with that
    token. `seconds` is what it was good for at first.
    """

    question: str
    store: str
    renew_at: datetime
    ends_at: datetime
    namespace: str = ""
    id: str = ""
    token: str = ""
    seconds: int = 0
    renewable: bool = False

    @classmethod
    def of(cls, raw: Mapping[str, object]) -> LeaseNote | None:
        """Read a note from a status, None if somebody garbled it."""
        renew_at, ends_at = to_instant(text(raw, "renewAt")), to_instant(text(raw, "endsAt"))
        if renew_at is None or ends_at is None:
            return None
        return cls(
            question=text(raw, "question"),
            store=text(raw, "store"),
            renew_at=renew_at,
            ends_at=ends_at,
            namespace=text(raw, "namespace"),
            id=text(raw, "id"),
            token=text(raw, "token"),
            seconds=number(raw, "seconds"),
            renewable=raw.get("renewable") is True,
        )

    def to_dict(self) -> JsonObject:
        """Return the note as the status has it."""
        raw: JsonObject = {
            "question": self.question,
            "store": self.store,
            "renewAt": to_text(self.renew_at),
            "endsAt": to_text(self.ends_at),
        }
        if self.namespace:
            raw["namespace"] = self.namespace
        if self.id:
            raw |= {"id": self.id, "token": self.token, "seconds": self.seconds}
            raw["renewable"] = self.renewable
        return raw


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of the Secret and its sources since they were last right.

    `secret_version` is the Secret's resourceVersion as it was left; `data_mac` a keyed digest of
    its data, "" where nobody needs one; `refreshed_at` when all references were last resolved.
    """

    secret_version: str = ""
    data_mac: str = ""
    refreshed_at: datetime | None = None
    leases: tuple[LeaseNote, ...] = ()

    @classmethod
    def of(cls, status: Mapping[str, object]) -> Record:
        """Read what an earlier run wrote; what is garbled counts as not there."""
        notes = (LeaseNote.of(raw) for raw in children(status, "leases"))
        return cls(
            text(status, "secretResourceVersion"),
            text(status, "dataMac"),
            to_instant(text(status, "refreshedAt")),
            tuple(note for note in notes if note),
        )

    def to_dict(self) -> JsonObject:
        """Return the fields of the status, without empty ones."""
        raw: JsonObject = {}
        if self.secret_version:
            raw["secretResourceVersion"] = self.secret_version
        if self.data_mac:
            raw["dataMac"] = self.data_mac
        if self.refreshed_at:
            raw["refreshedAt"] = to_text(self.refreshed_at)
        if self.leases:
            raw["leases"] = [note.to_dict() for note in self.leases]
        return raw
