"""Watches every write that reaches the API server, and says which promise it breaks.

The rules, by the names that README.md explains: I1 whole content, I3 nobody else's Secrets,
I4 nothing readable gets out, I5 keys are durable before they are known.
"""

import base64
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sealkit.errors import SealkitError
from sealkit.keypair import TYPE, KeyPair
from sealkit_controller.objects import (
    ADOPT_ANNOTATION,
    MANAGED_LABEL,
    RETAIN_ANNOTATION,
    SEALED_SECRETS,
    JsonObject,
    Metadata,
    ObjectKey,
    child,
    strings,
    text,
)
from sealkit_controller.sandbox.store.database import Change
from sealkit_controller.sandbox.store.records import Record
from tests.faults.ledger import Ledger

# The controller is the only one that comes over the network; see `hand`.
_NETWORK_THREAD = "sandbox-connection"

# Says what is wrong with an object before and after a write, "" if nothing is.
Rule = Callable[[JsonObject | None, JsonObject | None], str]


@dataclass
class Checker:
    """A listener of the sandbox's database. `broken` tells what was found, in order.

    `writes` are the controller's, without its events.
    """

    ledger: Ledger
    system: str
    namespace: str
    broken: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    _uids: set[str] = field(default_factory=set)

    def __call__(self, change: Change) -> None:
        """Look at one write, in the thread and under the lock that it is done with."""
        if change.key.namespace not in {self.system, self.namespace}:
            return
        try:
            self._look(change)
        except Exception as error:  # noqa: BLE001 -- the sandbox would answer 500, and go on
            self.broken.append(f"the checker itself: {error!r}")

    def _look(self, change: Change) -> None:
        before, after = _document(change.before), _document(change.after)
        kind = change.key.storage.partition(".")[0]
        if threading.current_thread().name == _NETWORK_THREAD:
            self._by_controller(change, kind, before, after)
        self._learn(kind, after or {})

    def _learn(self, kind: str, after: JsonObject) -> None:
        if kind == "sealedsecrets" and after:
            self._uids.add(Metadata.of(after).uid)
            if child(after, "spec").get("recreate") is True:
                self.ledger.recreatable.add(Metadata.of(after).key.name)
        if kind == "secrets" and text(after, "type") == TYPE:
            try:
                self.ledger.note_key(KeyPair.from_secret(after))
            except SealkitError:
                return  # damaged by hand

    def _by_controller(
        self, change: Change, kind: str, before: JsonObject | None, after: JsonObject | None
    ) -> None:
        rules: dict[str, Rule] = {
            "secrets": self._secret,
            "sealedsecrets": _manifest,
            "configmaps": self._published,
            "events": _event,
        }
        what = "created" if before is None else "changed" if after else "deleted"
        if kind != "events":
            news = _news(before, after) if kind == "sealedsecrets" else ""
            self.writes.append(f"{change.version} {kind} {change.key.name} {what} {news}".strip())
        rule = rules.get(kind, _elsewhere)
        problem = rule(before, after)
        if change.after and kind != "secrets" and self.ledger.leaks(change.after.body):
            problem = "I4: something readable"
        if problem:
            self.broken.append(f"{problem}: {kind} {change.key.name} {what}, {change.version}")

    def _secret(self, before: JsonObject | None, after: JsonObject | None) -> str:
        touched = Metadata.of(before or after or {}).key
        if touched.namespace == self.system:
            return _key(before, after)
        if before is not None and not self._is_ours(before):
            return "I3: somebody else's Secret"
        return self._deleted(touched) if after is None else self._content(touched, after)

    def _deleted(self, touched: ObjectKey) -> str:
        allowed = touched.name in self.ledger.recreatable
        return "" if allowed else "I3: deleted without permission"

    def _content(self, touched: ObjectKey, after: JsonObject) -> str:
        if not any(plain.fills(after) for plain in self.ledger.versions(touched.name)):
            return f"I1: {sorted(strings(after, 'data'))} is no version of the manifest"
        return "" if self._is_ours(after) else "I3: a Secret that is not marked as ours"

    def _is_ours(self, secret: Mapping[str, object]) -> bool:
        metadata = child(secret, "metadata")
        owner = Metadata.of(secret).controller
        if owner is not None:
            kind = (SEALED_SECRETS.api_version, SEALED_SECRETS.kind)
            return (owner.api_version, owner.kind) == kind and owner.uid in self._uids
        annotations = strings(metadata, "annotations")
        marked = strings(metadata, "labels").get(MANAGED_LABEL) == "true"
        return annotations.get(ADOPT_ANNOTATION) == "true" or (
            marked and RETAIN_ANNOTATION in annotations
        )

    def _published(self, _: JsonObject | None, after: JsonObject | None) -> str:
        entries = strings(after or {}, "data")
        kids = {name.removesuffix(".pub") for name in entries if name.endswith(".pub")}
        kids |= {line.split()[0] for line in entries.get("keys", "").splitlines()}
        return "" if kids and kids <= self.ledger.kids else "I5: published before it is stored"


def _key(before: JsonObject | None, after: JsonObject | None) -> str:
    made = before is None and text(after or {}, "type") == TYPE
    return "" if made else "I5: a key that the controller changed"


def _event(_: JsonObject | None, after: JsonObject | None) -> str:
    return "" if after else "I3: an event deleted"


def _elsewhere(_: JsonObject | None, __: JsonObject | None) -> str:
    return "I3: not its business"


def _manifest(before: JsonObject | None, after: JsonObject | None) -> str:
    """The controller writes the status, nothing else."""
    if before is None or after is None:
        return "I3: a manifest made or deleted"
    return "" if _without_status(before) == _without_status(after) else "I3: a manifest changed"


def _news(before: JsonObject | None, after: JsonObject | None) -> str:
    """Return what a status says that it did not say before."""
    old, new = child(before or {}, "status"), child(after or {}, "status")
    return json.dumps({name: new[name] for name in new if new[name] != old.get(name)})


def _without_status(manifest: JsonObject) -> JsonObject:
    ours = ("managedFields", "resourceVersion")
    metadata = {k: v for k, v in child(manifest, "metadata").items() if k not in ours}
    return {**manifest, "status": None, "metadata": metadata}


def _document(record: Record | None) -> JsonObject | None:
    return json.loads(record.body) if record else None


def kid_of(secret: Mapping[str, object]) -> str:
    """Return the key id in a key Secret."""
    return base64.b64decode(strings(secret, "data").get("kid", "")).decode()
