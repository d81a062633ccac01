"""ServiceAccounts and their tokens: who gets one, what it says, and for how long it is good."""

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from tests.contracts.client import (
    STRATEGIC,
    Client,
    Reply,
    account,
    eventually,
    secret,
)

ACCOUNTS = "serviceaccounts"
AUTHENTICATION = "authentication.k8s.io/v1"
REVIEWS = f"/apis/{AUTHENTICATION}/tokenreviews"
WHO_AM_I = f"/apis/{AUTHENTICATION}/selfsubjectreviews"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
CONFIGURATION = "/.well-known/openid-configuration"
KEYS = "/openid/v1/jwks"
METADATA = {"apiVersion": AUTHENTICATION, "kind": "TokenRequest"}


def ask_token(
    api: Client, spec: Any = None, name: str = "robot", meta: Any = None, **query: str
) -> Reply:
    body = METADATA | ({"spec": spec} if spec is not None else {})
    body |= {"metadata": meta} if meta else {}
    return api.request("POST", f"{api.path(ACCOUNTS, name)}/token", body, **query)


def token_of(api: Client, *audiences: str, **spec: Any) -> str:
    reply = ask_token(api, {"audiences": list(audiences)} | spec).ok()
    return str(reply.json["status"]["token"])


def review(api: Client, token: str, *audiences: str, **fields: Any) -> Reply:
    spec = {"token": token} | ({"audiences": list(audiences)} if audiences else {})
    body = {"apiVersion": AUTHENTICATION, "kind": "TokenReview", "spec": spec}
    return api.request("POST", REVIEWS, body | fields)


def error_of(reply: Reply) -> str:
    """Return why a token was not recognized, "" if it was."""
    status = reply.ok().json["status"]
    assert status.get("authenticated", False) == ("error" not in status)
    return str(status.get("error", ""))


def who_am_i(api: Client) -> Reply:
    return api.request(
        "POST", WHO_AM_I, {"apiVersion": AUTHENTICATION, "kind": "SelfSubjectReview"}
    )


def decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def encode(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def claims_of(token: str) -> Any:
    return json.loads(decode(token.split(".")[1]))


def header_of(token: str) -> Any:
    return json.loads(decode(token.partition(".")[0]))


@pytest.fixture
def robot(api: Client) -> Any:
    """A ServiceAccount, as the server made it."""
    return api.create(ACCOUNTS, account("robot")).ok().json


def test_an_account_is_created_changed_and_deleted(api: Client) -> None:
    pull = [{"name": "registry"}]
    made = api.create(ACCOUNTS, account("robot", imagePullSecrets=pull)).ok()
    assert made.json["metadata"]["uid"]
    only = {"fieldSelector": "metadata.name=robot"}  # the account `default` comes at any time
    with api.watch(ACCOUNTS, made.version, **only) as events:
        body = made.json | {"automountServiceAccountToken": False}
        changed = api.replace(ACCOUNTS, "robot", body).ok()
        assert changed.json["imagePullSecrets"] == pull
        for name in "ab":
            patched = api.patch(ACCOUNTS, "robot", {"secrets": [{"name": name}]}, STRATEGIC).ok()
        gone = api.delete(ACCOUNTS, "robot").ok()
        seen = [next(events) for _ in range(4)]
    assert [one["name"] for one in patched.json["secrets"]] in (["a", "b"], ["b", "a"])
    assert [event["type"] for event in seen] == ["MODIFIED"] * 3 + ["DELETED"]
    assert seen[-1]["object"] == gone.json
    assert api.get(ACCOUNTS, "robot").code == 404


def test_the_end_of_an_account_is_answered_with_the_account(api: Client, robot: Any) -> None:
    gone = api.delete(ACCOUNTS, "robot").ok()
    assert (gone.json["kind"], gone.json["metadata"]["uid"]) == (
        "ServiceAccount",
        robot["metadata"]["uid"],
    )
    assert int(gone.version) > int(robot["metadata"]["resourceVersion"])


def test_a_token_says_whose_it_is_and_for_whom(api: Client, robot: Any) -> None:
    uid = robot["metadata"]["uid"]
    claims = claims_of(token_of(api, "vault", expirationSeconds=600))
    assert claims["sub"] == f"system:serviceaccount:{api.namespace}:robot"
    assert claims["aud"] == ["vault"]
    assert claims["iss"] == api.request("GET", CONFIGURATION).json["issuer"]
    assert claims["kubernetes.io"] == {
        "namespace": api.namespace,
        "serviceaccount": {"name": "robot", "uid": uid},
    }
    assert (claims["nbf"], claims["exp"]) == (claims["iat"], claims["iat"] + 600)


def test_every_token_has_its_own_id(api: Client, robot: Any) -> None:
    assert claims_of(token_of(api))["jti"] != claims_of(token_of(api))["jti"]


def test_a_request_comes_back_with_its_token(api: Client, robot: Any) -> None:
    reply = ask_token(api, {"audiences": ["vault"], "expirationSeconds": 600})
    assert reply.code == 201
    document = reply.json
    assert {name: document[name] for name in METADATA} == METADATA
    spec = {"audiences": ["vault"], "expirationSeconds": 600, "boundObjectRef": None}
    assert document["spec"] == spec
    found = {name: document["metadata"][name] for name in ("name", "namespace", "uid")}
    assert found == {name: robot["metadata"][name] for name in found}
    (entry,) = document["metadata"]["managedFields"]
    assert entry["subresource"] == "token"
    assert entry["fieldsV1"] == {"f:spec": {"f:audiences": {}, "f:expirationSeconds": {}}}
    start, end = (
        datetime.fromisoformat(text)
        for text in (
            document["metadata"]["creationTimestamp"],
            document["status"]["expirationTimestamp"],
        )
    )
    assert end - start == timedelta(seconds=600)
    claimed = claims_of(document["status"]["token"])["exp"]
    assert abs(claimed - end.timestamp()) <= 1


@pytest.mark.parametrize("spec", [None, {}, {"audiences": [], "expirationSeconds": None}])
def test_without_wishes_a_token_is_for_the_server_and_an_hour(
    api: Client, robot: Any, spec: Any
) -> None:
    document = ask_token(api, spec).ok().json
    claims = claims_of(document["status"]["token"])
    assert document["spec"]["expirationSeconds"] == 3600 == claims["exp"] - claims["iat"]
    assert document["spec"]["audiences"] == claims["aud"] != []
    assert error_of(review(api, document["status"]["token"], *claims["aud"])) == ""


def test_an_empty_object_asks_for_a_token(api: Client, robot: Any) -> None:
    assert api.request("POST", f"{api.path(ACCOUNTS, 'robot')}/token", {}).code == 201


@pytest.mark.parametrize(
    ("seconds", "why"),
    [
        (599, "may not specify a duration less than 10 minutes"),
        (0, "may not specify a duration less than 10 minutes"),
        (-1, "may not specify a duration less than 10 minutes"),
        ((1 << 32) + 1, "may not specify a duration larger than 2^32 seconds"),
    ],
)
def test_a_token_lasts_ten_minutes_at_least(
    api: Client, robot: Any, seconds: int, why: str
) -> None:
    reply = ask_token(api, {"expirationSeconds": seconds})
    assert (reply.code, reply.reason) == (422, "Invalid")
    (cause,) = reply.causes
    assert cause["field"] == "spec.expirationSeconds"
    assert cause["message"] == f"Invalid value: {seconds}: {why}"
    assert reply.message.startswith(
        f'TokenRequest.authentication.k8s.io "" is invalid: {cause["field"]}'
    )


@pytest.mark.parametrize("seconds", [600, 1 << 32])
def test_the_limits_themselves_are_allowed(api: Client, robot: Any, seconds: int) -> None:
    assert ask_token(api, {"expirationSeconds": seconds}).code == 201


def test_who_is_not_there_gets_no_token(api: Client) -> None:
    reply = ask_token(api, {}, "nope")
    assert (reply.code, reply.reason) == (404, "NotFound")
    assert reply.message == 'serviceaccounts "nope" not found'


def test_there_is_no_token_where_there_is_no_namespace(api: Client) -> None:
    path = "/api/v1/namespaces/nope/serviceaccounts/robot/token"
    reply = api.request("POST", path, METADATA)
    assert (reply.code, reply.message) == (404, 'namespaces "nope" not found')


@pytest.mark.parametrize(
    ("meta", "code", "reason"),
    [
        ({"name": "other"}, 422, "Invalid"),
        ({"namespace": "other"}, 400, "BadRequest"),
        ({"uid": "other"}, 409, "Conflict"),
    ],
)
def test_path_and_body_must_mean_the_same_account(
    api: Client, robot: Any, meta: Any, code: int, reason: str
) -> None:
    reply = ask_token(api, {}, meta=meta)
    assert (reply.code, reply.reason) == (code, reason)


def test_metadata_of_a_request_is_kept(api: Client, robot: Any) -> None:
    given = {"name": "robot", "uid": robot["metadata"]["uid"], "labels": {"l": "v"}}
    found = ask_token(api, {}, meta=given).ok().json["metadata"]
    assert found.items() >= given.items()


@pytest.mark.parametrize(
    "body",
    [
        "",
        {"apiVersion": "v1", "kind": "Secret"},
        {"apiVersion": "authentication.k8s.io/v1beta1", "kind": "TokenRequest"},
        METADATA | {"spec": {"expirationSeconds": "600"}},
        METADATA | {"spec": {"audiences": "vault"}},
    ],
    ids=["nothing", "kind", "version", "text", "audience"],
)
def test_what_is_no_request_is_refused(api: Client, robot: Any, body: Any) -> None:
    reply = api.request("POST", f"{api.path(ACCOUNTS, 'robot')}/token", body)
    assert (reply.code, reply.reason) == (400, "BadRequest")


def test_unknown_fields_of_a_request_are_told(api: Client, robot: Any) -> None:
    reply = ask_token(api, {"audience": ["vault"]}).ok()
    assert reply.headers["Warning"] == r'299 - "unknown field \"spec.audience\""'
    strict = ask_token(api, {"audience": ["vault"]}, fieldValidation="Strict")
    assert (strict.code, 'unknown field "spec.audience"' in strict.message) == (400, True)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_token_can_only_be_asked_for(api: Client, robot: Any, method: str) -> None:
    body: Any = None if method == "GET" else {}
    reply = api.request(method, f"{api.path(ACCOUNTS, 'robot')}/token", body)
    assert (reply.code, reply.reason) == (405, "MethodNotAllowed")


def bound(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    version = "v1" if kind != "Widget" else "contracts.example.com/v1"
    return {"boundObjectRef": {"apiVersion": version, "kind": kind, "name": name} | fields}


def test_a_token_can_end_with_a_secret(api: Client, robot: Any) -> None:
    uid = api.create("secrets", secret("a")).ok().json["metadata"]["uid"]
    token = token_of(api, "vault", **bound("Secret", "a", uid=uid))
    assert claims_of(token)["kubernetes.io"]["secret"] == {"name": "a", "uid": uid}
    api.delete("secrets", "a").ok()
    told = eventually(lambda: review(api, token, "vault"), lambda reply: error_of(reply) != "")
    assert "service account token has been invalidated" in error_of(told)
    again = api.create("secrets", secret("a")).ok().json["metadata"]["uid"]
    told = eventually(lambda: review(api, token, "vault"), lambda reply: "UID" in error_of(reply))
    why = f"secret UID ({again}) does not match service account secret ref claim ({uid})"
    assert why in error_of(told)


def pod(account_name: str) -> Any:
    spec = {"serviceAccountName": account_name, "containers": [{"name": "a", "image": "a"}]}
    return secret("a") | {"kind": "Pod", "spec": spec}


def test_a_token_can_end_with_a_pod(api: Client, robot: Any) -> None:
    uid = api.create("pods", pod("robot")).ok().json["metadata"]["uid"]
    token = token_of(api, "vault", **bound("Pod", "a"))
    assert claims_of(token)["kubernetes.io"]["pod"] == {"name": "a", "uid": uid}
    extra = review(api, token, "vault").ok().json["status"]["user"]["extra"]
    assert extra["authentication.kubernetes.io/pod-name"] == ["a"]
    assert extra["authentication.kubernetes.io/pod-uid"] == [uid]


def test_a_pod_must_run_as_the_account(api: Client, robot: Any) -> None:
    api.create(ACCOUNTS, account("other")).ok()
    api.create("pods", pod("other")).ok()
    reply = ask_token(api, bound("Pod", "a"))
    assert reply.code == 400
    assert 'cannot bind token for serviceaccount "robot" to pod' in reply.message


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        ("Secret", {"name": "nope"}, 404),
        ("Pod", {"name": "nope"}, 404),
        ("Node", {"name": "nope"}, 404),
        ("Secret", {"uid": "other"}, 409),
        ("ConfigMap", {}, 400),
        ("Widget", {}, 400),
    ],
)
def test_what_a_token_cannot_be_bound_to_is_refused(
    api: Client, robot: Any, kind: str, fields: Any, code: int
) -> None:
    api.create("secrets", secret("a")).ok()
    reply = ask_token(api, bound(kind, **{"name": "a"} | fields))
    assert reply.code == code, reply.text


