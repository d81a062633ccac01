"""Judge the states that a branch has had: which of them it can be rolled back to. Pure.

Commits are numbered from 0, the newest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sealkit.findings import rules
from sealkit.findings.finding import Finding, Place, Rule
from sealkit.verifying.manifest import Policy


class Held(NamedTuple):
    """A manifest in a version of a file; `envelopes` are the ids of the keys that open each."""

    document: int
    subject: str
    envelopes: tuple[frozenset[str], ...] = ()


class Obstacle(NamedTuple):
    """Why a manifest is in the way of a roll-back.

    `cluster` is where it does not open, "" if that is not the point; `keys` are the ids of the keys
    that it was sealed to instead, and `needs` says whether one of them is enough.
    """

    rule: Rule
    held: Held
    problem: str
    cluster: str = ""
    keys: tuple[str, ...] = ()
    needs: str = ""


class Stay(NamedTuple):
    """A version of a file, in the commits from number `newest` to number `oldest`."""

    file: str
    newest: int
    oldest: int
    manifests: tuple[Held, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def commits(self) -> range:
        """The numbers of the commits that have it."""
        return range(self.newest, self.oldest + 1)


@dataclass(slots=True)
class State:
    """What one commit holds: the number of its manifests, and what is in the way, with files."""

    manifests: int = 0
    obstacles: list[tuple[str, Obstacle]] = field(default_factory=list)


def locked_out(
    held: Held, policy: Policy, former: Mapping[str, Collection[str]]
) -> Iterator[Obstacle]:
    """Yield the clusters of today that a manifest does not open in.

    `former` says whose each key was, at any time. Where no rule says which clusters, any will do.
    """
    if not policy.clusters:
        closed = [wraps for wraps in held.envelopes if not wraps & policy.names.keys()]
        if closed:
            yield no_key(held, closed, "in a cluster of today")
        return
    for cluster in policy.clusters:
        own = {kid for kid, name in policy.names.items() if name == cluster}
        closed = [wraps for wraps in held.envelopes if not wraps & own]
        if closed:
            keys = [frozenset(_meant(wraps, cluster, policy, former)) for wraps in closed]
            yield no_key(held, keys, f"in {cluster}", cluster)


def _meant(
    wraps: frozenset[str], cluster: str, policy: Policy, former: Mapping[str, Collection[str]]
) -> Iterable[str]:
    """Return the keys of a cluster at the time; else those that may have been its own."""
    own = [kid for kid in wraps if cluster in former.get(kid, ())]
    return own or (kid for kid in wraps if kid not in policy.names and kid not in former)


def no_key(held: Held, closed: Sequence[frozenset[str]], where: str, cluster: str = "") -> Obstacle:
    """Return the obstacle of a manifest with envelopes that no key at hand opens.

    `closed` are the keys of each of them that would.
    """
    keys = tuple(sorted(frozenset().union(*closed)))
    needs = (" or " if len(set(closed)) == 1 else ", ").join(keys)
    why = f"needs key {needs}" if keys else "it was not sealed for it then"
    problem = f"does not open {where}: {why}"
    return Obstacle(rules.NO_WAY_BACK, held, problem, cluster, keys, needs)


def by_commit(stays: Iterable[Stay], count: int) -> list[State]:
    """Return what each of `count` commits holds."""
    states = [State() for _ in range(count)]
    for stay in stays:
        found = [(stay.file, obstacle) for obstacle in stay.obstacles]
        for number in stay.commits:
            states[number].manifests += len(stay.manifests)
            states[number].obstacles += found
    return states


def reach(states: Sequence[State]) -> int:
    """Return how many commits, from the newest on, can be rolled back to without a gap."""
    return next((number for number, one in enumerate(states) if one.obstacles), len(states))


def findings(stays: Iterable[Stay], names: Sequence[str]) -> Iterator[Finding]:
    """Yield one finding for all commits that have the same obstacle; `names` are of the commits."""
    commits: dict[tuple[object, ...], set[int]] = {}
    first: dict[tuple[object, ...], tuple[Stay, Obstacle]] = {}
    for stay in sorted(stays, key=lambda one: one.newest):
        for one in stay.obstacles:
            key = (one.rule.id, stay.file, one.held.subject, one.problem)
            first.setdefault(key, (stay, one))
            commits.setdefault(key, set()).update(stay.commits)
    for same, (stay, one) in first.items():
        where = _span(commits[same], names)
        place = Place(stay.file, one.held.document, subject=one.held.subject)
        yield Finding(one.rule, place, f"{where}: {one.problem}", _hint(one))


def _span(commits: set[int], names: Sequence[str]) -> str:
    newest, oldest = names[min(commits)], names[max(commits)]
    if len(commits) == 1:
        return f"in commit {newest}"
    return f"in {len(commits)} commits, {newest} to {oldest}"


def _hint(obstacle: Obstacle) -> str:
    if obstacle.rule is not rules.NO_WAY_BACK:
        return ""
    if obstacle.keys:
        return "sealkit keys usage --context CTX lists the keys that the cluster still has"
    return "after a roll-back: sealkit rewrap --key FILE"
