"""RBAC rules as plain sets, to be compared with each other and with what is used."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.packaging.documents import Document


class Right(NamedTuple):
    """One verb on one resource. Empty `namespace` or `name` means any."""

    namespace: str
    group: str
    resource: str
    verb: str
    name: str = ""


def granted(documents: Sequence[Document], account: str) -> set[Right]:
    """Return what the roles among `documents` allow a ServiceAccount, by their bindings."""
    bindings = [doc for doc in documents if doc["kind"] in {"RoleBinding", "ClusterRoleBinding"}]
    return {
        right
        for binding in bindings
        if any(
            subject["kind"] == "ServiceAccount" and subject["name"] == account
            for subject in binding["subjects"]
        )
        for right in _bound(documents, binding)
    }


def _bound(documents: Sequence[Document], binding: Document) -> Iterable[Right]:
    namespace = binding["metadata"].get("namespace", "")
    for role in documents:
        same = (role["kind"], role["metadata"]["name"]) == (
            binding["roleRef"]["kind"],
            binding["roleRef"]["name"],
        )
        if same and role["metadata"].get("namespace", "") == namespace:
            yield from rights_of(role)


def rights_of(role: Document) -> set[Right]:
    """Return what a Role or ClusterRole allows."""
    namespace = role["metadata"].get("namespace", "")
    return {
        Right(namespace, group, resource, verb, name)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    }


def grant_for(used: Right, rights: Iterable[Right]) -> Right | None:
    """Return the narrowest right that allows a use, None if none does."""
    allowing = [
        right
        for right in rights
        if (right.group, right.resource, right.verb) == (used.group, used.resource, used.verb)
        and right.namespace in {"", used.namespace}
        and right.name in {"", used.name}
    ]
    return max(allowing, key=lambda right: (bool(right.namespace), bool(right.name)), default=None)