def test_a_review_tells_whose_a_token_is(api: Client, robot: Any) -> None:
    token = token_of(api, "vault")
    reply = review(api, token, "vault")
    assert reply.code == 201
    assert reply.json["kind"] == "TokenReview"
    assert reply.json["spec"] == {"token": token, "audiences": ["vault"]}
    assert reply.json["status"] == {
        "authenticated": True,
        "user": {
            "username": f"system:serviceaccount:{api.namespace}:robot",
            "uid": robot["metadata"]["uid"],
            "groups": [
                "system:serviceaccounts",
                f"system:serviceaccounts:{api.namespace}",
                "system:authenticated",
            ],
            "extra": {
                "authentication.kubernetes.io/credential-id": [f"JTI={claims_of(token)['jti']}"]
            },
        },
        "audiences": ["vault"],
    }


def test_a_review_tells_which_audiences_fit(api: Client, robot: Any) -> None:
    reply = review(api, token_of(api, "a", "b", "c"), "c", "x", "a").ok()
    assert reply.json["status"]["audiences"] == ["c", "a"]


@pytest.mark.parametrize("asked", [(), ("other",)], ids=["server", "other"])
def test_a_token_for_others_is_not_recognized(
    api: Client, robot: Any, asked: tuple[str, ...]
) -> None:
    told = error_of(review(api, token_of(api, "vault"), *asked))
    assert 'token audiences ["vault"] is invalid for the target audiences [' in told


