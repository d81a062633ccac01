"""The real control plane is real: stock kubectl, garbage collection, and faults on demand."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from tests.apiserver import ApiServer
from tests.bench.bare_writes import SECRETS, measure
from tests.cluster.binaries import Binaries, kubernetes_version
from tests.cluster.controlplane import ControlPlane
from tests.cluster.controlplane import control_plane as run_control_plane
from tests.cluster.kubectl import Kubectl
from tests.cluster.part import PartError

pytestmark = pytest.mark.cluster
OWNED = """
apiVersion: v1
kind: Secret
metadata:
  name: owned
  ownerReferences: [{{apiVersion: {version}, kind: {kind}, name: owner, uid: {uid}}}]
stringData: {{word: hello}}
"""

WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""


@pytest.fixture
def namespace(control_plane: ApiServer, kubectl: Kubectl) -> str:
    name = f"test-{uuid4()}"
    kubectl(control_plane, "create", "namespace", name)
    return name


@pytest.fixture
def own_plane(control_plane_binaries: Binaries, tmp_path: Path) -> Iterator[ControlPlane]:
    with run_control_plane(tmp_path, control_plane_binaries) as plane:
        yield plane


def test_server_tells_the_version_it_was_built_from(
    control_plane: ApiServer, kubectl: Kubectl
) -> None:
    versions = json.loads(kubectl(control_plane, "version", "-o", "json").stdout)

    assert versions["serverVersion"]["gitVersion"] == kubernetes_version()


def test_secret_made_and_changed_by_kubectl_is_read_back_and_deleted(
    control_plane: ApiServer, kubectl: Kubectl, namespace: str
) -> None:
    in_namespace = ("-n", namespace)
    made = kubectl(
        control_plane, "create", "secret", "generic", "db", "--from-literal=user=a",
        "--dry-run=client", "-o", "yaml", *in_namespace,
    ).stdout  # fmt: skip
    kubectl(control_plane, "apply", "-f", "-", *in_namespace, stdin=made)
    changed = made.replace("user: YQ==", "user: Yg==")
    kubectl(control_plane, "apply", "-f", "-", *in_namespace, stdin=changed)

    read = kubectl(control_plane, "get", "secret", "db", "-o", "jsonpath={.data}", *in_namespace)
    kubectl(control_plane, "delete", "secret", "db", *in_namespace)
    gone = kubectl(control_plane, "get", "secret", "db", *in_namespace, check=False)

    assert json.loads(read.stdout) == {"user": "Yg=="}
    assert "NotFound" in gone.stderr


@pytest.mark.usefixtures("controller_manager")
def test_secret_is_collected_with_its_owner(
    control_plane: ApiServer, kubectl: Kubectl, namespace: str
) -> None:
    in_namespace = ("-n", namespace)
    kubectl(control_plane, "create", "configmap", "owner", *in_namespace)
    uid = kubectl(
        control_plane, "get", "configmap", "owner", "-o", "jsonpath={.metadata.uid}", *in_namespace
    ).stdout
    owned = OWNED.format(version="v1", kind="ConfigMap", uid=uid)
    kubectl(control_plane, "create", "-f", "-", *in_namespace, stdin=owned)

    kubectl(control_plane, "delete", "configmap", "owner", *in_namespace)

    kubectl(control_plane, "wait", "--for=delete", "secret/owned", "--timeout=60s", *in_namespace)


@pytest.mark.usefixtures("controller_manager")
def test_namespace_is_deleted_to_the_end(
    control_plane: ApiServer, kubectl: Kubectl, namespace: str
) -> None:
    kubectl(control_plane, "create", "secret", "generic", "db", "-n", namespace)

    kubectl(control_plane, "delete", "namespace", namespace, "--timeout=60s")

    assert control_plane.ask("GET", f"/api/v1/namespaces/{namespace}").status == 404


def test_data_outlives_a_killed_api_server_and_a_killed_etcd(own_plane: ControlPlane) -> None:
    server = own_plane.api_server
    measure(server, writes=16, threads=2)

    own_plane.etcd.kill()
    with closing(server.connect(timeout_seconds=1)) as connection:
        connection.request("GET", SECRETS, headers={"Authorization": f"Bearer {server.token}"})
        with pytest.raises(TimeoutError):  # a list is read from etcd
            connection.getresponse()
    own_plane.etcd.start()
    own_plane.kube_apiserver.kill()
    with pytest.raises(ConnectionRefusedError):
        server.ask("GET", "/readyz")
    own_plane.kube_apiserver.start()

    secrets = server.ask("GET", SECRETS)
    assert len(secrets.body["items"]) == 16 + 16 + 20


@pytest.mark.usefixtures("controller_manager")
def test_secret_is_collected_with_an_owner_of_a_kind_installed_at_the_start(
    control_plane_binaries: Binaries, tmp_path: Path, kubectl: Kubectl
) -> None:
    crd = tmp_path / "widgets.yaml"
    crd.write_text(WIDGETS)
    widget = "{apiVersion: example.com/v1, kind: Widget, metadata: {name: owner}}"
    with run_control_plane(tmp_path, control_plane_binaries, [crd]) as plane:
        server = plane.api_server
        made = kubectl(server, "create", "-f", "-", "-o", "json", stdin=widget).stdout
        uid = json.loads(made)["metadata"]["uid"]
        owned = OWNED.format(version="example.com/v1", kind="Widget", uid=uid)
        kubectl(server, "create", "-f", "-", stdin=owned)

        kubectl(server, "delete", "widget", "owner")

        # Sooner than the collector's next round would notice a new kind.
        kubectl(server, "wait", "--for=delete", "secret/owned", "--timeout=25s")


def test_part_that_ends_early_is_reported_with_the_tail_of_its_log(
    tmp_path: Path, control_plane_binaries: Binaries
) -> None:
    binaries = Binaries(Path("/bin/false"), control_plane_binaries.apiserver, None)

    with pytest.raises(PartError, match="etcd: ended early"), run_control_plane(tmp_path, binaries):
        pass
