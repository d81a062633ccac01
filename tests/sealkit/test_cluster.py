"""Which cluster is asked where no kubeconfig says it; the rest is in the tests of the verbs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from kubernetes.config import incluster_config, kube_config

from sealkit.cluster import Place, sealed_secrets
from sealkit.errors import ConfigError
from sealkit_controller.objects import SEALED_SECRETS
from sealkit_controller.sandbox import Sandbox
from tests.faults.hand import Hand
from tests.sealkit.samples import a_manifest


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What a pod finds: no kubeconfig, the files of its account, and where the API server is."""
    with Sandbox() as box:
        box.install_crds()
        hand = Hand(box)
        hand.namespace("shop")
        hand.apply(SEALED_SECRETS, a_manifest().to_dict(), ("shop", "db"))
        (tmp_path / "token").write_text(box.admin_token)
        (tmp_path / "ca.crt").write_bytes(box.ca_pem)
        monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
        monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
        monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
        url = urlsplit(box.url)
        for name, text in (("HOST", url.hostname), ("PORT", url.port)):
            monkeypatch.setenv(f"KUBERNETES_SERVICE_{name}", str(text))
        yield tmp_path


@pytest.mark.usefixtures("pod")
def test_a_pod_asks_its_own_cluster() -> None:
    (found,) = sealed_secrets(Place())
    assert found["metadata"]["name"] == "db"  # type: ignore[index]  # unchecked
    with pytest.raises(ConfigError, match="no usable cluster of context 'prod'"):
        sealed_secrets(Place("prod"))


def test_a_pod_without_an_account_is_told_so(pod: Path) -> None:
    (pod / "token").unlink()
    with pytest.raises(ConfigError, match="no usable cluster in use"):
        sealed_secrets(Place())
