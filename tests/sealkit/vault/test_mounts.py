"""What is known of mounts: where, in which namespace, for how long."""

from __future__ import annotations

import pytest

from sealkit.vault import Mount
from sealkit.vault.mounts import Mounts
from tests.sealkit.vault.world import Clock

KV = Mount("team/kv", "kv", 2)


@pytest.fixture
def mounts(clock: Clock) -> Mounts:
    mounts = Mounts(clock)
    mounts.keep("a", KV)
    return mounts


@pytest.mark.parametrize("path", ["team/kv", "team/kv/a/b"])
def test_a_path_in_a_mount(mounts: Mounts, path: str) -> None:
    assert mounts.find("a", path) == KV


@pytest.mark.parametrize("path", ["team", "team/kv2", "team/k", "kv/team/kv"])
def test_a_path_elsewhere(mounts: Mounts, path: str) -> None:
    assert mounts.find("a", path) is None


@pytest.mark.parametrize("namespace", ["", "b", "a/b"])
def test_another_namespace_has_other_mounts(mounts: Mounts, namespace: str) -> None:
    assert mounts.find(namespace, "team/kv/a") is None
    mounts.keep(namespace, Mount("team/kv", "kv", 1))
    assert mounts.find("a", "team/kv/a") == KV


def test_a_mount_is_believed_for_five_minutes(mounts: Mounts, clock: Clock) -> None:
    clock.advance(299)
    assert mounts.find("a", "team/kv/a") == KV
    clock.advance(1)
    assert mounts.find("a", "team/kv/a") is None


def test_a_mount_may_become_another(mounts: Mounts, clock: Clock) -> None:
    clock.advance(300)
    mounts.keep("a", Mount("team", "kv", 1))
    assert mounts.find("a", "team/kv/a") == Mount("team", "kv", 1)
    assert list(mounts._known) == [("a", "team")]
