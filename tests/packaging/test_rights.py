"""The controller's rights are enough, and not one too many: seen by the real API server's audit.

Each mode of installation lives a whole life under its own account. What it asked for is then
compared with what its roles grant, both ways.
"""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from sealkit_controller import logs
from sealkit_controller.app import SYSTEM_CLOCK, Clock, Controller
from sealkit_controller.kube import HttpCluster
from sealkit_controller.settings import Settings
from tests.apiserver import ApiServer
from tests.cluster.kubectl import Kubectl
from tests.cluster.world import World
from tests.controller.server import access
from tests.packaging.account import (
    ACCOUNT,
    CLUSTER,
    NAMESPACED,
    Install,
    account,
    environment,
    installed,
)
from tests.packaging.audit import Audited, Use
from tests.packaging.rights import grant_for, granted
from tests.packaging.vault import Vault, apply, referring, restarted_for, workload

pytestmark = pytest.mark.cluster
DEADLINE_SECONDS = 20
KINDS = ("Deployment", "StatefulSet", "DaemonSet")
EVENTS = "/apis/events.k8s.io/v1/namespaces"


@dataclass(frozen=True)
class Life:
    """What one installed controller asked the API server for, from its first start to its end."""

    install: Install
    uses: tuple[Use, ...]


@pytest.fixture(scope="module", params=[CLUSTER, NAMESPACED], ids=lambda what: str(what.file))
def life(
    request: pytest.FixtureRequest,
    audited_plane: Audited,
    kubectl: Kubectl,
    vault: Vault,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Life]:
    what: Install = request.param
    world = World(audited_plane.server, kubectl, tmp_path_factory.mktemp("life"))
    with installed(world, what, SEALKIT_VAULT_ADDRESSES=vault.server.tls_address):
        live(world, what.work)
        follow(world, what.work, vault)
    repeat_an_event(world, what)
    yield Life(what, tuple(audited_plane.uses(what.user)))
    world.kubectl("delete", "sealedsecrets", "--all", "-n", what.work)
    world.kubectl("delete", "--wait=false", "-f", "-", stdin=what.text)


def live(world: World, namespace: str) -> None:
    """Create, change, repair, replace and delete: everything the controller can do."""
    path = put(world, namespace)
    world.sealkit("set", str(path), "A", stdin=b"new")
    world.apply(path)
    world.wait("secret/db", "jsonpath={.data.A}=bmV3", namespace)
    world.kubectl("delete", "secret", "db", "-n", namespace)
    world.wait("secret/db", "create", namespace)
    edit(world, "secret/db", namespace, '{"stringData": {"A": "by hand", "B": "foreign"}}')
    world.wait("secret/db", "jsonpath={.data.A}=bmV3", namespace)
    assert world.data("db", namespace) == {"A": b"new"}
    replacement = '{"spec": {"recreate": true, "template": {"type": "example.com/x"}}}'
    edit(world, "sealedsecret/db", namespace, replacement)
    world.wait("secret/db", "jsonpath={.type}=example.com/x", namespace)
    world.kubectl("delete", "sealedsecret", "db", "-n", namespace)
    world.wait("secret/db", "delete", namespace)


def follow(world: World, namespace: str, vault: Vault) -> None:
    """Make a Secret of what is in Vault, change it there, and restart who uses it."""
    role = f"of-{namespace}"
    vault.let_in(role, namespace, f"{namespace}/*")
    vault.prepare(world, namespace, role)
    vault.put(f"{namespace}/db", "old")
    restarts = [{"kind": kind, "matchLabels": {"app": "web"}} for kind in KINDS]
    apply(
        world,
        vault.store("VaultStore", {"name": "default", "namespace": namespace}, role),
        *(workload(kind, "web", namespace) for kind in KINDS),
        referring("followed", namespace, f"kv/{namespace}/db", rolloutRestart=restarts),
    )
    world.wait("sealedsecret/followed", "condition=Ready", namespace)
    vault.put(f"{namespace}/db", "new")
    refresh = '{"metadata": {"annotations": {"sealkit.dev/refresh": "1"}}}'
    edit(world, "sealedsecret/followed", namespace, refresh)
    world.wait("secret/followed", "jsonpath={.data.A}=bmV3", namespace)
    answered = "jsonpath={.status.lastHandledReconcileAt}=1"
    world.wait("sealedsecret/followed", answered, namespace)
    assert all(restarted_for(world, f"{kind}/web", namespace, "followed") for kind in KINDS)
    world.kubectl("delete", "sealedsecret", "followed", "-n", namespace)
    world.wait("secret/followed", "delete", namespace)


