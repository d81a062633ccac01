import io
import json
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from sealkit_controller import logs
from sealkit_controller.events import Note
from sealkit_controller.metrics import Metrics
from sealkit_controller.objects import Metadata, ObjectKey
from sealkit_controller.queue import BlockingQueue
from sealkit_controller.reconcile import Done, Outcome, RetryAfter, Terminal
from sealkit_controller.status import Reason, failed, retrying, synced
from sealkit_controller.worker import Observers, Timing, Worker
from tests.controller.world import DB

MANIFEST = Metadata(DB, uid="u")


class Bench:
    """A worker that does one object with a reconciler that is told what to say."""

    def __init__(self, reconcile: Callable[[ObjectKey], Outcome]) -> None:
        self.notes: list[Note] = []
        self.stream = io.StringIO()
        self.metrics = Metrics(CollectorRegistry())
        self.queue = BlockingQueue(1, lambda: 0.0, lambda: 0.0)
        self._reconcile = reconcile
        timing = Timing(lambda: 0.0, lambda: 36_000.0, 600.0)
        log = logs.logger(self.stream, "debug")
        observers = Observers(self.metrics, log, self.notes.append)
        self.worker = Worker(self.queue, self, timing, observers)
        self.queue.add(DB)
        self.worker.run()

    def reconcile(self, key: ObjectKey) -> Outcome:
        self.queue.shut_down()  # so that this object is the last
        return self._reconcile(key)

    @property
    def due(self) -> float | None:
        return self.queue._queue.next_due()

    def metric(self, name: str, /, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)

    @property
    def lines(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


def reconciles(bench: Bench, result: str) -> float | None:
    labels = {"controller": "sealedsecret", "result": result}
    return bench.metric("controller_runtime_reconcile_total", **labels)


def test_a_change_is_told_once_in_log_event_and_metrics() -> None:
    bench = Bench(lambda _: Done(MANIFEST, "created", synced()))
    assert [(note.type, note.reason) for note in bench.notes] == [("Normal", "Created")]
    line = bench.lines[0]
    assert (line["level"], line["msg"]) == ("info", "Secret created")
    assert (line["controller"], line["namespace"], line["name"]) == ("sealedsecret", "shop", "db")
    assert set(line) == {"ts", "level", "msg", "controller", "namespace", "name", "reconcileID"}
    assert reconciles(bench, "success") == 1
    assert bench.metric("sealkit_secret_writes_total", action="created") == 1
    assert bench.metric("sealkit_sealedsecrets", ready="True") == 1
    assert bench.due == 36_000


def test_nothing_to_do_is_not_told() -> None:
    bench = Bench(lambda _: Done(MANIFEST, None, synced()))
    assert (bench.notes, bench.lines) == ([], [])


def test_an_object_that_is_gone_does_not_come_back() -> None:
    assert Bench(lambda _: Done()).due is None


def test_a_transient_failure_backs_off() -> None:
    report = retrying(Reason.API_UNAVAILABLE, "overloaded")
    bench = Bench(lambda _: RetryAfter(MANIFEST, report, seconds=7, overload=True))
    assert bench.due == 7
    assert [(note.type, note.reason) for note in bench.notes] == [("Warning", "ApiUnavailable")]
    assert bench.lines[0]["reason"] == "ApiUnavailable"
    assert reconciles(bench, "error") == 1
    assert bench.metric("workqueue_retries_total", name="sealedsecret") == 1
    assert bench.metric("sealkit_sealedsecrets", ready="Unknown") == 1


def test_a_permanent_failure_is_looked_at_again_much_later() -> None:
    bench = Bench(lambda _: Terminal(MANIFEST, failed(Reason.NO_KEY, "no key")))
    assert bench.due == 600
    terminal = "controller_runtime_terminal_reconcile_errors_total"
    assert bench.metric(terminal, controller="sealedsecret") == 1
    assert bench.metric("sealkit_reconcile_failures_total", reason="NoKey") == 1


def test_a_defect_stays_with_its_object_and_its_text_out_of_the_log() -> None:
    def explode(_: ObjectKey) -> Outcome:
        raise ValueError("hunter2")

    bench = Bench(explode)
    assert bench.due == 1
    assert bench.lines[0]["error"] == "ValueError"
    assert bench.lines[0]["at"].startswith("explode:")
    assert "hunter2" not in bench.stream.getvalue()
    panics = "controller_runtime_reconcile_panics_total"
    assert bench.metric(panics, controller="sealedsecret") == 1


def test_what_ends_the_process_is_not_caught() -> None:
    def interrupt(_: ObjectKey) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Bench(interrupt)


def test_a_log_shows_no_object() -> None:
    stream = io.StringIO()
    logs.logger(stream, "info").info("found", thing={"password": "hunter2"}, count=3)
    line = json.loads(stream.getvalue())
    assert (line["thing"], line["count"]) == ("dict", 3)
