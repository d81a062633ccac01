"""Discovery: which groups, versions and resources are served."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sealkit_controller.sandbox.kinds.registry import Passing, answered
from sealkit_controller.sandbox.kinds.resource import OBJECT_VERBS, Resource
from sealkit_controller.sandbox.objects.status import JsonObject, NoSuchPathError
from sealkit_controller.sandbox.serve.reviews import REVIEWS, Review

AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_STATUS_VERBS: Final = ["get", "patch", "update"]
VERSION: Final[JsonObject] = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.0+sealkit-sandbox",
    "gitCommit": "",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "",
}


def core_versions() -> JsonObject:
    """Return the answer to `/api`."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def _versions(resources: Iterable[Resource]) -> dict[str, list[str]]:
    """Return the versions of each named group, in the order of the registry."""
    found: dict[str, list[str]] = {}
    for group, version in [
        *((resource.group, resource.version) for resource in resources),
        *((review.group, "v1") for review in REVIEWS),
    ]:
        versions = found.setdefault(group, [])
        if version not in versions:
            versions.append(version)
    return found


def group_list(resources: Iterable[Resource]) -> JsonObject:
    """Return the answer to `/apis`."""
    groups = [_group(group, versions) for group, versions in _versions(resources).items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def _group(name: str, versions: list[str]) -> JsonObject:
    entries = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": entries, "preferredVersion": entries[0]}


def group(resources: Iterable[Resource], name: str) -> JsonObject:
    """Return the answer to `/apis/GROUP`.

    Raises:
        NoSuchPathError: there is no such group.
    """
    versions = _versions(resources).get(name) if name else None
    if not versions:
        raise NoSuchPathError
    return {"kind": "APIGroup", "apiVersion": "v1"} | _group(name, versions)


def resource_list(resources: Iterable[Resource], group: str, version: str) -> JsonObject:
    """Return the resources of one group and version.

    Raises:
        NoSuchPathError: there is no such version.
    """
    entries = []
    for resource in resources:
        if (resource.group, resource.version) == (group, version):
            entries += _entries(resource)
    entries += [_review(review) for review in REVIEWS if (review.group, "v1") == (group, version)]
    if not entries:
        raise NoSuchPathError
    name = f"{group}/{version}" if group else version
    kind = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name}
    return kind | {"resources": entries}


def _entries(resource: Resource) -> list[JsonObject]:
    names = resource.names
    entry: JsonObject = {
        "name": names.plural,
        "singularName": names.singular,
        "namespaced": resource.namespaced,
        "kind": names.kind,
        "verbs": list(OBJECT_VERBS),
    }
    if names.short:
        entry["shortNames"] = list(names.short)
    if names.categories:
        entry["categories"] = list(names.categories)
    place = {"singularName": "", "namespaced": resource.namespaced}
    entries = [entry]
    if resource.has_status:
        status = {"name": f"{names.plural}/status", "kind": names.kind, "verbs": _STATUS_VERBS}
        entries.append(place | status)
    if resource.has_token:
        token = {"name": f"{names.plural}/token", "verbs": ["create"]}
        entries.append(place | token | _token_kind())
    return entries


def _token_kind() -> JsonObject:
    return _kind(answered(Passing.REQUEST).group, "v1", Passing.REQUEST)


def _review(review: Review) -> JsonObject:
    entry = {"name": review.plural, "singularName": review.kind.lower(), "namespaced": False}
    return entry | {"kind": review.kind, "verbs": ["create"]}


def aggregated(resources: Iterable[Resource], *, core: bool) -> JsonObject:
    """Return all of discovery in one document, for the core group or for all others."""
    listed = list(resources)
    items = [
        {
            "metadata": {"name": name, "creationTimestamp": None} if name else {},
            "versions": [_aggregated_version(listed, name, version) for version in versions],
        }
        for name, versions in _versions(listed).items()
        if (name == "") is core
    ]
    kind = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2"}
    return kind | {"metadata": {}, "items": items}


def _aggregated_version(resources: list[Resource], group: str, version: str) -> JsonObject:
    found = [
        _aggregated(resource)
        for resource in resources
        if (resource.group, resource.version) == (group, version)
    ]
    found += [_aggregated_review(review) for review in REVIEWS if review.group == group]
    return {"version": version, "freshness": "Current", "resources": found}


def _kind(group: str, version: str, kind: str) -> JsonObject:
    return {"group": group, "version": version, "kind": kind}


def _aggregated(resource: Resource) -> JsonObject:
    kind = _kind(resource.group, resource.version, resource.names.kind)
    entry: JsonObject = {
        "resource": resource.names.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.names.singular,
        "verbs": list(OBJECT_VERBS),
        "shortNames": list(resource.names.short),
        "categories": list(resource.names.categories),
    }
    parts = []
    if resource.has_status:
        parts.append({"subresource": "status", "responseKind": kind, "verbs": _STATUS_VERBS})
    if resource.has_token:
        answer = {"responseKind": _token_kind(), "verbs": ["create"]}
        parts.append({"subresource": "token"} | answer)
    return entry | ({"subresources": parts} if parts else {})


def _aggregated_review(review: Review) -> JsonObject:
    return {
        "resource": review.plural,
        "responseKind": _kind(review.group, "v1", review.kind),
        "scope": "Cluster",
        "singularResource": review.kind.lower(),
        "verbs": ["create"],
    }
