"""The files for Flux: expressions that wait for what is not there yet, steps in the right order."""

import re

import pytest
import yaml

from sealkit_controller.objects import SEALED_SECRETS, child, children, text
from tests.interop import cel
from tests.interop.oracles import GITOPS, our_expressions

FLUX = GITOPS / "flux"


def entry() -> dict[str, object]:
    file = yaml.safe_load((FLUX / "health-check-exprs.yaml").read_text())
    (found,) = children(child(file, "spec"), "healthCheckExprs")
    return dict(found)


def test_the_expressions_are_for_our_kind() -> None:
    assert entry().keys() == {"apiVersion", "kind", "inProgress", "failed", "current"}
    assert (entry()["apiVersion"], entry()["kind"]) == (
        SEALED_SECRETS.api_version,
        SEALED_SECRETS.kind,
    )


@pytest.mark.parametrize(
    "expression",
    [our_expressions().in_progress, our_expressions().failed, our_expressions().current],
    ids=["inProgress", "failed", "current"],
)
@pytest.mark.parametrize(
    ("raw", "value"),
    [({}, None), ({"status": {}}, None), ({"status": {"conditions": []}}, False)],
    ids=["no status", "no conditions", "no condition"],
)
def test_an_expression_is_never_true_of_nothing(
    expression: str, raw: dict[str, object], *, value: bool | None
) -> None:
    assert cel.evaluate(expression, raw) is value


def test_each_step_waits_for_the_one_before() -> None:
    steps = list(yaml.safe_load_all((FLUX / "kustomizations.yaml").read_text()))
    names = [text(child(step, "metadata"), "name") for step in steps]
    assert names == ["sealkit", "secrets", "apps"]
    for step, before in zip(steps[1:], steps, strict=False):
        wanted = [text(other, "name") for other in children(child(step, "spec"), "dependsOn")]
        assert wanted == [text(child(before, "metadata"), "name")]
        assert child(before, "spec")["wait"] is True


def test_durations_are_flux_durations() -> None:
    for step in yaml.safe_load_all((FLUX / "kustomizations.yaml").read_text()):
        spec = child(step, "spec")
        for name in {"interval", "retryInterval", "timeout"} & spec.keys():
            assert re.fullmatch(r"([0-9]+(ms|s|m|h))+", text(spec, name))
