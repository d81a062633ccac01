"""`sealkit verify --history`: which commits can still be rolled back to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from sealkit.cli.app import STDIO, App
from sealkit.cli.batch import SUFFIXES, each, may_hold_manifest
from sealkit.cli.resources import SEALED
from sealkit.cli.verify_look import World, kind_of, policy_of, try_keys, world_of
from sealkit.config import NAME
from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.errors import ManifestError, UsageError
from sealkit.files import slashed
from sealkit.findings import rules
from sealkit.findings.allowing import Comments
from sealkit.findings.finding import Finding
from sealkit.git import Commit, Git, Version
from sealkit.manifests.documents import iter_resources, read_documents
from sealkit.manifests.sealed import KIND
from sealkit.verifying.history import Held, Obstacle, Stay, locked_out, no_key
from sealkit.verifying.manifest import Manifest, parse, unreadable

SHORT: Final = 8
_CONFIGS: Final = f":(top,glob)**/{NAME}"
_SIGN: Final = KIND.encode()
_AT_ONCE: Final = 64 * 2**20  # bytes of manifests in memory


class HistoryRequest(NamedTuple):
    """Which paths, how many commits (0 for all), and the private keys that are at hand, if any.

    `listed` are the ids of all keys that one of the pinned clusters has, where that is known.
    """

    paths: tuple[str, ...]
    limit: int
    keys: Mapping[Kid, PrivateKey]
    listed: tuple[str, ...]
    jobs: int | None


class History(NamedTuple):
    """The states that the branch has had, the newest first, and the versions of files in them."""

    commits: tuple[Commit, ...]
    stays: tuple[Stay, ...]


class Known(NamedTuple):
    """Whose each key was at any time, and all keys of the cluster that was asked."""

    former: Mapping[str, set[str]]
    listed: tuple[str, ...]


class Blob(NamedTuple):
    """What one content holds: manifests, and what is wrong with some whatever the keys."""

    manifests: tuple[Held, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()


def run(request: HistoryRequest, app: App) -> History:
    """Return the manifests of the last commits, and what keeps each from being rolled back to.

    Without private keys, those at hand are the keys that the configuration pins today.

    Raises:
        UsageError: there is no repository, no commit, no such path, or no configuration.
        ConfigError: the configuration is wrong.
    """
    git = Git(app.folder, app.environment)
    root = git.root()
    commits = git.first_parents(request.limit)
    if git.is_shallow() and not 0 < request.limit <= len(commits):
        app.say("sealkit: note: a shallow clone has only its last commits: git fetch --unshallow")
    _check_paths(app, git, commits, request.paths)
    found = list(git.versions([one.id for one in commits], *request.paths, _CONFIGS))
    blobs, former = _read(request, app, git, found)
    kept = [one for one in found if one.blob in blobs and not _is_config(one)]
    world = world_of(app, {str(root / one.path) for one in kept}, request.keys)
    known = Known(former, request.listed)
    stays = (_stay(world, root, one, blobs[one.blob], known) for one in kept)
    return History(commits, tuple(stays))


def _check_paths(app: App, git: Git, commits: Sequence[Commit], paths: Iterable[str]) -> None:
    ends = (commits[0].id, commits[-1].id)
    for path in paths:
        if path == STDIO:
            raise UsageError("standard input has no history, expected PATH")
        if not os.path.exists(app.path(path)) and not any(git.holds(end, path) for end in ends):
            what = f"is neither here nor in {ends[0][:SHORT]} nor in {ends[1][:SHORT]}"
            raise UsageError(what).located(file=path)


def _is_config(version: Version) -> bool:
    return version.path.rpartition("/")[2] == NAME


def _read(
    request: HistoryRequest, app: App, git: Git, versions: Sequence[Version]
) -> tuple[dict[str, Blob], dict[str, set[str]]]:
    """Return what each content holds that has manifests, and whose each key was at some time."""
    configs = [one.blob for one in versions if _is_config(one)]
    ids = [one.blob for one in versions if one.path.endswith(SUFFIXES) and not _is_config(one)]
    former: dict[str, set[str]] = {}
    for _, content in git.each_blob(configs):
        for kid, name in _names_in(content):
            former.setdefault(kid, set()).add(name)
    blobs: dict[str, Blob] = {}
    for contents in _groups(git.each_blob(ids)):

        def look(one: str, contents: Mapping[str, bytes] = contents) -> Blob:
            return _look(contents[one], request.keys)

        for outcome in each(app, list(contents), look, jobs=request.jobs, doing="verifying"):
            if outcome.error:
                raise outcome.error
            if outcome.value and any(outcome.value):
                blobs[outcome.file] = outcome.value
    return blobs, former


def _groups(contents: Iterable[tuple[str, bytes]]) -> Iterator[dict[str, bytes]]:
    """Yield those that may hold a manifest, few in memory at a time."""
    group: dict[str, bytes] = {}
    size = 0
    for name, content in contents:
        if not may_hold_manifest(content) or _SIGN not in content:
            continue
        group[name] = content
        size += len(content)
        if size > _AT_ONCE:
            yield group
            group, size = {}, 0
    yield group


def _names_in(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the key ids of a configuration with their clusters; it may be broken."""
    with suppress(ManifestError):
        for document in read_documents(content):
            raw = document.to_plain()
            clusters = raw.get("clusters") if isinstance(raw, Mapping) else None
            entries = clusters.items() if isinstance(clusters, Mapping) else ()
            yield from ((str(one["kid"]), str(name)) for name, one in entries if _has_kid(one))


