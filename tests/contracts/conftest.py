"""One API server for each contract test: the sandbox, then the real kube-apiserver."""

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sealkit_controller.sandbox import Sandbox
from tests.apiserver import ApiServer
from tests.contracts.client import APPLY, GROUP, WIDGETS, Client

WIDGETS_CRD = Path(__file__).with_name("widgets.yaml")
ESTABLISH_SECONDS = 30
PAUSE_SECONDS = 0.2


@pytest.fixture(scope="session")
def sandbox_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with Sandbox() as sandbox:
        ca_file = tmp_path_factory.mktemp("sandbox") / "ca.pem"
        ca_file.write_bytes(sandbox.ca_pem)
        yield ApiServer(sandbox.url, sandbox.admin_token, ca_file)


@pytest.fixture(
    scope="session", params=["sandbox", pytest.param("real", marks=pytest.mark.cluster)]
)
def api_server(request: pytest.FixtureRequest) -> ApiServer:
    """The server under test, with the kind `Widget` installed."""
    name = "sandbox_server" if request.param == "sandbox" else "control_plane"
    server: ApiServer = request.getfixturevalue(name)
    client = Client(server, "default")
    install_widgets(client)
    wait_until_served(client)
    return server


def install_widgets(client: Client) -> None:
    """Install the test CRD and wait until it is served."""
    definition = yaml.safe_load(WIDGETS_CRD.read_text())
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{GROUP}"
    query = {"fieldManager": "contracts", "force": "true"}
    version = client.request("PATCH", path, definition, content_type=APPLY, **query).ok().version
    resource = path.rpartition("/")[0]
    selected = {"fieldSelector": f"metadata.name=widgets.{GROUP}"}
    limit = {"timeoutSeconds": str(ESTABLISH_SECONDS)}
    if _is_established(client.request("GET", path).ok().json):
        return
    with client.watch(resource, version, **selected, **limit) as events:
        assert any(_is_established(event["object"]) for event in events), "CRD not established"


def wait_until_served(client: Client) -> None:
    """Wait for a kind that was established a moment ago: until its cache is filled it gets 429."""
    for _ in range(int(ESTABLISH_SECONDS / PAUSE_SECONDS)):
        if client.get(WIDGETS).code == 200:
            return
        threading.Event().wait(PAUSE_SECONDS)
    raise AssertionError("the test CRD is established but not served")


def _is_established(definition: dict[str, dict[str, list[dict[str, str]]]]) -> bool:
    conditions = definition.get("status", {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


@pytest.fixture
def api(api_server: ApiServer) -> Client:
    """A client in a namespace of its own."""
    client = Client(api_server, f"t-{uuid.uuid4().hex[:12]}")
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": client.namespace}}
    client.request("POST", "/api/v1/namespaces", body).ok()
    return client
