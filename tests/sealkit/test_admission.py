"""What the admission policies say, by two engines for their language; see tests/cluster too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from sealkit.admission import HELM, LABEL, Terms, policies
from sealkit.manifests.scope import Scope
from tests.interop.cel import evaluate

CONTROLLER: Final = "system:serviceaccount:sealkit-system:sealkit-controller"
TERMS: Final = Terms([CONTROLLER, "o'dd\"\\user"], [HELM], [Scope.STRICT, Scope.NAMESPACE], "deny")
SECRETS, SECRETS_BINDING, SCOPES, SCOPES_BINDING = (
    raw for raw in map(dict[str, Any], policies(TERMS))
)
DATA: Final = {"a": "eA=="}


def refused(policy: Mapping[str, Any], request: Mapping[str, object]) -> bool:
    """Judge as Kubernetes does: an expression that fails is a refusal."""
    spec = policy["spec"]
    conditions = [evaluate(one["expression"], request) for one in spec.get("matchConditions", [])]
    if False in conditions:
        return False
    if None in conditions:
        return True
    return not all(evaluate(one["expression"], request) for one in spec["validations"])


def writing(
    user: str,
    new: Mapping[str, object],
    old: Mapping[str, object] | None = None,
    groups: Sequence[str] = ("system:authenticated",),
) -> dict[str, object]:
    who = {"username": user, "groups": list(groups)}
    request = {"operation": "UPDATE" if old is not None else "CREATE", "userInfo": who}
    return {"request": request, "object": new, "oldObject": old or {}}


ADA: Final = "ada@example.com"
KUBE_SYSTEM: Final = ("system:serviceaccounts", "system:serviceaccounts:kube-system")


@pytest.mark.parametrize(
    ("request_", "is_refused"),
    [
        (writing(CONTROLLER, {"data": DATA}), False),
        (writing("o'dd\"\\user", {"data": DATA}), False),
        (writing(ADA, {"data": DATA}), True),
        (writing(ADA, {"type": "Opaque", "data": DATA}), True),
        (writing(ADA, {}), True),
        (writing(ADA, {"type": HELM, "data": DATA}), False),
        (writing(ADA, {"data": DATA}, {"data": DATA}), False),
        (writing(ADA, {}, {}), False),
        (writing(ADA, {"data": DATA}, {"data": {"a": "eQ=="}}), True),
        (writing(ADA, {"data": DATA}, {}), True),
        (writing(ADA, {}, {"data": DATA}), True),
        (writing("system:kube-controller-manager", {"data": DATA}), False),
        (writing("system:serviceaccount:kube-system:x", {}, groups=KUBE_SYSTEM), False),
        (writing("system:serviceaccount:shop:x", {}, groups=KUBE_SYSTEM[:1]), True),
    ],
)
def test_who_may_write_a_secret(request_: dict[str, object], is_refused: bool) -> None:  # noqa: FBT001
    assert refused(SECRETS, request_) is is_refused


def test_no_type_is_free_if_none_is_wanted() -> None:
    policy: Any = policies(TERMS._replace(types=[]))[0]
    assert refused(policy, writing(ADA, {"type": HELM, "data": DATA}))


@pytest.mark.parametrize(
    ("new", "old", "is_refused"),
    [
        ("strict", None, False),
        ("namespace-wide", None, False),
        ("cluster-wide", None, True),
        ("cluster-wide", "strict", True),
        ("cluster-wide", "cluster-wide", False),  # a label, or the last finalizer
        ("", None, True),
    ],
)
def test_which_scopes_a_manifest_may_have(new: str, old: str | None, is_refused: bool) -> None:  # noqa: FBT001
    raw, before = ({"spec": {"scope": one} if one else {}} for one in (new, old))
    assert refused(SCOPES, writing(ADA, raw, before if old else None)) is is_refused


@pytest.mark.parametrize("binding", [SECRETS_BINDING, SCOPES_BINDING])
def test_they_hold_where_the_label_is(binding: dict[str, Any]) -> None:
    assert binding["spec"]["matchResources"] == {
        "namespaceSelector": {"matchLabels": {LABEL: "true"}}
    }
    assert binding["spec"]["policyName"] == binding["metadata"]["name"]


@pytest.mark.parametrize(
    ("action", "actions"),
    [("deny", ["Deny"]), ("warn", ["Warn", "Audit"]), ("audit", ["Audit"])],
)
def test_the_actions(action: str, actions: list[str]) -> None:
    found: list[Any] = [*policies(TERMS._replace(action=action))]
    assert [one["spec"]["validationActions"] for one in found[1::2]] == [actions, actions]
