import http.client
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from prometheus_client import CollectorRegistry

from sealkit.crypto.recipient import Recipient
from sealkit_controller.http import Page, Server, probe_routes, public_routes
from sealkit_controller.metrics import Metrics
from tests.controller.world import KEY


@pytest.fixture
def states() -> dict[str, bool]:
    return {"alive": True, "ready": True}


@pytest.fixture
def server(states: dict[str, bool]) -> Iterator[Server]:
    registry = Metrics(CollectorRegistry()).registry
    made = Server(
        "127.0.0.1",
        0,
        probe_routes(lambda: states["alive"], lambda: states["ready"], registry),
    )
    made.start()
    yield made
    made.stop()


def ask(port: int, path: str, method: str = "GET", host: str = "127.0.0.1") -> tuple[int, str]:
    with closing(http.client.HTTPConnection(host, port, timeout=5)) as connection:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode()


@pytest.mark.parametrize(("path", "state"), [("/healthz", "alive"), ("/readyz", "ready")])
def test_a_probe_says_how_it_is(
    server: Server, states: dict[str, bool], path: str, state: str
) -> None:
    assert ask(server.port, path) == (200, "ok\n")
    states[state] = False
    assert ask(server.port, path + "?verbose") == (503, "failed\n")


def test_metrics_have_the_names_that_dashboards_know(server: Server) -> None:
    status, text = ask(server.port, "/metrics")
    assert status == 200
    for name in (
        'controller_runtime_reconcile_total{controller="sealedsecret",result="success"} 0.0',
        'controller_runtime_reconcile_errors_total{controller="sealedsecret"} 0.0',
        'controller_runtime_terminal_reconcile_errors_total{controller="sealedsecret"}',
        'controller_runtime_reconcile_panics_total{controller="sealedsecret"}',
        "controller_runtime_reconcile_time_seconds_bucket",
        "controller_runtime_active_workers",
        "controller_runtime_max_concurrent_reconciles",
        'workqueue_depth{name="sealedsecret"}',
        "workqueue_adds_total",
        "workqueue_retries_total",
        "workqueue_queue_duration_seconds_count",
        "workqueue_work_duration_seconds_count",
        "workqueue_unfinished_work_seconds",
        "workqueue_longest_running_processor_seconds",
        "# TYPE rest_client_requests_total counter",
    ):
        assert name in text


def test_anything_else_is_not_there(server: Server) -> None:
    assert ask(server.port, "/v1/recipient")[0] == 404
    assert ask(server.port, "/metrics", "POST")[0] == 501
    assert ask(server.port, "/healthz", "HEAD") == (200, "")


def test_the_public_key_is_served_once_there_is_one() -> None:
    recipient: list[Recipient] = []
    made = Server("127.0.0.1", 0, public_routes(lambda: recipient[0] if recipient else None))
    made.start()
    assert ask(made.port, "/v1/recipient")[0] == 503
    recipient.append(Recipient("prod", KEY.public))
    assert ask(made.port, "/v1/recipient") == (200, str(recipient[0]))
    made.stop()


def test_a_client_that_says_nothing_does_not_hold_up_the_end(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5):
        assert ask(server.port, "/healthz")[0] == 200
        server.stop()
        with pytest.raises(OSError, match="refused"):
            ask(server.port, "/healthz")


def test_a_taken_port_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        Server("127.0.0.1", taken.getsockname()[1], {"/": lambda: Page(200, b"")})


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python knows no IPv6")
def test_an_address_may_be_of_ipv6() -> None:
    made = Server("::1", 0, {"/": lambda: Page(200, b"here")})
    made.start()
    assert ask(made.port, "/", host="::1") == (200, "here")
    made.stop()


def test_a_client_that_goes_away_is_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    entered, held, answered = threading.Event(), threading.Event(), threading.Event()

    def slow() -> Page:
        entered.set()
        held.wait(10)
        answered.set()
        return Page(200, b"x" * (1 << 24))  # more than a socket takes in without its reader

    server = Server("127.0.0.1", 0, {"/slow": slow})
    server.start()
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        reset = struct.pack("ii", 1, 0)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        assert entered.wait(10)
    workers = [one for one in threading.enumerate() if "process_request_thread" in one.name]
    held.set()
    assert answered.wait(10)
    for worker in workers:
        worker.join(10)
    server.stop()
    assert workers
    assert capfd.readouterr().err == ""
