"""A short life in five chapters, which can be cut at each write the controller makes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from sealkit.crypto.x1 import PrivateKey
from sealkit_controller.objects import KEY_LABEL, SEALED_SECRETS, SECRETS, Metadata
from sealkit_controller.sandbox import Sandbox
from tests.faults.checker import Checker
from tests.faults.deeds import OTHER_TYPE, People, Shape
from tests.faults.hand import Hand
from tests.faults.ledger import Ledger
from tests.faults.lives import GIVE_UP_SECONDS, Dies, Life, Mortal, Place
from tests.faults.outcome import Court

NAME = "db-0"
MUTABLE = Shape()


@dataclass
class Scenario:
    """One place, its people, and the checker that watches what the controller does there."""

    box: Sandbox
    unique: str
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        self.place = Place(self.box, f"system-{self.unique}", f"shop-{self.unique}")
        self.hand = Hand(self.box)
        self.court = Court(self.hand, self.ledger, self.place.system, self.place.namespace)
        self.people = People(self.hand, self.court, Random(0))  # noqa: S311  (draws nothing here)
        self.checker = Checker(self.ledger, self.place.system, self.place.namespace)
        for name in (self.place.system, self.place.namespace):
            self.hand.namespace(name)

    @contextmanager
    def watched(self) -> Iterator["Scenario"]:
        """Check every write until the end of the block, and that none was wrong."""
        listeners = self.box._database.listeners
        listeners.append(self.checker)
        try:
            yield self
        finally:
            listeners.remove(self.checker)
        assert self.checker.broken == []

    def chapters(self) -> tuple[Callable[[], None], ...]:
        """Return what happens, one after the other: each is settled before the next begins."""
        return (self.begin, self.create, self.change, self.replace, self.rotate, self.delete)

    def begin(self) -> None:
        """Nothing but the first key."""

    def create(self) -> None:
        self._seal({"a": b"canary-1", "b": b"canary-2"})

    def change(self) -> None:
        self._seal({"a": b"canary-3"})

    def replace(self) -> None:
        """Change the type, for which the Secret has to be replaced."""
        self._seal({"c": b"canary-4"}, Shape(OTHER_TYPE, recreate=True))

    def rotate(self) -> None:
        """Retire the key: a new one has to be made and published."""
        retired = {"metadata": {"labels": {KEY_LABEL: "retired"}}}
        for key in self.hand.all(SECRETS, self.place.system):
            self.hand.edit(SECRETS, retired, Metadata.of(key).key)

    def delete(self) -> None:
        self.hand.delete(SEALED_SECRETS, self._at)

    @property
    def _at(self) -> tuple[str, str]:
        return self.place.namespace, NAME

    def _seal(self, values: dict[str, bytes], shape: Shape = MUTABLE) -> None:
        self.people.seal(NAME, values, self.key, shape)

    @property
    def key(self) -> PrivateKey:
        """The key that manifests are sealed to."""
        return self.court.key_pairs()[0].key

    def wait(self, ended: Callable[[], bool] = lambda: False) -> bool:
        """Wait until all is as it should be; False if what does it `ended` before."""
        changed = self.box._database.changed
        give_up = time.monotonic() + GIVE_UP_SECONDS
        with changed:
            while cases := self.court.open_cases():
                if ended():
                    return False
                assert time.monotonic() < give_up, cases
                changed.wait(0.02)
        return True

    def live(self, dies: Dies) -> Mortal:
        """Live through all chapters, with a second life where the first ends; return the first."""
        lives = [Life(self.place, dies)]
        try:
            for chapter in self.chapters():
                chapter()
                if not self.wait(lives[-1].cluster.dead.is_set):
                    lives.append(Life(self.place))
                    self.wait()
        finally:
            for each in lives:
                each.end()
        assert not any(self.ledger.leaks(each.said()) for each in lives)
        assert not any(each.panics() for each in lives)
        return lives[0].cluster
