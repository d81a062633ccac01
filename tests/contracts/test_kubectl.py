"""Stock kubectl against both servers, without flags that would not be typed."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.kubectl import Kubectl
from tests.contracts.client import GROUP, Client

LONG_SECONDS = 60
WIDGET = f"""\
apiVersion: {GROUP}/v1
kind: Widget
metadata:
  name: a
spec:
  size: 3
  parts:
  - name: x
"""


class Shell:
    """`kubectl` in one namespace, with the test's own kubeconfig and home directory."""

    def __init__(self, binary: Path, api: Client, home: Path) -> None:
        kubeconfig = api.server.write_kubeconfig(home / "kubeconfig")
        self._binary = binary
        self._namespace = api.namespace
        self._environment = {
            "KUBECONFIG": str(kubeconfig),
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
        }
        self.home = home

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command and return what came of it, whatever it was."""
        environment = self._environment | options.pop("environment", {})
        command = [str(self._binary), "-n", self._namespace, *arguments]
        return subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONG_SECONDS,
            check=False,
            **options,
        )

    def __call__(self, *arguments: str, **options: Any) -> str:
        """Run a command that works and return what it prints."""
        result = self.run(*arguments, **options)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command that goes on."""
        command = [str(self._binary), "-n", self._namespace, *arguments]
        return subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def shell(kubectl: Kubectl, api: Client, tmp_path: Path) -> Shell:
    return Shell(kubectl.binary, api, tmp_path)


def test_a_secret_is_created_and_read(shell: Shell) -> None:
    created = shell("create", "secret", "generic", "db", "--from-literal=user=admin")
    assert created == "secret/db created\n"
    assert shell("get", "secret", "db", "-o", "jsonpath={.data.user}") == "YWRtaW4="
    header, row = shell("get", "secrets", "db").splitlines()
    assert header.split() == ["NAME", "TYPE", "DATA", "AGE"]
    assert row.split()[:3] == ["db", "Opaque", "1"]
    assert yaml.safe_load(shell("get", "secret", "db", "-o", "yaml"))["data"] == {
        "user": "YWRtaW4="
    }
    assert json.loads(shell("get", "secret", "db", "-o", "json"))["type"] == "Opaque"
    assert "user:  5 bytes" in shell("describe", "secret", "db")


def test_what_is_not_there_is_told(shell: Shell) -> None:
    result = shell.run("get", "secret", "nope")
    assert (result.returncode, result.stderr) == (
        1,
        'Error from server (NotFound): secrets "nope" not found\n',
    )
    assert shell.run("get", "secrets").stderr.startswith("No resources found in ")


def test_a_name_that_is_taken_is_told(shell: Shell) -> None:
    shell("create", "secret", "generic", "db")
    result = shell.run("create", "secret", "generic", "db")
    assert result.stderr == 'error: failed to create secret secrets "db" already exists\n'


def test_client_side_apply_creates_changes_and_prunes(shell: Shell) -> None:
    def apply(**data: str) -> str:
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}}
        return shell("apply", "-f", "-", input=json.dumps(body | {"data": data}))

    assert apply(a="YQ==", b="YQ==") == "secret/db created\n"
    assert apply(a="YQ==", b="YQ==") == "secret/db unchanged\n"
    assert apply(a="Yg==") == "secret/db configured\n"
    assert json.loads(shell("get", "secret", "db", "-o", "jsonpath={.data}")) == {"a": "Yg=="}


def test_a_list_is_applied_as_get_prints_it(shell: Shell) -> None:
    shell("create", "configmap", "a", "--from-literal=k=v")
    printed = shell("get", "configmaps", "-o", "yaml", "--field-selector=metadata.name=a")
    assert yaml.safe_load(printed)["kind"] == "List"
    shell("delete", "configmap", "a")
    assert shell("apply", "-f", "-", input=printed) == "configmap/a created\n"


def test_client_side_apply_of_a_custom_resource(shell: Shell) -> None:
    plain = WIDGET.partition("  parts:")[0]
    assert shell("apply", "-f", "-", input=plain).endswith(" created\n")
    assert shell("apply", "-f", "-", input=plain).endswith(" unchanged\n")
    changed = plain.replace("size: 3", "size: 4")
    assert shell("apply", "-f", "-", input=changed).endswith(" configured\n")
    assert shell("get", "widget", "a", "-o", "jsonpath={.spec.size}") == "4"


def test_server_side_apply_and_its_conflict(shell: Shell) -> None:
    assert shell("apply", "--server-side", "-f", "-", input=WIDGET).endswith(
        " serverside-applied\n"
    )
    other = WIDGET.replace("size: 3", "size: 5")
    command = ("apply", "--server-side", "--field-manager=other", "-f", "-")
    result = shell.run(*command, input=other)
    assert result.returncode == 1
    assert 'conflict with "kubectl": .spec.size' in result.stderr
    shell(*command, "--force-conflicts", input=other)
    assert shell("get", "widget", "a", "-o", "jsonpath={.spec.size}") == "5"


