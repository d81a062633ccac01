"""The stock helm for every test here, a control plane that notes who asked for what, a Vault."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.binaries import Binaries
from tests.cluster.controlplane import control_plane as run_control_plane
from tests.cluster.kubectl import Kubectl
from tests.cluster.world import World
from tests.fakes.vault_server import require_bao
from tests.packaging.audit import Audited, audited
from tests.packaging.documents import CRDS
from tests.packaging.helm import MISSING, Helm, find_helm
from tests.packaging.image import Image, build
from tests.packaging.vault import Vault, trusted


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once, at every verbosity, that tests did without helm."""
    skipped = terminalreporter.stats.get("skipped", ())
    count = sum(MISSING in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.write_line(f"{count} tests skipped: {MISSING}", yellow=True)


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """The stock helm, without a cluster."""
    binary = find_helm()
    if binary is None:
        pytest.skip(MISSING)
    return Helm(binary, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The files that the Dockerfile puts into the image."""
    if sys.version_info[:2] != (3, 11) or not sys.platform.startswith("linux"):
        pytest.skip("the image holds Python 3.11 on Linux, and this is another")
    return build(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session")
def audited_plane(
    control_plane_binaries: Binaries,
    controller_manager: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Audited]:
    """A control plane of these tests' own, with our CRDs, whose API server keeps an audit log."""
    folder = tmp_path_factory.mktemp("audited-plane")
    with run_control_plane(folder, control_plane_binaries, CRDS) as plane:
        yield audited(plane, folder)


@pytest.fixture(scope="session")
def vault(
    audited_plane: Audited, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Vault]:
    """A Vault that the ServiceAccounts of that control plane can log in at."""
    binary = require_bao()
    folder = tmp_path_factory.mktemp("trusted-vault")
    with trusted(binary, folder, World(audited_plane.server, kubectl, folder)) as made:
        yield made
