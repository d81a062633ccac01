"""The administrator of a Vault server in a test, real or fake: asks as root, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

ROOT_TOKEN = "root-of-a-test"


@dataclass(frozen=True)
class Said:
    """An answer to the administrator."""

    status: int
    body: dict[str, Any]


class AdminError(Exception):
    """The server did not do what a test needs done."""


class Admin:
    """Asks as root. `within` is a namespace."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._http = requests.Session()
        self._http.trust_env = False

    def close(self) -> None:
        """Drop the connection."""
        self._http.close()

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, within: str = ""
    ) -> Said:
        """Return whatever the server says."""
        headers = {"X-Vault-Token": ROOT_TOKEN, "X-Vault-Namespace": within}
        url = f"{self.address}/v1/{path}"
        answer = self._http.request(
            method, url, json=dict(body) if body else None, headers=headers, timeout=20
        )
        return Said(answer.status_code, answer.json() if answer.content else {})

    def do(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, within: str = ""
    ) -> dict[str, Any]:
        """Return the answer, and raise AdminError if it is a refusal."""
        said = self.ask(method, path, body, within=within)
        if said.status >= 400:
            raise AdminError(f"{method} {path}: {said}")
        return said.body

    def mount(self, path: str, kind: str, *, within: str = "", **options: str) -> None:
        """Mount a secrets engine."""
        self.do("POST", f"sys/mounts/{path}", {"type": kind, "options": options}, within=within)

    def enable(self, path: str, kind: str, *, within: str = "") -> None:
        """Enable an auth method."""
        self.do("POST", f"sys/auth/{path}", {"type": kind}, within=within)

    def policy(self, name: str, rules: Mapping[str, str], *, within: str = "") -> None:
        """Write a policy: path to capabilities, separated by spaces."""
        text = "\n".join(
            f'path "{path}" {{ capabilities = {json.dumps(words.split())} }}'
            for path, words in rules.items()
        )
        self.do("PUT", f"sys/policies/acl/{name}", {"policy": text}, within=within)

    def token(self, *policies: str, within: str = "", **more: Any) -> str:
        """Make a token with these policies and, unless `more` says otherwise, the default one."""
        body = {"policies": policies, **more}
        said = self.do("POST", "auth/token/create", body, within=within)
        found: str = said["auth"]["client_token"]
        return found
