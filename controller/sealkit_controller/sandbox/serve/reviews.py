"""Questions about users: who am I, may I, whose token is this. Everybody may do everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sealkit_controller.sandbox.kinds.registry import Passing
from sealkit_controller.sandbox.objects.status import JsonObject, bad_request
from sealkit_controller.sandbox.serve.bearers import RefusedError, identify
from sealkit_controller.sandbox.serve.completing import complete_passing
from sealkit_controller.sandbox.serve.decode import Decoded, decode
from sealkit_controller.sandbox.serve.users import User
from sealkit_controller.sandbox.serve.world import Call, World


@dataclass(frozen=True)
class Review:
    """A kind that is answered and never stored."""

    group: str
    plural: str
    kind: str


def _who(user: User) -> JsonObject:
    return {"userInfo": user.to_dict()}


def _allowed(_user: User) -> JsonObject:
    return {"allowed": True, "reason": "the sandbox allows everything"}


def _rules(_user: User) -> JsonObject:
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    paths = {"verbs": ["*"], "nonResourceURLs": ["*"]}
    return {"resourceRules": [everything], "nonResourceRules": [paths], "incomplete": False}


_AUTHENTICATION: Final = "authentication.k8s.io"
_AUTHORIZATION: Final = "authorization.k8s.io"
REVIEWS: Final = (
    Review(_AUTHENTICATION, "selfsubjectreviews", "SelfSubjectReview"),
    Review(_AUTHENTICATION, "tokenreviews", Passing.REVIEW),
    Review(_AUTHORIZATION, "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    Review(_AUTHORIZATION, "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
)
_ABOUT_ONESELF: Final[Mapping[str, Callable[[User], JsonObject]]] = {
    "SelfSubjectReview": _who,
    "SelfSubjectAccessReview": _allowed,
    "SelfSubjectRulesReview": _rules,
}


def find_review(group: str, version: str, plural: str) -> Review | None:
    """Return the review that a path names, None if it is none."""
    found = (one for one in REVIEWS if (one.group, "v1", one.plural) == (group, version, plural))
    return next(found, None)


def answer(review: Review, question: JsonObject, user: User) -> JsonObject:
    """Return a question of `user` about itself with its answer."""
    return {
        "kind": review.kind,
        "apiVersion": f"{review.group}/v1",
        "metadata": {"creationTimestamp": None},
        "spec": question.get("spec") or {},
        "status": _ABOUT_ONESELF[review.kind](user),
    }


def review_token(world: World, tokens: Mapping[str, str], call: Call) -> Decoded:
    """Return the TokenReview in the body of a call with its answer; `tokens` as in `identify`.

    Raises:
        StatusError: 400, it is malformed or has no token. A token that is nobody's is an answer.
    """
    decoded = decode(call)
    document = decoded.document
    complete_passing(world, call, document)
    spec = document["spec"]
    if not spec.get("token"):
        raise bad_request("token is required for TokenReview in authentication")
    try:
        bearer = identify(world, tokens, spec["token"], spec.get("audiences") or ())
    except RefusedError as error:
        document["status"] = {"user": {}, "error": str(error)}
        return decoded
    status = {"authenticated": True, "user": bearer.user.to_dict()}
    document["status"] = status | {"audiences": list(bearer.audiences)}
    return decoded
