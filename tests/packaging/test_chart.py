"""The Helm chart as stock helm renders it: strict, repeatable, restricted, one with plain YAML."""

import json
import re
from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from sealkit import __version__
from sealkit.errors import ConfigError
from sealkit_controller.settings import Settings
from tests.packaging.documents import (
    CONTROLLER,
    CRDS,
    MANIFESTS,
    Document,
    environ,
    find,
    parse,
    pod_spec,
)
from tests.packaging.helm import CHART, Helm
from tests.packaging.restricted import violations
from tests.packaging.rights import granted

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
ALL_ON = Path(__file__).with_name("all-on.yaml")
MINIMAL = Path(__file__).with_name("minimal.yaml")
MATRIX = {
    "defaults": (),
    "namespaced": ("--set", "watchNamespace=team-a"),
    "all-on": ("-f", str(ALL_ON)),
    "all-on-namespaced": ("-f", str(ALL_ON), "--set", "watchNamespace=team-a"),
    "minimal": ("-f", str(MINIMAL)),
}
# What each release has of its own, so that two of them do not get in each other's way.
NOT_OF_THE_RELEASE = {"sealedsecrets.sealkit.dev"}

matrix = pytest.mark.parametrize("values", MATRIX.values(), ids=MATRIX.keys())


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
    assert violations(pod_spec(helm.render(*values))) == []


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
    deployment = find(documents, "Deployment")["spec"]
    labels = deployment["template"]["metadata"]["labels"].items()
    selectors = [deployment["selector"]["matchLabels"]]
    selectors += [d["spec"]["selector"] for d in documents if d["kind"] == "Service"]
    selectors += [
        d["spec"]["podSelector"]["matchLabels"] for d in documents if d["kind"] == "NetworkPolicy"
    ]
    selectors += [
        d["spec"]["selector"]["matchLabels"]
        for d in documents
        if d["kind"] == "PodDisruptionBudget"
    ]
    assert all(selector.items() <= labels for selector in selectors)


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
    spec = find(documents, "Deployment")["spec"]
    return {
        "pod": pod,
        "deployment": {key: spec[key] for key in ("replicas", "strategy")},
        "service": find(documents, "Service", "sealkit-controller")["spec"]["ports"],
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


def test_no_role_has_a_wildcard_or_a_way_up(helm: Helm) -> None:
    for document in helm.render(*MATRIX["all-on"]):
        for rule in document.get("rules", []):
            words = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            assert not {"*", "escalate", "bind", "impersonate", "serviceaccounts/token"} & {*words}


def test_the_versions_are_those_of_the_program() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


@pytest.mark.parametrize("values", ["defaults", "all-on"])
def test_every_setting_reaches_the_program(helm: Helm, values: str) -> None:
    documents = helm.render(*MATRIX[values])
    given = environ(documents)
    assert given.keys() == {f"SEALKIT_{field.name.upper()}" for field in fields(Settings)}
    read = vars(Settings.from_environ(given))
    overrides = yaml.safe_load(ALL_ON.read_text())["settings"] if values == "all-on" else {}
    for name, value in {**VALUES["settings"], **overrides}.items():
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
        assert read[snake] == value


def test_the_default_settings_are_the_programs() -> None:
    program = {field.name: field.default for field in fields(Settings)}
    for name, value in VALUES["settings"].items():
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
        assert program[snake] == value


@pytest.mark.parametrize("name", [n for n, v in VALUES["settings"].items() if isinstance(v, int)])
def test_the_schema_has_the_programs_limits(name: str) -> None:
    rule = SCHEMA["properties"]["settings"]["properties"][name]
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    variable = f"SEALKIT_{snake.upper()}"
    for good in (rule["minimum"], rule["maximum"]):
        Settings.from_environ({variable: str(good)})
    bounds = [rule["maximum"] + 1]
    if not name.endswith("Port"):  # 0 means any free port, which no Service would find
        bounds.append(rule["minimum"] - 1)
    for bad in bounds:
        with pytest.raises(ConfigError):
            Settings.from_environ({variable: str(bad)})


def test_ports_and_grace_follow_the_settings(helm: Helm) -> None:
    pod = pod_spec(helm.render(*MATRIX["all-on"]))
    settings = yaml.safe_load(ALL_ON.read_text())["settings"]
    ports = {port["name"]: port["containerPort"] for port in pod["containers"][0]["ports"]}
    assert ports == {"public": settings["publicPort"], "probes": settings["probePort"]}
    assert pod["terminationGracePeriodSeconds"] > settings["shutdownSeconds"]


@pytest.mark.parametrize("manifest", sorted(MANIFESTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_variables_of_services_do_not_stop_the_program(manifest: Path) -> None:
    """A Service named sealkit-controller gives each pod SEALKIT_CONTROLLER_SERVICE_HOST."""
    with pytest.raises(ConfigError):
        Settings.from_environ({"SEALKIT_CONTROLLER_SERVICE_HOST": "10.0.0.1"})
    assert pod_spec(parse(manifest.read_text()))["enableServiceLinks"] is False


@pytest.mark.parametrize(
    "typo",
    [
        "replica=1",
        "replicas=two",
        "replicas=-1",
        "image.tagg=x",
        "image.digest=sha256:1",
        "settings.worker=1",
        "settings.workers=0",
        "settings.workers=many",
        "settings.logLevel=loud",
        "settings.clusterName=Prod",
        "crds.keep=perhaps",
        "watchNamespace=Team_A",
        "networkPolicy.apiServer.cidrs={everywhere}",
        "networkPolicy.apiServer.ports={0}",
        "metrics.serviceMonitor.interval=often",
        "service.port=0",
        "podLabels.a.b=c",
    ],
)
def test_the_schema_refuses(helm: Helm, typo: str) -> None:
    done = helm("template", "sealkit", str(CHART), "--set", typo, check=False)
    assert done.returncode != 0
    assert "don't meet the specifications of the schema" in done.stderr
    assert typo.split("=", maxsplit=1)[0].split(".", maxsplit=1)[0] in done.stderr


def test_the_schema_knows_every_value_and_no_other() -> None:
    assert _names(SCHEMA) - {"global"} == _keys(VALUES)


def _names(schema: Document, path: str = "") -> set[str]:
    names = set()
    for name, rule in schema.get("properties", {}).items():
        assert rule.get("type") != "object" or "additionalProperties" in rule or name in _FREE
        names |= {f"{path}{name}"} | _names(rule, f"{path}{name}.")
    return names


def _keys(values: Document, path: str = "") -> set[str]:
    keys = set()
    for name, value in values.items():
        keys.add(f"{path}{name}")
        if isinstance(value, dict) and f"{path}{name}" not in _OPEN:
            keys |= _keys(value, f"{path}{name}.")
    return keys


_FREE = {"global", "affinity", "requests", "limits"}  # the API server knows what may be in there
_OPEN = {"resources.requests", "resources.limits", "metrics.dashboard.labels"}


def test_every_value_has_a_comment() -> None:
    lines = (CHART / "values.yaml").read_text().splitlines()
    bare = {
        line.split(":")[0].strip()
        for before, line in pairwise(lines)
        if re.match(r" *\w+: *\S", line) and not before.lstrip().startswith("#")
    }
    assert bare == {"cpu", "memory", "grafana_dashboard"}


@pytest.mark.parametrize("crd", CRDS, ids=lambda path: path.stem)
def test_the_charts_crd_is_the_one_crd(crd: Path) -> None:
    """A copy and no link: Flux leaves links out of what it fetches."""
    copy = CHART / "files" / "crds" / crd.name
    assert copy.read_bytes() == crd.read_bytes(), f"cp {crd.relative_to(CONTROLLER.parent)} {copy}"


def test_the_rendered_crd_is_the_one_crd_but_for_labels(helm: Helm) -> None:
    for file in CRDS:
        crd = yaml.safe_load(file.read_text())
        rendered = find(helm.render(), crd["kind"], crd["metadata"]["name"])
        assert rendered["spec"] == crd["spec"]
        assert rendered["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_crds_can_be_left_out(helm: Helm) -> None:
    kinds = {d["kind"] for d in helm.render("--set", "crds.install=false")}
    assert "CustomResourceDefinition" not in kinds


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
    dns, api = policy["egress"]
    assert {(p["protocol"], p["port"]) for p in dns["ports"]} == {("UDP", 53), ("TCP", 53)}
    assert [p["port"] for p in api["ports"]] == [6443]
    assert api["to"] == [{"ipBlock": {"cidr": "10.0.0.1/32"}}]
