"""How each tool reads a SealedSecret: five oracles, from an object to the tool's own word."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from sealkit_controller.objects import child, children, text
from tests.controller.gitops import kstatus
from tests.interop import cel, lua

CONTROLLER: Final = Path(__file__).parents[2] / "controller"
GITOPS: Final = CONTROLLER / "gitops"

# The words that let a rollout go on.
GOOD: Final = frozenset({"Healthy", "Current"})

# What Argo CD does by itself for the SealedSecret of bitnami.com, which users may bind to our kind:
# the first condition Synced decides, whichever version of the manifest it is about.
_BITNAMI_RULE: Final = """
    local words = { ["True"] = "Healthy", ["False"] = "Degraded" }
    for _, condition in ipairs((obj.status or {}).conditions or {}) do
      if condition.type == "Synced" then
        return { status = words[condition.status] or "Progressing", message = condition.message }
      end
    end
    return { status = "Progressing" }
"""


@dataclass(frozen=True)
class Expressions:
    """An entry of `healthCheckExprs`."""

    in_progress: str
    failed: str
    current: str


# What Flux publishes for the SealedSecret of bitnami.com. It says "all", which is true of none.
_SHEET: Final = Expressions(
    in_progress="false",
    failed="!status.conditions.exists(c, c.type == 'Synced' && c.status != 'False')",
    current="!status.conditions.exists(c, c.type == 'Synced' && c.status != 'True')",
)


def our_expressions() -> Expressions:
    """Read the file that users merge into their Kustomization."""
    file = yaml.safe_load((GITOPS / "flux" / "health-check-exprs.yaml").read_text())
    (entry,) = children(child(file, "spec"), "healthCheckExprs")
    return Expressions(text(entry, "inProgress"), text(entry, "failed"), text(entry, "current"))


def flux(expressions: Expressions, raw: Mapping[str, object]) -> str:
    """Follow Flux: generations first, then the first expression that is true."""
    observed = child(raw, "status").get("observedGeneration")
    if observed is not None and observed != child(raw, "metadata").get("generation"):
        return "InProgress"
    for expression, word in (
        (expressions.in_progress, "InProgress"),
        (expressions.failed, "Failed"),
        (expressions.current, "Current"),
    ):
        value = cel.evaluate(expression, raw)
        if value is None:
            return "error"  # and Flux waits, until its timeout
        if value:
            return word
    return "InProgress"


def argo_bitnami(raw: Mapping[str, object]) -> str:
    return text(lua.run(_BITNAMI_RULE, raw), "status")


def argo_ours(raw: Mapping[str, object]) -> str:
    return text(lua.run((GITOPS / "argocd" / "health.lua").read_text(), raw), "status")


def flux_sheet(raw: Mapping[str, object]) -> str:
    return flux(_SHEET, raw)


def flux_ours(raw: Mapping[str, object]) -> str:
    return flux(our_expressions(), raw)


ORACLES: Final[tuple[Callable[[Mapping[str, object]], str], ...]] = (
    argo_bitnami,
    argo_ours,
    kstatus,
    flux_sheet,
    flux_ours,
)