def altered(token: str, how: str) -> str:
    header, claims, signature = token.split(".")
    head, body = header_of(token), claims_of(token)
    key = ec.generate_private_key(ec.SECP256R1())
    forged = key.sign(f"{header}.{claims}".encode(), ec.ECDSA(SHA256()))
    return {
        "claim": f"{header}.{encode(body | {'sub': 'system:admin'})}.{signature}",
        "issuer": f"{header}.{encode(body | {'iss': 'https://other.example'})}.{signature}",
        "none": f"{encode(head | {'alg': 'none'})}.{claims}.",
        "algorithm": f"{encode(head | {'alg': 'HS256'})}.{claims}.{signature}",
        "key": f"{encode(head | {'kid': 'other'})}.{claims}.{signature}",
        "signature": f"{header}.{claims}.{encode(forged[-64:])}",
        "short": f"{header}.{claims}.{signature[:-6]}",
        "list": f"{header}.{encode([body])}.{signature}",
        "parts": f"{header}.{claims}",
        "text": "not-a-token",
    }[how]


FORGED = "error in cryptographic primitive"
ALTERATIONS = {  # and what a review tells
    "claim": FORGED,
    "issuer": "invalid bearer token",
    "none": FORGED,
    "algorithm": FORGED,
    "key": "invalid signature, no keys found",
    "signature": FORGED,
    "short": FORGED,
    "list": "invalid bearer token",
    "parts": "invalid bearer token",
    "text": "invalid bearer token",
}


