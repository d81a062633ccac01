"""A sandbox of its own for each test, and a client in its namespace `default`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sealkit_controller.sandbox import Sandbox
from tests.apiserver import ApiServer
from tests.contracts.client import Client

MakeSandbox = Callable[..., tuple[Sandbox, Client]]


@pytest.fixture
def make_sandbox(tmp_path: Path) -> Iterator[MakeSandbox]:
    """Return a function that starts a sandbox, which is closed at the end of the test."""
    with ExitStack() as stack:

        def make(**options: Any) -> tuple[Sandbox, Client]:
            sandbox = stack.enter_context(Sandbox(**options))
            ca_file = tmp_path / f"{sandbox.url.rpartition(':')[2]}.pem"
            ca_file.write_bytes(sandbox.ca_pem)
            return sandbox, Client(ApiServer(sandbox.url, sandbox.admin_token, ca_file), "default")

        yield make


@pytest.fixture
def started(make_sandbox: MakeSandbox) -> tuple[Sandbox, Client]:
    return make_sandbox()


@pytest.fixture
def sandbox(started: tuple[Sandbox, Client]) -> Sandbox:
    return started[0]


@pytest.fixture
def api(started: tuple[Sandbox, Client]) -> Client:
    return started[1]
