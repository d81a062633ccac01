"""Where the binaries of the real control plane are, or why there are none."""

import hashlib
import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).parent / "tools"
KUBERNETES_VERSION = "v1.36.3"
LINKER_FLAGS = " ".join(
    (
        "-s -w",  # no symbols: half the size, and nobody debugs them here
        f"-X k8s.io/component-base/version.gitVersion={KUBERNETES_VERSION}",
        "-X k8s.io/component-base/version.gitMajor=1",
        "-X k8s.io/component-base/version.gitMinor=36",
        "-X k8s.io/component-base/version.gitTreeState=archive",
    )
)


@dataclass(frozen=True)
class Binaries:
    """The programs of a control plane.

    `controller_manager` is absent from folders made for envtest; without it owner references
    and namespaces are never cleaned up.
    """

    etcd: Path
    apiserver: Path
    controller_manager: Path | None


@dataclass(frozen=True)
class NoBinaries:
    """Why there are no binaries, in one line fit for a skip message."""

    reason: str


def find_binaries(environ: Mapping[str, str] = os.environ) -> Binaries | NoBinaries:
    """Look in `KUBEBUILDER_ASSETS` if it is set, else in the cache that the build fills."""
    assets = environ.get("KUBEBUILDER_ASSETS")
    folder = Path(assets) if assets else cache_folder(environ) / build_key()
    found = _in_folder(folder)
    if found:
        return found
    if assets:
        return NoBinaries(f"KUBEBUILDER_ASSETS={assets} has no etcd or no kube-apiserver")
    if shutil.which("go", path=environ.get("PATH")) is None:
        return NoBinaries("the real control plane is not built, and Go to build it is not on PATH")
    return NoBinaries("the real control plane is not built: run `python -m tests.cluster.build`")


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder, outside this tree, that holds one folder per build."""
    home = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".cache"
    return Path(home) / "sealkit" / "control-plane"


def build_key(tools: Path = TOOLS) -> str:
    """Return a name that differs whenever the binaries would.

    Raises:
        FileNotFoundError: `tools` has no go.mod and go.sum below it.
    """
    digest = hashlib.sha256(f"{LINKER_FLAGS} {platform.system()} {platform.machine()}".encode())
    files = sorted(tools.glob("*/go.*"))
    if not files:
        raise FileNotFoundError(f"no go.mod below {tools}")
    for file in files:
        digest.update(f"\n{file.relative_to(tools)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _in_folder(folder: Path) -> Binaries | None:
    etcd, apiserver = folder / "etcd", folder / "kube-apiserver"
    if not (etcd.is_file() and apiserver.is_file()):
        return None
    manager = folder / "kube-controller-manager"
    return Binaries(etcd, apiserver, manager if manager.is_file() else None)
