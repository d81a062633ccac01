"""Controllers that live and die: fast clocks, short timeouts, and a thread of life to cut."""

import io
import json
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os import urandom
from typing import TypeVar
from urllib.parse import urlsplit

from prometheus_client import generate_latest

from sealkit_controller import logs
from sealkit_controller.app import Clock, Controller
from sealkit_controller.cluster import ApiError, Cluster, Page, PatchKind, Selection, Target, Watch
from sealkit_controller.connection import Access
from sealkit_controller.kube import HttpCluster
from sealkit_controller.objects import JsonObject, Resource
from sealkit_controller.sandbox import Sandbox
from sealkit_controller.settings import Settings

SPEED = 200.0  # seconds of back-off that pass in one of the machine's
TIMEOUT_SECONDS = 0.4  # of a request, and of a silent watch; of the machine's
GIVE_UP_SECONDS = 20.0

T = TypeVar("T")
Dies = Callable[[int, bool], bool]  # of the number of a write, from 1, and whether it was sent


@dataclass(frozen=True)
class Place:
    """Where one controller works: the namespace of its keys and that of the manifests."""

    box: Sandbox
    system: str
    namespace: str
    timeout_seconds: float = TIMEOUT_SECONDS

    @property
    def settings(self) -> Settings:
        """Small and impatient."""
        return Settings(
            namespace=self.system,
            watch_namespaces=(self.namespace,),
            cluster_name="test",
            workers=3,
            bind_address="127.0.0.1",
            public_port=0,
            probe_port=0,
            request_timeout_seconds=self.timeout_seconds,
            watch_timeout_seconds=1,
            stalled_retry_seconds=20,
            shutdown_seconds=5,
            log_level="debug",
        )

    def access(self) -> Access:
        """Return how to reach the sandbox."""
        tls = ssl.create_default_context(cadata=self.box.ca_pem.decode())
        header = f"Bearer {self.box.admin_token}"
        port = urlsplit(self.box.url).port or 0
        return Access("127.0.0.1", port, tls, authorization=lambda _: header)


def never(number: int, sent: bool) -> bool:  # noqa: FBT001  (the shape of Dies)
    """Let every write through, before and after."""
    del number, sent
    return False


class Mortal:
    """A cluster that is cut off when its owner dies: what is on its way arrives or is lost.

    `dies(number, sent)` is asked before and after each write, events left out, counted from 1.
    """

    def __init__(self, cluster: Cluster, dies: Dies = never) -> None:
        self._cluster = cluster
        self._dies = dies
        self._lock = threading.Lock()
        self._pages: dict[Selection, list[Page]] = {}
        self.stale_lists = 0
        self.writes: list[str] = []
        self.dead = threading.Event()

    def _alive(self) -> None:
        if self.dead.is_set():
            raise ApiError(0, "Dead")

    def _write(self, doing: str, act: Callable[[], T]) -> T:
        with self._lock:
            self.writes.append(doing)
            number = len(self.writes)
        self._die(number, sent=False)
        try:
            return act()
        finally:
            self._die(number, sent=True)

    def _die(self, number: int, *, sent: bool) -> None:
        with self._lock:
            if not self.dead.is_set() and self._dies(number, sent):
                self.dead.set()
        self._alive()

    def get(self, target: Target) -> JsonObject:
        self._alive()
        return self._cluster.get(target)

    def pages(self, selection: Selection) -> Iterator[Page]:
        """List; or say again what was said before, as an API server that lags behind."""
        self._alive()
        if self.stale_lists > 0 and selection in self._pages:
            self.stale_lists -= 1
            return iter(self._pages[selection])
        found = self._pages[selection] = list(self._cluster.pages(selection))
        return iter(found)

    def watch(self, selection: Selection, resource_version: str) -> Watch:
        self._alive()
        return self._cluster.watch(selection, resource_version)

    def create(self, resource: Resource, namespace: str, body: Mapping[str, object]) -> JsonObject:
        def act() -> JsonObject:
            return self._cluster.create(resource, namespace, body)

        self._alive()
        is_event = resource.plural == "events"
        return act() if is_event else self._write(f"create {resource.plural}", act)

    def patch(self, target: Target, body: Mapping[str, object], kind: PatchKind) -> JsonObject:
        def act() -> JsonObject:
            return self._cluster.patch(target, body, kind)

        self._alive()
        is_event = target.resource.plural == "events"
        return act() if is_event else self._write(f"{kind.name} {target.resource.plural}", act)

    def replace(self, target: Target, body: Mapping[str, object]) -> JsonObject:
        self._alive()
        doing = f"replace {target.resource.plural}/{target.subresource}"
        return self._write(doing, lambda: self._cluster.replace(target, body))

    def request_token(
        self, namespace: str, account: str, audience: str, seconds: int
    ) -> JsonObject:
        self._alive()
        return self._cluster.request_token(namespace, account, audience, seconds)

    def delete(self, target: Target, uid: str, resource_version: str) -> None:
        self._alive()
        doing = f"delete {target.resource.plural}"
        self._write(doing, lambda: self._cluster.delete(target, uid, resource_version))

    def close(self) -> None:
        self._cluster.close()


@dataclass
class Life:
    """One controller from its start to its end."""

    place: Place
    dies: Dies = never
    log: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        settings = self.place.settings
        self._http = HttpCluster(
            self.place.access(), settings, watch_grace_seconds=TIMEOUT_SECONDS - 1
        )
        self.cluster = Mortal(self._http, self.dies)
        log = logs.logger(self.log, "debug")
        self.controller = Controller(settings, self.cluster, clock=fast_clock(), log=log)
        self.controller.start()

    def kill(self) -> None:
        """Die: nothing is sent any more, and no answer is heard."""
        self.cluster.dead.set()

    def end(self) -> None:
        """Stop, in order unless it is dead; every thread, socket and port is free on return."""
        self.controller.stop()
        self._http.close()

    def said(self) -> bytes:
        """Return everything it told the world by itself: logs and metrics."""
        metrics = generate_latest(self.controller.metrics.registry)
        return self.log.getvalue().encode() + metrics

    def panics(self) -> list[str]:
        """Return the log lines of errors that no code expected."""
        lines = self.log.getvalue().splitlines()
        return [line for line in lines if json.loads(line)["msg"] == "Reconciler error"]


def fast_clock() -> Clock:
    """Return a clock on which back-off costs next to no time."""
    return Clock(
        now=lambda: datetime.now(UTC),
        monotonic=lambda: time.monotonic() * SPEED,
        random=random.random,
        random_bytes=urandom,
        speed=SPEED,
    )
