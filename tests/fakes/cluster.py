"""An API server in memory that keeps the rules the controller depends on.

Resource versions, generations, optimistic concurrency, create-only names, delete preconditions,
immutable Secrets, field managers as far as leftovers go, watches with bookmarks and expired
versions, paged lists, garbage collection by owner. Faults are injected with `fail`.
"""

import base64
import copy
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from sealkit_controller.cluster import ApiError, Page, PatchKind, Selection, Target, WatchEvent
from sealkit_controller.objects import (
    FIELD_MANAGER,
    SEALED_SECRETS,
    SECRETS,
    SERVICE_ACCOUNTS,
    JsonObject,
    ObjectKey,
    Resource,
    child,
    children,
)
from tests.fakes.rules import (
    bookmark,
    check_immutable,
    check_preconditions,
    key_of,
    managed,
    matches,
    merged,
    metadata_of,
    place_of,
    seen,
    timestamp,
    without_dropped,
    without_version,
)

ISSUER = "https://issuer.test"  # of service account tokens
API_AUDIENCE = "api.test"  # one more that the API server takes


KEY: Final = ec.generate_private_key(ec.SECP256R1())  # that signs them


def _signed(claims: Mapping[str, object]) -> str:
    """Return a JWT (RFC 7519) with ES256."""
    parts = ({"alg": "ES256", "typ": "JWT"}, claims)
    text = ".".join(_text(json.dumps(part).encode()) for part in parts)
    both = decode_dss_signature(KEY.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{_text(b''.join(one.to_bytes(32, 'big') for one in both))}"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass(frozen=True)
class Sent:
    """One request as the server saw it, whether or not it failed."""

    verb: str
    resource: str
    name: str
    body: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class _Change:
    version: int
    resource: str
    event: WatchEvent
    old: JsonObject | None


class FakeCluster:
    """See the module. Thread-safe; `requests` lists everything that was sent."""

    def __init__(self, page_size: int = 500) -> None:
        self._page_size = page_size
        self._lock = threading.RLock()
        self._news = threading.Condition(self._lock)
        self._objects: dict[tuple[str, ObjectKey], JsonObject] = {}
        self._applied: dict[tuple[str, ObjectKey], JsonObject] = {}
        self._log: list[_Change] = []
        self._version = 100
        self._compacted = 0
        self._uids = 0
        self._faults: list[tuple[str, str, ApiError, int]] = []
        self._watches: list[FakeWatch] = []
        self.requests: list[Sent] = []
        self.on_request: Callable[[Sent], None] = lambda _: None

    # What a test does.

    def fail(self, verb: str, resource: str, error: ApiError, times: int = 1) -> None:
        """Let the next `times` requests of this kind fail, before they have any effect."""
        with self._lock:
            self._faults.append((verb, resource, error, times))

    def compact(self) -> None:
        """Forget all changes so far: older versions are gone (410)."""
        with self._lock:
            self._compacted = self._version
            self._log.clear()

    def bookmark(self) -> None:
        """Send a bookmark on every watch."""
        with self._news:
            self._version += 1
            for watch in self._watches:
                watch.push(WatchEvent("BOOKMARK", bookmark(self._version)))
            self._news.notify_all()

    def wait_until_heard(self, watches: int = 1) -> None:
        """Wait until that many watches are open and their readers have taken in everything."""
        with self._news:
            assert self._news.wait_for(lambda: self._are_heard(watches), 10), "a reader is stuck"

    def _are_heard(self, watches: int) -> bool:
        opened = [watch for watch in self._watches if not watch.ended]
        return len(opened) == watches and all(watch.is_heard for watch in opened)

    def end_watches(self, error: ApiError | None = None) -> None:
        """End every open watch, in order or with an error."""
        with self._news:
            for watch in self._watches:
                watch.end(error)
            self._news.notify_all()

    def put(self, resource: Resource, raw: Mapping[str, object]) -> JsonObject:
        """Create or replace an object as somebody else would, without a request being counted."""
        with self._lock:
            key = key_of(raw)
            old = self._objects.get((resource.plural, key))
            if old is None:
                return copy.deepcopy(self._insert(resource, dict(raw), "somebody"))
            return copy.deepcopy(self._store(resource, {**old, **raw}, old, "somebody"))

    def edit(self, resource: Resource, key: ObjectKey, change: Mapping[str, object]) -> JsonObject:
        """Merge a change into an object as somebody else would."""
        with self._lock:
            old = self._objects[resource.plural, key]
            return copy.deepcopy(self._store(resource, merged(old, change), old, "somebody"))

    def drop(self, resource: Resource, key: ObjectKey) -> None:
        """Delete an object as somebody else would; its dependents go with it."""
        with self._lock:
            self._remove(resource.plural, key)

    def find(self, resource: Resource, key: ObjectKey) -> JsonObject | None:
        """Return an object without a request being counted."""
        with self._lock:
            return copy.deepcopy(self._objects.get((resource.plural, key)))

    def wait_for(
        self,
        resource: Resource,
        key: ObjectKey,
        holds: Callable[[JsonObject | None], bool],
        timeout_seconds: float = 10.0,
    ) -> JsonObject | None:
        """Wait until an object, None if absent, is as wanted, and return it."""
        with self._news:
            found = self._news.wait_for(lambda: holds(self.find(resource, key)), timeout_seconds)
            assert found, f"{resource.plural} {key}: {self.find(resource, key)}"
            return self.find(resource, key)

    def sent(self, verb: str, resource: str = "") -> list[Sent]:
        """Return the requests of one kind."""
        with self._lock:
            return [s for s in self.requests if s.verb == verb and resource in {"", s.resource}]

    def writes(self) -> list[Sent]:
        """Return the requests that change something."""
        with self._lock:
            return [
                s
                for s in self.requests
                if s.verb in {"create", "apply", "merge", "replace", "delete"}
            ]

    # The protocol `cluster.Cluster`.

    def get(self, target: Target) -> JsonObject:
        with self._lock:
            self._receive("get", target.resource.plural, target.name)
            return copy.deepcopy(self._existing(target))

    def pages(self, selection: Selection) -> Iterator[Page]:
        with self._lock:
            self._receive("list", selection.resource.plural, "")
            version = str(self._version)
            items = [seen(selection, raw) for raw in self._selected(selection)]
        size = self._page_size
        for start in range(0, max(len(items), 1), size):
            if start:
                self._receive("list", selection.resource.plural, f"from {start}")
            yield Page(items[start : start + size], version)

    def watch(self, selection: Selection, resource_version: str) -> "FakeWatch":
        with self._lock:
            self._receive("watch", selection.resource.plural, "")
            if int(resource_version) < self._compacted:
                raise ApiError(410, "Expired")
            watch = FakeWatch(self._news, selection)
            for change in self._log:
                if change.version > int(resource_version):
                    watch.offer(change)
            self._watches.append(watch)
            return watch

    def create(self, resource: Resource, namespace: str, body: Mapping[str, object]) -> JsonObject:
        with self._lock:
            raw = copy.deepcopy(dict(body))
            self._receive("create", resource.plural, key_of(raw).name, body)
            assert key_of(raw).namespace == namespace
            if (resource.plural, key_of(raw)) in self._objects:
                raise ApiError(409, "AlreadyExists")
            return metadata_of(self._insert(resource, raw, FIELD_MANAGER))

    def patch(self, target: Target, body: Mapping[str, object], kind: PatchKind) -> JsonObject:
        with self._lock:
            verb = "apply" if kind is PatchKind.APPLY else "merge"
            name = target.resource.plural + (f"/{target.subresource}" if target.subresource else "")
            self._receive(verb, name, target.name, body)
            change = copy.deepcopy(dict(body))
            place = (target.resource.plural, place_of(target))
            before = self._applied.get(place, {})
            if kind is PatchKind.APPLY:
                self._applied[place] = copy.deepcopy(change)
            if kind is PatchKind.APPLY and place not in self._objects:
                return copy.deepcopy(self._insert(target.resource, change, FIELD_MANAGER))
            old = self._existing(target)
            check_preconditions(old, child(change, "metadata"))
            if target.subresource == "status":
                change = {"status": change["status"]}
            new = merged(old, change)
            if kind is PatchKind.APPLY:
                new = without_dropped(new, before, change)
            stored = self._store(target.resource, new, old, FIELD_MANAGER)
            return copy.deepcopy(stored) if kind is PatchKind.APPLY else metadata_of(stored)

    def replace(self, target: Target, body: Mapping[str, object]) -> JsonObject:
        with self._lock:
            name = target.resource.plural + (f"/{target.subresource}" if target.subresource else "")
            self._receive("replace", name, target.name, body)
            old = self._existing(target)
            version = child(body, "metadata").get("resourceVersion")
            assert version, "an update must say which version it replaces"
            check_preconditions(old, {"resourceVersion": version})
            change = {"status": copy.deepcopy(body["status"])} if target.subresource else dict(body)
            return metadata_of(self._store(target.resource, {**old, **change}, old, FIELD_MANAGER))

    def delete(self, target: Target, uid: str, resource_version: str) -> None:
        with self._lock:
            self._receive("delete", target.resource.plural, target.name)
            wanted = {"uid": uid, "resourceVersion": resource_version}
            check_preconditions(self._existing(target), wanted)
            self._remove(target.resource.plural, place_of(target))

    def request_token(
        self, namespace: str, account: str, audience: str, seconds: int
    ) -> JsonObject:
        target = Target(SERVICE_ACCOUNTS, namespace, account, "token")
        with self._lock:
            self._receive("token", "serviceaccounts", account, {"seconds": seconds})
            self._existing(target)
        subject = f"system:serviceaccount:{namespace}:{account}"
        now = int(time.time())
        audiences = [audience] if audience else [ISSUER, API_AUDIENCE]
        claims = {"iss": ISSUER, "aud": audiences, "sub": subject, "iat": now}
        token = _signed(claims | {"exp": now + seconds})
        return {"spec": {"audiences": audiences}, "status": {"token": token}}

    def close(self) -> None:
        """Nothing is kept open."""

    # Inside.

    def _receive(
        self, verb: str, resource: str, name: str, body: Mapping[str, object] | None = None
    ) -> None:
        with self._lock:
            sent = Sent(verb, resource, name, dict(body or {}))
            self.requests.append(sent)
            self.on_request(sent)
            for index, (of_verb, of_resource, error, times) in enumerate(self._faults):
                if (of_verb, of_resource) == (verb, resource):
                    if times == 1:
                        del self._faults[index]
                    else:
                        self._faults[index] = (of_verb, of_resource, error, times - 1)
                    raise error

    def _existing(self, target: Target) -> JsonObject:
        found = self._objects.get((target.resource.plural, place_of(target)))
        if found is None:
            raise ApiError(404, "NotFound")
        return found

    def _selected(self, selection: Selection) -> list[JsonObject]:
        return [
            raw
            for (plural, _), raw in sorted(self._objects.items())
            if plural == selection.resource.plural and matches(selection, raw)
        ]

    def _insert(self, resource: Resource, raw: JsonObject, manager: str) -> JsonObject:
        self._uids += 1
        raw = {"apiVersion": resource.api_version, "kind": resource.kind, **raw}
        given = dict(child(raw, "metadata"))
        given |= {"uid": f"uid-{self._uids}", "generation": 1, "creationTimestamp": timestamp()}
        raw["metadata"] = given
        if resource == SEALED_SECRETS:
            raw.setdefault("status", {"observedGeneration": -1})
        if resource == SECRETS:
            raw.setdefault("type", "Opaque")
        return self._record(resource.plural, raw, "ADDED", manager)

    def _store(
        self, resource: Resource, new: JsonObject, old: JsonObject, manager: str
    ) -> JsonObject:
        check_immutable(resource, new, old)
        if without_version(new) == without_version(old):
            return old
        metadata = dict(child(new, "metadata"))
        if child(new, "spec") != child(old, "spec"):
            metadata["generation"] = int(str(metadata["generation"])) + 1
        return self._record(resource.plural, {**new, "metadata": metadata}, "MODIFIED", manager)

    def _record(self, plural: str, raw: JsonObject, event: str, manager: str) -> JsonObject:
        self._version += 1
        metadata = dict(child(raw, "metadata"))
        metadata["resourceVersion"] = str(self._version)
        metadata["managedFields"] = managed(metadata, manager)
        raw = {**raw, "metadata": metadata}
        self._announce(plural, WatchEvent(event, raw), self._objects.get((plural, key_of(raw))))
        self._objects[plural, key_of(raw)] = raw
        return raw

    def _remove(self, plural: str, key: ObjectKey) -> None:
        raw = self._objects.pop((plural, key))
        self._version += 1
        metadata = {**child(raw, "metadata"), "resourceVersion": str(self._version)}
        self._announce(plural, WatchEvent("DELETED", {**raw, "metadata": metadata}), raw)
        uid = metadata.get("uid")
        for other, place in list(self._objects):
            dependent = child(self._objects.get((other, place), {}), "metadata")
            if any(o.get("uid") == uid for o in children(dependent, "ownerReferences")):
                self._remove(other, place)

    def _announce(self, plural: str, event: WatchEvent, old: JsonObject | None) -> None:
        change = _Change(self._version, plural, event, old)
        self._log.append(change)
        for watch in self._watches:
            watch.offer(change)
        self._news.notify_all()


class FakeWatch:
    """An open watch; see `cluster.Watch`."""

    def __init__(self, news: threading.Condition, selection: Selection) -> None:
        self._news = news
        self._selection = selection
        self._waiting: list[WatchEvent] = []
        self.ended = False
        self.is_heard = False
        self._error: ApiError | None = None

    def __iter__(self) -> Iterator[WatchEvent]:
        while True:
            with self._news:
                self.is_heard = not self._waiting
                self._news.notify_all()
                self._news.wait_for(lambda: self._waiting or self.ended)
                if not self._waiting:
                    if self._error is not None:
                        raise self._error
                    return
                event = self._waiting.pop(0)
            yield event

    def offer(self, change: _Change) -> None:
        if change.resource != self._selection.resource.plural:
            return
        event = change.event
        was = change.old is not None and matches(self._selection, change.old)
        now = matches(self._selection, event.object)
        kind = event.type if was == now else "ADDED" if now else "DELETED"
        if was or now:
            kind = event.type if event.type == "DELETED" else kind
            self.push(WatchEvent(kind, seen(self._selection, event.object)))

    def push(self, event: WatchEvent) -> None:
        if not self.ended:
            self._waiting.append(event)
            self.is_heard = False

    def end(self, error: ApiError | None = None) -> None:
        self.ended, self._error = True, error

    def close(self) -> None:
        with self._news:
            self.end()
            self._waiting.clear()
            self._news.notify_all()
