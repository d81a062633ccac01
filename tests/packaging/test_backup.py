"""The backup of the keys as a CronJob: its rights, and its container run as that account."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
import yaml
from pyrage import x25519  # type: ignore[import-untyped]  # has no annotations

from sealkit.agefile import unlock
from sealkit.crypto.x1 import PrivateKey
from sealkit.keypair import KeyPair, KeyState
from sealkit.keystore import parse_private_keys
from sealkit.sensitive import Sensitive
from sealkit_controller.sandbox import Sandbox
from tests.apiserver import ApiServer
from tests.cluster.kubectl import Kubectl
from tests.packaging.documents import MANIFESTS, parse, pod_spec
from tests.packaging.image import USER, Image

TEXT: Final = (MANIFESTS / "backup.yaml").read_text()
CONTAINER: Final = pod_spec(parse(TEXT))["containers"][0]
NAMESPACE: Final = "backed-up"
KEY: Final = PrivateKey(Sensitive(bytes([7]) * 32))
IDENTITY: Final = x25519.Identity.generate()
ACCOUNT: Final = Path("var/run/secrets/kubernetes.io/serviceaccount")


def test_it_runs_the_image_of_the_controller() -> None:
    controller = pod_spec(parse((MANIFESTS / "install.yaml").read_text()))
    assert CONTAINER["image"] == controller["containers"][0]["image"]


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.cluster)])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ApiServer]:
    if request.param == "real":
        yield request.getfixturevalue("control_plane")
        return
    with Sandbox() as sandbox:
        (tmp_path / "ca.pem").write_bytes(sandbox.ca_pem)
        yield ApiServer(sandbox.url, sandbox.admin_token, tmp_path / "ca.pem")


@dataclass(frozen=True)
class Installed:
    """The manifests in a namespace that has a key, and the image with what the kubelet mounts."""

    server: ApiServer
    kubectl: Kubectl
    image: Image

    def __post_init__(self) -> None:
        key = KeyPair(KEY, KeyState.ACTIVE, datetime(2026, 1, 1, tzinfo=UTC))
        self.apply(yaml.safe_dump(key.to_secret("sealkit-key-1", NAMESPACE)))
        kinds = ("ServiceAccount", "Role", "RoleBinding")
        here = parse(TEXT.replace("sealkit-system", NAMESPACE))
        self.apply(yaml.safe_dump_all(one for one in here if one["kind"] in kinds))
        self.mount("recipients/backup.pub", f"{IDENTITY.to_public()}\n")
        self.mount(f"{ACCOUNT}/ca.crt", self.server.ca_file.read_text())
        token = self.kubectl(self.server, "create", "token", "sealkit-backup", "-n", NAMESPACE)
        self.mount(f"{ACCOUNT}/token", token.stdout.strip())
        self.backups.mkdir(exist_ok=True)
        os.chown(self.backups, USER, USER)

    def apply(self, text: str) -> None:
        self.kubectl(self.server, "apply", "-f", "-", stdin=text)

    def mount(self, path: str, content: str) -> None:
        place = self.image.rootfs / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)

    @property
    def backups(self) -> Path:
        return self.image.rootfs / "backups"

    def run(self) -> str:
        """Run the container once; return what it said."""
        assert CONTAINER["command"] == ["/opt/sealkit/bin/python", "-m", "sealkit"]
        arguments = [one.replace("sealkit-system", NAMESPACE) for one in CONTAINER["args"]]
        where = {"HOST": self.server.host, "PORT": str(self.server.port)}
        environment = {f"KUBERNETES_SERVICE_{name}": text for name, text in where.items()}
        done = self.image.run("sealkit", *arguments, environment=environment)
        assert done.returncode == 0, done.stderr
        return done.stderr


@pytest.fixture
def installed(server: ApiServer, kubectl: Kubectl, image: Image) -> Iterator[Installed]:
    if os.geteuid() != 0:
        pytest.skip("only root may enter the image's files")
    kubectl(server, "create", "namespace", NAMESPACE)
    yield Installed(server, kubectl, image)
    for mounted in ("recipients", "backups", "var"):
        shutil.rmtree(image.rootfs / mounted)
    kubectl(server, "delete", "namespace", NAMESPACE)


def test_it_writes_what_is_new_and_only_the_identity_opens_it(installed: Installed) -> None:
    said = installed.run()
    assert said.startswith(f"backed up 1 key of {NAMESPACE} to /backups/keys-2026-01-01-")
    (file,) = installed.backups.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    content = unlock(file.read_bytes(), [Sensitive(str(IDENTITY).encode())])
    assert parse_private_keys(content.reveal(), "").keys() == {KEY.kid}
    assert installed.run() == f"nothing new since /backups/{file.name}\n"


@pytest.mark.cluster
def test_it_may_list_secrets_there_and_nothing_else(
    control_plane: ApiServer, kubectl: Kubectl
) -> None:
    whole = TEXT.replace("sealkit-system", "rights-of-backup")
    kubectl(control_plane, "create", "namespace", "rights-of-backup")
    kubectl(control_plane, "apply", "-f", "-", stdin=whole)  # the CronJob as well
    account = "--as=system:serviceaccount:rights-of-backup:sealkit-backup"

    def may(verb: str, what: str, *namespace: str) -> bool:
        command = ("auth", "can-i", verb, what, account, *namespace)
        return kubectl(control_plane, *command, check=False).returncode == 0

    assert may("list", "secrets", "-n", "rights-of-backup")
    for verb in ("get", "watch", "create", "update", "patch", "delete"):
        assert not may(verb, "secrets", "-n", "rights-of-backup"), verb
    assert not may("list", "secrets", "-n", "default")
    assert not may("list", "configmaps", "-n", "rights-of-backup")
    kubectl(control_plane, "delete", "namespace", "rights-of-backup", "--wait=false")
