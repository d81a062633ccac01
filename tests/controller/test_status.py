import re
from datetime import UTC, datetime, timedelta

import pytest

from sealkit.references.failures import Failure
from sealkit_controller.objects import JsonObject, Metadata, child, children
from sealkit_controller.record import LeaseNote, Record
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
from tests.controller.gitops import argo, kstatus
from tests.controller.world import DB, NOW

MANIFEST = Metadata(DB, uid="u", generation=2)
SUSPENDED = Report(Verdict.UNKNOWN, Reason.SUSPENDED, "suspended")
LOST = retrying(Reason.API_UNAVAILABLE, "the API server cannot be reached")
NO_KEY = failed(Reason.NO_KEY, "no key")
NO_PATH = unresolved(Reason.PATH_NOT_FOUND, "kv/shop/db is not there")
NOT_ALLOWED = unresolved(Reason.PATH_NOT_ALLOWED, "kv/other/db is not allowed")


def status(report: Report, previous: JsonObject | None = None, now: datetime = NOW) -> JsonObject:
    made = new_status(previous or {"observedGeneration": -1}, MANIFEST, report, Record(), now)
    assert made is not None
    return made


def read(status: JsonObject | None) -> tuple[str, str]:
    raw: JsonObject = {"metadata": {"generation": 2}}
    raw |= {"status": status} if status is not None else {}
    return argo(raw), kstatus(raw)


def with_conditions(generation: int, **statuses: str) -> JsonObject:
    conditions = [{"type": kind, "status": value} for kind, value in statuses.items()]
    return {"observedGeneration": generation, "conditions": conditions}


