"""The chart's values against their schema and the settings that the program reads."""

import json
import re
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from sealkit.errors import ConfigError
from sealkit_controller.settings import Settings
from tests.packaging.documents import MANIFESTS, Document, environ, parse, pod_spec
from tests.packaging.helm import CHART, Helm
from tests.packaging.matrix import ALL_ON, MATRIX

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())


def snake(name: str) -> str:
    """Return the program's name of a setting."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


@pytest.mark.parametrize("values", ["defaults", "all-on"])
def test_every_setting_reaches_the_program(helm: Helm, values: str) -> None:
    documents = helm.render(*MATRIX[values])
    given = environ(documents)
    assert given.keys() == {f"SEALKIT_{field.name.upper()}" for field in fields(Settings)}
    read = vars(Settings.from_environ(given))
    overrides = yaml.safe_load(ALL_ON.read_text())["settings"] if values == "all-on" else {}
    for name, value in {**VALUES["settings"], **overrides}.items():
        assert read[snake(name)] == value


def test_the_default_settings_are_the_programs() -> None:
    program = {field.name: field.default for field in fields(Settings)}
    different = {n: v for n, v in VALUES["settings"].items() if program[snake(n)] != v}
    assert different == {"leaderElection": True}  # there are two replicas


@pytest.mark.parametrize("name", [n for n, v in VALUES["settings"].items() if type(v) is int])
def test_the_schema_has_the_programs_limits(name: str) -> None:
    rule = SCHEMA["properties"]["settings"]["properties"][name]
    variable = f"SEALKIT_{snake(name).upper()}"
    for good in (rule["minimum"], rule["maximum"]):
        Settings.from_environ({variable: str(good)})
    bounds = [rule["maximum"] + 1]
    if not name.endswith("Port"):  # 0 means any free port, which no Service would find
        bounds.append(rule["minimum"] - 1)
    for bad in bounds:
        with pytest.raises(ConfigError):
            Settings.from_environ({variable: str(bad)})


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("https://vault.vault:8200", True),
        ("http://*.example.com", True),
        ("https://10.0.0.1", True),
        ("https://[fd00::1]:8200", True),
        ("https://*", False),
        ("https://user@vault.example", False),
        ("https://vault.example,https://other.example", False),
        ("vault.example", False),
        ("ftp://vault.example", False),
    ],
)
def test_the_schema_and_the_program_agree_on_addresses(address: str, *, is_one: bool) -> None:
    pattern = SCHEMA["properties"]["vault"]["properties"]["addresses"]["items"]["pattern"]
    assert bool(re.search(pattern, address)) == is_one
    if "," not in address:
        assert _is_setting("SEALKIT_VAULT_ADDRESSES", address) == is_one


def _is_setting(name: str, value: str) -> bool:
    try:
        Settings.from_environ({name: value})
    except ConfigError:
        return False
    return True


def test_the_addresses_reach_the_program(helm: Helm) -> None:
    read = Settings.from_environ(environ(helm.render(*MATRIX["all-on"])))
    listed = yaml.safe_load(ALL_ON.read_text())["vault"]["addresses"]
    assert read.vault_addresses == tuple(sorted(listed))


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
        "settings.leaderElection=false",
        "settings.leaderElection=maybe",
        "image.tagg=x",
        "image.digest=sha256:1",
        "settings.worker=1",
        "settings.workers=0",
        "settings.workers=many",
        "settings.logLevel=loud",
        "settings.clusterName=Prod",
        "crds.keep=perhaps",
        "watchNamespaces={Team_A}",
        "watchNamespaces=team-a",
        "shards=0",
        "vault=true",
        "vault.addresses=https://vault.example",
        "vault.addresses={vault.example}",
        "vault.addresses={https://vault.example/v1}",
        "rolloutRestart.enable=false",
        "networkPolicy.vault.to={vault}",
        "networkPolicy.vault.ports={}",
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
