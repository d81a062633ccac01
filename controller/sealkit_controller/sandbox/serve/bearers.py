"""Whose a bearer token is: an administrator's, or that of a ServiceAccount which still exists.

Rules and wording: Kubernetes pkg/serviceaccount/jwt.go and claims.go. Unlike there, nothing is
remembered: a token ends with its account at once, and not up to ten seconds later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sealkit_controller.sandbox.objects.jwt import TokenError, read_unverified
from sealkit_controller.sandbox.objects.status import JsonObject
from sealkit_controller.sandbox.serve.users import User, administrator, service_account
from sealkit_controller.sandbox.serve.world import World
from sealkit_controller.sandbox.store.records import Key

_LEEWAY_SECONDS: Final = 60  # for clocks that differ; go-jose's DefaultLeeway
_CREDENTIAL: Final = "authentication.kubernetes.io/credential-id"
_GONE: Final = "service account token has been invalidated"
BINDABLE: Final = {"Pod": "pods", "Secret": "secrets"}  # kind to storage key


class RefusedError(Exception):
    """A token that says nothing about its bearer; the reason is for reviews, not for the bearer."""

    def __init__(self, reason: str = "") -> None:
        told = "invalid bearer token"
        super().__init__(f"[{told}, {reason}]" if reason else told)


@dataclass(frozen=True)
class Bearer:
    """Who a token stands for, and for which of the audiences asked about."""

    user: User
    audiences: tuple[str, ...]


def identify(
    world: World, tokens: Mapping[str, str], text: str, audiences: Sequence[str] = ()
) -> Bearer:
    """Return the bearer of a token; without `audiences`, it has to be good for this server.

    `tokens` maps the tokens of administrators to their names.

    Raises:
        RefusedError: it is nobody's, not any more, or not for these audiences.
    """
    own = world.issuer.url
    asked = audiences or (own,)
    if text in tokens:
        if own not in asked:
            raise RefusedError
        return Bearer(administrator(tokens[text]), (own,))
    claims = _verified_claims(world, text)
    granted = claims.get("aud") or []
    shared = tuple(one for one in asked if one in granted)
    if not shared:
        told = f"token audiences {_go_list(granted)} is invalid for the target audiences "
        raise RefusedError(told + _go_list(asked))
    _check_time(world, claims)
    return Bearer(_account_of(world, claims), shared)


def _verified_claims(world: World, text: str) -> JsonObject:
    try:
        token = read_unverified(text)
    except TokenError as error:
        raise RefusedError from error
    if token.claims.get("iss") != world.issuer.url:
        raise RefusedError
    try:
        world.issuer.key.verify(token)
    except TokenError as error:
        raise RefusedError(str(error)) from error
    return token.claims


def _go_list(texts: Sequence[str]) -> str:
    return "[" + " ".join(json.dumps(text, ensure_ascii=False) for text in texts) + "]"


def _check_time(world: World, claims: JsonObject) -> None:
    now = world.clock().timestamp()
    if now + _LEEWAY_SECONDS < claims["nbf"]:
        raise RefusedError("service account token is not valid yet")
    if now - _LEEWAY_SECONDS > claims["exp"]:
        raise RefusedError("service account token has expired")


def _account_of(world: World, claims: JsonObject) -> User:
    own: dict[str, Any] = claims["kubernetes.io"]
    namespace, account = own["namespace"], own["serviceaccount"]
    record = world.database.get(Key("serviceaccounts", namespace, account["name"]))
    if record is None:
        raise RefusedError(f'serviceaccounts "{account["name"]}" not found')
    if record.uid != account["uid"]:
        told = f"service account UID ({record.uid}) does not match claim ({account['uid']})"
        raise RefusedError(told)
    for kind, storage in BINDABLE.items():
        bound = own.get(kind.lower())
        if bound:
            _check_bound(world, kind, Key(storage, namespace, bound["name"]), bound["uid"])
    extra = {_CREDENTIAL: f"JTI={claims['jti']}"}
    if "pod" in own:
        extra |= {f"authentication.kubernetes.io/pod-{k}": own["pod"][k] for k in ("name", "uid")}
    return service_account(namespace, account["name"], account["uid"], extra)


def _check_bound(world: World, kind: str, key: Key, uid: str) -> None:
    record = world.database.get(key)
    if record is None:
        raise RefusedError(_GONE)
    if record.uid != uid:
        what = kind.lower()
        told = f"{what} UID ({record.uid}) does not match service account {what} ref claim ({uid})"
        raise RefusedError(told)
