"""docs/integrations/vault.md runs as it is written, and what it only shows is understood."""

import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import yaml

from sealkit.manifests.allow import Rule
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.stores import VaultStore
from sealkit.manifests.template import parse_template
from sealkit.references.reference import StoreKind
from sealkit.references.structured import from_dict
from sealkit.references.template import from_raw
from sealkit_controller.status import Reason, unresolved
from tests.apiserver import ApiServer
from tests.cluster.kubectl import find_kubectl
from tests.cluster.test_journey import real_server, sandbox_server
from tests.cluster.world import running_controller
from tests.console import shell, steps
from tests.fakes.vault_admin import ROOT_TOKEN
from tests.fakes.vault_certificates import Authority
from tests.fakes.vault_server import require_bao
from tests.fakes.vault_server import running as running_openbao

PAGE: Final = Path(__file__).parents[2] / "docs" / "integrations" / "vault.md"
TEXT: Final = PAGE.read_text(encoding="utf-8")
SYSTEM: Final = '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sealkit-system"}}'
REFERENCES_BEGIN: Final = list(Reason).index(Reason.PATH_NOT_FOUND)


@dataclass(frozen=True)
class OpenBao:
    """What the page needs to know of a server, and the folder of its program."""

    address: str
    unseal_key: str
    folder: Path


@pytest.fixture
def openbao(tmp_path: Path) -> Iterator[OpenBao]:
    binary = require_bao()
    folder = tmp_path / "openbao"
    folder.mkdir()
    with running_openbao(binary, folder, Authority("page")) as server:
        yield OpenBao(server.address, unseal_key(folder / "openbao.log"), binary.parent)


def unseal_key(log: Path) -> str:
    """Return what the server prints for its administrator; it answers a moment before."""
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        if found := re.search(r"^Unseal Key: (\S+)\n", log.read_text(), re.MULTILINE):
            return found[1]
        time.sleep(0.02)
    raise AssertionError(log.read_text())


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.cluster)])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ApiServer]:
    """An API server that knows our kinds."""
    folder = tmp_path / "plane"
    folder.mkdir()
    made = sandbox_server(folder) if request.param == "sandbox" else real_server(request, folder)
    with made as api_server:
        answer = api_server.ask("POST", "/api/v1/namespaces", SYSTEM, "application/json")
        assert answer.status == 201
        yield api_server


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
    return port


def environment(server: ApiServer, openbao: OpenBao, home: Path, probe_port: int) -> dict[str, str]:
    """What the commands of the page find: their programs, the cluster, the Vault."""
    if find_kubectl() is None or shutil.which("curl") is None:
        pytest.skip("kubectl is not in this environment, run `uv sync`; or curl is not on PATH")
    programs = (Path(sys.executable).parent, openbao.folder)
    return {
        "PATH": os.pathsep.join((*map(str, programs), os.environ["PATH"])),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "KUBECONFIG": str(server.write_kubeconfig(home / "kubeconfig")),
        "GIT_CONFIG_NOSYSTEM": "1",
        "BAO_ADDR": openbao.address,
        "BAO_TOKEN": ROOT_TOKEN,
        "UNSEAL_KEY": openbao.unseal_key,
        "METRICS": f"http://127.0.0.1:{probe_port}/metrics",
    }


def test_the_page_runs_as_written(server: ApiServer, openbao: OpenBao, tmp_path: Path) -> None:
    home, repository, pod = tmp_path / "home", tmp_path / "repository", tmp_path / "pod"
    for made in (home, repository, pod):
        made.mkdir()
    port = free_port()
    found = environment(server, openbao, home, port)
    settings = {
        "SEALKIT_VAULT": "cluster",
        "SEALKIT_VAULT_ADDRESSES": openbao.address,
        "SEALKIT_PROBE_PORT": str(port),
    }
    with running_controller(server, pod, **settings), shell(repository, found) as session:
        session.run("kubectl wait configmap/sealkit-public-keys -n sealkit-system --for=create")
        for step in steps(TEXT):
            problem = step.complaint(*session.run(step.command))
            if problem:
                log = (pod / "controller.log").read_text()[-3000:]
                pytest.fail(
                    f"{PAGE.name}:{step.line}: $ {step.command}\n{problem}\n{log}", pytrace=False
                )
        (repository / "examples.yaml").write_text(yaml.safe_dump_all(EXAMPLES))
        output, code = session.run("kubectl apply --dry-run=server -f examples.yaml")
        assert code == 0, output