def put(world: World, namespace: str) -> Path:
    """Seal a Secret, apply it, and wait until it is there."""
    make = ("create", "secret", "generic", "db", "--from-literal=A=old", "-n", namespace)
    path = world.seal(world.kubectl(*make, "--dry-run=client", "-o=yaml"), "db.sealed.yaml")
    world.apply(path)
    world.wait("sealedsecret/db", "condition=Ready", namespace)
    return path


def edit(world: World, what: str, namespace: str, patch: str) -> None:
    world.kubectl("patch", what, "-n", namespace, "--type=merge", "-p", patch)


def repeat_an_event(world: World, what: Install) -> None:
    """Fail twice for one reason, ten minutes apart by the controller's clock."""
    path = world.folder / "db.sealed.yaml"
    path.write_text(path.read_text().replace("name: db", "name: renamed"))
    world.apply(path)
    later = [0.0]
    clock = Clock(
        SYSTEM_CLOCK.now,
        lambda: time.monotonic() + later[0],
        SYSTEM_CLOCK.random,
        SYSTEM_CLOCK.random_bytes,
    )
    settings = Settings.from_environ(environment(what))
    own = account(world, what.system)
    log = logs.logger(io.StringIO(), "info")
    with (
        closing(HttpCluster(access(own), settings)) as cluster,
        Controller(settings, cluster, clock=clock, log=log),
    ):
        until(lambda: "Stalled" in conditions(world, what.work))
        until(lambda: events_of(world.server, what.work, "renamed") > 0)
        later[0] = 600
        refresh = '{"metadata": {"annotations": {"sealkit.dev/refresh": "1"}}}'
        edit(world, "sealedsecret/renamed", what.work, refresh)
        until(lambda: events_of(world.server, what.work, "renamed") > 1)


def conditions(world: World, namespace: str) -> set[str]:
    status = world.get("sealedsecret/renamed", namespace)["status"]
    return {condition["type"] for condition in status.get("conditions", ())}


def events_of(server: ApiServer, namespace: str, name: str) -> int:
    """Return how often the one event about an object says that it happened."""
    items = server.ask("GET", f"{EVENTS}/{namespace}/events").body["items"]
    mine = [item for item in items if item["regarding"]["name"] == name]
    return sum(item.get("series", {}).get("count", 1) for item in mine)


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_nothing_it_asks_for_is_refused(life: Life) -> None:
    assert [use for use in life.uses if use.status in {401, 403}] == []


def test_what_it_uses_is_what_it_is_granted(life: Life) -> None:
    rights = granted(life.install.documents, ACCOUNT)
    used = {grant_for(right, rights) for use in life.uses for right in use.rights}
    assert None not in used
    assert {right for right in rights if right not in used} == set()


def test_it_asks_for_no_more_than_objects(life: Life) -> None:
    assert [use.path for use in life.uses if not use.rights] == []


def test_only_the_whole_cluster_is_asked_for_across_namespaces(life: Life) -> None:
    across = {use.path for use in life.uses if not use.namespace}
    assert bool(across) == (life.install is CLUSTER)


def test_it_writes_where_it_works_and_where_it_lives_only(life: Life) -> None:
    places = {use.namespace for use in life.uses if use.is_write}
    assert places == {life.install.system, life.install.work}
