"""`metadata.managedFields`: who owns which field, and what writing does to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sealkit_controller.sandbox.objects import apply, fieldsets
from sealkit_controller.sandbox.objects.fieldsets import FieldSet
from sealkit_controller.sandbox.objects.status import (
    Cause,
    Details,
    JsonObject,
    StatusError,
    bad_request,
)

# Never owned by anyone: they identify the object or belong to the server.
_UNOWNED: FieldSet = frozenset(
    {("f:apiVersion",), ("f:kind",), ("f:metadata",)}
    | {
        ("f:metadata", f"f:{name}")
        for name in (
            *("name", "namespace", "creationTimestamp", "selfLink", "uid", "generation"),
            *("managedFields", "resourceVersion"),
        )
    }
)
_MOST_UPDATERS = 10  # older ones are joined, as the real server does
_ANCIENT = "ancient-changes"


@dataclass(frozen=True)
class Manager:
    """One entry of `managedFields`. `time` is "" while the manager has changed nothing."""

    name: str
    operation: str  # Apply or Update
    api_version: str
    fields: FieldSet
    subresource: str = ""
    time: str = ""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What makes two entries the same manager."""
        return self.name, self.operation, self.api_version, self.subresource

    def without(self, fields: FieldSet) -> Manager:
        """Return this entry with some fields given up."""
        return replace(self, fields=self.fields - fields)

    def to_dict(self) -> JsonObject:
        """Return the entry as metadata holds it."""
        entry: JsonObject = {
            "manager": self.name,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": fieldsets.encode(self.fields),
            "subresource": self.subresource,
        }
        return {name: value for name, value in entry.items() if value != ""}


@dataclass(frozen=True)
class Writer:
    """Who is writing through which endpoint, when; `ignored` are prefixes that it cannot write."""

    name: str
    api_version: str
    time: str
    subresource: str = ""
    ignored: FieldSet = fieldsets.NOTHING

    def entry(self, operation: str, fields: FieldSet, time: str = "") -> Manager:
        """Return the entry for what this writer now owns."""
        return Manager(self.name, operation, self.api_version, fields, self.subresource, time)

    def relevant(self, fields: FieldSet) -> FieldSet:
        """Return the fields that this writer can write."""
        if not self.ignored:
            return fields
        return frozenset(
            path
            for path in fields
            if not any(path[: len(prefix)] == prefix for prefix in self.ignored)
        )


def load(metadata: JsonObject) -> list[Manager]:
    """Return the entries of an object's metadata.

    Raises:
        StatusError: 400 if an entry cannot be understood.
    """
    try:
        return [_load(entry) for entry in metadata.get("managedFields") or () if entry]
    except (KeyError, AttributeError, TypeError) as error:
        raise bad_request("metadata.managedFields cannot be decoded") from error


def _load(entry: JsonObject) -> Manager:
    return Manager(
        entry.get("manager", ""),
        entry["operation"],
        entry["apiVersion"],
        fieldsets.decode(entry.get("fieldsV1") or {}),
        entry.get("subresource", ""),
        entry.get("time", ""),
    )


def dump(managers: Iterable[Manager]) -> list[JsonObject]:
    """Return the entries as metadata holds them, in the server's order."""

    def order(manager: Manager) -> tuple[str, str, str, str, str]:
        return manager.operation, manager.time, *manager.identity[:1], *manager.identity[2:]

    return [manager.to_dict() for manager in sorted(managers, key=order)]


def updated(
    managers: Sequence[Manager], old: JsonObject, new: JsonObject, schema: JsonObject, by: Writer
) -> list[Manager]:
    """Return the managers after `by` wrote `new` over `old` by create, update or patch."""
    difference = fieldsets.compare(old, new, schema)
    changed, removed = by.relevant(difference.changed), by.relevant(difference.removed)
    rest = [manager.without(changed | removed) for manager in managers]
    mine = changed - _UNOWNED
    if mine:
        entry = by.entry("Update", mine, by.time)
        same = [manager for manager in rest if manager.identity == entry.identity]
        rest = [manager for manager in rest if manager.identity != entry.identity]
        rest.append(replace(entry, fields=mine.union(*(manager.fields for manager in same))))
    return _capped([manager for manager in rest if manager.fields])


