"""Random schedules of deeds, faults and crashes: every promise is kept, all the time."""

from collections.abc import Iterator

import pytest

from sealkit_controller.sandbox import Sandbox
from tests.faults.schedule import run_all, sandboxes

SEEDS = 200
BATCH = 10


@pytest.fixture(scope="module")
def boxes() -> Iterator[list[Sandbox]]:
    with sandboxes(3) as made:
        yield made


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_a_schedule_breaks_no_promise(boxes: list[Sandbox], first: int) -> None:
    stories = run_all(boxes, range(first, first + BATCH))
    assert not stories, "\n".join(stories)
