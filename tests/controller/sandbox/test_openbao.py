"""A real OpenBao lets ServiceAccounts of the sandbox in, by both methods that know them."""

import os
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sealkit_controller.sandbox import Sandbox
from tests.apiserver import ApiServer
from tests.cluster.kubectl import find_kubectl
from tests.console import shell, steps
from tests.contracts.client import Client, account
from tests.contracts.test_tokens import ALTERATIONS, BINDINGS, altered, ask_token, role
from tests.fakes.vault_admin import ROOT_TOKEN, Admin, Said
from tests.fakes.vault_certificates import Authority
from tests.fakes.vault_server import NO_BAO, find_bao, require_bao, running

README = Path("controller/sealkit_controller/sandbox/README.md")
AUDIENCE = "vault"
ACCOUNTS = "serviceaccounts"


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Admin]:
    """The administrator of an OpenBao."""
    binary = require_bao()
    folder = tmp_path_factory.mktemp("openbao")
    with running(binary, folder, Authority("sandbox tests")) as server:
        yield server.admin


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The administrator of a sandbox, in its namespace `default`."""
    ca_file = tmp_path_factory.mktemp("sandbox") / "ca.pem"
    with Sandbox() as sandbox:
        ca_file.write_bytes(sandbox.ca_pem)
        yield Client(ApiServer(sandbox.url, sandbox.admin_token, ca_file), "default")


@dataclass(frozen=True)
class Method:
    """An auth method with one role, and a cluster with the account that the role is for."""

    vault: Admin
    cluster: Client
    mount: str

    def token(self, *audiences: str, name: str = "robot") -> str:
        """Return a token of an account, for Vault unless told otherwise."""
        reply = ask_token(self.cluster, {"audiences": audiences or [AUDIENCE]}, name).ok()
        return str(reply.json["status"]["token"])

    def configure(self, **settings: Any) -> None:
        self.vault.do("POST", f"auth/{self.mount}/config", settings)

    def make_role(self, **settings: Any) -> None:
        common = {"token_policies": ["default"], "token_ttl": "10m"}
        self.vault.do("POST", f"auth/{self.mount}/role/robot", common | settings)

    def login(self, token: str) -> Said:
        body = {"role": "robot", "jwt": token}
        return self.vault.ask("POST", f"auth/{self.mount}/login", body)


def make_method(vault: Admin, cluster: Client, kind: str) -> Method:
    """Enable a method for an account `robot` in a namespace of its own."""
    name = f"{kind}-{uuid.uuid4().hex[:8]}"
    namespaced = replace(cluster, namespace=name)
    cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}}).ok()
    namespaced.create(ACCOUNTS, account("robot")).ok()
    vault.enable(name, kind)
    return Method(vault, namespaced, name)


def certificate(method: Method) -> str:
    return method.cluster.server.ca_file.read_text()


@pytest.fixture
def unreviewed(vault: Admin, cluster: Client) -> Method:
    """The method `kubernetes`, in which every account is its own reviewer."""
    method = make_method(vault, cluster, "kubernetes")
    method.make_role(
        bound_service_account_names=["robot"],
        bound_service_account_namespaces=[method.cluster.namespace],
        audience=AUDIENCE,
    )
    method.configure(
        kubernetes_host=cluster.server.url,
        kubernetes_ca_cert=certificate(method),
        disable_local_ca_jwt=True,
    )
    return method


@pytest.fixture
def kubernetes(unreviewed: Method) -> Method:
    """The method `kubernetes`, with an account `reviewer` that asks the cluster."""
    unreviewed.cluster.create(ACCOUNTS, account("reviewer")).ok()
    unreviewed.configure(
        kubernetes_host=unreviewed.cluster.server.url,
        kubernetes_ca_cert=certificate(unreviewed),
        disable_local_ca_jwt=True,
        token_reviewer_jwt=unreviewed.token(unreviewed.cluster.server.url, name="reviewer"),
    )
    return unreviewed


def test_an_account_logs_in(kubernetes: Method) -> None:
    said = kubernetes.login(kubernetes.token())
    assert said.status == 200, said
    metadata = said.body["auth"]["metadata"]
    assert metadata["service_account_name"] == "robot"
    assert metadata["service_account_namespace"] == kubernetes.cluster.namespace
    robot = kubernetes.cluster.get(ACCOUNTS, "robot").json["metadata"]
    assert metadata["service_account_uid"] == robot["uid"]
    token = said.body["auth"]["client_token"]
    assert kubernetes.vault.ask("POST", "auth/token/lookup", {"token": token}).status == 200


@pytest.mark.parametrize("how", ALTERATIONS)
def test_an_altered_token_does_not_log_in(kubernetes: Method, how: str) -> None:
    assert kubernetes.login(altered(kubernetes.token(), how)).status == 403


def test_a_token_for_others_does_not_log_in(kubernetes: Method) -> None:
    assert kubernetes.login(kubernetes.token("other")).status == 403


def test_another_account_does_not_log_in(kubernetes: Method) -> None:
    assert kubernetes.login(kubernetes.token(name="reviewer")).status == 403


def test_an_account_that_is_gone_does_not_log_in(kubernetes: Method) -> None:
    token = kubernetes.token()
    assert kubernetes.login(token).status == 200
    kubernetes.cluster.delete(ACCOUNTS, "robot").ok()
    assert kubernetes.login(token).status == 403
    kubernetes.cluster.create(ACCOUNTS, account("robot")).ok()
    assert kubernetes.login(token).status == 403
    assert kubernetes.login(kubernetes.token()).status == 200


def test_nobody_logs_in_without_the_reviewer(kubernetes: Method) -> None:
    token = kubernetes.token()
    kubernetes.cluster.delete(ACCOUNTS, "reviewer").ok()
    assert kubernetes.login(token).status == 403


def test_an_account_can_be_its_own_reviewer(unreviewed: Method) -> None:
    server = unreviewed.cluster.server.url
    assert unreviewed.login(unreviewed.token(AUDIENCE, server)).status == 200
    assert unreviewed.login(unreviewed.token(AUDIENCE)).status == 403


def open_issuer(cluster: Client) -> None:
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group"}
    subject["name"] = "system:unauthenticated"
    binding = {
        "metadata": {"name": cluster.namespace},
        "roleRef": role("system:service-account-issuer-discovery"),
        "subjects": [subject],
    }
    cluster.request("POST", BINDINGS, binding).ok()


def test_an_account_logs_in_by_the_published_keys(vault: Admin, cluster: Client) -> None:
    method = make_method(vault, cluster, "jwt")
    server = cluster.server.url
    settings = {"oidc_discovery_url": server, "oidc_discovery_ca_pem": certificate(method)}
    closed = vault.ask("POST", f"auth/{method.mount}/config", settings)
    assert closed.status == 400, closed
    open_issuer(method.cluster)
    method.configure(**settings)
    method.make_role(
        role_type="jwt",
        user_claim="sub",
        bound_audiences=[AUDIENCE],
        bound_subject=f"system:serviceaccount:{method.cluster.namespace}:robot",
    )
    method.cluster.create(ACCOUNTS, account("other")).ok()
    assert method.login(method.token()).status == 200
    assert method.login(method.token("other")).status == 400
    assert method.login(method.token(name="other")).status == 400
    assert method.login(altered(method.token(), "signature")).status == 400


@pytest.fixture
def environment(vault: Admin, sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """What the commands of the README find: both programs, and both servers."""
    bao = find_bao()
    if bao is None or find_kubectl() is None:
        pytest.skip(NO_BAO)
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(sandbox.kubeconfig())
    folders = (str(Path(sys.executable).parent), str(bao.parent), os.environ["PATH"])
    return {
        "PATH": os.pathsep.join(folders),
        "HOME": str(tmp_path),
        "KUBECONFIG": str(kubeconfig),
        "BAO_ADDR": vault.address,
        "BAO_TOKEN": ROOT_TOKEN,
    }


def test_the_commands_of_the_readme_work(environment: dict[str, str], tmp_path: Path) -> None:
    commands = steps(README.read_text(encoding="utf-8"))
    assert commands
    with shell(tmp_path, environment) as session:
        for step in commands:
            assert step.complaint(*session.run(f"set -o pipefail; {step.command}")) == ""
