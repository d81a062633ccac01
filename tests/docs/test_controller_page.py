"""Pages for operators run as written, from an empty cluster: with helm, kubectl and pods."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealkit_controller.sandbox import Sandbox
from tests.apiserver import ApiServer
from tests.cluster.binaries import Binaries
from tests.cluster.controlplane import control_plane as run_control_plane
from tests.cluster.kubectl import find_kubectl
from tests.console import shell, steps
from tests.docs.kubelet import kubelet
from tests.packaging.helm import MISSING, find_helm

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "controller.md"
ADMISSION = ROOT / "docs" / "integrations" / "admission.md"
SYSTEM = "sealkit-system"


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.cluster)])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ApiServer]:
    """An API server that has never heard of sealkit."""
    if request.param == "sandbox":
        with Sandbox() as sandbox:
            (tmp_path / "ca.pem").write_bytes(sandbox.ca_pem)
            yield ApiServer(sandbox.url, sandbox.admin_token, tmp_path / "ca.pem")
        return
    binaries: Binaries = request.getfixturevalue("control_plane_binaries")
    request.getfixturevalue("controller_manager")
    folder = tmp_path / "plane"
    folder.mkdir()
    with run_control_plane(folder, binaries) as plane:
        yield plane.api_server


@pytest.fixture
def environment(server: ApiServer, tmp_path: Path) -> dict[str, str]:
    helm = find_helm()
    if find_kubectl() is None or helm is None:
        pytest.skip(MISSING)
    home = tmp_path / "home"
    home.mkdir()
    return {
        "PATH": os.pathsep.join(
            (str(Path(sys.executable).parent), str(helm.parent), os.environ["PATH"])
        ),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "KUBECONFIG": str(server.write_kubeconfig(home / "kubeconfig")),
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def test_the_page_runs_as_written(
    server: ApiServer, environment: dict[str, str], tmp_path: Path
) -> None:
    run_page(PAGE, server, environment, tmp_path)


@pytest.mark.parametrize("server", [pytest.param("real", marks=pytest.mark.cluster)], indirect=True)
def test_the_page_about_admission_runs_as_written(
    server: ApiServer, environment: dict[str, str], tmp_path: Path
) -> None:
    run_page(ADMISSION, server, environment, tmp_path)


def run_page(page: Path, server: ApiServer, environment: dict[str, str], tmp_path: Path) -> None:
    """Type a page from its first line to its last, in a checkout; fail at the first surprise."""
    folder, pods = tmp_path / "checkout", tmp_path / "pods"
    for made in (folder, pods):
        made.mkdir()
    (folder / "controller").symlink_to(ROOT / "controller")
    with kubelet(server, pods, SYSTEM), shell(folder, environment) as session:
        for step in steps(page.read_text()):
            problem = step.complaint(*session.run(step.command))
            if problem:
                logs = "\n".join(log.read_text()[-1500:] for log in pods.glob("*.log"))
                pytest.fail(
                    f"{page.name}:{step.line}: $ {step.command}\n{problem}\n{logs}", pytrace=False
                )
