"""When objects became ready, seen from outside: by a watch of our own, on our own clock."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sealkit_controller.cluster import ApiError, Cluster, Selection, Watch
from sealkit_controller.objects import Metadata
from tests.controller.world import condition


class Readiness:
    """The first moment, of `time.monotonic`, at which each object's status said Synced."""

    def __init__(self) -> None:
        self.times: dict[str, float] = {}
        self._heard = threading.Condition()

    def wait_for(self, count: int, seconds: float) -> None:
        """Wait until `count` objects are ready.

        Raises:
            TimeoutError: they were not in time.
        """
        with self._heard:
            if not self._heard.wait_for(lambda: len(self.times) >= count, seconds):
                raise TimeoutError(f"{len(self.times)} of {count} objects ready after {seconds} s")

    def follow(self, watch: Watch) -> None:
        """Take in events until the watch is closed."""
        try:
            for event in watch:
                # Both Bitnami's controller and ours have the condition Synced.
                if event.type != "BOOKMARK" and condition(event.object, "Synced")[0] == "True":
                    self._note(Metadata.of(event.object).key.name)
        except ApiError as error:
            if error.status:  # 0: it was cut off, as it is at the end
                raise

    def _note(self, name: str) -> None:
        with self._heard:
            self.times.setdefault(name, time.monotonic())
            self._heard.notify_all()


@contextmanager
def observed(cluster: Cluster, selection: Selection) -> Iterator[Readiness]:
    """Watch a selection in a thread until the end of the block.

    What is ready already is not seen.
    """
    *_, last = cluster.pages(selection)
    readiness = Readiness()
    with closing(cluster.watch(selection, last.resource_version)) as watch:
        thread = threading.Thread(target=readiness.follow, args=(watch,), name="readiness")
        thread.start()
        try:
            yield readiness
        finally:
            watch.close()
            thread.join()