# The states a tool may meet. The first two come from the API server, before the controller wrote.
@pytest.mark.parametrize(
    ("what", "found", "expected"),
    [
        ("no status: only without the CRD's default", None, ("Progressing", "Current")),
        ("the CRD's default", {"observedGeneration": -1}, ("Progressing", "InProgress")),
        ("transient", status(LOST), ("Progressing", "InProgress")),
        ("right", status(synced()), ("Healthy", "Current")),
        (
            "of an older generation",
            with_conditions(1, Synced="True", Ready="True"),
            ("Healthy", "InProgress"),
        ),
        ("permanent", status(NO_KEY), ("Degraded", "Failed")),
        ("unresolved, retried", status(NO_PATH), ("Degraded", "InProgress")),
        ("unresolved for good", status(NOT_ALLOWED), ("Degraded", "Failed")),
        (
            "Ready alone, never written",
            with_conditions(2, Ready="False"),
            ("Progressing", "InProgress"),
        ),
        (
            "Synced alone, never written",
            with_conditions(2, Synced="False"),
            ("Degraded", "Current"),
        ),
        (
            "no conditions, never written",
            {"observedGeneration": 2, "conditions": []},
            ("Progressing", "Current"),
        ),
        ("suspended, out of step", status(SUSPENDED), ("Progressing", "InProgress")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_gitops_tools_read_every_state_alike(
    what: str, found: JsonObject | None, expected: tuple[str, str]
) -> None:
    assert read(found) == expected


REPORTS = [synced(), NO_KEY, LOST, NO_PATH, NOT_ALLOWED, SUSPENDED]


@pytest.mark.parametrize("report", REPORTS, ids=lambda r: r.reason)
def test_both_conditions_say_the_same_and_synced_is_first(report: Report) -> None:
    conditions = children(status(report), "conditions")
    assert [entry["type"] for entry in conditions[:2]] == ["Synced", "Ready"]
    for field in ("status", "reason", "message"):
        assert conditions[0][field] == conditions[1][field]


@pytest.mark.parametrize(
    ("report", "abnormal"),
    [
        (synced(), []),
        (NO_KEY, ["Stalled"]),
        (LOST, ["Reconciling"]),
        (NO_PATH, ["Reconciling"]),
        (NOT_ALLOWED, ["Stalled"]),
        (SUSPENDED, []),
    ],
    ids=["right", "permanent", "transient", "unresolved", "not allowed", "suspended"],
)
def test_stalled_and_reconciling_exist_only_when_true(report: Report, abnormal: list[str]) -> None:
    conditions = children(status(report), "conditions")[2:]
    assert [entry["type"] for entry in conditions] == abnormal
    assert all(entry["status"] == "True" for entry in conditions)


OF_REFERENCES = [reason for reason in Reason if reason.value in {one.value for one in Failure}]
ONLY_A_CHANGE_HELPS = {
    Reason.INVALID_REFERENCE, Reason.PATH_NOT_ALLOWED, Reason.TEMPLATE_ERROR,
    Reason.TARGET_TOO_LARGE,
}  # fmt: skip


@pytest.mark.parametrize("reason", OF_REFERENCES)
def test_a_reference_that_somebody_else_may_mend_is_tried_again(reason: Reason) -> None:
    report = unresolved(reason, "m")
    assert report.verdict is Verdict.FALSE
    assert report.retried is (reason not in ONLY_A_CHANGE_HELPS)


@pytest.mark.parametrize("report", REPORTS, ids=lambda r: r.reason)
def test_the_generation_is_always_the_one_that_was_looked_at(report: Report) -> None:
    assert status(report)["observedGeneration"] == 2


def test_nothing_is_written_when_nothing_changed() -> None:
    first = status(synced())
    assert new_status(first, MANIFEST, synced(), Record(), NOW + timedelta(days=1)) is None


def test_the_transition_time_moves_only_when_the_status_flips() -> None:
    first = status(NO_KEY)
    later = NOW + timedelta(hours=1)
    other_reason = status(failed(Reason.INVALID_MANIFEST, "bad"), first, later)
    recovered = status(synced(), other_reason, later)
    times = [
        children(found, "conditions")[0]["lastTransitionTime"]
        for found in (first, other_reason, recovered)
    ]
    assert times == ["2026-05-04T03:02:01Z", "2026-05-04T03:02:01Z", "2026-05-04T04:02:01Z"]


def test_recovery_removes_what_was_abnormal() -> None:
    assert len(children(status(synced(), status(NO_KEY)), "conditions")) == 2


def test_a_changed_message_is_written() -> None:
    first = status(NO_KEY)
    assert new_status(first, MANIFEST, failed(Reason.NO_KEY, "another"), Record(), NOW) is not None


def test_a_request_is_answered_and_versions_are_recorded() -> None:
    asked = Metadata(
        DB, generation=2, annotations={"reconcile.fluxcd.io/requestedAt": "2026-01-01T00:00:00Z"}
    )
    made = new_status({}, asked, synced(), Record("77"), NOW)
    assert made is not None
    assert made["lastHandledReconcileAt"] == "2026-01-01T00:00:00Z"
    assert made["secretResourceVersion"] == "77"


def test_what_was_read_from_vault_is_recorded_as_kubernetes_writes_it() -> None:
    lease = LeaseNote("a1", "VaultStore/default", NOW, NOW + timedelta(hours=1), id="database/x")
    made = new_status({}, MANIFEST, synced(), Record("7", "0f", NOW, (lease,)), NOW)
    assert made is not None
    assert made["dataMac"] == "0f"
    assert made["refreshedAt"] == "2026-05-04T03:02:01Z"
    (noted,) = children(made, "leases")
    assert (noted["renewAt"], noted["endsAt"]) == ("2026-05-04T03:02:01Z", "2026-05-04T04:02:01Z")
    assert Record.of(made).leases == (lease,)


def test_fields_that_no_longer_apply_are_removed() -> None:
    made = status(synced(), {"observedGeneration": 2, "secretResourceVersion": "1", "x": 1})
    assert set(made) == {"observedGeneration", "conditions"}


@pytest.mark.parametrize("reason", Reason)
def test_reasons_are_what_the_api_server_accepts(reason: Reason) -> None:
    assert re.fullmatch(r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?", reason.value)


def test_instants_are_utc_to_the_second() -> None:
    local = datetime.fromisoformat("2026-05-04T05:02:01.5+02:00")
    first = children(status(synced(), now=local), "conditions")[0]
    assert first["lastTransitionTime"] == "2026-05-04T03:02:01Z"
    assert child(first, "nothing") == {}
    assert NOW.tzinfo is UTC
