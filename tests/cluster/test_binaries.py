"""Where the binaries are looked for, what is said when there are none, and what names a build."""

from pathlib import Path

import pytest

from tests.cluster.binaries import Binaries, NoBinaries, build_key, cache_folder, find_binaries
from tests.cluster.build import lacking_go


def _folder_with(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_assets_folder_wins_over_the_cache(tmp_path: Path) -> None:
    environ = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "KUBEBUILDER_ASSETS": str(tmp_path / "a")}
    assets = _folder_with(tmp_path / "a", "etcd", "kube-apiserver")
    _folder_with(cache_folder(environ) / build_key(), "etcd", "kube-apiserver")

    found = find_binaries(environ)

    assert found == Binaries(assets / "etcd", assets / "kube-apiserver", None)


def test_cache_is_used_without_assets(tmp_path: Path) -> None:
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    names = ("etcd", "kube-apiserver", "kube-controller-manager")
    folder = _folder_with(cache_folder(environ) / build_key(), *names)

    assert find_binaries(environ) == Binaries(*(folder / name for name in names))


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        pytest.param({"KUBEBUILDER_ASSETS": "/nowhere"}, "KUBEBUILDER_ASSETS", id="bad assets"),
        pytest.param({"PATH": "/nowhere"}, "Go to build it is not on PATH", id="no Go"),
    ],
)
def test_absence_has_its_reason(environ: dict[str, str], reason: str, tmp_path: Path) -> None:
    found = find_binaries({"XDG_CACHE_HOME": str(tmp_path), **environ})

    assert isinstance(found, NoBinaries)
    assert reason in found.reason
    assert "\n" not in found.reason


def test_absence_names_the_build_where_go_is_found(tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.touch(mode=0o755)

    found = find_binaries({"XDG_CACHE_HOME": str(tmp_path), "PATH": str(tmp_path)})

    assert isinstance(found, NoBinaries)
    assert "python -m tests.cluster.build" in found.reason


@pytest.mark.parametrize("changed", ["etcd/go.mod", "etcd/go.sum", "kubernetes/go.sum"])
def test_build_key_follows_every_module_file(changed: str, tmp_path: Path) -> None:
    for name in ("etcd/go.mod", "etcd/go.sum", "kubernetes/go.sum"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("before")
    before = build_key(tmp_path)

    (tmp_path / changed).write_text("after")

    assert build_key(tmp_path) != before


def test_build_key_needs_modules(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        build_key(tmp_path)


@pytest.mark.parametrize(
    ("version", "lack"),
    [
        pytest.param("go1.26.0", None, id="the wanted one"),
        pytest.param("go2.0", None, id="newer"),
        pytest.param("go1.9.7", "Go 1.26 or newer is needed, found go1.9.7", id="older"),
        pytest.param("", "Go 1.26 or newer is needed, found none", id="one that does not answer"),
    ],
)
def test_go_must_be_new_enough(version: str, lack: str | None, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module m\n\ngo 1.26.0\n")
    go = tmp_path / "go"
    go.write_text(f"#!/bin/sh\necho {version}\n")
    go.chmod(0o755)

    assert lacking_go(tmp_path, {"PATH": str(tmp_path)}) == lack


def test_go_must_be_there(tmp_path: Path) -> None:
    assert lacking_go(tmp_path, {"PATH": str(tmp_path)}) == "Go is not on PATH"
