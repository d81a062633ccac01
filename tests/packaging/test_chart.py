"""The Helm chart as stock helm renders it: strict, repeatable, restricted, one with plain YAML."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from sealkit import __version__
from sealkit_controller.leader import lease_name
from sealkit_controller.settings import Settings
from tests.packaging.documents import (
    MANIFESTS,
    Document,
    deployments,
    environ,
    find,
    parse,
    pod_spec,
)
from tests.packaging.helm import CHART, Helm
from tests.packaging.matrix import ALL_ON, MATRIX, matrix
from tests.packaging.restricted import violations
from tests.packaging.rights import granted

# What is one for the whole cluster, whichever release brings it.
NOT_OF_THE_RELEASE = {
    "clustervaultstores.sealkit.dev",
    "sealedsecrets.sealkit.dev",
    "vaultstores.sealkit.dev",
}


@matrix
def test_helm_finds_nothing_to_complain_of(helm: Helm, values: Sequence[str]) -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART), *values).stdout


@matrix
def test_rendering_twice_gives_the_same_bytes(helm: Helm, values: Sequence[str]) -> None:
    assert helm.template(*values) == helm.template(*values)


@matrix
def test_no_two_objects_are_one(helm: Helm, values: Sequence[str]) -> None:
    documents = helm.render(*values)
    names = [(d["kind"], d["metadata"].get("namespace"), d["metadata"]["name"]) for d in documents]
    assert len(names) == len(set(names))


@matrix
def test_every_object_carries_the_recommended_labels(helm: Helm, values: Sequence[str]) -> None:
    wanted = {"name", "instance", "version", "component", "part-of", "managed-by"}
    for document in helm.render(*values):
        labels = document["metadata"]["labels"]
        assert {f"app.kubernetes.io/{word}" for word in wanted} <= labels.keys()
        assert labels["helm.sh/chart"] == f"sealkit-{__version__}"


@matrix
def test_the_pod_keeps_the_restricted_standard(helm: Helm, values: Sequence[str]) -> None:
    for deployment in deployments(helm.render(*values)):
        assert violations(deployment["spec"]["template"]["spec"]) == []


@pytest.mark.parametrize("manifest", sorted(MANIFESTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_pod_of_plain_yaml_keeps_the_restricted_standard(manifest: Path) -> None:
    assert violations(pod_spec(parse(manifest.read_text()))) == []


def test_the_check_of_the_standard_finds_what_is_wrong() -> None:
    bad: Document = {
        "hostNetwork": True,
        "securityContext": {"sysctls": [{}]},
        "containers": [{"ports": [{"hostPort": 1}], "securityContext": {"privileged": True}}],
        "volumes": [{"name": "v", "hostPath": {"path": "/"}}],
    }
    assert len(violations(bad)) == 11


@matrix
def test_what_selects_the_pods_is_on_the_pods(helm: Helm, values: Sequence[str]) -> None:
    documents = helm.render(*values)
    shared = [d["spec"]["selector"] for d in documents if d["kind"] == "Service"]
    shared += [
        d["spec"]["podSelector"]["matchLabels"] for d in documents if d["kind"] == "NetworkPolicy"
    ]
    shared += [
        d["spec"]["selector"]["matchLabels"]
        for d in documents
        if d["kind"] == "PodDisruptionBudget"
    ]
    for deployment in deployments(documents):
        spec = deployment["spec"]
        labels = spec["template"]["metadata"]["labels"].items()
        assert all(one.items() <= labels for one in (*shared, spec["selector"]["matchLabels"]))


def test_each_shard_has_its_pods_its_number_and_its_lease(helm: Helm) -> None:
    documents = helm.render(*MATRIX["shards"])
    found = deployments(documents)
    assert [d["metadata"]["name"] for d in found] == [f"sealkit-controller-{n}" for n in range(3)]
    selectors = [json.dumps(d["spec"]["selector"], sort_keys=True) for d in found]
    assert len(set(selectors)) == 3
    given = [Settings.from_environ(environ([d])) for d in found]
    assert [(one.shards, one.shard) for one in given] == [(3, number) for number in range(3)]
    leases = {
        right.name
        for right in granted(documents, "sealkit-controller")
        if (right.resource, right.verb) == ("leases", "patch")
    }
    assert leases == {lease_name(number, 3) for number in range(3)}


def test_each_namespace_gets_the_same_rights(helm: Helm) -> None:
    rights = granted(helm.render(*MATRIX["two-namespaces"]), "sealkit-controller")
    of = {
        name: {right._replace(namespace="") for right in rights if right.namespace == name}
        for name in ("team-a", "team-b")
    }
    assert of["team-a"] == of["team-b"] != set()
    assert {right.namespace for right in rights} == {"team-a", "team-b", "sealkit-system"}


def test_two_releases_share_no_name(helm: Helm) -> None:
    def names(release: str) -> set[tuple[str, str]]:
        documents = helm.render("-f", str(ALL_ON), release=release)
        return {(d["kind"], d["metadata"]["name"]) for d in documents}

    shared = names("sealkit") & names("second")
    assert {name for _, name in shared} == NOT_OF_THE_RELEASE


@pytest.mark.parametrize(
    ("manifest", "values"),
    [("install", "defaults"), ("namespaced", "namespaced")],
)
def test_the_chart_is_the_plain_yaml(helm: Helm, manifest: str, values: str) -> None:
    plain = parse((MANIFESTS / f"{manifest}.yaml").read_text())
    rendered = helm.render(*MATRIX[values])
    account = "sealkit-controller"
    assert granted(plain, account) == granted(rendered, account) != set()
    assert _essence(plain) == _essence(rendered)
    assert _settings(plain) == _settings(rendered)


def _settings(documents: Sequence[Document]) -> Settings:
    return Settings.from_environ(environ(documents), own_namespace="sealkit-system")


def _essence(documents: Sequence[Document]) -> Document:
    """Return what must be equal, without what Helm or its defaults only spell out."""
    pod = json.loads(json.dumps(pod_spec(documents)))
    pod["containers"][0].pop("env")
    pod["containers"][0].setdefault("imagePullPolicy", "IfNotPresent")
    for constraint in pod["topologySpreadConstraints"]:
        constraint["labelSelector"]["matchLabels"].pop("app.kubernetes.io/instance", None)
    budget = find(documents, "PodDisruptionBudget")["spec"]
    spec = find(documents, "Deployment")["spec"]
    return {
        "pod": pod,
        "deployment": {key: spec[key] for key in ("replicas", "strategy")},
        "service": find(documents, "Service", "sealkit-controller")["spec"]["ports"],
        "budget": budget["maxUnavailable"],
        "account": find(documents, "ServiceAccount")["automountServiceAccountToken"],
        "public": find(documents, "Role", "sealkit-public-keys")["rules"],
        "readers": find(documents, "RoleBinding", "sealkit-public-keys")["subjects"],
    }


def test_namespaced_mode_makes_no_cluster_roles(helm: Helm) -> None:
    for documents in (
        helm.render(*MATRIX["all-on-namespaced"]),
        parse((MANIFESTS / "namespaced.yaml").read_text()),
    ):
        kinds = {document["kind"] for document in documents}
        assert not {"ClusterRole", "ClusterRoleBinding"} & kinds
        assert "Role" in kinds


@pytest.mark.parametrize("values", ["all-on", "without-vault"])
def test_no_role_has_a_wildcard_or_a_way_up(helm: Helm, values: str) -> None:
    refused = {"*", "escalate", "bind", "impersonate", "serviceaccounts"}
    for document in helm.render(*MATRIX[values]):
        for rule in document.get("rules", []):
            words = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            assert not refused & {*words}


VAULT_RIGHTS = {
    ("vaultstores", "list"), ("vaultstores", "watch"), ("configmaps", "get"),
    ("serviceaccounts/token", "create"),
}  # fmt: skip
OF_THE_CLUSTER = {("clustervaultstores", "list"), ("clustervaultstores", "watch")}
RESTART_RIGHTS = {
    (kind, verb)
    for kind in ("deployments", "statefulsets", "daemonsets")
    for verb in ("list", "patch")
}


@pytest.mark.parametrize(
    ("switch", "values", "rights"),
    [
        ("vault", "defaults", VAULT_RIGHTS | OF_THE_CLUSTER),
        ("vault", "namespaced", VAULT_RIGHTS),
        ("rolloutRestart", "defaults", RESTART_RIGHTS),
        ("rolloutRestart", "namespaced", RESTART_RIGHTS),
    ],
)
def test_a_switch_grants_what_it_needs_and_nothing_else(
    helm: Helm, switch: str, values: str, rights: set[tuple[str, str]]
) -> None:
    off = ("--set", f"{switch}.enabled=false")
    account = "sealkit-controller"
    without = granted(helm.render(*MATRIX[values], *off), account)
    more = granted(helm.render(*MATRIX[values]), account) - without
    assert {(right.resource, right.verb) for right in more} == rights
    assert len({right.namespace for right in more}) == 1


@pytest.mark.parametrize(
    ("values", "mode"),
    [("defaults", "cluster"), ("namespaced", "namespaced"), ("without-vault", "off")],
)
def test_references_are_resolved_as_far_as_the_rights_go(
    helm: Helm, values: str, mode: str
) -> None:
    assert _settings(helm.render(*MATRIX[values])).vault == mode


def test_the_versions_are_those_of_the_program() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_only_several_replicas_need_leader_election(helm: Helm) -> None:
    alone = helm.render("--set", "replicas=1,settings.leaderElection=false")
    assert find(alone, "Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    assert not any(right.resource == "leases" for right in granted(alone, "sealkit-controller"))
    several = granted(helm.render(), "sealkit-controller")
    assert {r.verb for r in several if r.resource == "leases"} == {"create", "get", "patch"}


def test_an_image_digest_wins(helm: Helm) -> None:
    digest = "sha256:" + "a" * 64
    pod = pod_spec(helm.render("--set", f"image.digest={digest},image.tag=x"))
    assert pod["containers"][0]["image"] == f"sealkit-controller@{digest}"


def test_an_existing_account_must_be_named(helm: Helm) -> None:
    arguments = ("template", "sealkit", str(CHART), "--set", "serviceAccount.create=false")
    assert "serviceAccount.name is needed" in helm(*arguments, check=False).stderr


def test_the_network_policy_lets_through_no_more_than_it_says(helm: Helm) -> None:
    policy = find(helm.render(*MATRIX["all-on"]), "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert [[p["port"] for p in rule["ports"]] for rule in policy["ingress"]] == [
        ["public"],
        ["probes"],
    ]
    dns, api, vault = policy["egress"]
    assert {(p["protocol"], p["port"]) for p in dns["ports"]} == {("UDP", 53), ("TCP", 53)}
    assert [p["port"] for p in api["ports"]] == [6443]
    assert api["to"] == [{"ipBlock": {"cidr": "10.0.0.1/32"}}]
    assert [p["port"] for p in vault["ports"]] == [8200]
    assert [list(peer) for peer in vault["to"]] == [["namespaceSelector"]]
    closed = helm.render(*MATRIX["all-on"], "--set", "vault.enabled=false")
    assert find(closed, "NetworkPolicy")["spec"]["egress"] == [dns, api]
