"""Judge the manifests of a repository together: two for one Secret, stores, kustomizations."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from sealkit.findings import rules
from sealkit.findings.finding import Finding, Place
from sealkit.manifests.scope import Scope
from sealkit.references.store import Store, StoreKind
from sealkit.verifying.manifest import Manifest, Policy

KUSTOMIZATIONS: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_LISTS: Final = ("resources", "components", "bases")


class Target(NamedTuple):
    """What is asked of one manifest; `place` is that of its name, `path` that of its file.

    `readers` are the ids of the keys that are to open it; `is_bound` tells whether values are bound
    to its place; `stores` are those of its references, each with the place of the first.
    """

    namespace: str
    name: str
    scope: Scope
    path: str
    place: Place
    readers: frozenset[str]
    is_bound: bool
    stores: tuple[tuple[Store, Place], ...] = ()


class Named(NamedTuple):
    """A store that stands in some file; a ClusterVaultStore has no namespace."""

    store: Store
    namespace: str


class Kustomization(NamedTuple):
    """What a kustomization does to the names of the files that it lists; `label` is for people."""

    path: str
    label: str
    entries: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""
    namespace: str = ""

    @classmethod
    def from_dict(cls, raw: Mapping[str, object], path: str, label: str) -> Kustomization:
        """Take what matters here, and pass over what has another shape: kustomize refuses it."""

        def text(name: str) -> str:
            value = raw.get(name)
            return value if isinstance(value, str) else ""

        lists = [entries for name in _LISTS if isinstance(entries := raw.get(name), list)]
        entries = tuple(one for entries in lists for one in entries if isinstance(one, str))
        return cls(path, label, entries, text("namePrefix"), text("nameSuffix"), text("namespace"))

    @property
    def folder(self) -> str:
        """Where it stands; what it lists is relative to that."""
        return posixpath.dirname(self.path)


def target_of(manifest: Manifest, path: str, policy: Policy | None) -> Target:
    """Return what is asked below of a manifest in the file `path`, which is absolute.

    Where nothing is sealed, those are to read it whom the configuration says.
    """
    sealed = manifest.sealed
    stores: dict[Store, Place] = {}
    for key, template in sealed.references.items():
        for store in map(sealed.vault.store_of, template.references):
            if store not in stores:
                stores[store] = manifest.at(f"spec.references.{key}")
    return Target(
        namespace=sealed.namespace,
        name=sealed.name,
        scope=sealed.scope,
        path=path,
        place=manifest.at("metadata.name"),
        readers=sealed.kids() or _meant(policy),
        is_bound=bool(sealed.encrypted_data),
        stores=tuple(stores.items()),
    )


def _meant(policy: Policy | None) -> frozenset[str]:
    clusters = policy.clusters or () if policy else ()
    names = policy.names if policy else {}
    return frozenset(kid for kid, name in names.items() if name in clusters)


def check_targets(targets: Iterable[Target]) -> Iterator[Finding]:
    """Yield manifests that make the same Secret in the same cluster as one before them.

    The same name in another cluster is no conflict: that is what overlays look like. Without a
    namespace only the manifests of one folder are compared.
    """
    first: dict[tuple[str, str, str], Target] = {}
    for target in targets:
        where = target.namespace or f"in {posixpath.dirname(target.path)}"
        keys = [(where, target.name, reader) for reader in sorted(target.readers) or [""]]
        other = next((first[key] for key in keys if key in first), None)
        for key in keys:
            first.setdefault(key, target)
        if other:
            what = f"makes the same Secret as {other.place}"
            yield Finding(
                rules.DUPLICATE_TARGET, target.place, what, "remove or rename one of them"
            )


def check_stores(targets: Iterable[Target], stores: Iterable[Named]) -> Iterator[Finding]:
    """Yield references whose store is not among those of the files."""
    known = set(stores)
    for target in targets:
        for store, place in target.stores:
            is_cluster = store.kind is StoreKind.CLUSTER
            if Named(store, "" if is_cluster else target.namespace) not in known:
                what = f"needs {store.kind} {store.name!r}, which is not among the files"
                yield Finding(rules.UNKNOWN_STORE, place, what)


def check_kustomizations(
    targets: Iterable[Target], kustomizations: Iterable[Kustomization]
) -> Iterator[Finding]:
    """Yield manifests that a kustomization renames or moves to where they do not open.

    Its own entries are followed, and those of kustomizations among them. Transformers in files of
    their own and patches are not looked at.
    """
    by_path: dict[str, list[Target]] = {}
    for target in targets:
        if target.is_bound:
            by_path.setdefault(target.path, []).append(target)
    by_folder = {one.folder: one for one in kustomizations}
    for one in by_folder.values():
        if one.prefix or one.suffix or one.namespace:
            for path in sorted(_covered(one, by_folder, {one.folder})):
                for target in by_path.get(path, ()):
                    yield from _moved(target, one)


def _covered(
    one: Kustomization, by_folder: Mapping[str, Kustomization], seen: set[str]
) -> Iterator[str]:
    for entry in one.entries:
        path = posixpath.normpath(posixpath.join(one.folder, entry))
        if path not in by_folder:
            yield path
        elif path not in seen:
            seen.add(path)
            yield from _covered(by_folder[path], by_folder, seen)


def _moved(target: Target, by: Kustomization) -> Iterator[Finding]:
    if target.scope is Scope.STRICT and (by.prefix or by.suffix):
        name = f"{by.prefix}{target.name}{by.suffix}"
        what = f"becomes {name!r} by {by.label}, and strict values do not open there"
        hint = "seal it under that name, or with --scope namespace-wide"
        yield Finding(rules.MOVED_BY_KUSTOMIZE, target.place, what, hint)
    is_elsewhere = by.namespace and target.namespace not in {"", by.namespace}
    if is_elsewhere and target.scope is not Scope.CLUSTER:
        place = target.place._replace(field="metadata.namespace")
        what = (
            f"becomes {by.namespace!r} by {by.label}, and {target.scope} values do not open there"
        )
        hint = "seal it for that namespace"
        yield Finding(rules.MOVED_BY_KUSTOMIZE, place, what, hint)
