"""One file for `rewrap`, `reseal` and `compact`: its manifests are written anew, or none of them.

It is written only if it still is what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from sealkit.cli.app import App
from sealkit.cli.audience import Audience
from sealkit.cli.audiences import Audiences
from sealkit.cli.batch import may_hold_manifest
from sealkit.cli.resources import SEALED, Found, parse_resources
from sealkit.errors import NoKeyError, PolicyError, SealkitError
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedSecret, envelopes_to_dict
from sealkit.manifests.splice import Update, rewrite
from sealkit.rewrapping import Keys
from sealkit.sealing import Random

Make = Callable[[Keys, Random], SealedSecret]
Plan = Callable[[SealedSecret, Audience], Make | None]


@dataclass(frozen=True)
class Rewritten:
    """One manifest that was written anew: what is in it, and who opens it now and does no longer.

    `envelopes` is how many there were; `removed` are key ids, with the names of clusters that the
    configuration still knows.
    """

    file: str
    document: int
    namespace: str
    name: str
    scope: str
    values: int
    envelopes: int
    clusters: tuple[str, ...]
    added: tuple[str, ...]
    removed: Mapping[str, str]

    @property
    def called(self) -> str:
        """The manifest, with its namespace if it says one."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def losers(self) -> list[str]:
        """What people call those who open it no longer."""
        return [name or f"key {kid[:8]}…" for kid, name in self.removed.items()]


class Verb(NamedTuple):
    """One way to rewrite manifests, in the words that it is told in.

    `plan` refuses a manifest, or returns how to make the new one, or None where it is good.
    """

    name: str
    doing: str
    done: str
    plan: Plan
    says: Callable[[Rewritten], str]


class Done(NamedTuple):
    """What became of one file: how many manifests it holds, and which of them were rewritten."""

    manifests: int = 0
    rewritten: tuple[Rewritten, ...] = ()
    saved_bytes: int = 0


class Task(NamedTuple):
    """What is the same for all files. Without `keys`, a check looks only at what is public."""

    app: App
    verb: Verb
    keys: Keys
    check: bool
    audiences: Audiences


def rewrite_file(task: Task, file: str) -> Done:
    """Rewrite the manifests in one file that need it.

    Raises:
        PolicyError: no rule covers the file, or one of its scopes is not allowed.
        NoKeyError, UnsealError: a manifest does not open.
        SealkitError: a manifest is wrong; the file was changed meanwhile or cannot be written.
    """
    raw = task.app.read(file)
    if not may_hold_manifest(raw):
        return Done()
    text, found = parse_resources(raw, file)
    sealed = [entry for entry in found if entry.type == SEALED]
    if not sealed:
        return Done()
    audience = task.audiences.of(task.app.place(file))
    planned = [one for entry in sealed if (one := _rewritten(task, entry, audience))]
    new = rewrite(text, [update for _, update in planned])
    if planned and not task.check:
        _save(task.app, file, text, new)
    saved = len(text.encode()) - len(new.encode())
    return Done(len(sealed), tuple(line for line, _ in planned), saved)


def check_scope(audience: Audience, scope: Scope) -> None:
    """Refuse a scope that the rule does not allow, and name the command that mends it.

    Raises:
        PolicyError: it is not allowed here.
    """
    with _hinting(PolicyError, f"sealkit reseal FILE --key KEYS --scope {audience.scopes[0]}"):
        audience.check_scope(scope)


def check_fits(audience: Audience, sealed: SealedSecret) -> None:
    """Refuse a manifest that opens for others than the rule says, and name what mends it.

    Raises:
        PolicyError: it does, or its scope is not allowed.
    """
    check_scope(audience, sealed.scope)
    with _hinting(PolicyError, "sealkit rewrap FILE --key KEYS"):
        audience.check_manifest(sealed)


def _rewritten(task: Task, entry: Found, audience: Audience) -> tuple[Rewritten, Update] | None:
    with entry.located(), _hinting(NoKeyError, "pass the private key of one of them: --key FILE"):
        before = SealedSecret.from_dict(entry.raw)
        make = task.verb.plan(before, audience)
        if make is None:
            return None
        looks_only = task.check and not task.keys
        after = before if looks_only else make(task.keys, task.app.random)
    line = _line(task, entry, audience, (before, after))
    return line, Update(entry.resource, _target(entry.raw, after))


def _target(raw: Mapping[str, object], after: SealedSecret) -> dict[str, object]:
    """Return the object with what rewriting may change; all else is as it was."""
    spec = raw["spec"]
    assert isinstance(spec, Mapping)  # noqa: S101 (it was parsed)
    changed: dict[str, object] = {"scope": after.scope.value}
    if after.envelopes:
        changed["envelopes"] = envelopes_to_dict(after.envelopes)
        changed["encryptedData"] = {key: str(one) for key, one in after.encrypted_data.items()}
    return {**raw, "spec": {**spec, **changed}}


def _line(
    task: Task,
    entry: Found,
    audience: Audience,
    versions: tuple[SealedSecret, SealedSecret],
) -> Rewritten:
    before, after = versions
    file = entry.resource.document.file
    names = task.audiences.names(task.app.place(file))
    now = {one.key.kid: one.cluster for one in audience.recipients} if before.envelopes else {}
    return Rewritten(
        file=file,
        document=entry.document,
        namespace=after.namespace,
        name=after.name,
        scope=after.scope.value,
        values=len(after.encrypted_data),
        envelopes=len(before.envelopes),
        clusters=tuple(now.values()),
        added=tuple(name for kid, name in now.items() if not _opens_all(before, kid)),
        removed={kid: names.get(kid, "") for kid in sorted(before.kids() - now.keys())},
    )


def _opens_all(sealed: SealedSecret, kid: str) -> bool:
    return all(kid in envelope.wraps for envelope in sealed.envelopes.values())


def _save(app: App, file: str, old: str, new: str) -> None:
    if app.read(file) != old.encode():
        what, hint = "was changed meanwhile, and is left as it is", "run the command again"
        raise SealkitError(what, hint=hint).located(file=file)
    app.write(file, new)


@contextmanager
def _hinting(family: type[SealkitError], hint: str) -> Iterator[None]:
    """Give errors of one family the next step that is right here."""
    try:
        yield
    except family as error:
        error.hint = hint
        raise
