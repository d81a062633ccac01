"""A gateway in front of a real server: what that cannot be made to do, it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import requests

from tests.fakes.vault_stub import Asked, Reply

Fault = Callable[[Asked], Reply | Iterable[bytes] | None]


class Gateway:
    """Passes requests on to the server, unless there is a fault; then that answers."""

    def __init__(self, address: str) -> None:
        self.fault: Fault = lambda _: None
        self._address = address
        self._http = requests.Session()
        self._http.trust_env = False

    def __call__(self, asked: Asked) -> Reply | Iterable[bytes]:
        said = self.fault(asked)
        if said is not None:
            return said
        kept = ("x-vault-token", "x-vault-namespace", "x-vault-request")
        headers = {name: asked.headers[name] for name in kept if name in asked.headers}
        url = self._address + asked.path
        answer = self._http.request(
            asked.method, url, json=asked.body or None, headers=headers, timeout=20
        )
        return Reply(answer.status_code, answer.content)

    def close(self) -> None:
        self._http.close()
