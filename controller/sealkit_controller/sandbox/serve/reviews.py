"""Questions about the caller: who am I, may I. Everybody with a token may do everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sealkit_controller.sandbox.objects.status import JsonObject


@dataclass(frozen=True)
class Review:
    """A kind that is answered and never stored."""

    group: str
    plural: str
    kind: str
    answer: Callable[[str], JsonObject]


def _who(user: str) -> JsonObject:
    groups = ["system:masters", "system:authenticated"]
    return {"userInfo": {"username": user, "groups": groups}}


def _allowed(_user: str) -> JsonObject:
    return {"allowed": True, "reason": "the sandbox allows everything"}


def _rules(_user: str) -> JsonObject:
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    paths = {"verbs": ["*"], "nonResourceURLs": ["*"]}
    return {"resourceRules": [everything], "nonResourceRules": [paths], "incomplete": False}


_AUTHORIZATION: Final = "authorization.k8s.io"
REVIEWS: Final = (
    Review("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview", _who),
    Review(_AUTHORIZATION, "selfsubjectaccessreviews", "SelfSubjectAccessReview", _allowed),
    Review(_AUTHORIZATION, "selfsubjectrulesreviews", "SelfSubjectRulesReview", _rules),
)


def find_review(group: str, version: str, plural: str) -> Review | None:
    """Return the review that a path names, None if it is none."""
    found = (one for one in REVIEWS if (one.group, "v1", one.plural) == (group, version, plural))
    return next(found, None)


def answer(review: Review, question: JsonObject, user: str) -> JsonObject:
    """Return the question with its answer."""
    return {
        "kind": review.kind,
        "apiVersion": f"{review.group}/v1",
        "metadata": {"creationTimestamp": None},
        "spec": question.get("spec") or {},
        "status": review.answer(user),
    }
