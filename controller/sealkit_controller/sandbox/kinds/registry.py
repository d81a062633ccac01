"""Every kind that is served at the moment: the built-in ones and those of installed CRDs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from sealkit_controller.sandbox.kinds import crds, events, leases, namespaces, secrets
from sealkit_controller.sandbox.kinds.resource import Column, Names, Resource, Rules
from sealkit_controller.sandbox.objects import metadata
from sealkit_controller.sandbox.objects.status import JsonObject, NoSuchPathError, no_such_resource

_FILE: Final = Path(__file__).with_name("builtin.yaml")
_RBAC: Final = Rules(name=metadata.path_segment_name)
_SHOWN_EMPTY: Final = frozenset(
    (f"f:{name}",)
    for name in (
        *("firstTimestamp", "lastTimestamp", "source", "deprecatedSource"),
        *("deprecatedFirstTimestamp", "deprecatedLastTimestamp"),
    )
)
_RULES: Final[Mapping[str, Rules]] = {
    "v1 ConfigMap": Rules(secrets.prepare_config_map, secrets.check_config_map),
    "v1 Event": Rules(
        events.prepare, events.check_core, create_on_update=True, unowned=_SHOWN_EMPTY
    ),
    "events.k8s.io/v1 Event": Rules(
        events.prepare_new,
        events.check,
        create_on_update=True,
        unowned=_SHOWN_EMPTY,
        error_group="",
        stored_field=events.stored_field,
        to_storage=events.to_storage,
        from_storage=events.from_storage,
    ),
    "v1 Namespace": Rules(
        namespaces.prepare, name=metadata.label_name, unowned=frozenset({("f:spec",)})
    ),
    "v1 ServiceAccount": Rules(returns_deleted=True),
    "v1 Secret": Rules(secrets.prepare, secrets.check),
    "coordination.k8s.io/v1 Lease": Rules(
        check=leases.check, create_on_update=True, unconditional_update=False
    ),
    "rbac.authorization.k8s.io/v1 Role": _RBAC,
    "rbac.authorization.k8s.io/v1 RoleBinding": _RBAC,
    "rbac.authorization.k8s.io/v1 ClusterRole": _RBAC,
    "rbac.authorization.k8s.io/v1 ClusterRoleBinding": _RBAC,
    "apiextensions.k8s.io/v1 CustomResourceDefinition": Rules(
        crds.prepare, crds.check, counts_generations=True, unconditional_update=False
    ),
}


class Passing(StrEnum):
    """The kinds that are answered and never stored."""

    REQUEST = "TokenRequest"
    REVIEW = "TokenReview"


class Registry:
    """The served resources, by path; replaced as a whole, so that reads need no lock."""

    def __init__(self) -> None:
        self._builtin = {_key(resource): resource for resource in builtin_resources()}
        self._served = self._builtin
        self._since: dict[tuple[str, int], int] = {}

    def serve(self, definitions: Iterable[tuple[JsonObject, int]]) -> None:
        """Serve exactly the kinds of these CustomResourceDefinitions beside the built-in ones.

        Each comes with its version: objects stored before it may not fit its schema yet.
        """
        custom = {}
        for definition, version in definitions:
            generation = definition["metadata"]["uid"], definition["metadata"]["generation"]
            since = self._since.setdefault(generation, version)
            for resource in crds.resources(definition, since):
                custom[_key(resource)] = resource
        self._served = {**self._builtin, **custom}

    def find(self, group: str, version: str, plural: str) -> Resource:
        """Return the resource that a path names.

        Raises:
            StatusError: 404, the version is served, but has no such resource.
            NoSuchPathError: the version is not served.
        """
        resource = self._served.get((group, version, plural))
        if resource is None:
            if any((one.group, one.version) == (group, version) for one in self):
                raise no_such_resource()
            raise NoSuchPathError
        return resource

    def by_storage(self, storage: str) -> Resource | None:
        """Return one resource whose objects are stored under `storage`."""
        found = (resource for resource in self if resource.storage == storage)
        return next(found, None)

    def by_kind(self, api_version: str, kind: str) -> Resource | None:
        """Return the resource of a kind, as owner references name it."""
        group = api_version.rpartition("/")[0]
        found = (one for one in self if one.group == group and one.names.kind == kind)
        return next(found, None)

    def __iter__(self) -> Iterator[Resource]:
        """Yield every resource in every version."""
        return iter(self._served.values())


def _key(resource: Resource) -> tuple[str, str, str]:
    return resource.group, resource.version, resource.names.plural


@cache
def builtin_resources() -> tuple[Resource, ...]:
    """Return the built-in resources."""
    return tuple(_builtin(entry) for entry in _file()["kinds"])


@cache
def answered(kind: Passing) -> Resource:
    """Return the shape and names of a kind that is answered and never stored."""
    (entry,) = (entry for entry in _file()["answered"] if entry["names"]["kind"] == kind)
    return _builtin(entry)


@cache
def _file() -> dict[str, list[dict[str, Any]]]:
    text = _FILE.read_text(encoding="utf-8")
    document: dict[str, list[dict[str, Any]]] = yaml.load(text, Loader=yaml.CSafeLoader)
    return document


def _builtin(entry: dict[str, Any]) -> Resource:
    group, version, names = entry["group"], entry["version"], entry["names"]
    api_version = f"{group}/{version}" if group else version
    rules = _RULES.get(f"{api_version} {names['kind']}")
    plural = names["plural"]
    return Resource(
        group=group,
        version=version,
        names=Names(
            plural=plural,
            singular=names["singular"],
            kind=names["kind"],
            list_kind=f"{names['kind']}List",
            short=tuple(names.get("short", ())),
            categories=tuple(names.get("categories", ())),
        ),
        namespaced=not entry.get("cluster", False),
        storage=entry.get("storage") or (f"{plural}.{group}" if group else plural),
        schema=_with_metadata(entry["schema"]),
        rules=rules or Rules(counts_generations=entry.get("generations", False)),
        columns=tuple(Column(**column) for column in entry["columns"]),
        has_status=entry.get("status", False),
        has_token=entry.get("token", False),
        selectable=frozenset(entry.get("selectable", ())),
    )


def _with_metadata(schema: JsonObject) -> JsonObject:
    fields = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": metadata.SCHEMA,
    }
    return schema | {"properties": fields | schema.get("properties", {})}