def _has_kid(entry: object) -> bool:
    return isinstance(entry, Mapping) and "kid" in entry


def _look(content: bytes, keys: Mapping[Kid, PrivateKey]) -> Blob:
    try:
        documents = read_documents(content)
    except ManifestError as error:
        return _unreadable(content, unreadable(error, ""))
    resources = (one for document in documents for one in iter_resources(document))
    parsed = [parse(one) for one in resources if kind_of(one) == SEALED]
    manifests = [(one, _held(one)) for one in parsed if isinstance(one, Manifest)]
    refused = [one for one in parsed if isinstance(one, Finding)]
    obstacles = [_refused(one) for one in refused]
    obstacles += [found for one, held in manifests for found in _opened(one, held, keys)]
    broken = (Held(one.place.document, one.place.subject) for one in refused)
    return Blob((*(held for _, held in manifests), *broken), tuple(obstacles))


def _held(manifest: Manifest) -> Held:
    envelopes = (frozenset(one.wraps) for one in manifest.sealed.envelopes.values())
    return Held(manifest.resource.document.number, manifest.subject, tuple(envelopes))


def _unreadable(content: bytes, finding: Finding) -> Blob:
    comments = Comments.read(content.decode(errors="replace"))
    if comments.reason_for(finding):
        return Blob()
    return Blob((Held(finding.place.document, ""),), (_refused(finding),))


def _refused(finding: Finding) -> Obstacle:
    held = Held(finding.place.document, finding.place.subject)
    problem = ": ".join(part for part in (finding.place.field, finding.message) if part)
    return Obstacle(rules.UNREADABLE_BACK_THEN, held, problem)


def _opened(manifest: Manifest, held: Held, keys: Mapping[Kid, PrivateKey]) -> Iterator[Obstacle]:
    for finding in try_keys(manifest, keys):
        if finding.rule is rules.NO_KEY:
            closed = [wraps for wraps in held.envelopes if not wraps & keys.keys()]
            yield no_key(held, closed, "with the keys given")
        else:
            yield Obstacle(finding.rule, held, finding.message)


def _stay(world: World, root: Path, version: Version, blob: Blob, known: Known) -> Stay:
    file = slashed(os.path.relpath(root / version.path, world.app.place("")))
    obstacles = list(blob.obstacles)
    if not world.keys:
        obstacles += _by_policy(world, str(root / version.path), blob, known)
    return Stay(file, version.newest, version.oldest, blob.manifests, tuple(obstacles))


def _by_policy(world: World, path: str, blob: Blob, known: Known) -> Iterator[Obstacle]:
    policy = policy_of(world, path)
    if policy is None:
        what = f"there is no {NAME} above the file: nothing says which keys there are"
        raise UsageError(what, hint="pass --with-key").located(file=path)
    own = [policy.names[kid] for kid in known.listed if kid in policy.names]
    older = dict.fromkeys(known.listed, own[0]) if own else {}
    policy = policy._replace(names={**older, **policy.names})
    for held in blob.manifests:
        yield from locked_out(held, policy, known.former)
