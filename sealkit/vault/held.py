"""Answers that must not be asked for again as long as they are good: leases and certificates.

Asking again would make new credentials each time. Times are aware datetimes that the caller gives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sealkit.errors import VaultError
from sealkit.references.reference import Kv, Method
from sealkit.vault.answer import Answer
from sealkit.vault.client import Vault
from sealkit.vault.question import Question
from sealkit.vault.reason import Reason
from sealkit.vault.wire import count

_RENEW_AFTER: Final = 2 / 3  # of a life
_LONGEST_SECONDS: Final = 100 * 365 * 24 * 3600  # else a server's mistake ends the calendar
_REFUSALS: Final = frozenset(
    {Reason.PATH_NOT_FOUND, Reason.PERMISSION_DENIED, Reason.INVALID_REFERENCE}
)


@dataclass(frozen=True, slots=True)
class Term:
    """For how long an answer is good. Holds no secret: a status may show it.

    Without a `lease_id` it is a certificate, which nobody can renew or revoke by a lease.
    `granted_seconds` is its first life. A lease ends with the token of `token_mark` at the latest.
    """

    renew_at: datetime
    ends_at: datetime
    granted_seconds: int
    lease_id: str = ""
    renewable: bool = False
    token_mark: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """An answer and its term. To be given to `resolve` under the digest of the question."""

    question: Question
    answer: Answer
    term: Term


def hold(question: Question, answer: Answer, now: datetime) -> Held | None:
    """Return what to keep of an answer that was got just now, None for one to ask for again.

    Kept is what has a lease, and what an engine other than KV has issued that expires, as a
    certificate does. A secret that is only stored is not, whatever its keys are called.
    """
    lease = answer.lease
    is_leased = bool(lease.id and lease.seconds)
    seconds = lease.seconds if is_leased else _certificate_seconds(question, answer, now)
    if seconds <= 0:
        return None
    term = _lived(now, seconds, seconds)
    if is_leased:
        term = replace(term, lease_id=lease.id, renewable=lease.renewable)
    return Held(question, answer, replace(term, token_mark=answer.token_mark))


def renewed_term(vault: Vault, term: Term, now: datetime) -> Term | None:
    """Renew a lease for its first life, or return None: new credentials are needed by `ends_at`.

    That is so if it is not renewable or has ended, if renewal is refused, or if it gives less than
    half of the first life because the maximum is near. The old lease is not revoked.

    Raises:
        VaultError: nobody knows yet, as in an outage: VaultUnavailable, RateLimited, AuthFailed.
    """
    if not term.lease_id or not term.renewable or now >= term.ends_at:
        return None
    try:
        lease = vault.renew_lease(term.lease_id, term.granted_seconds)
    except VaultError as error:
        if error.reason in _REFUSALS:
            return None
        raise
    if lease.seconds < term.granted_seconds / 2:
        return None
    life = _lived(now, lease.seconds, term.granted_seconds)
    return replace(
        life, lease_id=term.lease_id, renewable=lease.renewable, token_mark=term.token_mark
    )


def renewed(vault: Vault, held: Held, now: datetime) -> Held | None:
    """Return an answer with its new term, or None, as `renewed_term`.

    Raises:
        VaultError: as for `renewed_term`.
    """
    term = renewed_term(vault, held.term, now)
    return replace(held, term=term) if term else None


def rotates_in_seconds(question: Question, answer: Answer) -> float | None:
    """Return when a password that Vault rotates will be another one, None if it does not.

    A second is added, because what is read at the very moment may still be the old one. Source:
    database secrets engine, "Get static credentials".
    """
    data = answer.reveal()
    is_read = question.kv is Kv.RAW and question.method is Method.GET
    if is_read and "ttl" in data and "last_vault_rotation" in data:
        return min(count(data, "ttl"), _LONGEST_SECONDS) + 1.0
    return None


def _certificate_seconds(question: Question, answer: Answer, now: datetime) -> int:
    data = answer.reveal()
    is_issued = question.method in {Method.POST, Method.PUT}
    if not is_issued or not {"certificate", "serial_number"} & data.keys():
        return 0
    return count(data, "expiration") - int(now.timestamp())


def _lived(now: datetime, seconds: int, granted_seconds: int) -> Term:
    life = timedelta(seconds=min(seconds, _LONGEST_SECONDS))
    return Term(now + life * _RENEW_AFTER, now + life, granted_seconds)
