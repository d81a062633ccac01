"""What the Dockerfile's script puts together, and how to enter it without an engine."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.packaging.documents import CONTROLLER

TEXT = (CONTROLLER / "Dockerfile").read_text()
HEREDOC = re.compile(r'<<"EOF"\n(.*?)\nEOF\n', re.DOTALL)
USER = 65532


def heredoc(start: str) -> str:
    """Return the heredoc of the RUN that starts so."""
    found = HEREDOC.search(TEXT, TEXT.index(start))
    assert found is not None
    return found[1]


@dataclass(frozen=True)
class Image:
    """The files of the image, below a folder, and the path of its Python in there."""

    rootfs: Path
    python: Path

    def run(
        self, module: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a module in the image, as its user, with nothing else in the environment."""
        if os.geteuid() != 0:
            pytest.skip("only root may enter the image's files")
        chroot = shutil.which("chroot", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if chroot is None:
            pytest.skip("there is no chroot to enter the image's files with")
        user = [chroot, f"--userspec={USER}:{USER}", str(self.rootfs), str(self.python)]
        return subprocess.run(
            [*user, "-m", module, *arguments],
            env=dict(environment or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def build(folder: Path) -> Image:
    """Run the script on an environment with the program and its dependencies only."""
    environment = folder / "venv"
    venv = [sys.executable, "-m", "venv", "--without-pip", str(environment)]
    subprocess.run(venv, check=True)
    packages = environment / "lib" / "python3.11" / "site-packages"
    for name in _dependencies("sealkit", "controller"):
        _copy_package(name, packages)
    for source in (CONTROLLER.parent / "sealkit", CONTROLLER / "sealkit_controller"):
        ignore = shutil.ignore_patterns("sandbox", "__pycache__")
        shutil.copytree(source, packages / source.name, ignore=ignore)
    script = folder / "rootfs.py"
    script.write_text(heredoc("RUN /opt/sealkit/bin/python - /rootfs"))
    python = environment / "bin" / "python"
    subprocess.run([python, str(script), str(folder / "rootfs")], check=True)
    return Image(folder / "rootfs", python)


def _dependencies(name: str, extra: str = "") -> set[str]:
    """Return what a package needs here, by name, without itself."""
    requirements = [Requirement(line) for line in distribution(name).requires or ()]
    needed = {
        requirement.name
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra})
    }
    return needed.union(*map(_dependencies, needed))


def _copy_package(name: str, packages: Path) -> None:
    """Copy an installed package's files."""
    package = distribution(name)
    for file in package.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            place = packages / str(file)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(package.locate_file(file)), place)
