"""ValidatingAdmissionPolicies that make a cluster keep the rules of a repository. Pure.

Kubernetes evaluates them itself, from 1.30 on (admissionregistration.k8s.io/v1): there is no
webhook that could be down. They hold in namespaces with a label, so nothing changes elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from sealkit.manifests.scope import Scope

LABEL: Final = "sealkit.dev/sealed-only"  # on namespaces; the value is "true"
ACTIONS: Final = {"deny": ["Deny"], "warn": ["Warn", "Audit"], "audit": ["Audit"]}
"""What happens to what breaks a rule, and how Kubernetes calls it."""
HELM: Final = "helm.sh/release.v1"

_VERSION: Final = "admissionregistration.k8s.io/v1"
_SECRETS: Final = "sealkit-sealed-only"
_SCOPES: Final = "sealkit-scopes"
# Garbage collection, namespaces that end, tokens: with accounts of their own, or all as one user.
_CONTROL_PLANE: Final = (
    "'system:serviceaccounts:kube-system' in request.userInfo.groups"
    " || request.userInfo.username == 'system:kube-controller-manager'"
)
# Labels and annotations are no secret, and tools put theirs on everything.
_SAME_CONTENT: Final = (
    "request.operation == 'UPDATE'"
    " && (has(object.data) ? object.data : {}) == (has(oldObject.data) ? oldObject.data : {})"
)
# What is there already can still be labelled, and deleted: finalizers go by an update.
_SAME_SPEC: Final = "request.operation == 'UPDATE' && object.spec == oldObject.spec"


class Terms(NamedTuple):
    """Who may write Secrets, as Kubernetes names users; types that anybody may; which scopes."""

    users: Collection[str]
    types: Collection[str]
    scopes: Collection[Scope]
    action: str


def policies(terms: Terms) -> list[Mapping[str, object]]:
    """Return the policies and their bindings, to be applied together."""
    return [
        _policy(_SECRETS, _rule("", "v1", "secrets"), _conditions(terms), _only_sealed()),
        _binding(_SECRETS, terms.action),
        _policy(_SCOPES, _rule("sealkit.dev", "*", "sealedsecrets"), [], _scopes(terms.scopes)),
        _binding(_SCOPES, terms.action),
    ]


def _conditions(terms: Terms) -> list[Mapping[str, str]]:
    found = {
        "not-by-those-allowed": f"!(request.userInfo.username in {_list(terms.users)})",
        "not-by-the-control-plane": f"!({_CONTROL_PLANE})",
    }
    if terms.types:
        allowed = f"has(object.type) && object.type in {_list(terms.types)}"
        found["not-of-a-type-allowed"] = f"!({allowed})"
    return [{"name": name, "expression": text} for name, text in found.items()]


def _only_sealed() -> Mapping[str, str]:
    return {
        "expression": _SAME_CONTENT,
        "messageExpression": "'Secrets in this namespace are made of SealedSecrets (sealkit seal);"
        " refused for ' + request.userInfo.username",
        "reason": "Forbidden",
    }


def _scopes(scopes: Collection[Scope]) -> Mapping[str, str]:
    allowed = [scope.value for scope in Scope if scope in scopes]
    return {
        "expression": f"object.spec.scope in {_list(allowed)} || ({_SAME_SPEC})",
        "message": f"spec.scope must be one of: {', '.join(allowed)}",
        "reason": "Forbidden",
    }


def _list(texts: Collection[str]) -> str:
    return f"[{', '.join(_string(text) for text in dict.fromkeys(texts))}]"


def _string(text: str) -> str:
    """Return a string of CEL, which takes the escapes of JSON."""
    inside = json.dumps(text)[1:-1]
    return f"'{text}'" if inside == text and "'" not in text else f'"{inside}"'


def _rule(group: str, version: str, resource: str) -> Mapping[str, object]:
    return {
        "apiGroups": [group],
        "apiVersions": [version],
        "operations": ["CREATE", "UPDATE"],
        "resources": [resource],
    }


def _policy(
    name: str,
    rule: Mapping[str, object],
    conditions: list[Mapping[str, str]],
    validation: Mapping[str, str],
) -> Mapping[str, object]:
    spec: dict[str, object] = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "matchConditions": conditions,
        "validations": [validation],
    }
    if not conditions:
        del spec["matchConditions"]
    metadata = {"name": name}
    kind = "ValidatingAdmissionPolicy"
    return {"apiVersion": _VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _binding(name: str, action: str) -> Mapping[str, object]:
    return {
        "apiVersion": _VERSION,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ACTIONS[action],
            "matchResources": {"namespaceSelector": {"matchLabels": {LABEL: "true"}}},
        },
    }
