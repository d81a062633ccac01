"""Where the binaries of the real control plane are, or why there are none."""

import hashlib
import os
import platform
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).parent / "tools"


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
    flags = linker_flags("v0.0.0")  # the version itself is in go.mod
    digest = hashlib.sha256(f"{flags} {platform.system()} {platform.machine()}".encode())
    files = sorted(tools.glob("*/go.*"))
    if not files:
        raise FileNotFoundError(f"no go.mod below {tools}")
    for file in files:
        digest.update(f"\n{file.relative_to(tools)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def kubernetes_version(tools: Path = TOOLS) -> str:
    """Return the Kubernetes version that go.mod names, such as `v1.36.3`."""
    found = re.search(r"k8s\.io/kubernetes (v[\d.]+)", (tools / "kubernetes/go.mod").read_text())
    assert found is not None, f"no k8s.io/kubernetes in {tools}/kubernetes/go.mod"
    return found[1]


def linker_flags(version: str) -> str:
    """Return the flags that leave out symbols and tell the programs their Kubernetes version.

    Left untold they would call themselves v0.0.0, which clients take for very old.
    """
    major, minor, _ = version.removeprefix("v").split(".")
    told = {
        "gitVersion": version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "archive",
    }
    settings = (f"-X k8s.io/component-base/version.{key}={told[key]}" for key in told)
    return " ".join(("-s -w", *settings))


def _in_folder(folder: Path) -> Binaries | None:
    etcd, apiserver = folder / "etcd", folder / "kube-apiserver"
    if not (etcd.is_file() and apiserver.is_file()):
        return None
    manager = folder / "kube-controller-manager"
    return Binaries(etcd, apiserver, manager if manager.is_file() else None)
