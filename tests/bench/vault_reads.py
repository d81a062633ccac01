"""How fast references are resolved: `python -m tests.bench.vault_reads [MANIFESTS]`.

Manifests of three references each, to three secrets of KV version 2 on a local OpenBao. Beside
it, in the same run and from as many threads, a bare loop that reads the same secrets with hvac as
its documentation shows, before and after. The server shares the machine, so only ratios count.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import hvac  # type: ignore[import-untyped]  # has no annotations
import requests
from requests.adapters import HTTPAdapter

from sealkit.manifests.sealed import SealedSecret
from sealkit_controller.objects import SEALED_SECRETS, ObjectKey
from sealkit_controller.sources import Unresolved
from tests.bench.progress import Say, say_nothing, say_on_terminal
from tests.bench.tables import Goal, Table, goal_table
from tests.controller.vault.world import VaultWorld, referring
from tests.fakes.vault_admin import Admin
from tests.fakes.vault_certificates import Authority
from tests.fakes.vault_server import NO_BAO, find_bao, running

MANIFESTS = 1000
REFERENCES = 3
THREADS = 16
BARE_LIMIT = 0.7
NAMESPACE = "shop"


@dataclass(frozen=True)
class Reads:
    """How many reads were done in a second, and what was asked of the server, by operation."""

    what: str
    per_second: float
    cpu_seconds: float
    asked: Mapping[str, int]


@dataclass(frozen=True)
class Run:
    """What was measured on one server. `refresh` is all of it, with an API server in memory."""

    manifests: int
    bare: Sequence[Reads]
    resolving: Reads
    refresh: Reads

    @property
    def bare_per_second(self) -> float:
        """The mean of before and after."""
        return len(self.bare) / sum(1 / reads.per_second for reads in self.bare)


def measure(folder: Path, manifests: int = MANIFESTS, say: Say = say_nothing) -> Run:
    """Resolve on a server of its own.

    Raises:
        FileNotFoundError: there is no OpenBao.
    """
    binary = find_bao()
    if binary is None:
        raise FileNotFoundError(NO_BAO)
    with running(binary, folder, Authority("bench")) as server:
        say("vault: writing secrets")
        token = _furnish(server.admin, manifests)
        world = VaultWorld(server.admin)
        with closing(world.vaults):
            world.credentials({"token": token})
            return _measured(world, token, manifests, say)


def _furnish(admin: Admin, manifests: int) -> str:
    admin.mount("kv", "kv", version="2")
    for number in range(manifests):
        for part in range(REFERENCES):
            body = {"data": {"password": f"value-{number}-{part}", "user": "app"}}
            admin.do("POST", f"kv/data/app-{number}/{part}", body)
    admin.policy("bench", {"kv/data/*": "read"})
    return admin.token("bench")


def _measured(world: VaultWorld, token: str, manifests: int, say: Say) -> Run:
    keys = [ObjectKey(NAMESPACE, f"app-{number}") for number in range(manifests)]
    raws = {
        key: referring(
            {f"k{part}": f"vault:kv/{key.name}/{part}#password" for part in range(REFERENCES)},
            key=key,
        )
        for key in keys
    }
    sealed = {key: SealedSecret.from_dict(raw) for key, raw in raws.items()}
    world.look()
    say("vault: bare reads")
    before = _bare(world.address, token, manifests)
    say("vault: resolving")

    def resolve(key: ObjectKey) -> None:
        assert not isinstance(world.vaults.resolve(key, sealed[key]), Unresolved)

    resolving = _timed("sealkit, resolving", world, resolve, keys)
    after = _bare(world.address, token, manifests)
    say("vault: a refresh of everything")
    for raw in raws.values():
        world.cluster.put(SEALED_SECRETS, raw)
    world.look()
    _timed("", world, world.reconciler.reconcile, keys)
    world.look()
    world.later(3600)
    refresh = _timed("sealkit, refresh with status", world, world.reconciler.reconcile, keys)
    return Run(manifests, (before, after), resolving, refresh)


def _bare(address: str, token: str, manifests: int) -> Reads:
    places = [f"app-{number}/{part}" for number in range(manifests) for part in range(REFERENCES)]
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(pool_maxsize=THREADS))
        session.trust_env = False
        kv = hvac.Client(address, token=token, session=session).secrets.kv.v2

        def read(place: str) -> None:
            answer = kv.read_secret_version(place, mount_point="kv", raise_on_deleted_version=True)
            assert answer["data"]["data"]["password"]

        with _stopwatch() as spent:
            _for_each(read, places)
    return Reads("bare loop of hvac", len(places) / spent[0], spent[1], {"read": len(places)})


def _timed(
    what: str, world: VaultWorld, act: Callable[[ObjectKey], object], keys: Sequence[ObjectKey]
) -> Reads:
    world.asked.clear()
    with _stopwatch() as spent:
        _for_each(act, keys)
    reads = len(keys) * REFERENCES
    return Reads(what, reads / spent[0], spent[1], Counter(world.asked))


def _for_each(act: Callable[..., object], items: Sequence[object]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(act, items))


@contextmanager
def _stopwatch() -> Iterator[list[float]]:
    """Yield a list that holds seconds and CPU seconds of this process after the block."""
    spent: list[float] = []
    started, cpu_started = time.perf_counter(), time.process_time()
    yield spent
    spent += [time.perf_counter() - started, time.process_time() - cpu_started]


def table(run: Run) -> Table:
    """Return the figures of each way to read."""
    before, after = run.bare
    rows = [
        (
            reads.what,
            f"{reads.per_second:.0f}",
            f"{1000 * reads.cpu_seconds / (run.manifests * REFERENCES):.2f}",
            f"{reads.asked.get('read', 0)}",
            f"{reads.asked.get('login', 0)}",
        )
        for reads in (before, run.resolving, after, run.refresh)
    ]
    return Table(("", "reads per second", "CPU ms each", "reads", "logins"), rows)


def goals(run: Run) -> Table:
    """Return the ratios, each beside its limit."""
    share = run.resolving.per_second / run.bare_per_second
    whole = run.refresh.per_second / run.bare_per_second
    reads, logins = run.resolving.asked["read"], run.resolving.asked.get("login", 0)
    paths = run.manifests * REFERENCES
    return goal_table(
        [
            Goal(
                "resolving, of a bare read loop",
                f"{share:.0%}",
                f"{BARE_LIMIT:.0%}",
                share >= BARE_LIMIT,
            ),
            Goal("refresh with status writes, of the same", f"{whole:.0%}"),
            Goal(f"reads of {paths} paths", f"{reads}", f"{paths}", reads <= paths),
            Goal("logins of one identity", f"{logins}", "1", logins <= 1),
        ]
    )


def main(manifests: int = MANIFESTS) -> int:
    """Measure and print; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = measure(Path(folder), manifests, say_on_terminal)
        except FileNotFoundError as error:
            sys.stdout.write(f"\nvault: not run ({error})\n")
            return 0
    say_on_terminal("")
    sys.stdout.write(f"\n{table(run)}\n\n{goals(run)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
