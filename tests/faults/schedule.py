"""One random life of a controller: deeds, faults, crashes; then calm, and every promise is kept."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from random import Random

from sealkit_controller.sandbox import Sandbox
from tests.faults.checker import Checker
from tests.faults.deeds import People
from tests.faults.hand import Hand
from tests.faults.ledger import Ledger
from tests.faults.lives import GIVE_UP_SECONDS, Life, Place
from tests.faults.outcome import Court
from tests.faults.weather import Weather

STEPS = 14
_PACE_SECONDS = 0.03  # at most, for what the controller makes of a deed


@dataclass
class Run:
    """One schedule while it runs. `story` is what happened, in order."""

    place: Place
    seed: int
    ledger: Ledger = field(default_factory=Ledger)
    story: list[str] = field(default_factory=list)
    _dead: list[Life] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = Random(self.seed)  # noqa: S311  (a schedule, no secret)
        self._hand = Hand(self.place.box)
        system, namespace = self.place.system, self.place.namespace
        self.checker = Checker(self.ledger, system, namespace)
        self._court = Court(self._hand, self.ledger, system, namespace)
        self._people = People(self._hand, self._court, self._rng)
        self._weather = Weather(self.place.box, self._rng)

    def problems(self) -> list[str]:
        """Live through the schedule; return each promise that was broken."""
        for name in (self.place.system, self.place.namespace):
            self._hand.namespace(name)
        with self._watched():
            self._life = Life(self.place)
            try:
                problems = self._live()
            finally:
                self._weather.clear()
                for life in [*self._dead, self._life]:
                    life.end()
        return problems + self.checker.broken + self._told()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        listeners = self.place.box._database.listeners
        listeners.append(self.checker)
        try:
            yield
        finally:
            listeners.remove(self.checker)

    def _live(self) -> list[str]:
        for _ in range(STEPS):
            self._step()
            self._pace()
        self._weather.clear()
        self.story.append("calm")
        return self._settle() or self._again()

    def _step(self) -> None:
        chance = self._rng.random()
        if chance < 0.55:
            self.story.append(self._people.act())
        elif chance < 0.9:
            self.story.append(self._weather.turn())
        elif chance < 0.95:
            self._life.cluster.stale_lists = self._rng.randint(1, 4)
            self.story.append("stale lists")
        else:
            self._replace(crash=self._rng.random() < 0.7)

    def _replace(self, *, crash: bool) -> None:
        self.story.append("crash" if crash else "restart")
        if crash:
            self._life.kill()
        else:
            self._life.end()
        self._dead.append(self._life)
        self._life = Life(self.place)

    def _pace(self) -> None:
        """Go on at once, after some writes, or when the controller has nothing to do."""
        kind = self._rng.choice(["at once", "at once", "after a write", "idle"])
        if kind == "after a write":
            database = self.place.box._database
            version, more = database.version, self._rng.randint(1, 4)
            with database.changed:
                database.changed.wait_for(lambda: database.version >= version + more, _PACE_SECONDS)
        elif kind == "idle":
            self._life.controller.wait_until_idle(_PACE_SECONDS)

    def _settle(self) -> list[str]:
        """Wait until every case is closed; return those that stay open."""
        changed = self.place.box._database.changed
        give_up = time.monotonic() + GIVE_UP_SECONDS
        with changed:
            while cases := self._court.open_cases():
                if not changed.wait(give_up - time.monotonic()):
                    return [f"I2: {case}" for case in cases]
        return []

    def _again(self) -> list[str]:
        """Start anew, until a start writes nothing, which is at once or soon.

        What was in hand when the faults ended may have failed since, or not be heard of yet.
        """
        for _ in range(4):
            self._life.end()
            self._dead.append(self._life)
            before = len(self.checker.writes)
            self._life = Life(self.place)
            if not self._life.controller.wait_until_ready(GIVE_UP_SECONDS):
                return ["I2: is not ready"]
            self._life.controller.wait_until_idle(GIVE_UP_SECONDS)
            written = self.checker.writes[before:]
            if not written and not self._court.open_cases():
                return []
        return [f"written again: {write}" for write in written] or self._settle()

    def _told(self) -> list[str]:
        lives = [*self._dead, self._life]
        leaks = ["I4: in logs or metrics" for life in lives if self.ledger.leaks(life.said())]
        return leaks + [f"I7: {line}" for life in lives for line in life.panics()]


def run(box: Sandbox, seed: int, suffix: str = "") -> str:
    """Run one schedule; return its story if it broke a promise, "" if all was well."""
    made = Run(Place(box, f"system-{seed}{suffix}", f"shop-{seed}{suffix}"), seed)
    problems = made.problems()
    lines = [f"python -m tests.faults {seed}", *made.story, *problems]
    return "\n  ".join(lines) if problems else ""


@contextmanager
def sandboxes(count: int) -> Iterator[list[Sandbox]]:
    """Serve so many sandboxes: schedules that run side by side must not share their faults."""
    with ExitStack() as stack:
        boxes = [stack.enter_context(Sandbox(bookmark_seconds=0.1)) for _ in range(count)]
        for box in boxes:
            box.install_crds()
        yield boxes


def run_all(boxes: list[Sandbox], seeds: Sequence[int], suffix: str = "") -> list[str]:
    """Run schedules, one at a time on each sandbox; return the stories of those that failed."""

    def share(number: int) -> list[str]:
        mine = seeds[number :: len(boxes)]
        return [run(boxes[number], seed, suffix) for seed in mine]

    with ThreadPoolExecutor(len(boxes)) as pool:
        stories = pool.map(share, range(len(boxes)))
        return [story for shared in stories for story in shared if story]
