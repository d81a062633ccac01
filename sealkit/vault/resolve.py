"""The values of references, read from Vault: each request once, nothing raised, nothing shared.

All references of one call that mean the same request are answered by one answer, so that the
username and the password of a lease, or the certificate and its key, fit together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol, TypeVar

from sealkit.errors import VaultError
from sealkit.references.failures import Failed, Failure, Outcome
from sealkit.references.reading import finish, pick
from sealkit.references.reference import Kv, Method, Reference, Store
from sealkit.vault.answer import Answer
from sealkit.vault.client import Ask, Vault
from sealkit.vault.held import Held, hold, rotates_in_seconds
from sealkit.vault.locate import locate
from sealkit.vault.question import Question

_NOTHING_HELD: Final[Mapping[str, Held]] = {}
_T = TypeVar("_T")


class Access(Protocol):
    """Who may ask whom for what: the stores, their identities and their rules."""

    def vault(self, store: Store | None, namespace: str) -> Vault:
        """Return the client for a store, None for the default one, asking in a Vault namespace.

        `namespace` is "" for that of the store; see `Vault.in_namespace`.

        Raises:
            VaultError: AuthFailed, InvalidReference (no such store), PathNotAllowed …
        """
        ...

    def check(self, store: Store | None, namespace: str, method: Method, path: str) -> None:
        """Allow a request, before it is made; `path` is mount and path, without `data/`.

        Raises:
            VaultError: PathNotAllowed, if the rules of the store do not let it pass.
        """
        ...


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of the references, and what to remember.

    `held` are the answers, by the digests of their questions, that were used again or are new, and
    are not to be asked for before their time. What was held and is not in it has not been used:
    no reference needs it, it is due, or the request was refused before it came to that.
    `rotates_in_seconds` is when the first of the passwords that Vault rotates by itself is another
    one. `retry_after_seconds` is the longest that any failure asks to wait.
    """

    outcomes: Mapping[Reference, Outcome | None]
    held: Mapping[str, Held] = field(default_factory=dict)
    rotates_in_seconds: float | None = None
    retry_after_seconds: float | None = None


def resolve(
    access: Access,
    references: Collection[Reference],
    now: datetime,
    held: Mapping[str, Held] = _NOTHING_HELD,
) -> Resolution:
    """Return the outcome of each reference, as `reading.finish` makes it.

    Every VaultError becomes a `Failed` of those references that it is about; what else `access`
    raises passes through. `held` are answers of an earlier call for the same object: they are
    used instead of asking again until `term.renew_at`.
    """
    run = _Run(access, held, now)
    outcomes = {reference: run.outcome(reference) for reference in references}
    waits = [error.retry_after_seconds or 0.0 for error in run.failures()]
    rotations = [
        seconds
        for question, answer in run.answers.items()
        if isinstance(answer, Answer)
        and (seconds := rotates_in_seconds(question, answer)) is not None
    ]
    wait = max(waits, default=0.0) or None
    return Resolution(outcomes, run.kept, min(rotations, default=None), wait)


@dataclass(frozen=True, slots=True)
class _Run:
    """One call: what was asked so far, failures included."""

    access: Access
    held: Mapping[str, Held]
    now: datetime
    kept: dict[str, Held] = field(default_factory=dict)
    questions: dict[Reference, Question | VaultError] = field(default_factory=dict)
    vaults: dict[tuple[Store | None, str], Vault | VaultError] = field(default_factory=dict)
    answers: dict[Question, Answer | VaultError] = field(default_factory=dict)

    def failures(self) -> list[VaultError]:
        found = (*self.questions.values(), *self.answers.values())
        return [one for one in found if isinstance(one, VaultError)]

    def outcome(self, reference: Reference) -> Outcome | None:
        answer = self._answer(reference)
        picked = (
            _failure(answer)
            if isinstance(answer, VaultError)
            else pick(answer.reveal(), reference.key)
        )
        outcome = finish(reference, picked)
        return _placed(reference, outcome) if isinstance(outcome, Failed) else outcome

    def _answer(self, reference: Reference) -> Answer | VaultError:
        asking = reference.asking
        if asking not in self.questions:
            self.questions[asking] = _tried(lambda: self._question(asking))
        question = self.questions[asking]
        if isinstance(question, VaultError):
            return question
        if question not in self.answers:
            self.answers[question] = _tried(lambda: self._asked(question))
        return self.answers[question]

    def _vault(self, store: Store | None, namespace: str) -> Vault:
        at = (store, namespace)
        if at not in self.vaults:
            self.vaults[at] = _tried(lambda: self.access.vault(store, namespace))
        vault = self.vaults[at]
        if isinstance(vault, VaultError):
            raise vault.with_traceback(None)
        return vault

    def _question(self, reference: Reference) -> Question:
        store, namespace = reference.store, reference.namespace
        located = locate(reference, self._vault(store, namespace).mount_of)
        self.access.check(store, namespace, reference.method, located.canonical)
        return located.question

    def _asked(self, question: Question) -> Answer:
        digest = question.digest
        held = self.held.get(digest)
        if held is None or self.now >= held.term.renew_at:
            answer = ask(self._vault(question.store, question.namespace), question)
            held = hold(question, answer, self.now)
            if held is None:
                return answer
        self.kept[digest] = held
        return held.answer


def ask(vault: Vault, question: Question) -> Answer:
    """Ask Vault, in the namespace that `vault` asks in.

    Raises:
        VaultError: as the methods of `Vault`.
    """
    if question.kv is Kv.V2:
        return vault.read_kv2(question.mount, question.secret, question.version)
    return vault.ask(Ask(question.path, question.method.value, question.body or None))


def _tried(call: Callable[[], _T]) -> _T | VaultError:
    try:
        return call()
    except VaultError as error:
        return error.with_traceback(None)


def _failure(error: VaultError) -> Failed:
    return Failed(Failure(error.reason), f"{error}; {error.hint}" if error.hint else str(error))


def _placed(reference: Reference, failed: Failed) -> Failed:
    """Say where in one line; a key is public, as the whole reference is."""
    key = f"#{reference.key}" if reference.key else ""
    store = f" in {reference.store.kind} {reference.store.name}" if reference.store else ""
    line = f"{reference.location}{key}{store}: {failed.detail}"
    return Failed(failed.reason, " ".join(line.split()))
