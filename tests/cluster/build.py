"""Build the real control plane into the cache: `python -m tests.cluster.build`.

Progress goes to standard error and the folder to standard output. Cold it takes about five
minutes on two cores, built it takes none. Without a fitting Go nothing is built and the exit
code is 0, so that the tests that need no control plane still run.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.binaries import (
    TOOLS,
    NoBinaries,
    build_key,
    cache_folder,
    find_binaries,
    kubernetes_version,
    linker_flags,
)

# Binary name: (folder with its go.mod, package).
PROGRAMS = {
    "etcd": ("etcd", "go.etcd.io/etcd/server/v3"),
    "kube-apiserver": ("kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    "kube-controller-manager": ("kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"),
}


class BuildError(Exception):
    """Go could not build a program; the message ends with what Go said."""


def main() -> int:
    """Build what is missing, print the folder and return the exit code."""
    found = find_binaries()
    if isinstance(found, NoBinaries) and not os.environ.get("KUBEBUILDER_ASSETS"):
        lack = lacking_go(TOOLS / "kubernetes")
        if lack:
            _say(f"control plane not built: {lack}; tests that need it are skipped")
            return 0
        build(cache_folder())
        found = find_binaries()
    if isinstance(found, NoBinaries):
        _say(found.reason)
        return 1
    sys.stdout.write(f"{found.apiserver.parent}\n")
    return 0


def lacking_go(module: Path, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return why Go cannot build `module`, or None where it can."""
    go = shutil.which("go", path=environ.get("PATH"))
    if go is None:
        return "Go is not on PATH"
    wanted = re.search(r"^go (\d+)\.(\d+)", (module / "go.mod").read_text(), re.MULTILINE)
    assert wanted is not None, f"no go line in {module}/go.mod"
    # Asked inside the module, a Go that may fetch another toolchain answers with that one.
    answer = _run([go, "env", "GOVERSION"], module)
    have = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    if have and _numbers(have) >= _numbers(wanted):
        return None
    return f"Go {wanted[1]}.{wanted[2]} or newer is needed, found {answer.stdout.strip() or 'none'}"


def build(cache: Path) -> Path:
    """Build every program into `cache` and return the folder; two at once build only once.

    Raises:
        BuildError: Go failed.
    """
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / build_key()
    with _locked(cache / "lock"):
        if not folder.is_dir():
            for remains in cache.glob("building-*"):  # we hold the lock, so their makers died
                shutil.rmtree(remains)
            _say(f"building the control plane into {folder}, the first time for some minutes")
            with tempfile.TemporaryDirectory(prefix="building-", dir=cache) as temporary:
                unfinished = Path(temporary) / "bin"
                _build_all(unfinished)
                unfinished.rename(folder)
    return folder


def _build_all(folder: Path) -> None:
    for number, (name, (module, package)) in enumerate(PROGRAMS.items(), start=1):
        _say(f"building {name} ({number} of {len(PROGRAMS)})")
        started = time.monotonic()
        _build_one(TOOLS / module, package, folder / name)
        _say(f"built {name} in {time.monotonic() - started:.0f} s")


def _build_one(module: Path, package: str, output: Path) -> None:
    command = ["go", "build", "-mod=readonly", "-buildvcs=false", "-trimpath"]
    flags = linker_flags(kubernetes_version())
    result = _run([*command, f"-ldflags={flags}", "-o", str(output), package], module)
    if result.returncode:
        raise BuildError(f"{package}: go build failed\n{result.stderr[-4000:]}")


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    # GOFLAGS and a go.work above this tree would change what is built.
    environ = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    return subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


def _numbers(version: re.Match[str]) -> tuple[int, int]:
    return int(version[1]), int(version[2])


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another build of the control plane")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BuildError as error:
        sys.exit(f"control plane not built: {error}")
