"""What `sealkit verify` sees: one file at a time, and the recipient files of a configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from sealkit.cli.app import STDIO, App
from sealkit.cli.batch import may_hold_manifest
from sealkit.cli.resources import SEALED, label_of
from sealkit.config import NAME, Cluster, Config, Configs
from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.errors import (
    ManifestError,
    NoKeyError,
    ReferenceSyntaxError,
    SealkitError,
    UnsealError,
)
from sealkit.files import read_bytes, slashed
from sealkit.findings import rules
from sealkit.findings.allowing import Comments
from sealkit.findings.finding import Finding, Place
from sealkit.findings.locating import place_in
from sealkit.keystore import Standing, last_day, load_recipient, standing
from sealkit.manifests.documents import Resource, iter_resources, read_documents
from sealkit.manifests.sealed import API_VERSION, KIND
from sealkit.manifests.tree import Scalar
from sealkit.references.store import Store, StoreKind
from sealkit.sealing import open_values
from sealkit.verifying.live import Filed, content_of
from sealkit.verifying.manifest import (
    Manifest,
    Policy,
    check,
    check_last_day,
    check_policy,
    parse,
    unreadable,
)
from sealkit.verifying.repository import KUSTOMIZATIONS, Kustomization, Named, Target, target_of

_SIGN: Final = KIND.encode()
_STORES: Final = {(API_VERSION, kind.value): kind for kind in StoreKind}


class World(NamedTuple):
    """What files are judged by: the configuration of each folder, and private keys.

    `compares` says that what they hold will be compared with a cluster.
    """

    app: App
    configs: Configs
    keys: Mapping[Kid, PrivateKey]
    compares: bool = False


class Looked(NamedTuple):
    """What one file holds: findings, comments, and what only all files together can tell."""

    file: str
    findings: tuple[Finding, ...] = ()
    comments: Comments | None = None
    subjects: tuple[Place, ...] = ()
    targets: tuple[Target, ...] = ()
    stores: tuple[Named, ...] = ()
    filed: tuple[Filed, ...] = ()
    kustomization: Kustomization | None = None


def world_of(app: App, paths: Iterable[str], keys: Mapping[Kid, PrivateKey]) -> World:
    """Return the world for files and folders; each configuration is read once.

    Raises:
        ConfigError: a configuration is wrong.
    """
    configs = Configs()
    for path in paths:
        configs.above(_folder(app, path))
    return World(app, configs, keys)


def _folder(app: App, path: str) -> str:
    place = app.place("" if path == STDIO else path)
    return place if os.path.isdir(place) else os.path.dirname(place)


def look(world: World, file: str) -> Looked:
    """Return what one file holds.

    Raises:
        SealkitError: it cannot be read.
    """
    raw = world.app.read(file)
    label = label_of(world.app.shown(file))
    if os.path.basename(file) in KUSTOMIZATIONS:
        return _kustomization(world.app, file, raw)
    if not may_hold_manifest(raw):
        return Looked(label)
    comments = Comments.read(raw.decode(errors="replace"))
    try:
        documents = read_documents(raw, file=label)
    except ManifestError as error:
        is_ours = _SIGN in raw
        return Looked(label, (unreadable(error, label),) if is_ours else (), comments)
    resources = (one for document in documents for one in iter_resources(document))
    seen = [one for resource in resources for one in _resource(world, file, resource)]
    return _combined(label, seen)._replace(comments=comments)


def _combined(label: str, seen: Sequence[_Seen]) -> Looked:
    return Looked(
        file=label,
        findings=tuple(finding for one in seen for finding in one.findings),
        subjects=tuple(one.subject for one in seen if one.subject),
        targets=tuple(one.target for one in seen if one.target),
        stores=tuple(one.store for one in seen if one.store),
        filed=tuple(one.filed for one in seen if one.filed),
    )


class _Seen(NamedTuple):
    """What one object is."""

    findings: tuple[Finding, ...] = ()
    subject: Place | None = None
    target: Target | None = None
    store: Named | None = None
    filed: Filed | None = None


def _resource(world: World, file: str, resource: Resource) -> Iterator[_Seen]:
    kind = kind_of(resource)
    if kind in _STORES:
        yield from _store(resource, _STORES[kind])
    elif kind == SEALED:
        yield _sealed(world, file, resource)


def kind_of(resource: Resource) -> tuple[object, object]:
    """Return apiVersion and kind; no more of an object is looked at if it is none of ours."""
    entries = (resource.node.entries.get(name) for name in ("apiVersion", "kind"))
    nodes = [entry.value if entry else None for entry in entries]
    version, kind = (node.value if isinstance(node, Scalar) else None for node in nodes)
    return version, kind


def _store(resource: Resource, kind: StoreKind) -> Iterator[_Seen]:
    metadata = resource.to_dict().get("metadata")
    said = metadata if isinstance(metadata, Mapping) else {}
    namespace = str(said.get("namespace", "")) if kind is StoreKind.NAMESPACED else ""
    with suppress(ReferenceSyntaxError):  # of that name there is none that a reference can mean
        yield _Seen(store=Named(Store(str(said.get("name", "")), kind), namespace))


def _sealed(world: World, file: str, resource: Resource) -> _Seen:
    manifest = parse(resource)
    if isinstance(manifest, Finding):
        return _Seen((manifest,), manifest.place)
    policy = policy_of(world, file)
    findings = [*check(manifest), *try_keys(manifest, world.keys)]
    if policy:
        findings += check_policy(manifest, policy)
    elif not _config_of(world, file):
        what = f"there is no {NAME} above the file: who can open it is not checked"
        hint = "sealkit init, then sealkit clusters add"
        findings.append(Finding(rules.NO_CONFIGURATION, manifest.at(""), what, hint))
    target = target_of(manifest, slashed(world.app.place(file)), policy)
    filed = _filed(manifest, target, policy) if world.compares else None
    return _Seen(tuple(findings), target.place, target, filed=filed)


def _filed(manifest: Manifest, target: Target, policy: Policy | None) -> Filed:
    names = policy.names if policy else {}
    readers = frozenset(names[kid] for kid in target.readers if kid in names)
    clusters = readers if policy is None or policy.clusters is None else frozenset(policy.clusters)
    content = content_of(manifest.sealed)
    return Filed(target.namespace, target.name, target.place, content, clusters)


def _config_of(world: World, file: str) -> Config | None:
    return world.configs.above(_folder(world.app, file))


def policy_of(world: World, file: str) -> Policy | None:
    """Return what the configuration says of a file; nothing if that depends on where it will be.

    The file need not be there, but is one that the world was made for.
    """
    config = _config_of(world, file)
    target = None if file == STDIO else world.app.place(file)
    if config is None or (target is None and config.rules):
        return None
    names = {cluster.kid: cluster.name for cluster in config.clusters.values()}
    if not config.rules or target is None:
        return Policy(names, tuple(config.clusters))
    rule = config.rule_for(target)
    return Policy(names, rule.clusters, rule.scopes) if rule else Policy(names, None)


def try_keys(manifest: Manifest, keys: Mapping[Kid, PrivateKey]) -> Iterator[Finding]:
    """Open every value and drop it; nothing of it gets into a finding."""
    if not keys or not manifest.sealed.envelopes:
        return
    place = manifest.at("spec.envelopes")
    try:
        open_values(manifest.sealed, keys)
    except NoKeyError as error:
        yield Finding(rules.NO_KEY, place, error.problem)
    except UnsealError:
        what = "a value or an envelope cannot be opened with its key"
        hint = "it was changed, moved or renamed after sealing: seal the Secret again"
        yield Finding(rules.DOES_NOT_OPEN, place, what, hint)
    except ManifestError as error:
        yield Finding(rules.DOES_NOT_OPEN, manifest.at(error.field), error.problem, error.hint)


def _kustomization(app: App, file: str, raw: bytes) -> Looked:
    """Take what it says; one that cannot be read is for kustomize to complain of."""
    label = label_of(app.shown(file))
    with suppress(ManifestError):
        for document in read_documents(raw, file=label):
            value = document.to_plain()
            if isinstance(value, Mapping):
                path = slashed(app.place(file))
                return Looked(label, kustomization=Kustomization.from_dict(value, path, label))
    return Looked(label)


def look_at_recipients(world: World) -> list[Looked]:
    """Return what is wrong with the recipient files of every configuration.

    Raises:
        SealkitError: a configuration cannot be read any more.
    """
    return [_recipients(world.app, config) for config in world.configs.found]


def _recipients(app: App, config: Config) -> Looked:
    resource, comments = configuration_of(app, config)
    found: list[Finding] = []
    for cluster in config.clusters.values():
        place = place_in(resource, f"clusters.{cluster.name}", cluster.name)
        found += _recipient(app, config.file_of(cluster), cluster, place)
    return Looked(app.shown(config.path), tuple(found), comments)


def configuration_of(app: App, config: Config) -> tuple[Resource, Comments]:
    """Return the text of a configuration, to find places in, and its comments.

    Raises:
        SealkitError: it cannot be read any more.
    """
    raw = read_bytes(config.path)
    documents = read_documents(raw, file=app.shown(config.path))
    resource = next(one for document in documents for one in iter_resources(document))
    return resource, Comments.read(raw.decode())


def _recipient(app: App, path: str, cluster: Cluster, place: Place) -> Iterator[Finding]:
    today = app.today()
    try:
        recipient = load_recipient(path)
    except SealkitError as error:
        what = f"{app.shown(path)} {error.problem}"
        yield Finding(rules.BAD_RECIPIENT, place, what, "sealkit clusters add NAME … --replace")
        return
    if standing(recipient, cluster.kid, cluster.not_after, today) is Standing.MISMATCHED:
        what = f"{app.shown(path)} holds key {recipient.key.kid}, which is not the pinned one"
        hint = "if the key was renewed: sealkit clusters add NAME … --replace"
        yield Finding(rules.OTHER_KEY, place, what, hint)
    yield from check_last_day(place, last_day(recipient, cluster.not_after), today)
