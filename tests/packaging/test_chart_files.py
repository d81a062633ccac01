"""The files the chart carries: the CRDs, the alert rules, the dashboard."""

import json
from pathlib import Path

import pytest
import yaml

from tests.packaging.documents import CONTROLLER, CRDS, find, pod_spec
from tests.packaging.helm import CHART, Helm
from tests.packaging.matrix import MATRIX

COPIED = [*CRDS, *sorted((CONTROLLER / "observability").iterdir())]


@pytest.mark.parametrize("file", COPIED, ids=lambda path: path.name)
def test_the_chart_carries_the_same_file(file: Path) -> None:
    """Copies and no links: Flux leaves links out of what it fetches."""
    copy = CHART / "files" / file.relative_to(CONTROLLER)
    same = copy.is_file() and copy.read_bytes() == file.read_bytes()
    assert same, f"cp {file.relative_to(CONTROLLER.parent)} {copy.relative_to(CONTROLLER.parent)}"


def test_the_chart_carries_no_other_file() -> None:
    carried = {file.relative_to(CHART / "files") for file in (CHART / "files").rglob("*.*")}
    assert carried == {file.relative_to(CONTROLLER) for file in COPIED}


def test_alerts_and_dashboard_arrive_whole(helm: Helm) -> None:
    documents = helm.render(*MATRIX["all-on"])
    alerts, dashboard = sorted((CONTROLLER / "observability").iterdir())
    rule = find(documents, "PrometheusRule")
    assert rule["spec"] == yaml.safe_load(alerts.read_text())
    assert rule["metadata"]["labels"]["release"] == "prometheus"
    board = find(documents, "ConfigMap")
    assert json.loads(board["data"]["sealkit.json"]) == json.loads(dashboard.read_text())
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_prometheus_finds_the_metrics(helm: Helm) -> None:
    documents = helm.render(*MATRIX["all-on"])
    monitor = find(documents, "ServiceMonitor")["spec"]
    service = find(documents, "Service", "sealkit-controller-metrics")
    selector = monitor["selector"]["matchLabels"]
    assert selector.items() <= service["metadata"]["labels"].items()
    public = find(documents, "Service", "sealkit-controller")
    assert not selector.items() <= public["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    pod = pod_spec(documents)
    assert service["spec"]["ports"][0]["targetPort"] in {
        port["name"] for port in pod["containers"][0]["ports"]
    }


def test_the_rendered_crd_is_the_one_crd_but_for_labels(helm: Helm) -> None:
    for file in CRDS:
        crd = yaml.safe_load(file.read_text())
        rendered = find(helm.render(), crd["kind"], crd["metadata"]["name"])
        assert rendered["spec"] == crd["spec"]
        assert rendered["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_crds_can_be_left_out(helm: Helm) -> None:
    kinds = {d["kind"] for d in helm.render("--set", "crds.install=false")}
    assert "CustomResourceDefinition" not in kinds
