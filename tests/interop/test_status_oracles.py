"""The states a SealedSecret can be in, and what Argo CD, Flux and Helm make of each.

The first two come from the API server, before the controller wrote anything. The last three the
controller never writes; they are what other controllers do, and why ours does not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import pytest
import yaml

from sealkit.references.failures import Failure
from sealkit_controller.objects import JsonObject, Metadata, child, children, text
from sealkit_controller.record import Record
from sealkit_controller.status import (
    Reason,
    Report,
    Verdict,
    failed,
    new_status,
    retrying,
    synced,
    unresolved,
)
from tests.controller.gitops import argo
from tests.controller.world import DB, NOW
from tests.interop.oracles import (
    CONTROLLER,
    GOOD,
    ORACLES,
    argo_bitnami,
    argo_ours,
    flux_ours,
)

GENERATION = 2


def written(report: Report, generation: int = GENERATION) -> JsonObject:
    """Return the status that the controller writes."""
    manifest = Metadata(DB, uid="u", generation=generation)
    status = new_status({}, manifest, report, Record("7"), NOW)
    assert status is not None
    return status


def crd_default() -> JsonObject:
    crd = yaml.safe_load((CONTROLLER / "crds" / "sealedsecrets.yaml").read_text())
    (version,) = children(child(crd, "spec"), "versions")
    schema = child(child(version, "schema"), "openAPIV3Schema")
    return dict(child(child(child(schema, "properties"), "status"), "default"))


def by_hand(*conditions: tuple[str, str]) -> JsonObject:
    entries = [{"type": kind, "status": value, "message": "m"} for kind, value in conditions]
    return {"observedGeneration": GENERATION, "conditions": entries}


@dataclass(frozen=True)
class State:
    """A state, with the words of `ORACLES` for it, in that order."""

    name: str
    status: JsonObject | None
    words: tuple[str, str, str, str, str]
    ours: bool = False  # the controller writes it
    suspend: bool = False

    @property
    def raw(self) -> JsonObject:
        return manifest(self.status, suspend=self.suspend)


def manifest(
    status: JsonObject | None, generation: int = GENERATION, *, suspend: bool = False
) -> JsonObject:
    raw: JsonObject = {
        "metadata": {"name": DB.name, "namespace": DB.namespace, "generation": generation},
        "spec": {"scope": "strict"} | ({"suspend": True} if suspend else {}),
    }
    return raw | ({} if status is None else {"status": status})


LOST = retrying(Reason.API_UNAVAILABLE, "the API server cannot be reached")
NO_KEY = failed(Reason.NO_KEY, "no key")
NO_PATH = unresolved(Reason.PATH_NOT_FOUND, "kv/shop/db is not there")
NOT_ALLOWED = unresolved(Reason.PATH_NOT_ALLOWED, "kv/other/db is not allowed")
IN_STEP = Report(Verdict.TRUE, Reason.SUSPENDED, "in step")
OUT_OF_STEP = Report(Verdict.UNKNOWN, Reason.SUSPENDED, "out of step")

WAITING = ("Progressing", "Progressing", "InProgress", "InProgress", "InProgress")
STATES = (
    # Argo CD, as for bitnami.com; with our script; kstatus; Flux, as for bitnami.com; with ours
    State(
        "no status, of a CRD without the default",
        None,
        ("Progressing", "Progressing", "Current", "error", "error"),
    ),
    State("the CRD's default", crd_default(), WAITING),
    State("transient failure", written(LOST), WAITING, ours=True),
    State(
        "right",
        written(synced()),
        ("Healthy", "Healthy", "Current", "Current", "Current"),
        ours=True,
    ),
    State(
        "right, but of an older generation",
        written(synced(), GENERATION - 1),
        ("Healthy", "Progressing", "InProgress", "InProgress", "InProgress"),
        ours=True,
    ),
    State(
        "permanent failure",
        written(NO_KEY),
        ("Degraded", "Degraded", "Failed", "Failed", "Failed"),
        ours=True,
    ),
    # Waited for, since somebody else may put it right at any time. Only tools that look at nothing
    # but Synced call it a failure at once.
    State(
        "unresolved reference, retried",
        written(NO_PATH),
        ("Degraded", "Progressing", "InProgress", "Failed", "InProgress"),
        ours=True,
    ),
    State(
        "unresolved reference, only a change helps",
        written(NOT_ALLOWED),
        ("Degraded", "Degraded", "Failed", "Failed", "Failed"),
        ours=True,
    ),
    State(
        "Ready=False alone",
        by_hand(("Ready", "False")),
        ("Progressing", "Degraded", "InProgress", "Failed", "Failed"),
    ),
    State(
        "Synced=False alone",
        by_hand(("Synced", "False")),
        ("Degraded", "Degraded", "Current", "Failed", "Failed"),
    ),
    State(
        "no conditions",
        by_hand(),
        ("Progressing", "Progressing", "Current", "Failed", "InProgress"),
    ),
    # Not a word of kstatus or of Flux: they know only whether it is right.
    State(
        "suspended, in step",
        written(IN_STEP),
        ("Healthy", "Suspended", "Current", "Current", "Current"),
        ours=True,
        suspend=True,
    ),
    State(
        "suspended, out of step",
        written(OUT_OF_STEP),
        ("Progressing", "Suspended", "InProgress", "InProgress", "InProgress"),
        ours=True,
        suspend=True,
    ),
)
EVERY_REPORT = [Report(verdict, reason, "m") for verdict, reason in product(Verdict, Reason)]
OF_REFERENCES = {failure.value for failure in Failure}
EVERY_REPORT += [unresolved(reason, "m") for reason in Reason if reason.value in OF_REFERENCES]


def name_of(value: object) -> str:
    return value.name if isinstance(value, State) else getattr(value, "__name__", "")


@pytest.mark.parametrize("oracle", ORACLES, ids=name_of)
@pytest.mark.parametrize("state", STATES, ids=name_of)
def test_what_each_tool_makes_of_each_state(
    state: State, oracle: Callable[[Mapping[str, object]], str]
) -> None:
    assert oracle(state.raw) == state.words[ORACLES.index(oracle)]


@pytest.mark.parametrize("state", STATES, ids=name_of)
def test_the_two_ports_of_argo_cds_rule_agree(state: State) -> None:
    assert argo_bitnami(state.raw) == argo(state.raw)


def shape(status: Mapping[str, object] | None) -> tuple[tuple[str, str], ...]:
    conditions = children(status or {}, "conditions")
    return tuple((text(entry, "type"), text(entry, "status")) for entry in conditions)


def test_the_controller_writes_the_states_marked_as_ours_and_no_others() -> None:
    made = {shape(written(report)) for report in EVERY_REPORT}
    assert made == {shape(state.status) for state in STATES if state.ours}
    assert not made & {shape(state.status) for state in STATES if not state.ours}


@pytest.mark.parametrize("oracle", ORACLES, ids=name_of)
@pytest.mark.parametrize("verdict", Verdict)
def test_a_tool_goes_on_if_and_only_if_the_secret_is_right(
    verdict: Verdict, oracle: Callable[[Mapping[str, object]], str]
) -> None:
    statuses = [written(report) for report in EVERY_REPORT if report.verdict is verdict]
    goes_on = {oracle(manifest(status)) in GOOD for status in statuses}
    assert goes_on == {verdict is Verdict.TRUE}


REPORTS = [synced(), LOST, NO_KEY, NO_PATH, NOT_ALLOWED, IN_STEP]


@pytest.mark.parametrize("report", REPORTS, ids=lambda r: r.reason)
def test_what_is_said_of_an_older_generation_counts_for_nothing(report: Report) -> None:
    """Not its failure either: Argo CD would end the sync that brings the cure."""
    stale = manifest(written(report, GENERATION - 1))
    assert argo_ours(stale) == "Progressing"
    assert flux_ours(stale) == "InProgress"


def test_the_two_rules_we_ship_say_the_same_of_every_status() -> None:
    same = {"Progressing": "InProgress", "Degraded": "Failed", "Healthy": "Current"}
    some = ("", "True", "False", "Unknown")
    for observed, *values in product((-1, 1, 2), some, some, ("", "True"), ("", "True")):
        types = ("Synced", "Ready", "Stalled", "Reconciling")
        pairs = [(kind, value) for kind, value in zip(types, values, strict=True) if value]
        raw = manifest(by_hand(*pairs) | {"observedGeneration": observed})
        word = argo_ours(raw)
        assert same[word] == flux_ours(raw), raw
        assert word != "Healthy" or (observed == GENERATION and ("Ready", "True") in pairs), raw