def test_unknown_fields_are_refused_before_anything_is_written(shell: Shell) -> None:
    result = shell.run("apply", "-f", "-", input=WIDGET + "  typo: 1\n")
    assert result.returncode == 1
    assert 'strict decoding error: unknown field "spec.typo"' in result.stderr
    assert shell.run("get", "widget", "a").returncode == 1


def test_a_broken_rule_is_told(shell: Shell) -> None:
    result = shell.run("create", "-f", "-", input=WIDGET.replace("size: 3", "size: 0"))
    assert 'The Widget "a" is invalid: spec.size: Invalid value: 0' in result.stderr


def test_columns_of_the_crd_are_printed(shell: Shell) -> None:
    shell("apply", "-f", "-", input=WIDGET)
    narrow = shell("get", "widgets").splitlines()
    wide = shell("get", "wd", "-o", "wide").splitlines()
    assert narrow[0].split() == ["NAME", "SIZE", "READY", "AGE"]
    assert wide[0].split() == ["NAME", "SIZE", "READY", "COLOUR", "AGE"]
    assert wide[1].split()[:3] == ["a", "3", "red"]
    assert shell("get", "contracts").splitlines()[1].split()[0] == "a"


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("strategic", '{"stringData": {"k": "v"}}'),
        ("merge", '{"data": {"k": "dg=="}}'),
        ("json", '[{"op": "add", "path": "/data", "value": {"k": "dg=="}}]'),
    ],
)
def test_patches(shell: Shell, kind: str, patch: str) -> None:
    shell("create", "secret", "generic", "db")
    shell("patch", "secret", "db", "--type", kind, "-p", patch)
    assert shell("get", "secret", "db", "-o", "jsonpath={.data.k}") == "dg=="


def test_the_status_can_be_patched(shell: Shell) -> None:
    shell("apply", "-f", "-", input=WIDGET)
    status = '{"status": {"conditions": [{"type": "Ready", "status": "True"}]}}'
    shell("patch", "widget", "a", "--subresource=status", "--type=merge", "-p", status)
    assert shell("get", "widget", "a").splitlines()[1].split()[2] == "True"


def test_labels_and_annotations(shell: Shell) -> None:
    shell("create", "secret", "generic", "db")
    shell("label", "secret", "db", "part=one")
    shell("annotate", "secret", "db", "example.com/note=x")
    assert shell("get", "secrets", "-l", "part=one", "-o", "name") == "secret/db\n"
    shell("label", "secret", "db", "part-")
    assert shell("get", "secrets", "-l", "part", "-o", "name") == ""
    path = r"jsonpath={.metadata.annotations.example\.com/note}"
    assert shell("get", "secret", "db", "-o", path) == "x"


def test_an_editor_changes_an_object(shell: Shell) -> None:
    shell("create", "configmap", "c", "--from-literal=key=before")
    editor = shell.home / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/before/after/" "$1"\n')
    editor.chmod(0o700)
    assert "edited" in shell("edit", "cm", "c", environment={"EDITOR": str(editor)})
    assert shell("get", "cm", "c", "-o", "jsonpath={.data.key}") == "after"


def test_delete_waits_until_the_object_is_gone(shell: Shell) -> None:
    shell("create", "secret", "generic", "db")
    assert shell("delete", "secret", "db").startswith('secret "db" deleted')
    assert shell.run("delete", "secret", "db").returncode == 1
    assert shell("delete", "secret", "db", "--ignore-not-found") == ""


def test_everything_of_a_kind_is_deleted(shell: Shell) -> None:
    for name in "ab":
        shell("create", "secret", "generic", name)
    shell("delete", "secrets", "--all")
    assert shell("get", "secrets", "-o", "name") == ""


def test_replace_and_diff(shell: Shell) -> None:
    shell("create", "-f", "-", input=WIDGET)
    other = WIDGET.replace("size: 3", "size: 9")
    difference = shell.run("diff", "-f", "-", input=other)
    assert (difference.returncode, "size: 9" in difference.stdout) == (1, True)
    shell("replace", "-f", "-", input=other)
    assert shell.run("diff", "-f", "-", input=other).returncode == 0


def test_wait_for_a_condition_a_value_and_the_end(shell: Shell) -> None:
    shell("apply", "-f", "-", input=WIDGET)
    conditions = [{"type": "Ready", "status": "True"}]
    status = json.dumps({"status": {"observedGeneration": 1, "conditions": conditions}})
    with shell.start("wait", "widget/a", "--for=condition=Ready", "--timeout=30s") as waiting:
        shell("patch", "widget", "a", "--subresource=status", "--type=merge", "-p", status)
        assert waiting.wait(LONG_SECONDS) == 0
    shell("wait", "widget/a", "--for=jsonpath={.spec.size}=3", "--timeout=30s")
    with shell.start("wait", "widget/a", "--for=delete", "--timeout=30s") as waiting:
        shell("delete", "widget", "a")
        assert waiting.wait(LONG_SECONDS) == 0


