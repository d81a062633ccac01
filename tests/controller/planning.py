"""What a plan is made from: manifests and Secrets as an API server would send them."""

from collections.abc import Mapping

from sealkit_controller.keyring import KeyRing
from sealkit_controller.manifest import Manifest
from sealkit_controller.objects import JsonObject, child
from sealkit_controller.plan import Desired, Plan, make_plan, prepare
from tests.controller.world import ring, sealed

UID = "manifest-uid"


def manifest(
    raw: JsonObject | None = None,
    *,
    status: Mapping[str, object] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    raw = sealed() if raw is None else raw
    metadata = {**child(raw, "metadata"), "uid": UID, "generation": 1, "resourceVersion": "9"}
    metadata["annotations"] = dict(annotations or {})
    raw = raw | {"metadata": metadata, "status": dict(status or {})}
    return Manifest.of(raw)


def planned(
    given: Manifest, existing: JsonObject | None = None, keys: KeyRing | None = None
) -> Plan:
    keys = keys or ring()
    prepared = prepare(given, existing, keys)
    return prepared if isinstance(prepared, Plan) else make_plan(prepared, existing, keys)


def desired(plan: Plan) -> Desired:
    assert plan.desired is not None, plan.report
    return plan.desired


def made(given: Manifest) -> JsonObject:
    """Return the Secret as the API server has it after the manifest was synced."""
    body = desired(planned(given)).body()
    metadata = {**child(body, "metadata"), "uid": "secret-uid", "resourceVersion": "20"}
    return body | {"metadata": metadata}


def changed(raw: JsonObject, path: str, value: object) -> JsonObject:
    """Return `raw` with one field, dots between names, replaced or (None) removed."""
    name, _, rest = path.partition(">")
    new = dict(raw)
    if rest:
        new[name] = changed(dict(child(raw, name)), rest, value)
    elif value is None:
        new.pop(name, None)
    else:
        new[name] = value
    return new
