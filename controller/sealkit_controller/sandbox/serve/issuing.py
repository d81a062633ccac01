"""Tokens for ServiceAccounts: the answer to a TokenRequest.

Rules and wording: Kubernetes pkg/registry/core/serviceaccount/storage/token.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

from sealkit_controller.sandbox.kinds.registry import Passing, answered
from sealkit_controller.sandbox.objects.status import (
    Cause,
    JsonObject,
    Target,
    bad_request,
    conflict,
    invalid,
    invalid_value,
    not_found,
)
from sealkit_controller.sandbox.objects.times import to_time
from sealkit_controller.sandbox.serve.bearers import BINDABLE
from sealkit_controller.sandbox.serve.completing import check_namespace, complete_passing
from sealkit_controller.sandbox.serve.decode import Decoded, decode
from sealkit_controller.sandbox.serve.users import account_name
from sealkit_controller.sandbox.serve.world import Call, World
from sealkit_controller.sandbox.store.records import Key, Record

_LEAST_SECONDS: Final = 600
_MOST_SECONDS: Final = 1 << 32


def issue(world: World, call: Call) -> Decoded:
    """Return the TokenRequest in the body of a call for a ServiceAccount, with a token in it.

    Raises:
        StatusError: the request is malformed or invalid, or the account is not there.
    """
    asked = replace(call, resource=answered(Passing.REQUEST))
    decoded = decode(asked)
    document = decoded.document
    complete_passing(world, asked, document)
    account = _account(world, call, document["metadata"])
    spec = document["spec"]
    spec["audiences"] = spec.get("audiences") or [world.issuer.url]
    causes = list(_check_duration(spec["expirationSeconds"]))
    if causes:
        raise invalid(asked.resource.kind_target(""), causes)
    bound = _bound(world, account.key, spec.setdefault("boundObjectRef", None))
    _identify(world, document["metadata"], account)
    _sign(world, document, account, bound)
    return decoded


def _account(world: World, call: Call, given: JsonObject) -> Record:
    """Return the ServiceAccount that is meant by path and body alike."""
    target = Target(call.name, answered(Passing.REQUEST).group, Passing.REQUEST)
    if given.get("namespace", call.namespace) != call.namespace:
        text = "the namespace of the provided object does not match the namespace sent on the"
        raise bad_request(f"{text} request")
    check_namespace(world, call, call.name)
    if given.get("name", call.name) != call.name:
        detail = "must match the service account name if specified"
        raise invalid(target, [invalid_value("metadata.name", given["name"], detail)])
    record = world.database.get(call.key)
    if record is None:
        raise not_found(call.resource.target(call.name))
    if given.get("uid", record.uid) != record.uid:
        text = f"the UID in the token request ({given['uid']}) does not match the UID of the"
        raise conflict(target, f"{text} service account ({record.uid})")
    return record


def _check_duration(seconds: int) -> Iterator[Cause]:
    field = "spec.expirationSeconds"
    if seconds < _LEAST_SECONDS:
        yield invalid_value(field, seconds, "may not specify a duration less than 10 minutes")
    if seconds > _MOST_SECONDS:
        yield invalid_value(field, seconds, "may not specify a duration larger than 2^32 seconds")


def _bound(world: World, account: Key, reference: JsonObject | None) -> JsonObject:
    """Return the claim about the object whose end is the token's end, {} if there is none."""
    if reference is None:
        return {}
    group, _, version = reference.get("apiVersion", "").rpartition("/")
    kind, name = reference.get("kind", ""), reference.get("name", "")
    storage = (BINDABLE | {"Node": "nodes"}).get(kind)  # of nodes there are none
    if group or storage is None:
        raise bad_request(f"cannot bind token to object of type {group}/{version}, Kind={kind}")
    record = world.database.get(Key(storage, account.namespace, name))
    if record is None:
        raise not_found(Target(name, "", storage))
    if kind == "Pod":
        _check_pod(record, account.name)
    if reference.get("uid", record.uid) != record.uid:
        text = f"the UID in the bound object reference ({reference['uid']}) does not match the UID"
        text += " in record. The object might have been deleted and then recreated"
        raise conflict(Target(name, "", kind), text)
    return {kind.lower(): {"name": name, "uid": record.uid}}


def _check_pod(record: Record, account: str) -> None:
    spec = record.document().get("spec") or {}
    if spec.get("serviceAccountName") != account:
        text = f'cannot bind token for serviceaccount "{account}" to pod running with different'
        raise bad_request(f"{text} serviceaccount name.")


def _identify(world: World, metadata: JsonObject, account: Record) -> None:
    metadata |= {"name": account.key.name, "namespace": account.key.namespace}
    metadata |= {"uid": account.uid, "creationTimestamp": world.now()}


def _sign(world: World, document: JsonObject, account: Record, bound: JsonObject) -> None:
    namespace, name = account.key.namespace, account.key.name
    spec, now = document["spec"], world.clock()
    seconds = int(now.timestamp())
    claims = {
        "iss": world.issuer.url,
        "sub": account_name(namespace, name),
        "aud": spec["audiences"],
        "iat": seconds,
        "nbf": seconds,
        "exp": seconds + spec["expirationSeconds"],
        "jti": world.new_uid(),
        "kubernetes.io": {
            "namespace": namespace,
            "serviceaccount": {"name": name, "uid": account.uid},
        }
        | bound,
    }
    document["status"] = {
        "token": world.issuer.key.sign(claims),
        "expirationTimestamp": to_time(now + timedelta(seconds=spec["expirationSeconds"])),
    }