def _capped(managers: list[Manager]) -> list[Manager]:
    """Join the oldest updaters of one version once there are too many entries to be useful."""
    updaters = sorted(
        (manager for manager in managers if manager.operation == "Update"),
        key=lambda manager: (manager.time, manager.name),
    )
    surplus = updaters[: len(updaters) - _MOST_UPDATERS + 1]
    if len(updaters) <= _MOST_UPDATERS:
        return managers
    newest = surplus[-1]
    fields = fieldsets.NOTHING.union(*(manager.fields for manager in surplus))
    joined = Manager(_ANCIENT, "Update", newest.api_version, fields, "", newest.time)
    return [joined, *(manager for manager in managers if manager not in surplus)]


@dataclass(frozen=True)
class Applied:
    """The outcome of an apply: the object without its managers, and the managers."""

    document: JsonObject
    managers: list[Manager]


def applied(
    live: JsonObject, config: JsonObject, schema: JsonObject, by: Writer, *, force: bool
) -> Applied:
    """Return the object and its managers after `by` applied `config` to `live`.

    `live` carries its `managedFields`; an empty object stands for one that does not exist yet.

    Raises:
        StatusError: 409 naming every field that another manager owns, unless `force`.
    """
    managers = load(live.get("metadata", {})) or _before_first_apply(live, schema, by)
    claimed = by.relevant(fieldsets.fields_of(config, schema))
    entry = by.entry("Apply", claimed)
    before = next((manager for manager in managers if manager.identity == entry.identity), None)
    others = [manager for manager in managers if manager.identity != entry.identity]
    document = apply.merge(without_managers(live), config, schema)
    if before:
        owned = claimed.union(*(manager.fields for manager in others))
        document = apply.drop_abandoned(document, schema, before.fields, owned)
    difference = fieldsets.compare(without_managers(live), document, schema)
    changed, removed = by.relevant(difference.changed), by.relevant(difference.removed)
    if not force:
        _check_conflicts(others, changed)
    others = [manager.without(changed | removed) for manager in others]
    unchanged = document == without_managers(live)
    time = (before.time if before else "") if unchanged else by.time
    mine = replace(entry, fields=claimed - _UNOWNED, time=time)
    return Applied(document, [manager for manager in (*others, mine) if manager.fields])


def _before_first_apply(live: JsonObject, schema: JsonObject, by: Writer) -> list[Manager]:
    """Return who owns an object that nobody kept books on until now."""
    if not live:
        return []
    fields = by.relevant(fieldsets.compare({}, live, schema).changed) - _UNOWNED
    return [Manager("before-first-apply", "Update", by.api_version, fields, "", by.time)]


def _leaves_first(path: fieldsets.Path) -> list[tuple[bool, str]]:
    return [(place < len(path), element) for place, element in enumerate(path, 1)]


def _check_conflicts(others: list[Manager], changed: FieldSet) -> None:
    conflicts = [
        (manager, path)
        for manager in others
        for path in sorted(manager.fields & changed, key=_leaves_first)
    ]
    if conflicts:
        raise _conflict(conflicts)


def without_managers(document: JsonObject) -> JsonObject:
    """Return a copy of an object without its `managedFields`; shallow but for the metadata."""
    if "managedFields" not in document.get("metadata", {}):
        return document
    metadata = {k: v for k, v in document["metadata"].items() if k != "managedFields"}
    return document | {"metadata": metadata}


def _conflict(conflicts: list[tuple[Manager, fieldsets.Path]]) -> StatusError:
    causes = tuple(
        Cause("FieldManagerConflict", f"conflict with {_shown(manager)}", fieldsets.show(path))
        for manager, path in conflicts
    )
    if len(conflicts) == 1:
        told = f"1 conflict: {causes[0].message}: {causes[0].field}"
    else:
        told = f"{len(conflicts)} conflicts: {_grouped(conflicts)}"
    return StatusError(409, "Conflict", f"Apply failed with {told}", Details(causes))


def _grouped(conflicts: list[tuple[Manager, fieldsets.Path]]) -> str:
    paths: dict[str, list[str]] = {}
    for manager, path in conflicts:
        paths.setdefault(_shown(manager), []).append(fieldsets.show(path))
    return "\n".join(
        line
        for name, fields in sorted(paths.items())
        for line in (f"conflicts with {name}:", *(f"- {field}" for field in fields))
    )


def _shown(manager: Manager) -> str:
    text = f'"{manager.name}"'
    if manager.subresource:
        text += f' with subresource "{manager.subresource}"'
    if manager.operation == "Update":
        text += f" using {manager.api_version}"
    return text
