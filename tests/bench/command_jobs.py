"""The calls that are measured, ours beside those of peers, by what they are called."""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from tests.bench.command_world import SEALED, SECRET, Tree, cluster_name, sealkit
from tests.bench.manifests import VALUES
from tests.bench.peers import Kubeseal, Peers, Sops
from tests.bench.programs import Job

Jobs = dict[str, Job]

PYTHON = "`python -c pass`"
SEAL_MANY = "`sealkit seal`, one file, one call"
SEAL_FILES = "`sealkit seal --in-place`, a file each, one call"
KUBESEAL_FILE = "`kubeseal`, one file, one call"
KUBESEAL_MANY = "`kubeseal`, a call each"
SOPS_MANY = "`sops encrypt`, a call each"
REWRAP_MANY = "`sealkit rewrap`, one call"
UPDATE_MANY = "`sops updatekeys`, a call each"
VERIFY_MANY = "`sealkit verify`, one call"
_IMPORTS = "import click, yaml"


def cold(desks: Mapping[int, Path], peers: Peers) -> Jobs:
    """Return single calls, on repositories by how many clusters they seal for."""
    desk = desks[min(desks)]
    seals = {sealed(number): Job(at, [sealkit("seal", SECRET)]) for number, at in desks.items()}
    return {
        PYTHON: Job(desk, [(sys.executable, "-c", "pass")]),
        f"`python -c '{_IMPORTS}'`": Job(desk, [(sys.executable, "-c", _IMPORTS)]),
        **seals,
        **_cold_peers(desk, peers, list(desks)),
        "`sealkit set`": Job(desk, [sealkit("set", SEALED, "--from-file", f"KEY_0={SECRET}")]),
        "`sealkit inspect`": Job(desk, [sealkit("inspect", SEALED)]),
        "`sealkit verify`, one file": Job(desk, [sealkit("verify", SEALED)]),
        "`sealkit git textconv`": Job(desk, [sealkit("git", "textconv", SEALED)]),
    }


def sealed(clusters: int) -> str:
    """Return what a call that seals a Secret is called."""
    return f"`sealkit seal`, {VALUES} values, {clusters} {_plural('cluster', clusters)}"


def encrypted(recipients: int) -> str:
    """Return what a call of sops that does the same is called."""
    return f"`sops encrypt`, {VALUES} values, {recipients} {_plural('recipient', recipients)}"


def _plural(noun: str, number: int) -> str:
    return noun if number == 1 else f"{noun}s"


def _cold_peers(desk: Path, peers: Peers, clusters: Sequence[int]) -> Jobs:
    jobs: Jobs = {}
    if peers.sops:
        for number in clusters:
            call = peers.sops.encrypt(desk / SECRET, number)
            jobs[encrypted(number)] = Job(desk, [call])
    if peers.kubeseal:
        jobs[f"`kubeseal`, {VALUES} values"] = Job(desk, [peers.kubeseal.seal(desk / SECRET)])
    return jobs


def many(tree: Tree, peers: Peers, calls: int) -> Jobs:
    """Return what is done with all Secrets of a repository; of peers, `calls` stand for all."""
    ours = partial(Job, tree.folder)
    files = [f"scratch/{file.name}" for file in tree.files("plain")]
    seal = sealkit("seal", "--cluster", cluster_name(0))  # peers seal for one, too
    rewrap = sealkit("rewrap", "--key", tree.key, "scratch")
    return {
        SEAL_MANY: ours([[*seal, tree.one_file]]),
        SEAL_FILES: ours([[*seal, "--in-place", *files]], reset=partial(tree.refill, "plain")),
        **(_seal_with_kubeseal(tree, peers.kubeseal, calls) if peers.kubeseal else {}),
        **(_encrypt_with_sops(tree, peers.sops, calls) if peers.sops else {}),
        REWRAP_MANY: ours([rewrap], reset=partial(tree.refill, "narrow")),
        **(_update_with_sops(tree, peers.sops, calls) if peers.sops else {}),
        VERIFY_MANY: ours([sealkit("verify", "apps")]),
        "`sealkit scan`, one call": ours([sealkit("scan", "apps")]),
        "`sealkit diff HEAD~1`, all changed": ours([sealkit("diff", "HEAD~1", "apps")]),
    }


def _seal_with_kubeseal(tree: Tree, kubeseal: Kubeseal, calls: int) -> Jobs:
    files = tree.files("plain")
    each = [kubeseal.seal(file) for file in files[:calls]]
    return {
        KUBESEAL_FILE: Job(tree.folder, [kubeseal.seal(tree.one_file)]),
        KUBESEAL_MANY: Job(tree.folder, each, times=len(files) / calls),
    }


def _encrypt_with_sops(tree: Tree, sops: Sops, calls: int) -> Jobs:
    files = tree.files("plain")
    each = [sops.encrypt(file, 1) for file in files[:calls]]
    return {SOPS_MANY: Job(tree.folder, each, times=len(files) / calls)}


def _update_with_sops(tree: Tree, sops: Sops, calls: int) -> Jobs:
    files = tree.files("plain")
    each = [sops.update_keys(Path("scratch", file.name)) for file in files[:calls]]
    refill = partial(tree.refill, "sops")
    return {UPDATE_MANY: Job(tree.folder, each, len(files) / calls, refill)}
