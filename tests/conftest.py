"""What every test gets: hypothesis profiles, the real control plane, kubectl."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.apiserver import ApiServer
from tests.cluster.binaries import Binaries, NoBinaries, find_binaries
from tests.cluster.controlplane import control_plane as run_control_plane
from tests.cluster.kubectl import Kubectl, find_kubectl

CRDS = Path(__file__).parents[1] / "controller" / "crds"

# A shell without job control starts what it puts in the background with SIGINT ignored, and every
# child would inherit that; but some tests interrupt theirs.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline, and a slow machine is not a health problem: two busy cores stall at any time.
for profile, examples in {"dev": 50, "ci": 200, "deep": 5000}.items():
    settings.register_profile(
        profile,
        max_examples=examples,
        deadline=None,
        derandomize=profile == "ci",  # so that a red build is red again
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once, at every verbosity, why tests did without the real control plane."""
    binaries = find_binaries()
    skipped = terminalreporter.stats.get("skipped", ())
    if isinstance(binaries, NoBinaries):
        count = sum(binaries.reason in str(report.longrepr) for report in skipped)
        if count:
            terminalreporter.write_line(f"{count} tests skipped: {binaries.reason}", yellow=True)


@pytest.fixture(scope="session")
def control_plane_binaries() -> Binaries:
    """The programs of a control plane, for tests that start, stop and kill one of their own."""
    binaries = find_binaries()
    if isinstance(binaries, NoBinaries):
        pytest.skip(binaries.reason)
    return binaries


@pytest.fixture(scope="session")
def controller_manager(control_plane_binaries: Binaries) -> Path:
    """What collects garbage and ends namespaces, which folders made for envtest lack."""
    if control_plane_binaries.controller_manager is None:
        pytest.skip("KUBEBUILDER_ASSETS has no kube-controller-manager")
    return control_plane_binaries.controller_manager


@pytest.fixture(scope="session")
def control_plane(
    control_plane_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiServer]:
    """A real API server, etcd and controller-manager with our CRDs, shared by the whole run."""
    directory = tmp_path_factory.mktemp("control-plane")
    crds = sorted(CRDS.glob("*.yaml"))
    with run_control_plane(directory, control_plane_binaries, crds) as plane:
        yield plane.api_server


@pytest.fixture(scope="session")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """The stock kubectl: `kubectl(server, "get", "secrets")`."""
    binary = find_kubectl()
    if binary is None:
        pytest.skip("kubectl is not in this environment: run `uv sync`")
    return Kubectl(binary, tmp_path_factory.mktemp("kubectl"))
