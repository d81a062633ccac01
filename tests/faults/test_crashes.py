"""A controller that dies at each of its writes, before it is sent or before it is answered."""

from collections.abc import Iterator

import pytest

from sealkit_controller.sandbox import Sandbox
from tests.faults.crashes import Scenario
from tests.faults.lives import never
from tests.faults.schedule import sandboxes

# What one life writes. A test checks that it is so, so that no point is left out.
WRITES = (
    *("create secrets", "APPLY configmaps"),
    *("create secrets", "replace sealedsecrets/status"),
    *("MERGE secrets", "replace sealedsecrets/status"),
    *("delete secrets", "create secrets", "replace sealedsecrets/status"),
    *("create secrets", "APPLY configmaps", "replace sealedsecrets/status"),
)
# Of these the publication of a new key and what a manifest says about its old one are written by
# two threads, in either order.
RACING = 2


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandboxes(1) as (made,):
        yield made


def test_the_list_of_writes_is_complete(box: Sandbox) -> None:
    with Scenario(box, "whole").watched() as scenario:
        writes = tuple(scenario.live(never).writes)
    assert writes[:-RACING] == WRITES[:-RACING]
    assert sorted(writes[-RACING:]) == sorted(WRITES[-RACING:])


@pytest.mark.parametrize("sent", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("point", range(1, len(WRITES) + 1))
def test_a_crash_at_a_write_is_made_up_for(box: Sandbox, point: int, *, sent: bool) -> None:
    with Scenario(box, f"{point}-{sent}".lower()).watched() as scenario:
        first = scenario.live(lambda *at: at == (point, sent))
    assert first.dead.is_set()
