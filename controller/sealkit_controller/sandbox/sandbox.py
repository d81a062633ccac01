"""The sandbox put together: store, API, collector and server, from one `with` to its end."""

from __future__ import annotations

import base64
import secrets
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import yaml

from sealkit_controller.sandbox.kinds.registry import Registry
from sealkit_controller.sandbox.objects.jwt import make_key
from sealkit_controller.sandbox.objects.status import JsonObject
from sealkit_controller.sandbox.serve import writes
from sealkit_controller.sandbox.serve.api import Api
from sealkit_controller.sandbox.serve.collector import Collector
from sealkit_controller.sandbox.serve.gateway import Gateway
from sealkit_controller.sandbox.serve.world import Call, Issuer, Options, World
from sealkit_controller.sandbox.store.database import Database, MemoryStore, Store
from sealkit_controller.sandbox.store.records import Key, to_json
from sealkit_controller.sandbox.store.sqlite import SqliteStore
from sealkit_controller.sandbox.wire.faults import Faults
from sealkit_controller.sandbox.wire.http import HttpServer, listen
from sealkit_controller.sandbox.wire.messages import Request
from sealkit_controller.sandbox.wire.requestlog import RequestLog
from sealkit_controller.sandbox.wire.tls import make_identity

CRDS: Final = Path(__file__).resolve().parent.parent / "crds"
ADMINISTRATOR: Final = "sandbox-admin"
_NAMESPACES: Final = ("default", "kube-public", "kube-system")
_SUFFIX: Final = "bcdfghjklmnpqrstvwxz2456789"  # as Kubernetes: no vowels, no words


def _now() -> datetime:
    return datetime.now(UTC)


def _new_uid() -> str:
    return str(uuid.uuid4())


def _new_suffix() -> str:
    return "".join(secrets.choice(_SUFFIX) for _ in range(5))


class Sandbox:
    """A small Kubernetes API server on the loopback interface; serves from the start.

    For demos, development and tests: every token may do everything, and nothing is safe from
    the loss of power. `port` 0 takes a free one. `database` is a file that survives. Watches that
    ask for bookmarks get one every `bookmark_seconds`.
    """

    def __init__(
        self,
        port: int = 0,
        database: Path | None = None,
        clock: Callable[[], datetime] = _now,
        new_uid: Callable[[], str] = _new_uid,
        bookmark_seconds: float = 60.0,
    ) -> None:
        identity = make_identity()
        store: Store = SqliteStore(database) if database else MemoryStore()
        self.admin_token = secrets.token_urlsafe(32)
        self.ca_pem = identity.certificate_pem
        self.requests = RequestLog()
        self.faults = Faults()
        self._closing = threading.Event()
        self._database = Database(store)
        listener = listen(port)
        self.url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        self._world = World(
            self._database,
            Registry(),
            Issuer(self.url, make_key()),
            clock,
            new_uid,
            _new_suffix,
            bookmark_seconds,
        )
        self._world.serve_definitions()
        self._create_namespaces()
        api = Api(self._world, {self.admin_token: ADMINISTRATOR}, self._closing.is_set)
        gateway = Gateway(api, self.faults, self.requests, self._closing)
        self._collector = Collector(self._world)
        self._server = HttpServer(listener, identity.context, gateway.handle, self._closing)
        self._collector.start()

    def __enter__(self) -> Self:
        """Return the sandbox, which serves already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Stop serving; every thread, socket and file is closed on return. Twice does no harm."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._collector.close()
        self._server.close()
        self._database.close()

    def kubeconfig(self) -> str:
        """Return a kubeconfig for the administrator; its one context is called `sandbox`."""
        authority = base64.b64encode(self.ca_pem).decode()
        cluster = {"server": self.url, "certificate-authority-data": authority}
        context = {"cluster": "sandbox", "user": "sandbox", "namespace": "default"}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "sandbox", "cluster": cluster}],
            "users": [{"name": "sandbox", "user": {"token": self.admin_token}}],
            "contexts": [{"name": "sandbox", "context": context}],
            "current-context": "sandbox",
        }
        return yaml.safe_dump(document, sort_keys=False)

    def install_crds(self) -> None:
        """Apply every CustomResourceDefinition that ships with the controller.

        Raises:
            FileNotFoundError: there is none.
        """
        files = sorted(CRDS.glob("*.yaml"))
        if not files:
            raise FileNotFoundError(f"no CustomResourceDefinition in {CRDS}")
        for file in files:
            text = file.read_text(encoding="utf-8")
            for document in yaml.load_all(text, Loader=yaml.CSafeLoader):
                self._apply("apiextensions.k8s.io", "customresourcedefinitions", document)

    def compact(self) -> None:
        """Forget every past state, so that older versions get 410 as after a compaction."""
        self._database.compact()

    def _create_namespaces(self) -> None:
        for name in _NAMESPACES:
            if self._database.get(Key("namespaces", "", name)) is None:
                document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
                self._apply("", "namespaces", document)

    def _apply(self, group: str, plural: str, document: JsonObject) -> None:
        name = document["metadata"]["name"]
        headers = {"content-type": writes.APPLY}
        query = {"fieldManager": "sealkit-sandbox"}
        request = Request("PATCH", "", query, headers, to_json(document))
        resource = self._world.registry.find(group, "v1", plural)
        options = Options("sealkit-sandbox", force=True)
        writes.patch(self._world, Call(request, "patch", resource, "", name, options=options))
