"""Dashboard and alert rules, held against the metrics that the controller has."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Final

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric

from sealkit_controller.metrics import KeyUsage, Metrics, Stale
from sealkit_controller.objects import JsonObject, child, children, number, text
from tests.interop import promql
from tests.interop.oracles import CONTROLLER

OBSERVABILITY: Final = CONTROLLER / "observability"
_SUFFIXES: Final = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum"),
}


def series() -> dict[str, frozenset[str]]:
    """Return the names of all series of the controller, with their labels."""
    metrics = Metrics(CollectorRegistry())
    metrics.observe_keys(lambda: [KeyUsage("kid", "active", 1, 1)])
    metrics.observe_stale(lambda: [Stale("shop", "db", 1)])
    families = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]
    labels = {family._name: frozenset(family._labelnames) for family in families}
    return {
        metric.name + suffix: labels.get(metric.name, _labels(metric))
        | ({"le"} if suffix == "_bucket" else frozenset())
        for metric in metrics.registry.collect()
        for suffix in _SUFFIXES[metric.type]
    }


def _labels(metric: Metric) -> frozenset[str]:
    """Return the labels of a metric that is made at each scrape."""
    return frozenset(label for sample in metric.samples for label in sample.labels) - {"le"}


SERIES: Final = series()
DASHBOARD: Final[JsonObject] = json.loads((OBSERVABILITY / "dashboard.json").read_text())
RULE_FILE: Final[JsonObject] = yaml.safe_load((OBSERVABILITY / "alerts.yaml").read_text())


def rules() -> list[Mapping[str, object]]:
    return [rule for group in children(RULE_FILE, "groups") for rule in children(group, "rules")]


def panels() -> list[Mapping[str, object]]:
    return [panel for panel in children(DASHBOARD, "panels") if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Yield what the expression is for, and the expression as Prometheus gets it."""
    for rule in rules():
        yield text(rule, "alert"), text(rule, "expr")
    for panel in panels():
        for target in children(panel, "targets"):
            expression = text(target, "expr").replace("$__rate_interval", "5m")
            yield f"{text(panel, 'title')} {text(target, 'refId')}", expression


EXPRESSIONS: Final = dict(expressions())


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_names_only_what_the_controller_has(name: str) -> None:
    assert promql.read(EXPRESSIONS[name]).unknown(SERIES) == set()


@pytest.mark.parametrize(
    ("expression", "unknown"),
    [
        ("sum(sealkit_keyz)", {"sealkit_keyz"}),
        ("rate(sealkit_relists[5m])", {"sealkit_relists"}),
        ('sealkit_keys{kid="x"}', {"sealkit_keys{kid}"}),
        ("max by (state, kid) (sealkit_keys)", {"by (kid)"}),
        ("sum by (le) (sealkit_keys)", {"by (le)"}),
        ('sealkit_keys{state="a", job=~"$job"} and on (job) workqueue_depth', set()),
    ],
)
def test_the_check_finds_unknown_names(expression: str, unknown: set[str]) -> None:
    assert promql.read(expression).unknown(SERIES) == unknown


@pytest.mark.parametrize(
    "expression",
    ["sum(x", "sum(x]", "x)", "rat(x[5m])", 'x{a="b}', "x{a='b'}", "sum by (a (x)", "x ? y"],
)
def test_the_check_finds_broken_expressions(expression: str) -> None:
    with pytest.raises(ValueError, match=r"is not|closes|cannot"):
        promql.read(expression)


@pytest.mark.parametrize("name", [name for name, text in EXPRESSIONS.items() if "_bucket" in text])
def test_a_quantile_is_of_whole_histograms(name: str) -> None:
    assert EXPRESSIONS[name].startswith("histogram_quantile(")
    assert "le" in promql.read(EXPRESSIONS[name]).grouped


def test_everything_that_is_measured_is_shown() -> None:
    shown = frozenset().union(*(promql.read(text).metrics for text in EXPRESSIONS.values()))
    spared = {"workqueue_work_duration_seconds"}  # the work on an object is its reconciliation
    ours = {_family(name) for name in SERIES if not name.startswith("process_")}
    assert ours - {_family(name) for name in shown} == spared


def _family(name: str) -> str:
    return re.sub(r"_(total|bucket|count|sum)$", "", name)


def test_the_dashboard_can_be_imported() -> None:
    assert number(DASHBOARD, "schemaVersion") >= 41
    assert "id" not in DASHBOARD  # of one Grafana; another would refuse it
    assert re.fullmatch(r"[a-z0-9-]{1,40}", text(DASHBOARD, "uid"))
    variables = children(child(DASHBOARD, "templating"), "list")
    assert [text(variable, "name") for variable in variables] == ["datasource", "job"]
    ids = [panel["id"] for panel in children(DASHBOARD, "panels")]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows_and_asks_the_chosen_source(panel: JsonObject) -> None:
    assert panel["type"] in {"stat", "timeseries"}
    assert text(panel, "description").endswith(".")
    assert text(child(child(panel, "fieldConfig"), "defaults"), "unit")
    targets = children(panel, "targets")
    assert targets
    for asked in (panel, *targets):
        assert child(asked, "datasource") == {"type": "prometheus", "uid": "${datasource}"}
    for target in targets:
        assert 'job=~"$job"' in text(target, "expr")
        assert text(target, "legendFormat")


def test_panels_do_not_overlap() -> None:
    def cells(panel: Mapping[str, object]) -> set[tuple[int, int]]:
        place = {name: number(child(panel, "gridPos"), name) for name in "xywh"}
        assert place["x"] + place["w"] <= 24
        columns = range(place["x"], place["x"] + place["w"])
        return {(x, place["y"] + y) for x in columns for y in range(place["h"])}

    for one, other in combinations(map(cells, children(DASHBOARD, "panels")), 2):
        assert not one & other


def test_the_rules_are_the_spec_of_a_prometheus_rule() -> None:
    assert RULE_FILE.keys() == {"groups"}
    (group,) = children(RULE_FILE, "groups")
    assert group.keys() == {"name", "rules"}
    names = [text(rule, "alert") for rule in rules()]
    assert len(set(names)) == len(names) > 0


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_says_what_is_wrong_and_what_to_do(rule: JsonObject) -> None:
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert child(rule, "labels")["severity"] in {"critical", "warning"}
    assert re.fullmatch(r"([0-9]+[smhd])?", text(rule, "for"))
    annotations = child(rule, "annotations")
    assert annotations.keys() == {"summary", "description"}
    assert not text(annotations, "summary").endswith(".")
    assert text(annotations, "description").endswith(".")


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_annotation_uses_only_labels_that_the_expression_keeps(rule: JsonObject) -> None:
    used = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
    assert used <= promql.read(text(rule, "expr")).grouped
