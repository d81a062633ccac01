"""A web server on loopback that answers with fixed texts, for as long as a block lasts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving(pages: Mapping[str, str], refusal: tuple[int, str] = (404, "")) -> Iterator[str]:
    """Serve `pages`, path to body, and yield the address; every other path is 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = (200, pages[self.path]) if self.path in pages else refusal
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (its name)
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def kubeconfig(url: str) -> str:
    """Return a kubeconfig with the contexts `here` (current) and `gone` (nobody listens)."""
    places = {"here": url, "gone": "http://127.0.0.1:1"}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "clusters": [{"name": n, "cluster": {"server": places[n]}} for n in places],
            "users": [{"name": "me", "user": {}}],
            "contexts": [{"name": n, "context": {"cluster": n, "user": "me"}} for n in places],
        }
    )


def published(namespace: str, recipient: str | None) -> dict[str, str]:
    """Return the page where an API server shows the controller's public keys."""
    metadata = {"name": "sealkit-public-keys", "namespace": namespace}
    data = {} if recipient is None else {"recipient": recipient}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    return {f"/api/v1/namespaces/{namespace}/configmaps/sealkit-public-keys": json.dumps(body)}
