import http.client
import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from sealkit import __version__
from sealkit.keypair import KeyState
from sealkit_controller.__main__ import main
from sealkit_controller.app import Controller
from sealkit_controller.cluster import ApiError
from sealkit_controller.objects import (
    CONFIG_MAPS,
    KEY_LABEL,
    SEALED_SECRETS,
    SECRETS,
    JsonObject,
    ObjectKey,
    strings,
)
from sealkit_controller.sandbox import Sandbox
from sealkit_controller.settings import Settings
from tests.controller.world import (
    DB,
    KEY,
    NAMESPACE,
    OTHER_KEY,
    condition,
    key_secret,
    pair,
    running,
    sealed,
)
from tests.fakes.cluster import FakeCluster


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    made.put(SECRETS, key_secret(pair()))
    return made


def is_synced(raw: JsonObject | None) -> bool:
    return condition(raw) == ("True", "Synced")


def ask(port: int, path: str) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status


def test_a_new_manifest_becomes_a_secret(cluster: FakeCluster) -> None:
    with running(cluster):
        cluster.put(SEALED_SECRETS, sealed())
        cluster.wait_for(SEALED_SECRETS, DB, is_synced)
    assert cluster.find(SECRETS, DB) is not None


def test_many_manifests_become_secrets_by_two_writes_each(cluster: FakeCluster) -> None:
    keys = [ObjectKey("shop", f"db-{number}") for number in range(40)]
    for key in keys:
        cluster.put(SEALED_SECRETS, sealed(key=key))
    with running(cluster):
        for key in keys:
            cluster.wait_for(SEALED_SECRETS, key, is_synced)
    assert len(cluster.sent("create", "secrets")) == 40
    assert len(cluster.sent("replace", "sealedsecrets/status")) == 40
    assert cluster.sent("apply", "secrets") == []


def test_no_worker_starts_before_every_view_is_complete(cluster: FakeCluster) -> None:
    cluster.put(SEALED_SECRETS, sealed())
    cluster.fail("list", "secrets", ApiError(403, "Forbidden"), times=2)
    with running(cluster):
        cluster.wait_for(SEALED_SECRETS, DB, is_synced)
    writes = [index for index, sent in enumerate(cluster.requests) if sent.verb == "create"]
    lists = [index for index, sent in enumerate(cluster.requests) if sent.verb == "list"]
    assert max(lists) < min(writes)


def test_an_edited_and_a_deleted_secret_are_repaired(cluster: FakeCluster) -> None:
    right = {"password": "aHVudGVyMg=="}
    with running(cluster):
        cluster.put(SEALED_SECRETS, sealed())
        cluster.wait_for(SEALED_SECRETS, DB, is_synced)
        cluster.edit(SECRETS, DB, {"data": {"password": "d3Jvbmc="}})
        cluster.wait_for(SECRETS, DB, lambda raw: raw is not None and raw["data"] == right)
        cluster.edit(SECRETS, DB, {"metadata": {"labels": {"sealkit.dev/managed": None}}})
        cluster.wait_for(SECRETS, DB, lambda raw: "sealkit.dev/managed" in str(raw))
        cluster.drop(SECRETS, DB)
        cluster.wait_for(SECRETS, DB, lambda raw: raw is not None and raw["data"] == right)


def test_a_change_of_a_label_makes_no_loop(cluster: FakeCluster) -> None:
    with running(cluster) as controller:
        cluster.put(SEALED_SECRETS, sealed())
        cluster.wait_for(SEALED_SECRETS, DB, is_synced)
        cluster.wait_until_heard(3)
        assert controller.wait_until_idle(10)
        before = len(cluster.writes())
        for number in range(5):
            cluster.edit(SECRETS, DB, {"metadata": {"labels": {"n": str(number)}}})
            cluster.wait_until_heard(3)
            assert controller.wait_until_idle(10)
        reads = len(cluster.sent("get", "secrets"))
    assert len([sent for sent in cluster.writes()[before:] if sent.resource != "events"]) == 0
    assert reads == 5


def test_a_key_that_comes_back_wakes_what_waited(cluster: FakeCluster) -> None:
    with running(cluster):
        cluster.put(SEALED_SECRETS, sealed(to=OTHER_KEY))
        cluster.wait_for(SEALED_SECRETS, DB, lambda raw: condition(raw) == ("False", "NoKey"))
        cluster.put(SECRETS, key_secret(pair(OTHER_KEY, KeyState.RETIRED), "restored"))
        cluster.wait_for(SEALED_SECRETS, DB, is_synced)


