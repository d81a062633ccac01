"""How outsiders can check tokens of ServiceAccounts by themselves: OpenID Connect discovery."""

from __future__ import annotations

from typing import Final

from sealkit_controller.sandbox.objects import jwt
from sealkit_controller.sandbox.objects.status import JsonObject
from sealkit_controller.sandbox.serve.world import World
from sealkit_controller.sandbox.store.records import to_json
from sealkit_controller.sandbox.wire.messages import JSON, Response

CONFIGURATION: Final = "/.well-known/openid-configuration"
KEYS: Final = "/openid/v1/jwks"
_KEYS_TYPE: Final = "application/jwk-set+json"  # RFC 7517, section 8.5.1
_CACHED: Final = (("Cache-Control", "public, max-age=3600"),)
_BINDINGS: Final = "clusterrolebindings.rbac.authorization.k8s.io"
_ROLE: Final = "system:service-account-issuer-discovery"
_STRANGERS: Final = "system:unauthenticated"


def answer(world: World, path: str) -> Response | None:
    """Return what is told about the issuer at `path`, None if it is another path."""
    issuer = world.issuer
    if path == CONFIGURATION:
        return Response(200, to_json(_configuration(issuer.url)), JSON, _CACHED)
    if path == KEYS:
        return Response(200, to_json({"keys": [issuer.key.to_jwk()]}), _KEYS_TYPE, _CACHED)
    return None


def _configuration(url: str) -> JsonObject:
    return {
        "issuer": url,
        "jwks_uri": url + KEYS,
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [jwt.ALGORITHM],
    }


def is_told_to_strangers(world: World, path: str) -> bool:
    """Return whether `path` is about the issuer and a ClusterRoleBinding opens that to everybody.

    The one place where a binding matters here, so that a setup which works on the sandbox works
    on a real cluster too: verifiers such as Vault ask without a token.
    """
    if path.rstrip("/") not in {CONFIGURATION, KEYS}:
        return False
    bindings = (record.document() for record in world.database.records(_BINDINGS))
    return any(_opens(binding) for binding in bindings)


def _opens(binding: JsonObject) -> bool:
    if (binding.get("roleRef") or {}).get("name") != _ROLE:
        return False
    subjects = binding.get("subjects") or ()
    return any((one.get("kind"), one.get("name")) == ("Group", _STRANGERS) for one in subjects)
