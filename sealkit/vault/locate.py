"""From a reference to the request it means: where its mount ends, and what kind that is.

What is said comes first, then what the server says of the mount, then a `data/` right after the
first segment. The shape of an answer is never asked. Paths that lead to no secrets engine, but to
the server itself, its logins or what belongs to one token, are refused, however they are spelled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sealkit.errors import VaultError
from sealkit.references.reference import Kv, Method, Reference
from sealkit.vault.answer import Mount
from sealkit.vault.question import Question
from sealkit.vault.reason import Reason

_RESERVED: Final = frozenset({"sys", "auth", "identity", "cubbyhole"})
_RESERVED_TYPES: Final = frozenset({"system", "auth", "token", "identity", "cubbyhole"})
# What stands between mount and path in the API of KV version 2.
_KV2_PARTS: Final = frozenset(
    {"data", "metadata", "detailed-metadata", "subkeys", "delete", "undelete", "destroy"}
)
_KINDS: Final = {1: Kv.V1, 2: Kv.V2}


@dataclass(frozen=True, slots=True)
class Located:
    """A request, and the canonical path that rules are about: mount and path without `data/`."""

    question: Question
    canonical: str


def locate(reference: Reference, mount_of: Callable[[str], Mount]) -> Located:
    """Return what a reference asks for; `mount_of` is that of a `Vault`.

    Raises:
        VaultError: PathNotAllowed for a path that leads to no secrets engine; InvalidReference
            for a mount that is none, a mount without a path, or a version where there is none;
            or what `mount_of` raises, unless it says that the mount is not to be seen.
    """
    _check_not_reserved(reference.location.split("/", 1)[0])
    mount = _visible_mount(reference, mount_of)
    kv = _kv(reference, mount)
    if kv is Kv.V2:
        return _versioned(reference, mount)
    if reference.version is not None:
        what = "a version is asked for, and only KV version 2 has versions"
        raise VaultError(what, Reason.INVALID_REFERENCE)
    if mount is None:
        for segment in reference.location.split("/"):  # some may be namespaces
            _check_not_reserved(segment)
    return _as_written(reference, mount, kv)


def _check_not_reserved(segment: str) -> None:
    if segment in _RESERVED:
        raise VaultError(f"nothing below {segment}/ may be read", Reason.PATH_NOT_ALLOWED)


def _visible_mount(reference: Reference, mount_of: Callable[[str], Mount]) -> Mount | None:
    """Return the mount, or None if this identity may not see it.

    Asked even where all is said: a path may begin with the name of a namespace.
    """
    try:
        mount = mount_of(reference.location)
    except VaultError as error:
        if error.reason in {Reason.PERMISSION_DENIED, Reason.PATH_NOT_FOUND}:
            return None
        raise
    is_below = f"{reference.location}/".startswith(f"{mount.path}/")
    if not is_below or mount.type.removeprefix("ns_") in _RESERVED_TYPES:
        raise VaultError("the path leads to no secrets engine", Reason.PATH_NOT_ALLOWED)
    if reference.mount not in {"", mount.path}:
        what = f"{reference.mount} is no mount, the mount here is {mount.path}"
        raise VaultError(what, Reason.INVALID_REFERENCE, hint="correct the mount or leave it out")
    return mount


def _kv(reference: Reference, mount: Mount | None) -> Kv:
    if reference.method is not Method.GET:
        return Kv.RAW
    if reference.kv is not Kv.AUTO:
        return reference.kv
    if mount:
        return _KINDS.get(mount.kv_version or 0, Kv.RAW)
    segments = reference.location.split("/")
    says_data = not reference.mount and len(segments) > 2 and segments[1] == "data"
    return Kv.V2 if says_data else Kv.RAW


def _split(reference: Reference, mount: Mount | None) -> tuple[str, str]:
    """Return the path of the mount and what is below it, "" for nothing."""
    top = mount.path if mount else reference.mount or reference.path.split("/", 1)[0]
    return top, reference.location[len(top) + 1 :]


def _versioned(reference: Reference, mount: Mount | None) -> Located:
    top, below = _split(reference, mount)
    secret = below if reference.mount else below.removeprefix("data/")
    if not secret:
        what = "the path is that of a mount, and names no secret in it"
        raise VaultError(what, Reason.INVALID_REFERENCE)
    question = Question(
        path=f"{top}/data/{secret}",
        store=reference.store,
        namespace=reference.namespace,
        kv=Kv.V2,
        mount=top,
        version=reference.version,
    )
    return Located(question, f"{top}/{secret}")


def _as_written(reference: Reference, mount: Mount | None, kv: Kv) -> Located:
    if reference.method in {Method.POST, Method.PUT} and mount and mount.kv_version:
        what = f"{reference.method} to a key-value mount would write, and a reference only reads"
        raise VaultError(what, Reason.INVALID_REFERENCE)
    question = Question(
        path=reference.location,
        store=reference.store,
        namespace=reference.namespace,
        kv=kv,
        method=reference.method,
        body=reference.body,
    )
    top, below = _split(reference, mount)
    part, _, rest = below.partition("/")
    may_be_kv2 = mount is None or mount.kv_version == 2
    # Else a rule for `kv/<namespace>/*` would open all of a mount to a namespace called `data`.
    is_part = may_be_kv2 and part in _KV2_PARTS and rest
    return Located(question, f"{top}/{rest}" if is_part else reference.location)
