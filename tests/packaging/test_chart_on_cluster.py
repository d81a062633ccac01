"""The chart in a real API server by real helm: install, upgrade, uninstall, and what is kept.

No kubelet runs, so no pod does; nothing waits for one.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from tests.apiserver import Answer, ApiServer
from tests.cluster.binaries import Binaries
from tests.cluster.controlplane import control_plane as run_control_plane
from tests.cluster.kubectl import Kubectl
from tests.packaging.documents import MANIFESTS, Document, deployments, find, parse, pod_spec
from tests.packaging.helm import CHART, Helm
from tests.packaging.matrix import ALL_ON, matrix
from tests.packaging.rights import rights_of

pytestmark = pytest.mark.cluster

SYSTEM = "sealkit-system"
CRD = "crd/sealedsecrets.sealkit.dev"
STORE_CRDS = ("crd/vaultstores.sealkit.dev", "crd/clustervaultstores.sealkit.dev")
MANIFEST = """
apiVersion: sealkit.dev/v1alpha1
kind: SealedSecret
metadata: {name: kept, namespace: default}
spec: {scope: strict, template: {type: Opaque}}
---
apiVersion: v1
kind: Secret
metadata: {name: sealkit-key-1, namespace: sealkit-system, labels: {sealkit.dev/key: active}}
type: sealkit.dev/key
"""
# What the Prometheus operator installs, as far as helm needs it to take our objects.
OPERATOR = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {plural}.monitoring.coreos.com}}
spec:
  group: monitoring.coreos.com
  names: {{kind: {kind}, plural: {plural}}}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
---
"""


@dataclass(frozen=True)
class Cluster:
    """A real API server without our CRDs, helm and kubectl on it."""

    server: ApiServer
    helm: Helm
    run_kubectl: Kubectl

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        return self.run_kubectl(self.server, *arguments, stdin=stdin).stdout

    def try_kubectl(self, *arguments: str) -> None:
        """Do something that may be too late."""
        self.run_kubectl(self.server, *arguments, check=False)

    def names(self, kind: str, *arguments: str) -> set[str]:
        return set(self.kubectl("get", kind, "-o", "name", *arguments).split())

    def try_pod(self, spec: Document) -> Answer:
        """Return what the API server says to a pod in the restricted namespace; none is made."""
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "try"}, "spec": spec}
        path = f"/api/v1/namespaces/{SYSTEM}/pods?dryRun=All"
        return self.server.ask("POST", path, json.dumps(pod), "application/json")


@pytest.fixture(scope="module")
def cluster(
    control_plane_binaries: Binaries,
    helm: Helm,
    kubectl: Kubectl,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("chart-plane")
    with run_control_plane(folder, control_plane_binaries) as plane:
        kubeconfig = plane.api_server.write_kubeconfig(folder / "helm.kubeconfig")
        cluster = Cluster(plane.api_server, replace(helm, kubeconfig=kubeconfig), kubectl)
        for namespace in (SYSTEM, "team-a", "team-b"):
            cluster.kubectl("create", "namespace", namespace)
        label = "pod-security.kubernetes.io/enforce=restricted"
        cluster.kubectl("label", "namespace", SYSTEM, label)
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "existing"}}
        cluster.kubectl("apply", "-n", SYSTEM, "-f", "-", stdin=yaml.safe_dump(account))
        for kind in ("ServiceMonitor", "PrometheusRule"):
            text = OPERATOR.format(kind=kind, plural=f"{kind.lower()}s")
            cluster.kubectl("apply", "-f", "-", stdin=text)
        yield cluster


@pytest.fixture
def release(cluster: Cluster) -> Iterator[str]:
    """The name of a release that is gone, CRDs included, after the test."""
    yield "sealkit"
    cluster.helm("uninstall", "sealkit", "-n", SYSTEM, "--ignore-not-found")
    cluster.kubectl("delete", CRD, *STORE_CRDS, "--ignore-not-found", "--wait=false")
    give_up = time.monotonic() + 60
    while left := cluster.kubectl("get", CRD, *STORE_CRDS, "--ignore-not-found", "-o=name").split():
        assert time.monotonic() < give_up, "the CRDs do not go"
        # The API server, where its storage was not ready, looks again only minutes later, or when
        # something about them changes.
        nudge = f"nudge={time.monotonic()}"
        cluster.try_kubectl("annotate", *left, nudge, "--overwrite")
        time.sleep(0.5)


@matrix
def test_it_installs_upgrades_to_itself_and_goes(
    cluster: Cluster, release: str, values: tuple[str, ...]
) -> None:
    arguments = (release, str(CHART), "-n", SYSTEM, *values)
    cluster.helm("install", *arguments, "--dry-run=server")
    assert cluster.names("deployments", "-A") == set()
    notes = cluster.helm("install", *arguments).stdout
    assert "sealkit clusters add" in notes
    rendered = parse(cluster.helm("get", "manifest", release, "-n", SYSTEM).stdout)
    cluster.helm("upgrade", *arguments)
    assert {d["kind"] for d in rendered} == {d["kind"] for d in cluster.helm.render(*values)}
    for document in rendered:
        place = ("-n", document["metadata"].get("namespace", "default"))
        cluster.kubectl("get", document["kind"], document["metadata"]["name"], *place)
    cluster.helm("uninstall", release, "-n", SYSTEM)
    assert cluster.names("deployments,services,roles,networkpolicies", "-n", SYSTEM) == set()