@pytest.mark.parametrize(("how", "told"), ALTERATIONS.items(), ids=ALTERATIONS)
def test_an_altered_token_is_nobodys(api: Client, robot: Any, how: str, told: str) -> None:
    token = altered(token_of(api), how)
    reply = review(api, token)
    assert told in error_of(reply)
    assert reply.json["status"]["user"] == {}
    assert who_am_i(api.bearing(token)).code == 401


def test_the_token_of_an_administrator_is_recognized(api: Client) -> None:
    status = review(api, api.server.token).ok().json["status"]
    assert "system:masters" in status["user"]["groups"]
    assert status["authenticated"] is True
    assert error_of(review(api, api.server.token, "vault")) == "invalid bearer token"


@pytest.mark.parametrize("spec", [None, {}, {"token": ""}])
def test_a_review_needs_a_token(api: Client, spec: Any) -> None:
    body = {"apiVersion": AUTHENTICATION, "kind": "TokenReview"}
    reply = api.request("POST", REVIEWS, body | ({} if spec is None else {"spec": spec}))
    assert (reply.code, reply.reason) == (400, "BadRequest")
    assert reply.message == "token is required for TokenReview in authentication"


def test_the_answer_is_not_up_to_the_one_who_asks(api: Client) -> None:
    reply = review(api, "x", status={"authenticated": True}, metadata={"labels": {"l": "v"}})
    assert error_of(reply) == "invalid bearer token"
    assert reply.json["metadata"]["labels"] == {"l": "v"}
    assert "authenticated" not in reply.json["status"]


def test_a_review_is_not_kept(api: Client) -> None:
    assert api.request("GET", REVIEWS).code == 405
    assert api.request("GET", f"{REVIEWS}/a").code == 404


def test_a_token_ends_with_its_account(api: Client, robot: Any) -> None:
    token = token_of(api)
    api.delete(ACCOUNTS, "robot").ok()
    told = eventually(lambda: review(api, token), lambda reply: error_of(reply) != "")
    assert 'serviceaccounts "robot" not found' in error_of(told)
    assert who_am_i(api.bearing(token)).code == 401
    again = api.create(ACCOUNTS, account("robot")).ok().json["metadata"]["uid"]
    told = eventually(lambda: review(api, token), lambda reply: "UID" in error_of(reply))
    uid = robot["metadata"]["uid"]
    assert f"service account UID ({again}) does not match claim ({uid})" in error_of(told)


def test_a_token_lets_its_account_in(api: Client, robot: Any) -> None:
    user = who_am_i(api.bearing(token_of(api))).ok().json["status"]["userInfo"]
    assert user["username"] == f"system:serviceaccount:{api.namespace}:robot"
    assert user["uid"] == robot["metadata"]["uid"]
    assert f"system:serviceaccounts:{api.namespace}" in user["groups"]


def test_a_token_for_others_lets_nobody_in(api: Client, robot: Any) -> None:
    assert who_am_i(api.bearing(token_of(api, "vault"))).code == 401


@pytest.fixture
def binding(api: Client) -> Iterator[Any]:
    """A ClusterRoleBinding to send, without role and subjects; it is gone after the test."""
    kind = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding"}
    yield kind | {"metadata": {"name": api.namespace}}
    api.request("DELETE", f"{BINDINGS}/{api.namespace}").ok()


def role(name: str) -> dict[str, str]:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}