def test_a_key_that_is_retired_is_replaced_and_no_longer_published(cluster: FakeCluster) -> None:
    public = ObjectKey(NAMESPACE, "sealkit-public-keys")
    with running(cluster):
        first = ObjectKey(NAMESPACE, "sealkit-key-1")
        cluster.edit(SECRETS, first, {"metadata": {"labels": {KEY_LABEL: "retired"}}})
        cluster.wait_for(
            CONFIG_MAPS,
            public,
            lambda raw: str(KEY.kid) not in strings(raw or {}, "data").get("recipient", KEY.kid),
        )
    assert cluster.find(SECRETS, ObjectKey(NAMESPACE, "sealkit-key-2")) is not None


def test_a_failed_key_creation_is_tried_again(cluster: FakeCluster) -> None:
    cluster.drop(SECRETS, ObjectKey(NAMESPACE, "sealkit-key-1"))
    cluster.fail("create", "secrets", ApiError(500, "InternalError"))
    with running(cluster) as controller:
        assert ask(controller.public_port, "/v1/recipient") == 200
    assert len(cluster.sent("create", "secrets")) == 2


def test_a_restart_with_nothing_changed_writes_nothing(cluster: FakeCluster) -> None:
    with running(cluster):
        cluster.put(SEALED_SECRETS, sealed())
        cluster.wait_for(SEALED_SECRETS, DB, is_synced)
    cluster.requests.clear()
    with running(cluster) as controller:
        assert controller.wait_until_idle(10)
    assert cluster.writes() == []
    assert cluster.sent("get", "secrets") == []


def test_probes_tell_a_start_from_a_run(cluster: FakeCluster) -> None:
    gate = threading.Event()

    def hold_lists(sent: object) -> None:
        if getattr(sent, "verb", "") == "list" and not gate.is_set():
            raise ApiError(0, "NotYet")

    cluster.on_request = hold_lists
    settings = Settings(workers=1, probe_port=0, public_port=0, bind_address="127.0.0.1")
    with Controller(settings, cluster) as controller:
        assert ask(controller.probe_port, "/healthz") == 200
        assert ask(controller.probe_port, "/readyz") == 503
        assert ask(controller.public_port, "/v1/recipient") == 503
        gate.set()
        assert controller.wait_until_ready(20)
        assert ask(controller.probe_port, "/readyz") == 200
    assert not controller.is_ready


def test_stopping_finishes_what_is_in_hand(cluster: FakeCluster) -> None:
    created, go_on = threading.Event(), threading.Event()

    def hold_creation(sent: object) -> None:
        if (getattr(sent, "verb", ""), getattr(sent, "resource", "")) == ("create", "secrets"):
            created.set()
            go_on.wait(10)

    cluster.put(SEALED_SECRETS, sealed())
    cluster.on_request = hold_creation
    with running(cluster) as controller:
        assert created.wait(10)
        stopper = threading.Thread(target=controller.stop)
        stopper.start()
        go_on.set()
        stopper.join(10)
        assert not stopper.is_alive()
    assert is_synced(cluster.find(SEALED_SECRETS, DB))


def test_a_taken_port_leaves_nothing_open(cluster: FakeCluster) -> None:
    with running(cluster) as controller:
        settings = Settings(
            probe_port=0, public_port=controller.public_port, bind_address="127.0.0.1"
        )
        with pytest.raises(OSError, match="in use"):
            Controller(settings, cluster)


def test_a_controller_that_was_never_started_can_be_stopped_twice(cluster: FakeCluster) -> None:
    settings = Settings(probe_port=0, public_port=0, bind_address="127.0.0.1")
    controller = Controller(settings, cluster)
    controller.stop()
    controller.stop()
    assert cluster.requests == []


# The command.


def command(*arguments: str, **environ: str) -> subprocess.Popen[str]:
    given = {**os.environ, "SEALKIT_PROBE_PORT": "0", "SEALKIT_PUBLIC_PORT": "0", **environ}
    return subprocess.Popen(
        [sys.executable, "-m", "sealkit_controller", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=given,
    )


def test_the_command_runs_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with Sandbox() as box:
        box.install_crds()
        config = tmp_path / "config"
        config.write_text(box.kubeconfig())
        with command("--kubeconfig", str(config), SEALKIT_NAMESPACE="default") as process:
            assert process.stderr is not None
            lines: list[str] = []
            while not lines or '"Ready"' not in lines[-1]:
                lines.append(process.stderr.readline())
                assert lines[-1], lines
            process.send_signal(signal.SIGTERM)
            rest = process.stderr.read()
            assert process.wait(20) == 0
    assert '"Stopped"' in rest
    assert "Traceback" not in rest


def test_a_wrong_setting_is_said_in_one_line() -> None:
    with command(SEALKIT_WORKERS="x") as process:
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert errors.startswith("sealkit-controller: error: SEALKIT_WORKERS: is not a whole number")
    assert len(errors.splitlines()) == 1


def test_a_missing_kubeconfig_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--kubeconfig", "/missing"]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("sealkit-controller: error: no usable Kubernetes configuration")
    assert len(errors.splitlines()) == 1


def test_the_command_knows_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.strip() == __version__
