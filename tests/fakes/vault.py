"""A fake Vault for faults and virtual time: KV, userpass, tokens, leases, policies.

It keeps the rules of the real server, held to them by one contract suite, and is as lazy as tests
allow: paths of policies are compared as prefixes, users and tokens are never stored elsewhere.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.vault_admin import ROOT_TOKEN, Admin
from tests.fakes.vault_stub import Asked, Reply, stub

NOT_FOUND = Reply(404, {"errors": []})
DENIED = Reply(403, {"errors": ["permission denied"]})
DONE = Reply(204)
SELF_SERVICE = ("auth/token/", "sys/leases/", "sys/internal/ui/mounts/")
TIME = "2026-01-01T00:00:00Z"


@dataclass
class Grant:
    """A token or a lease, and until when."""

    policies: list[str] = field(default_factory=list)
    ttl: float = 0
    max_end: float = float("inf")
    end: float = float("inf")
    renewable: bool = False
    accessor: str = ""


@dataclass
class FakeVault:
    """`now` is its clock; `faults` are given instead of the next answers, None as itself."""

    now: Callable[[], float]
    admin: Admin
    faults: list[Reply | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: dict[str, Grant] = field(default_factory=lambda: {ROOT_TOKEN: Grant()})
    leases: dict[str, Grant] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    mounts: dict[str, tuple[str, str]] = field(default_factory=dict)
    versions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    policies: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    serial: Iterator[int] = field(default_factory=itertools.count)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.admin.address

    @property
    def logins(self) -> int:
        """How many there were."""
        return sum("/login/" in line for line in self.asked)

    def answer(self, asked: Asked) -> Reply:
        """Answer one request, one at a time."""
        with self.lock:
            place = urlsplit(asked.path)
            path = unquote(place.path.removeprefix("/v1/"))
            if asked.token != ROOT_TOKEN:
                self.asked.append(f"{asked.method} {path}")
                fault = self.faults.pop(0) if self.faults else None
                if fault:
                    return fault
            query = {name: values[0] for name, values in parse_qs(place.query).items()}
            return self._routed(asked, path, query)

    def _routed(self, asked: Asked, path: str, query: dict[str, str]) -> Reply:
        head, _, rest = path.partition("/")
        if path.startswith("auth/userpass/login/"):
            return self._login(path.rpartition("/")[2], asked.body)
        if not self._allows(asked, path):
            return DENIED
        if head in self.mounts:
            return self._engine(head, rest, asked, query)
        for prefix, handler in self._handlers().items():
            if path.startswith(prefix):
                return handler(path.removeprefix(prefix), asked)
        return NOT_FOUND

    def _handlers(self) -> dict[str, Callable[[str, Asked], Reply]]:
        return {
            "auth/token/": self._token,
            "auth/userpass/users/": self._user,
            "sys/internal/ui/mounts/": self._mount_of,
            "sys/mounts/": self._mount,
            "sys/policies/acl/": self._policy,
            "sys/leases/": self._lease,
            "sys/auth/": lambda _rest, _asked: DONE,
        }

    def _allows(self, asked: Asked, path: str) -> bool:
        grant = self.tokens.get(asked.token)
        if grant is None or self.now() >= grant.end:
            return False
        if asked.token == ROOT_TOKEN or (
            "default" in grant.policies and path.startswith(SELF_SERVICE)
        ):
            return True
        wanted = "read" if asked.method == "GET" else "update"
        rules = [self.policies.get(name, {}) for name in grant.policies]
        return any(
            path.startswith(prefix.rstrip("*")) and wanted in words
            for policy in rules
            for prefix, words in policy.items()
        )

    def _issued(self, policies: list[str], ttl: float, max_ttl: float, *, renewable: bool) -> Reply:
        name = f"token-{next(self.serial)}"
        end, max_end = self.now() + (ttl or float("inf")), self.now() + (max_ttl or float("inf"))
        grant = Grant(["default", *policies], ttl, max_end, min(end, max_end), renewable)
        grant.accessor = f"accessor-{next(self.serial)}"
        self.tokens[name] = grant
        return Reply(200, {"auth": {"client_token": name, **self._life(grant)}})

    def _life(self, grant: Grant) -> dict[str, object]:
        left = 0 if grant.end == float("inf") else int(grant.end - self.now())
        return {"lease_duration": left, "renewable": grant.renewable, "accessor": grant.accessor}

    def _renewed(self, grant: Grant, seconds: float) -> None:
        grant.end = min(self.now() + seconds, grant.max_end)

    def _login(self, user: str, body: dict[str, Any]) -> Reply:
        known = self.users.get(user)
        if known is None or known["password"] != body.get("password"):
            return Reply(400, {"errors": ["invalid username or password"]})
        life = (float(known.get("token_ttl", 3600)), float(known.get("token_max_ttl", 0)))
        kind = known.get("token_type", "service")
        return self._issued(known["token_policies"], *life, renewable=kind == "service")

    def _token(self, what: str, asked: Asked) -> Reply:
        grant = self.tokens[asked.token]
        if what == "lookup-self":
            life = self._life(grant)
            data = {"id": asked.token, "ttl": life["lease_duration"], **life}
            return Reply(200, {"data": data})
        if what == "renew-self":
            self._renewed(grant, grant.ttl)
            return Reply(200, {"auth": {"client_token": asked.token, **self._life(grant)}})
        if what == "revoke-self":
            del self.tokens[asked.token]
            return DONE
        if what == "revoke":
            self.tokens.pop(asked.body["token"], None)
            return DONE
        return self._issued(list(asked.body["policies"]), 0, 0, renewable=True)

    def _user(self, name: str, asked: Asked) -> Reply:
        self.users[name] = asked.body
        return DONE

    def _policy(self, name: str, asked: Asked) -> Reply:
        found = re.findall(r'path "(.*?)" \{ capabilities = (\[.*?\]) \}', asked.body["policy"])
        self.policies[name] = {path: json.loads(words) for path, words in found}
        return DONE

    def _mount(self, path: str, asked: Asked) -> Reply:
        self.mounts[path] = (asked.body["type"], asked.body["options"].get("version", "1"))
        return DONE

    def _mount_of(self, path: str, _: Asked) -> Reply:
        head = path.partition("/")[0]
        if head not in self.mounts:
            return DENIED
        kind, version = self.mounts[head]
        return Reply(
            200, {"data": {"path": f"{head}/", "type": kind, "options": {"version": version}}}
        )

    def _lease(self, what: str, asked: Asked) -> Reply:
        name = asked.body["lease_id"]
        lease = self.leases.get(name)
        if what == "revoke":
            self.leases.pop(name, None)
            return DONE
        if lease is None or self.now() >= lease.end:
            return Reply(400, {"errors": ["lease not found"]})
        self._renewed(lease, float(asked.body["increment"]))
        return Reply(200, {"lease_id": name, **self._life(lease)})

    def _engine(self, mount: str, path: str, asked: Asked, query: dict[str, str]) -> Reply:
        kind, version = self.mounts[mount]
        if kind != "kv":
            return self._dynamic(mount, path)
        if version == "1":
            return self._kv1(f"{mount}/{path}", asked)
        action, _, name = path.partition("/")
        return self._kv2(action, f"{mount}/{name}", asked, query)

    def _dynamic(self, mount: str, path: str) -> Reply:
        name = f"{mount}/{path}/{next(self.serial)}"
        lease = Grant([], 60, self.now() + 600, self.now() + 60, renewable=True)
        self.leases[name] = lease
        data = {"username": f"user-{len(self.leases)}", "password": "dynamic"}
        return Reply(200, {"lease_id": name, "data": data, **self._life(lease)})

    def _kv1(self, name: str, asked: Asked) -> Reply:
        if asked.method != "GET":
            self.versions[name] = [asked.body]
            return DONE
        found = self.versions.get(name)
        return Reply(200, {"data": found[0]}) if found else NOT_FOUND

    def _kv2(self, action: str, name: str, asked: Asked, query: dict[str, str]) -> Reply:
        versions = self.versions.setdefault(name, [])
        if action == "destroy":
            for number in asked.body["versions"]:
                versions[number - 1]["destroyed"] = True
            return DONE
        if asked.method == "GET":
            return self._kv2_version(versions, int(query.get("version", 0)) or len(versions))
        if asked.method == "DELETE":
            versions[-1]["deletion_time"] = TIME
            return DONE
        return self._kv2_written(versions, asked.body)

    def _kv2_version(self, versions: list[dict[str, Any]], number: int) -> Reply:
        if not 0 < number <= len(versions):
            return NOT_FOUND
        metadata = dict(versions[number - 1])
        data = metadata.pop("data")
        gone = metadata["deletion_time"] or metadata["destroyed"]
        body = {"data": {"data": None if gone else data, "metadata": metadata}}
        return Reply(404 if gone else 200, body)

    def _kv2_written(self, versions: list[dict[str, Any]], body: dict[str, Any]) -> Reply:
        if "data" not in body:
            return Reply(400, {"errors": ["no data provided"]})
        if body.get("options", {}).get("cas", len(versions)) != len(versions):
            return Reply(400, {"errors": ["check-and-set parameter did not match"]})
        metadata = {
            "created_time": TIME,
            "deletion_time": "",
            "destroyed": False,
            "version": len(versions) + 1,
        }
        versions.append({"data": body["data"], **metadata})
        return Reply(200, {"data": metadata})


@contextmanager
def fake_vault(now: Callable[[], float]) -> Iterator[FakeVault]:
    """Run a fake for as long as a block lasts."""
    waiting: list[FakeVault] = []

    def script(asked: Asked) -> Reply:
        return waiting[0].answer(asked)

    with stub(script) as server, closing(Admin(server.address)) as admin:
        waiting.append(FakeVault(now, admin))
        yield waiting[0]