def test_what_is_installed_is_what_was_rendered(cluster: Cluster, release: str) -> None:
    """The API server drops no field as unknown, and helm is the only owner of what it set."""
    cluster.helm("install", release, str(CHART), "-n", SYSTEM, "-f", str(ALL_ON))
    rendered = cluster.helm.render("-f", str(ALL_ON))
    text = yaml.safe_dump_all(rendered)
    again = ("apply", "--server-side", "--field-manager=helm", "--validate=strict")
    cluster.kubectl(*again, "--dry-run=server", "-f", "-", stdin=text)


def test_an_upgrade_changes_a_setting(cluster: Cluster, release: str) -> None:
    arguments = (release, str(CHART), "-n", SYSTEM)
    cluster.helm("install", *arguments)
    cluster.helm("upgrade", *arguments, "--set", "settings.workers=32")
    deployment = json.loads(
        cluster.kubectl("get", "deployment/sealkit-controller", "-n", SYSTEM, "-o", "json")
    )
    env = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "SEALKIT_WORKERS", "value": "32"} in env


def test_manifests_keys_and_secrets_outlive_the_release(cluster: Cluster, release: str) -> None:
    arguments = (release, str(CHART), "-n", SYSTEM)
    cluster.helm("install", *arguments)
    cluster.kubectl("wait", CRD, "--for=condition=Established", "--timeout=20s")
    cluster.kubectl("apply", "-f", "-", stdin=MANIFEST)
    kept = ("secret/sealkit-key-1", SYSTEM), ("sealedsecret/kept", "default")
    before = [uid(cluster, *place) for place in kept]
    cluster.helm("upgrade", *arguments, "--set", "crds.install=false")
    assert [uid(cluster, *place) for place in kept] == before
    cluster.helm("uninstall", release, "-n", SYSTEM)
    assert [uid(cluster, *place) for place in kept] == before
    cluster.helm("install", *arguments)  # takes the CRD it left behind
    assert [uid(cluster, *place) for place in kept] == before


def uid(cluster: Cluster, what: str, namespace: str) -> str:
    return cluster.kubectl("get", what, "-n", namespace, "-o", "jsonpath={.metadata.uid}")


def test_an_upgrade_brings_the_crd_of_its_version(
    cluster: Cluster, release: str, tmp_path: Path
) -> None:
    """Files in Helm's own folder for CRDs would stay as they were first installed."""
    cluster.helm("install", release, str(CHART), "-n", SYSTEM)
    newer = tmp_path / "chart"
    for file in CHART.rglob("*"):
        if file.is_file():
            copy = newer / file.relative_to(CHART)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    crd = newer / "files" / "crds" / "sealedsecrets.yaml"
    crd.write_text(crd.read_text().replace("shortNames: [sks]", "shortNames: [sks, newer]"))
    cluster.helm("upgrade", release, str(newer), "-n", SYSTEM)
    names = cluster.kubectl("get", CRD, "-o", "jsonpath={.spec.names.shortNames}")
    assert json.loads(names) == ["sks", "newer"]


@matrix
def test_the_api_server_finds_the_pod_restricted(
    cluster: Cluster, release: str, values: tuple[str, ...]
) -> None:
    for deployment in deployments(cluster.helm.render(*values)):
        spec = deployment["spec"]["template"]["spec"] | {"serviceAccountName": "existing"}
        answer = cluster.try_pod(spec)
        assert answer.status == 201, answer.body


@pytest.mark.parametrize("manifest", sorted(MANIFESTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_api_server_finds_the_pod_of_plain_yaml_restricted(
    cluster: Cluster, manifest: Path
) -> None:
    spec = pod_spec(parse(manifest.read_text()))
    spec["serviceAccountName"] = "existing"
    assert cluster.try_pod(spec).status == 201
    spec["securityContext"].pop("seccompProfile")
    refused = cluster.try_pod(spec)
    assert (refused.status, "seccompProfile" in refused.body["message"]) == (403, True)


def test_view_and_edit_reach_the_right_people(cluster: Cluster) -> None:
    roles = cluster.helm.render()
    found = {word: find(roles, "ClusterRole", f"sealkit-{word}") for word in WHO}
    assert {word: sorted(_aggregated(role)) for word, role in found.items()} == WHO
    view, edit, admin = (rights_of(found[word]) for word in WHO)
    assert {right.verb for right in view} == {"get", "list", "watch"}
    kinds = {"sealedsecrets", "vaultstores", "clustervaultstores"}
    assert {right.resource for right in view} == kinds
    assert {right.resource for right in edit} == {"sealedsecrets"}
    assert {right.resource for right in admin} == {"vaultstores"}
    assert not {right.verb for right in edit | admin} & {right.verb for right in view}


WHO = {"view": ["admin", "edit", "view"], "edit": ["admin", "edit"], "admin": ["admin"]}
_AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"


def _aggregated(role: Document) -> set[str]:
    labels = role["metadata"]["labels"]
    return {name.removeprefix(_AGGREGATE) for name in labels if name.startswith(_AGGREGATE)}
