"""Failures as the API server reports them: a `Status` object with code, reason, details, causes.

The wording is the real server's, because users read it through kubectl and clients match on it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Cause:
    """One reason why an object was refused, and the field it is about."""

    reason: str
    message: str
    field: str


@dataclass(frozen=True)
class Target:
    """The object a failure is about; `kind` is the plural except where an object is invalid."""

    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""

    @property
    def qualified(self) -> str:
        """`kind` or `kind.group`, as messages spell it."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


@dataclass(frozen=True)
class Details:
    """The optional parts of a failure."""

    causes: tuple[Cause, ...] = ()
    retry_after_seconds: int = 0
    continue_token: str = ""
    target: Target = field(default_factory=Target)


class NoSuchPathError(Exception):
    """A path that leads nowhere; the real server tells this in plain text."""


class StatusError(Exception):
    """A request that failed the way a `Status` describes."""

    def __init__(
        self, code: int, reason: str, message: str, details: Details | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or Details()

    def body(self) -> JsonObject:
        """Return the `Status` object."""
        token = self.details.continue_token
        status: JsonObject = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {"continue": token} if token else {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        details = _details(self.details)
        if details or self.reason in _ALWAYS_DETAILED:
            status["details"] = details
        return status | {"code": self.code}


_ALWAYS_DETAILED = frozenset({"NotFound", "MethodNotAllowed", "UnsupportedMediaType", "Invalid"})


def _details(details: Details) -> JsonObject:
    target = details.target
    found: JsonObject = {"name": target.name, "group": target.group, "kind": target.kind}
    found["uid"] = target.uid
    found["causes"] = [_cause(cause) for cause in details.causes]
    found["retryAfterSeconds"] = details.retry_after_seconds
    return {name: value for name, value in found.items() if value}


def _cause(cause: Cause) -> JsonObject:
    found = {"reason": cause.reason, "message": cause.message, "field": cause.field}
    return {name: value for name, value in found.items() if value}


def bad_request(message: str) -> StatusError:
    """400: the request itself makes no sense."""
    return StatusError(400, "BadRequest", message)


def unauthorized() -> StatusError:
    """401: no token, or one that is not known."""
    return StatusError(401, "Unauthorized", "Unauthorized")


def forbidden(target: Target, why: str, causes: tuple[Cause, ...] = ()) -> StatusError:
    """403: understood, but not allowed."""
    message = f'{target.qualified} "{target.name}" is forbidden: {why}'
    return StatusError(403, "Forbidden", message, Details(causes, target=target))


def not_found(target: Target) -> StatusError:
    """404: no such object."""
    message = f'{target.qualified} "{target.name}" not found'
    return StatusError(404, "NotFound", message, Details(target=target))


def no_such_resource() -> StatusError:
    """404: the path names no resource that is served."""
    return StatusError(404, "NotFound", "the server could not find the requested resource")


def method_not_allowed(verb: str = "", target: Target | None = None) -> StatusError:
    """405: the resource is served, but not with this method."""
    message = "the server does not allow this method on the requested resource"
    if target:
        message = f'{verb} is not supported on resources of kind "{target.qualified}"'
    return StatusError(405, "MethodNotAllowed", message, Details(target=target or Target()))


def already_exists(target: Target) -> StatusError:
    """409: the name is taken."""
    message = f'{target.qualified} "{target.name}" already exists'
    return StatusError(409, "AlreadyExists", message, Details(target=target))


MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


def conflict(target: Target, why: str = MODIFIED) -> StatusError:
    """409: the object is not the one, or not in the state, that the caller expected."""
    message = f'Operation cannot be fulfilled on {target.qualified} "{target.name}": {why}'
    return StatusError(409, "Conflict", message, Details(target=target))


def expired(message: str, continue_token: str = "") -> StatusError:
    """410: the version asked for is not known any more."""
    return StatusError(410, "Expired", message, Details(continue_token=continue_token))


def unsupported_media_type(accepted: Sequence[str] = ()) -> StatusError:
    """415: the body is in a format that is not read here."""
    message = "the body of the request was in an unknown format - accepted media types include: "
    message = message + ", ".join(accepted) if accepted else "415: Unsupported Media Type"
    return StatusError(415, "UnsupportedMediaType", message)


def invalid_options(kind: str, cause: Cause) -> StatusError:
    """422: a query parameter is wrong; `kind` is the kind of options, such as `ListOptions`."""
    return invalid(Target("", "meta.k8s.io", kind), [cause])


def invalid(target: Target, causes: Sequence[Cause]) -> StatusError:
    """422: the object breaks rules; every cause is told. `target.kind` is the kind."""
    texts = [f"{cause.field}: {cause.message}" for cause in causes]
    told = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    message = f'{target.qualified} "{target.name}" is invalid: {told}'
    return StatusError(422, "Invalid", message, Details(tuple(causes), target=target))


def too_large_version(asked: int, current: int) -> StatusError:
    """504: a version was asked for that does not exist yet."""
    message = f"Too large resource version: {asked}, current: {current}"
    cause = Cause("ResourceVersionTooLarge", "Too large resource version", "")
    return StatusError(504, "Timeout", f"Timeout: {message}", Details((cause,), 1))


def internal(message: str) -> StatusError:
    """500: something that should not have happened."""
    cause = Cause("", message, "")
    text = f"Internal error occurred: {message}"
    return StatusError(500, "InternalError", text, Details((cause,)))


def shown(value: object) -> str:
    """Return a value as field errors show it: text quoted, the rest as compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def invalid_value(path: str, value: object, detail: str) -> Cause:
    """Return the cause for a malformed value."""
    return Cause("FieldValueInvalid", f"Invalid value: {shown(value)}: {detail}", path)


def wrong_type(path: str, value: object, detail: str) -> Cause:
    """Return the cause for a value of another type than the schema's."""
    return Cause("FieldValueTypeInvalid", f"Invalid value: {shown(value)}: {detail}", path)


def required_value(path: str, detail: str = "") -> Cause:
    """Return the cause for a missing field."""
    return Cause("FieldValueRequired", "Required value" + (f": {detail}" if detail else ""), path)


def forbidden_value(path: str, detail: str) -> Cause:
    """Return the cause for a value that is not allowed here."""
    return Cause("FieldValueForbidden", f"Forbidden: {detail}", path)


def duplicate_value(path: str, value: object) -> Cause:
    """Return the cause for a value that must be unique."""
    return Cause("FieldValueDuplicate", f"Duplicate value: {shown(value)}", path)


def unsupported_value(path: str, value: object, supported: Sequence[object]) -> Cause:
    """Return the cause for a value outside a closed set."""
    options = ", ".join(f'"{option}"' for option in supported)
    message = f"Unsupported value: {shown(value)}: supported values: {options}"
    return Cause("FieldValueNotSupported", message, path)


def too_long(path: str, limit: int) -> Cause:
    """Return the cause for text that is too long; the text itself is not shown."""
    return Cause("FieldValueTooLong", f"Too long: may not be more than {limit} bytes", path)


def too_many(path: str, count: int, limit: int) -> Cause:
    """Return the cause for a list or map with too many items."""
    return Cause("FieldValueTooMany", f"Too many: {count}: must have at most {limit} items", path)
