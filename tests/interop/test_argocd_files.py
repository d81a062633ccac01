"""The files for Argo CD: one script in two places, an action, a kustomize component."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml

from sealkit_controller.objects import JsonObject, Metadata, child, children, strings, text
from tests.cluster.kubectl import find_kubectl
from tests.interop import lua
from tests.interop.oracles import GITOPS

ARGOCD: Final = GITOPS / "argocd"
HEALTH: Final = "resource.customizations.health.sealkit.dev_SealedSecret"
ACTIONS: Final = "resource.customizations.actions.sealkit.dev_SealedSecret"


def config() -> dict[str, str]:
    return strings(yaml.safe_load((ARGOCD / "argocd-cm.yaml").read_text()), "data")


def actions() -> JsonObject:
    return dict(yaml.safe_load(config()[ACTIONS]))


def manifest(*, suspend: bool = False, annotations: JsonObject | None = None) -> JsonObject:
    metadata: JsonObject = {"name": "db", "generation": 2}
    metadata |= {} if annotations is None else {"annotations": annotations}
    return {"metadata": metadata, "spec": {"suspend": suspend}}


def test_the_config_map_holds_the_script() -> None:
    assert config()[HEALTH] == (ARGOCD / "health.lua").read_text()
    assert config().keys() == {HEALTH, ACTIONS}


def test_the_message_of_the_controller_is_shown() -> None:
    condition = {"type": "Stalled", "status": "True", "message": "no key"}
    raw = manifest() | {"status": {"observedGeneration": 2, "conditions": [condition]}}
    assert lua.run(config()[HEALTH], raw) == {"status": "Degraded", "message": "no key"}


@pytest.mark.parametrize("suspend", [False, True])
def test_the_action_is_offered_unless_suspended(*, suspend: bool) -> None:
    offered = lua.run(text(actions(), "discovery.lua"), manifest(suspend=suspend))
    assert offered == {"refresh": {"disabled": suspend}}


@pytest.mark.parametrize("annotations", [None, {"a": "b"}], ids=["first", "among others"])
def test_the_action_asks_the_controller(annotations: JsonObject | None) -> None:
    (refresh,) = children(actions(), "definitions")
    assert text(refresh, "name") == "refresh"
    changed = lua.run(text(refresh, "action.lua"), manifest(annotations=annotations))
    asked = Metadata.of(changed).requested
    assert len(asked) == len("2026-01-01T00:00:00Z")
    assert asked.endswith("Z")
    kept = strings(child(changed, "metadata"), "annotations")
    assert kept == {**(annotations or {}), "sealkit.dev/refresh": asked}


def test_the_component_adds_to_what_is_there(tmp_path: Path) -> None:
    kubectl = find_kubectl()
    if kubectl is None:
        pytest.skip("kubectl is not in this environment: run `uv sync`")
    shutil.copytree(ARGOCD, tmp_path / "sealkit")
    overlay = tmp_path / "argocd"
    overlay.mkdir()
    existing = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm"},
        "data": {"url": "x"},
    }
    (overlay / "argocd-cm.yaml").write_text(yaml.safe_dump(existing))
    listed = {"resources": ["argocd-cm.yaml"], "components": ["../sealkit"]}
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(listed))
    done = subprocess.run(
        [kubectl, "kustomize", str(overlay)], capture_output=True, text=True, check=True, timeout=60
    )
    assert strings(yaml.safe_load(done.stdout), "data") == {"url": "x", **config()}
