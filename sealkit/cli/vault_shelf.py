"""A key-value secret in Vault as it was looked at, and the write that replaces exactly that.

KV version 2 refuses the write if somebody else wrote in between (check-and-set); version 1 has
nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from sealkit.errors import SealkitError, UsageError, VaultError
from sealkit.references import jsontree
from sealkit.references.jsontree import Tree
from sealkit.references.reference import Kv, Reference
from sealkit.sensitive import Sensitive

if TYPE_CHECKING:
    from sealkit.vault import Answer, Vault


class Difference(NamedTuple):
    """Which keys a write adds, changes, leaves as they are and removes; no values."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    equal: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def matters(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True)
class Shelf:
    """What is at a path. `version` is the one to replace, 0 for none and in KV version 1."""

    path: str
    mount: str
    secret: str
    kv: Kv
    version: int
    data: Mapping[str, Tree] = field(repr=False)

    def difference(self, values: Mapping[str, Sensitive], *, replaces: bool) -> Difference:
        """Compare with values that are text; with `replaces` what is not in `values` goes."""
        known = values.keys() & self.data.keys()
        equal = {key for key in known if self.data[key] == values[key].reveal().decode()}
        return Difference(
            added=tuple(sorted(values.keys() - known)),
            changed=tuple(sorted(known - equal)),
            equal=tuple(sorted(equal)),
            removed=tuple(sorted(self.data.keys() - known)) if replaces else (),
        )


def look(vault: Vault, path: str) -> Shelf:
    """Look at what is at a path; nothing being there is fine, also if it was deleted.

    Raises:
        UsageError: the path leads to no key-value mount.
        VaultError: Vault cannot be asked, or refuses.
    """
    mount, secret, kv = _located(vault, path)
    if kv is Kv.V1:
        found = _or_nothing(lambda: vault.read_kv1(mount, secret))
        return Shelf(path, mount, secret, kv, 0, found.reveal() if found else {})
    try:
        answer = _or_nothing(lambda: vault.read_kv2(mount, secret))
    except VaultError as error:
        if error.reason not in {"VersionDeleted", "VersionDestroyed"}:
            raise
        return Shelf(path, mount, secret, kv, _newest(vault, mount, secret), {})
    version = (answer.version or 0) if answer else 0
    return Shelf(path, mount, secret, kv, version, answer.reveal() if answer else {})


def _located(vault: Vault, path: str) -> tuple[str, str, Kv]:
    """Return the mount, the path below it, and of which version it is."""
    from sealkit.vault.locate import locate  # noqa: PLC0415 (a third of a second)

    mount = vault.mount_of(path)
    question = locate(Reference(path), vault.mount_of).question
    if question.kv is Kv.V2:
        return mount.path, question.secret, Kv.V2
    below = path[len(mount.path) + 1 :]
    if mount.kv_version is None or not below:
        what = f"leads to a mount of type {mount.type}" if below else "names a mount alone"
        raise UsageError(f"{what}, expected a path in a key-value mount", field="--to")
    return mount.path, below, Kv.V1


def _or_nothing(read: Callable[[], Answer]) -> Answer | None:
    try:
        return read()
    except VaultError as error:
        if error.reason == "PathNotFound":
            return None
        raise


def _newest(vault: Vault, mount: str, secret: str) -> int:
    """Return the number of the newest version, which is deleted."""
    from sealkit.vault.client import Ask  # noqa: PLC0415 (a third of a second)
    from sealkit.vault.wire import count  # noqa: PLC0415 (same)

    return count(vault.ask(Ask(f"{mount}/metadata/{secret}")).reveal(), "current_version")


def put(vault: Vault, shelf: Shelf, values: Mapping[str, Sensitive], *, replaces: bool) -> Shelf:
    """Write in one request and return what is there now; with `replaces` nothing else is kept.

    Raises:
        SealkitError: somebody else wrote since `look`; nothing was written.
        VaultError: as `look`.
    """
    from sealkit.vault.client import Ask  # noqa: PLC0415 (a third of a second)
    from sealkit.vault.wire import count  # noqa: PLC0415 (same)

    texts = {key: value.reveal().decode() for key, value in values.items()}
    data: dict[str, Tree] = {**({} if replaces else shelf.data), **texts}
    if shelf.kv is Kv.V1:
        vault.ask(Ask(f"{shelf.mount}/{shelf.secret}", "POST", jsontree.write(data)))
        return replace(shelf, data=data)
    body = jsontree.write({"data": data, "options": {"cas": shelf.version}})
    try:
        answer = vault.ask(Ask(f"{shelf.mount}/data/{shelf.secret}", "POST", body))
    except VaultError as error:
        if error.status == 400 and look(vault, shelf.path).version != shelf.version:
            what = f"{shelf.path}: somebody else wrote to it meanwhile, nothing was written"
            raise SealkitError(what, hint="do it again, it looks at what is there now") from error
        raise
    return replace(shelf, data=data, version=count(answer.reveal(), "version"))
