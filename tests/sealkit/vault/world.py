"""What the tests of the Vault client share: a clock, a user, and how to look at an error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest

from sealkit.errors import VaultError
from sealkit.references.failures import Failed, Failure, Outcome
from sealkit.references.reference import Method, Reference, Store
from sealkit.sensitive import Sensitive
from sealkit.vault import Held, Login, Reason, Resolution, Server, Vault, resolve
from tests.fakes.vault_admin import Admin

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Clock:
    """A monotonic clock that only a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Connect(Protocol):
    """Makes a client, as root unless told otherwise, that is closed after the test."""

    def __call__(
        self, server: Server | str, login: Login | None = None, **options: Any
    ) -> Vault: ...


@dataclass(frozen=True)
class Peer:
    """A server and a user of it, whose policy bears the user's name."""

    admin: Admin
    user: str
    login: Login

    @property
    def address(self) -> str:
        return self.admin.address

    def make_user(self, **more: Any) -> None:
        body = {"password": "pass-word", "token_policies": [self.user], **more}
        self.admin.do("POST", f"auth/userpass/users/{self.user}", body)


@dataclass
class Stores:
    """An Access: a client for each store, None being the default, and paths that rules forbid."""

    vaults: dict[Store | None, Vault | VaultError]
    forbidden: frozenset[str] = frozenset()
    opened: list[tuple[Store | None, str]] = field(default_factory=list)
    checked: list[tuple[Store | None, str, Method, str]] = field(default_factory=list)

    def vault(self, store: Store | None, namespace: str) -> Vault:
        self.opened.append((store, namespace))
        found = self.vaults[store]
        if isinstance(found, VaultError):
            raise found
        return found.in_namespace(namespace) if namespace else found

    def check(self, store: Store | None, namespace: str, method: Method, path: str) -> None:
        self.checked.append((store, namespace, method, path))
        if path in self.forbidden:
            raise VaultError("the store does not allow it", Reason.PATH_NOT_ALLOWED)

    def resolve(
        self, *references: Reference, now: datetime = NOW, held: dict[str, Held] | None = None
    ) -> Resolution:
        """Resolve with these stores."""
        return resolve(self, references, now, held or {})

    def outcome(self, path: str, key: str = "", **more: Any) -> Outcome | None:
        """Resolve one reference."""
        reference = Reference(path, key, **more)
        return self.resolve(reference).outcomes[reference]

    def value(self, path: str, key: str = "", **more: Any) -> bytes:
        """Resolve one reference that has a value."""
        found = self.outcome(path, key, **more)
        assert isinstance(found, Sensitive), found
        return found.reveal()

    def failure(self, path: str, key: str = "", **more: Any) -> Failure:
        """Resolve one reference that has none, and return the reason."""
        found = self.outcome(path, key, **more)
        assert isinstance(found, Failed), found
        assert "\n" not in found.detail
        return found.reason


@contextmanager
def refused(reason: Reason, status: int | None = None) -> Iterator[list[VaultError]]:
    """Expect an error of this reason; the list holds it after the block."""
    caught: list[VaultError] = []
    with pytest.raises(VaultError) as info:
        yield caught
    caught.append(info.value)
    assert info.value.reason == reason, info.value
    assert status in {None, info.value.status}
    assert "pass-word" not in repr(info.value) + str(vars(info.value))
