"""A real process that is killed (SIGKILL) with a write on its way, and whoever comes after it.

The write may be lost, be done without the process hearing of it, or arrive when its successor has
long done the work.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sealkit_controller.sandbox import Fault, Hold, Sandbox, Silence
from tests.faults.crashes import Scenario
from tests.faults.lives import Life
from tests.faults.schedule import sandboxes

POINTS = {
    "key": ("create", "secrets", "system"),
    "public key": ("patch", "configmaps", "system"),
    "new Secret": ("create", "secrets", "shop"),
    "status": ("update", "sealedsecrets/status", "shop"),
    "changed Secret": ("patch", "secrets", "shop"),
    "replaced Secret": ("delete", "secrets", "shop"),
}


class Signalled(threading.Event):
    """An event that tells when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.reached.set()
        return super().wait(timeout)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with sandboxes(1) as (made,):
        yield made


@contextmanager
def process(scenario: Scenario, config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command until it is killed; check what it said."""
    config.write_text(scenario.box.kubeconfig())
    chosen = {
        "NAMESPACE": scenario.place.system,
        "WATCH_NAMESPACES": scenario.place.namespace,
        "CLUSTER_NAME": "test",
        "BIND_ADDRESS": "127.0.0.1",
        "LOG_LEVEL": "debug",
    }
    environ = {f"SEALKIT_{name}": value for name, value in chosen.items()}
    environ |= {"SEALKIT_PROBE_PORT": "0", "SEALKIT_PUBLIC_PORT": "0"}
    command = [sys.executable, "-m", "sealkit_controller", "--kubeconfig", str(config)]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environ}
    ) as running:
        try:
            yield running
        finally:
            running.kill()
            said = b"".join(running.communicate())
    assert not scenario.ledger.leaks(said)


def fault_at(point: str, action: Hold | Silence) -> Fault:
    verb, resource, place = POINTS[point]
    return Fault(action, verb, resource, f"{place}-x")


def answered(scenario: Scenario, point: str) -> int:
    """Return how many requests of a kind were carried out, answered or not."""
    verb, resource, place = POINTS[point]
    kind = (verb, resource, f"{place}-x")
    facts = [entry.facts for entry in scenario.box.requests]
    return sum((fact.verb, fact.resource, fact.namespace) == kind for fact in facts)


def carry_on(scenario: Scenario, chapter: int) -> Iterator[None]:
    """Live on in another process; yield once the chapter that was cut short is settled."""
    life = Life(scenario.place)
    try:
        scenario.wait()
        yield
        for each in scenario.chapters()[chapter + 1 :]:
            each()
            scenario.wait()
    finally:
        life.end()


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("late", [False, True], ids=["lost", "late"])
def test_a_kill_before_a_write_takes_effect(
    box: Sandbox, tmp_path: Path, point: str, *, late: bool
) -> None:
    gate = Signalled()
    with Scenario(box, "x").watched() as scenario:
        box.faults.add(fault_at(point, Hold(gate)))
        with process(scenario, tmp_path / "config"):
            chapter = live_until(scenario, gate.reached.is_set)
        for _ in carry_on(scenario, chapter):
            if late:
                let_go(scenario, point, gate)


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_after_a_write_that_was_never_answered(
    box: Sandbox, tmp_path: Path, point: str
) -> None:
    with Scenario(box, "x").watched() as scenario:
        box.faults.add(fault_at(point, Silence()))
        with process(scenario, tmp_path / "config"):
            chapter = live_until(scenario, lambda: answered(scenario, point) > 0)
        for _ in carry_on(scenario, chapter):
            pass


def live_until(scenario: Scenario, reached: Callable[[], bool]) -> int:
    """Live through chapters until the write is on its way; return the one it was in."""
    for number, chapter in enumerate(scenario.chapters()):
        chapter()
        if not scenario.wait(reached):
            return number
    raise AssertionError("the write was never made")


def let_go(scenario: Scenario, point: str, gate: threading.Event) -> None:
    """Let the write of the dead process happen, and wait until it has."""
    before = answered(scenario, point)
    gate.set()
    changed = scenario.box._database.changed
    with changed:
        while answered(scenario, point) == before:
            changed.wait(0.02)