@pytest.fixture
def watching(shell: Shell) -> "Iterator[subprocess.Popen[str]]":
    with shell.start("get", "secrets", "-w", "-o", "name") as process:
        yield process
        process.terminate()


def test_a_watch_prints_changes(shell: Shell, watching: "subprocess.Popen[str]") -> None:
    shell("create", "secret", "generic", "db")
    assert watching.stdout is not None
    assert watching.stdout.readline() == "secret/db\n"


def test_namespaces_are_created_and_deleted(shell: Shell, api: Client) -> None:
    name = f"{api.namespace}-b"
    shell("create", "namespace", name)
    shell("create", "secret", "generic", "db", "-n", name)
    assert "Active" in shell("get", "ns", name)
    shell("delete", "ns", name)
    assert shell.run("get", "ns", name).returncode == 1


def test_resources_are_listed(shell: Shell) -> None:
    lines = shell("api-resources", "--no-headers").splitlines()
    rows = {line.split()[0]: line.split() for line in lines}
    assert rows["widgets"] == ["widgets", "wd", f"{GROUP}/v1", "true", "Widget"]
    assert rows["secrets"] == ["secrets", "v1", "true", "Secret"]
    assert f"{GROUP}/v1" in shell("api-versions").splitlines()


def test_fields_are_explained(shell: Shell) -> None:
    assert "ENUM:\n    red\n    blue" in shell("explain", "widget.spec.colour")
    assert "stringData" in shell("explain", "secret")


def test_a_user_learns_who_it_is_and_what_it_may_do(shell: Shell) -> None:
    assert "system:masters" in shell("auth", "whoami")
    assert shell("auth", "can-i", "create", "secrets") == "yes\n"


def test_an_account_gets_a_token(shell: Shell) -> None:
    assert shell("create", "serviceaccount", "robot") == "serviceaccount/robot created\n"
    token = shell("create", "token", "robot", "--audience=vault", "--duration=10m")
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
    asked = json.dumps(review | {"spec": {"token": token, "audiences": ["vault"]}})
    status = json.loads(shell("create", "-o", "json", "-f", "-", input=asked))["status"]
    assert status["user"]["username"].endswith(":robot")
    assert shell("delete", "serviceaccount", "robot").startswith('serviceaccount "robot" deleted')


def test_an_account_can_ask_who_it_is(shell: Shell) -> None:
    shell("create", "serviceaccount", "robot")
    token = shell("create", "token", "robot")
    environment = {"KUBECONFIG": str(kubeconfig_of(shell, token))}
    assert ":robot" in shell("auth", "whoami", environment=environment)


def kubeconfig_of(shell: Shell, token: str) -> Path:
    document = yaml.safe_load((shell.home / "kubeconfig").read_text())
    document["users"][0]["user"]["token"] = token
    path = shell.home / "robot"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nope",), 'serviceaccounts "nope" not found'),
        (("robot", "--duration=9m"), "may not specify a duration less than 10 minutes"),
    ],
)
def test_why_there_is_no_token_is_told(shell: Shell, arguments: tuple[str, ...], told: str) -> None:
    shell("create", "serviceaccount", "robot")
    result = shell.run("create", "token", *arguments)
    assert (result.returncode, told in result.stderr) == (1, True)


def test_versions_are_printed(shell: Shell) -> None:
    assert "Server Version: v1.36." in shell("version")
    assert shell("cluster-info").startswith("Kubernetes control plane")


def test_an_installation_can_be_applied(shell: Shell, api: Client) -> None:
    account = ("create", "--dry-run=client", "-o", "yaml")
    documents = [
        shell(*account, "serviceaccount", "robot"),
        shell(*account, "role", "robot", "--verb=get", "--resource=secrets"),
        shell(*account, "rolebinding", "robot", "--role=robot", "--serviceaccount=default:robot"),
        shell(*account, "deployment", "robot", "--image=example.com/robot"),
    ]
    text = "---\n".join(documents)
    assert shell("apply", "-f", "-", input=text).count("created") == 4
    assert shell("apply", "-f", "-", input=text).count("unchanged") == 4
    changed = text.replace("example.com/robot", "example.com/robot:2")
    assert "deployment.apps/robot configured" in shell("apply", "-f", "-", input=changed)
    path = "jsonpath={.spec.template.spec.containers[0].image}"
    assert shell("get", "deployment", "robot", "-o", path) == "example.com/robot:2"
