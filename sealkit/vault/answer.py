"""What Vault answers: data that does not print, with what is known about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from sealkit.errors import VaultError
from sealkit.references.failures import Failed
from sealkit.references.reading import kv2_data
from sealkit.vault.reason import Reason
from sealkit.vault.wire import JsonObject, Reply, count, decoded, part, word


@dataclass(frozen=True, slots=True)
class Lease:
    """How long something is good. No id: it cannot be renewed or revoked, whatever `renewable`."""

    id: str = ""
    seconds: int = 0
    renewable: bool = False


@dataclass(frozen=True, slots=True)
class Mount:
    """A secrets engine: where it is mounted, of which type, and for `kv` of which version.

    The type of every auth method is "auth"; what Vault itself mounts in a namespace below the one
    that was asked begins with `ns_`.
    """

    path: str
    type: str
    kv_version: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The data of one read or write, as `references.reading.pick` takes it.

    `version` and `created` are those of KV v2. `token_mark` is that of the token it was got with:
    a lease ends when its token does.
    """

    lease: Lease = Lease()
    version: int | None = None
    created: str = ""
    token_mark: str = ""
    _data: JsonObject = field(default_factory=dict, repr=False)

    def reveal(self) -> JsonObject:
        """Return the data. Every call is a place where a secret could leak: keep it grep-able."""
        return self._data

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied into another process."""
        raise TypeError("an Answer cannot be pickled")


def parse_lease(raw: JsonObject) -> Lease:
    """Read the lease beside the data."""
    seconds = count(raw, "lease_duration")
    return Lease(word(raw, "lease_id"), seconds, raw.get("renewable") is True)


def parse_answer(reply: Reply) -> Answer:
    """Read an answer of any engine; nothing is unwrapped.

    Raises:
        VaultError: it is none; see `Reply.json`.
    """
    raw = reply.json()
    return Answer(parse_lease(raw), token_mark=reply.token_mark, _data=part(raw, "data"))


def parse_version(reply: Reply) -> Answer:
    """Read a version of a secret of KV v2.

    A version that was deleted or destroyed comes as 404 with its metadata but no data. Source:
    Vault HTTP API, KV version 2, "Read secret version".

    Raises:
        VaultError: VersionDeleted, VersionDestroyed; else see `Reply.json`.
    """
    raw = (decoded(reply.body) or {}) if reply.status == 404 else reply.json()
    data = kv2_data(dict(raw))
    if isinstance(data, Failed):
        raise VaultError(f"{reply.doing}: {data.detail}", data.reason, status=404)
    metadata = part(part(raw, "data"), "metadata")
    version = count(metadata, "version") or None
    created = word(metadata, "created_time")
    return Answer(parse_lease(raw), version, created, reply.token_mark, data)


def parse_mount(reply: Reply) -> Mount:
    """Read what `sys/internal/ui/mounts/<path>` says of the mount that a path is in.

    Raises:
        VaultError: it says nothing; see `Reply.json`.
    """
    data = part(reply.json(), "data")
    is_auth = word(data, "accessor").startswith("auth_")
    kind = "auth" if is_auth else word(data, "type")
    version = word(part(data, "options"), "version")
    kv_version = (2 if version == "2" else 1) if kind in {"kv", "generic"} else None
    return Mount(word(data, "path").strip("/"), kind, kv_version)


def parse_renewal(reply: Reply) -> Lease:
    """Read the lease after its renewal.

    Raises:
        VaultError: PathNotFound, for which Vault says 400: it has ended or cannot be renewed.
    """
    if reply.status == 400:
        what = f"{reply.doing}: it has ended, or cannot be renewed"
        raise VaultError(what, Reason.PATH_NOT_FOUND, status=reply.status)
    return parse_lease(reply.json())