def test_an_account_reviews_the_tokens_of_others(api: Client, robot: Any, binding: Any) -> None:
    subject = {"kind": "ServiceAccount", "name": "robot", "namespace": api.namespace}
    fields = {"roleRef": role("system:auth-delegator"), "subjects": [subject]}
    api.request("POST", BINDINGS, binding | fields).ok()
    api.create(ACCOUNTS, account("other")).ok()
    token = ask_token(api, {"audiences": ["vault"]}, "other").ok().json["status"]["token"]
    reviewer = api.bearing(token_of(api))
    reply = eventually(lambda: review(reviewer, token, "vault"), lambda reply: reply.code != 403)
    assert reply.json["status"]["user"]["username"].endswith(":other")


def test_the_issuer_tells_where_its_keys_are(api: Client) -> None:
    reply = api.request("GET", CONFIGURATION).ok()
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"].startswith("public, max-age=")
    told = reply.json
    assert told["issuer"].startswith("https://")
    assert told["jwks_uri"].endswith(KEYS)
    assert told["response_types_supported"] == ["id_token"]
    assert told["subject_types_supported"] == ["public"]
    assert told["id_token_signing_alg_values_supported"] == ["ES256"]


def test_tokens_can_be_verified_with_the_published_keys(api: Client, robot: Any) -> None:
    reply = api.request("GET", KEYS).ok()
    assert reply.headers["Content-Type"] == "application/jwk-set+json"
    token = token_of(api, "vault")
    header = header_of(token)
    (jwk,) = (key for key in reply.json["keys"] if key["kid"] == header["kid"])
    assert (jwk["use"], jwk["kty"], jwk["crv"]) == ("sig", "EC", "P-256")
    assert jwk["alg"] == header["alg"] == "ES256"
    x, y = (int.from_bytes(decode(jwk[name]), "big") for name in "xy")
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    signed, _, signature = token.rpartition(".")
    raw = decode(signature)
    pair = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
    public.verify(encode_dss_signature(*pair), signed.encode(), ec.ECDSA(SHA256()))


@pytest.mark.parametrize("path", [CONFIGURATION, KEYS])
def test_the_issuer_is_for_accounts_and_not_for_strangers(
    api: Client, robot: Any, path: str
) -> None:
    assert api.bearing(token_of(api)).request("GET", path).code == 200
    assert api.bearing("").request("GET", path).code in {401, 403}
    assert api.request("POST", path, {}).code == 405


def test_the_issuer_can_be_opened_to_strangers(api: Client, binding: Any) -> None:
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group"}
    subject["name"] = "system:unauthenticated"
    opened = role("system:service-account-issuer-discovery")
    api.request("POST", BINDINGS, binding | {"roleRef": opened, "subjects": [subject]}).ok()
    stranger = api.bearing("")
    eventually(lambda: stranger.request("GET", CONFIGURATION), lambda reply: reply.code == 200)
    assert stranger.request("GET", KEYS).code == 200
    assert stranger.get("secrets").code in {401, 403}


def test_tokens_are_discovered(api: Client) -> None:
    core = api.request("GET", "/api/v1").ok().json["resources"]
    found = {one["name"]: one for one in core}
    assert found["serviceaccounts"]["shortNames"] == ["sa"]
    assert found["serviceaccounts/token"] == {
        "name": "serviceaccounts/token",
        "singularName": "",
        "namespaced": True,
        "group": "authentication.k8s.io",
        "version": "v1",
        "kind": "TokenRequest",
        "verbs": ["create"],
    }
    groups = [one["name"] for one in api.request("GET", "/apis").ok().json["groups"]]
    assert "authentication.k8s.io" in groups
    listed = api.request("GET", f"/apis/{AUTHENTICATION}").ok().json["resources"]
    assert {"selfsubjectreviews", "tokenreviews"} == {one["name"] for one in listed}


def test_tokens_are_discovered_in_one_piece(api: Client) -> None:
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    (item,) = api.accepting(accept).request("GET", "/api").ok().json["items"]
    (accounts,) = (one for one in item["versions"][0]["resources"] if one["resource"] == ACCOUNTS)
    kind = {"group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"}
    token = {"subresource": "token", "responseKind": kind, "verbs": ["create"]}
    assert accounts["subresources"] == [token]
