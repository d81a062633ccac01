"""How a test reaches a Kubernetes API server, real or sandbox."""

import json
import ssl
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

APPLY = "application/apply-patch+yaml"  # server-side apply, of YAML or JSON


@dataclass(frozen=True)
class Answer:
    """A response: its status, and its body as JSON if it is JSON, else as text."""

    status: int
    body: Any


@dataclass(frozen=True)
class ApiServer:
    """The address of an API server and what a client needs to use it as an administrator."""

    url: str
    token: str
    ca_file: Path

    @property
    def host(self) -> str:
        """The host part of `url`."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port part of `url`, which always names one."""
        port = urlsplit(self.url).port
        assert port is not None, f"no port in {self.url}"
        return port

    def ssl_context(self) -> ssl.SSLContext:
        """Return a client context that trusts this server's authority and no other."""
        return ssl.create_default_context(cafile=self.ca_file)

    def connect(self, timeout_seconds: float = 10) -> HTTPSConnection:
        """Return a new connection, opened by its first request; the caller closes it."""
        return HTTPSConnection(
            self.host, self.port, context=self.ssl_context(), timeout=timeout_seconds
        )

    def ask(
        self, method: str, path: str, body: str | bytes | None = None, content_type: str = APPLY
    ) -> Answer:
        """Send one request as the administrator, over a connection of its own.

        Raises:
            OSError: the server cannot be reached.
            http.client.HTTPException: it ended in the middle of its answer.
        """
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Content-Type"] = content_type
        with closing(self.connect()) as connection:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
        if response.headers.get_content_type() == "application/json":
            return Answer(response.status, json.loads(content))
        return Answer(response.status, content.decode())

    def kubeconfig(self) -> str:
        """Return a kubeconfig whose one context is this server, namespace `default`."""
        cluster = {"server": self.url, "certificate-authority": str(self.ca_file.absolute())}
        context = {"cluster": "test", "user": "test", "namespace": "default"}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": self.token}}],
            "contexts": [{"name": "test", "context": context}],
            "current-context": "test",
        }
        return yaml.safe_dump(document, sort_keys=False)

    def write_kubeconfig(self, path: Path) -> Path:
        """Write `kubeconfig()` to `path`, readable by its owner only, and return `path`."""
        path.touch(mode=0o600)
        path.write_text(self.kubeconfig())
        return path
