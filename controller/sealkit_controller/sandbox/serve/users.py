"""Users: who asks, as reviews tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sealkit_controller.sandbox.objects.status import JsonObject

_EVERYBODY: Final = "system:authenticated"


@dataclass(frozen=True)
class User:
    """Somebody who was recognized by a token."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> JsonObject:
        """Return the `UserInfo` of the user."""
        extra = {name: [value] for name, value in self.extra.items()}
        found: JsonObject = {"username": self.name, "uid": self.uid, "groups": list(self.groups)}
        return {name: value for name, value in (found | {"extra": extra}).items() if value}


ANONYMOUS: Final = User("system:anonymous", groups=("system:unauthenticated",))


def administrator(name: str) -> User:
    """Return a user who may do everything, on a real server too."""
    return User(name, groups=("system:masters", _EVERYBODY))


def service_account(namespace: str, name: str, uid: str, extra: Mapping[str, str]) -> User:
    """Return the user that a ServiceAccount is."""
    all_accounts = "system:serviceaccounts"
    groups = (all_accounts, f"{all_accounts}:{namespace}", _EVERYBODY)
    return User(account_name(namespace, name), uid, groups, extra)


def account_name(namespace: str, name: str) -> str:
    """Return the user name of a ServiceAccount."""
    return f"system:serviceaccount:{namespace}:{name}"
