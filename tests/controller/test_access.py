import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from sealkit.errors import ConfigError
from sealkit_controller.access import load_access, own_namespace
from sealkit_controller.sandbox import Sandbox


def kubeconfig(
    tmp_path: Path,
    user: Mapping[str, object] | None = None,
    cluster: Mapping[str, object] | None = None,
) -> str:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "c", "cluster": {"server": "http://127.0.0.1:1/base/", **(cluster or {})}}
        ],
        "users": [{"name": "u", "user": dict(user or {})}],
        "contexts": [
            {"name": "first", "context": {"cluster": "c", "user": "u"}},
            {"name": "other", "context": {"cluster": "c", "user": "u"}},
        ],
        "current-context": "first",
    }
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(document))
    return str(path)


def test_a_kubeconfig_says_where_and_as_whom(tmp_path: Path) -> None:
    access = load_access(kubeconfig(tmp_path, {"token": "t-1"}), "other")
    assert (access.host, access.port, access.base_path) == ("127.0.0.1", 1, "/base")
    assert access.tls is None
    assert access.authorization(False) == "Bearer t-1"  # noqa: FBT003  (a callback)


def test_a_renewed_token_is_read_from_its_source_again(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, {"token": "old"})
    access = load_access(path)
    kubeconfig(tmp_path, {"token": "new"})
    assert access.authorization(False) == "Bearer old"  # noqa: FBT003  (a callback)
    assert access.authorization(True) == "Bearer new"  # noqa: FBT003  (a callback)


def test_an_exec_plugin_is_asked(tmp_path: Path) -> None:
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "from-plugin"},
    }
    plugin = tmp_path / "plugin.py"
    plugin.write_text(f"print({json.dumps(credential)!r})")
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(plugin)],
            "interactiveMode": "Never",
        }
    }
    access = load_access(kubeconfig(tmp_path, user))
    assert access.authorization(False) == "Bearer from-plugin"  # noqa: FBT003  (a callback)


def test_the_authority_of_the_kubeconfig_is_trusted(tmp_path: Path) -> None:
    with Sandbox() as box:
        path = tmp_path / "config"
        path.write_text(box.kubeconfig())
        access = load_access(str(path))
    assert access.tls is not None
    assert access.tls.verify_mode.name == "CERT_REQUIRED"
    assert len(access.tls.get_ca_certs()) == 1


def test_checks_are_left_out_only_when_the_kubeconfig_says_so(tmp_path: Path) -> None:
    server = {"server": "https://127.0.0.1:1"}
    trusting = load_access(
        kubeconfig(tmp_path, cluster={**server, "insecure-skip-tls-verify": True})
    )
    assert trusting.tls is not None
    assert trusting.tls.verify_mode.name == "CERT_NONE"
    normal = load_access(kubeconfig(tmp_path, cluster={**server, "tls-server-name": "api.example"}))
    assert normal.tls is not None
    assert normal.tls.check_hostname
    assert normal.server_name == "api.example"


@pytest.mark.parametrize(
    "write",
    [
        lambda path: str(path / "missing"),
        lambda path: kubeconfig(path, cluster={"proxy-url": "http://127.0.0.1:2"}),
        lambda path: kubeconfig(path, cluster={"server": "ftp://127.0.0.1"}),
        lambda path: kubeconfig(
            path, cluster={"server": "https://127.0.0.1", "certificate-authority": "/missing"}
        ),
    ],
    ids=["no file", "proxy", "not http", "no authority"],
)
def test_what_cannot_work_is_refused(tmp_path: Path, write: Callable[[Path], str]) -> None:
    with pytest.raises(ConfigError):
        load_access(write(tmp_path))


def test_outside_of_a_cluster_there_is_no_own_namespace() -> None:
    assert own_namespace() == ""