EXAMPLES: Final = [
    yaml.safe_load(block)
    for block in re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize("raw", EXAMPLES, ids=lambda raw: str(raw["metadata"]["name"]))
def test_each_example_is_what_it_says(raw: dict[str, object]) -> None:
    if raw["kind"] == "SealedSecret":
        sealed = SealedSecret.from_dict(raw)
        assert SealedSecret.from_dict(sealed.to_dict()) == sealed
    else:
        assert VaultStore.from_dict(raw).name


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table with this first row, cell by cell."""
    _, found, rest = TEXT.partition(f"\n| {heading} |")
    assert found, heading
    lines = rest.split("\n\n")[0].splitlines()[2:]
    assert lines, heading
    cells = [re.split(r"(?<!\\)\|", line.strip("|")) for line in lines]
    return [[cell.strip().replace("\\|", "|") for cell in row] for row in cells]


def code(cell: str) -> list[str]:
    """Return what a cell shows as code."""
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("row", table("Spelling | Shown as | Meaning"), ids=lambda row: str(row[0]))
def test_each_spelling_is_shown_as_the_page_says(row: list[str]) -> None:
    (spelling,), (shown,) = code(row[0]), code(row[1])
    assert from_raw(spelling).to_raw() == shown


def test_the_fields_are_all_there() -> None:
    names = {name for row in table("Field | Default | Meaning") for name in code(row[0])}
    every = dict.fromkeys(names) | {"path": "kv/a", "property": "b"}
    assert from_dict(every).key == "b"
    example = next(raw for raw in EXAMPLES if raw["metadata"]["name"] == "structured")
    used = {name for one in example["spec"]["references"].values() for name in one}
    assert names - {"property"} == used - {"parts"}


@pytest.mark.parametrize("row", table("Method | `spec.auth`"), ids=lambda row: str(row[0]))
def test_each_way_to_log_in_is_one(row: list[str]) -> None:
    spec = {"address": "https://vault.vault:8200", "auth": yaml.safe_load(code(row[1])[0])}
    if "clientCertSecretRef" in row[1]:
        spec["tls"] = {"clientCertSecretRef": {"name": "vault-client"}}
    metadata = {"name": "default", "namespace": "shop"}
    store = VaultStore.from_dict({"kind": "VaultStore", "metadata": metadata, "spec": spec})
    assert store.name == "default"


@pytest.mark.parametrize(
    "row",
    table("Pattern | For a manifest in `shop` it allows | It does not allow"),
    ids=lambda row: str(row[0]),
)
def test_each_pattern_allows_what_the_page_says(row: list[str]) -> None:
    rule = Rule(("shop",), tuple(code(row[0])))
    assert all(rule.allows("shop", path) for path in code(row[1]))
    assert not any(rule.allows("shop", path) for path in code(row[2]))


@pytest.mark.parametrize("row", table("`build` | Fields | Makes"), ids=lambda row: str(row[0]))
def test_each_builder_makes_what_the_page_says(row: list[str]) -> None:
    (name,), (given,) = code(row[0]), code(row[1])
    template = parse_template({"build": {name: yaml.safe_load(given)}})
    assert template.makes <= {*code(row[2]), yaml.safe_load(given).get("file")}


def test_each_reason_is_there_with_whether_it_is_tried_again() -> None:
    rows = table("Reason | Tried again | Likeliest cause | What shows it")
    shown = {Reason(code(row[0])[0]): row[1] == "yes" for row in rows}
    assert list(shown) == list(Reason)[REFERENCES_BEGIN:]
    assert shown == {reason: unresolved(reason, "").retried for reason in shown}


def test_the_kinds_of_stores_are_named() -> None:
    assert all(kind.value in TEXT for kind in StoreKind)
