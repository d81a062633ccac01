"""ExternalSecret of the External Secrets Operator, v1 and v1beta1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sealkit import fields
from sealkit.errors import ManifestError
from sealkit.foreign.context import Context
from sealkit.foreign.external_data import Lookup, take_data, take_data_from
from sealkit.foreign.head import Head, renamed, take_head
from sealkit.foreign.sealed import NEVER, referring, take_interval
from sealkit.foreign.source import Source
from sealkit.foreign.texts import Texts, checked
from sealkit.foreign.vault_provider import home_of
from sealkit.manifests.sealed import DeletionPolicy
from sealkit.manifests.secret import DEFAULT_TYPE
from sealkit.manifests.template import MergePolicy, Template
from sealkit.manifests.vault import DEFAULT_STORE, RefreshPolicy, VaultTerms
from sealkit.references.reference import Reference

HINTS: Final[Mapping[str, str]] = {
    "spec.syncWindows": "there are no windows: Vault is asked whenever the interval is over",
    "spec.target.template.templateFrom": "is not looked up: put its texts under spec.template.data",
    "spec.target.template.metadata.finalizers": "a Secret made by sealkit has no finalizers",
}
_CREATION: Final[Mapping[str, tuple[DeletionPolicy, str]]] = {
    "Owner": ("Delete", ""),
    "Orphan": ("Retain", ""),
    "Merge": ("Retain", "sealkit makes the whole Secret, and adds to none that others made"),
    "CreateOrMerge": ("Retain", "sealkit makes the whole Secret, and adds to none of others"),
}
_GONE: Final = "a Secret stays as it is when its path is gone from Vault, and the status says so"


def convert(source: Source, context: Context) -> dict[str, object] | None:
    """Return a SealedSecret, or None with notes if it would be none.

    Raises:
        ManifestError: a field is wrong in itself.
    """
    head = take_head(source)
    spec = source.inner("spec")
    target = spec.inner("target")
    inherits = "template" not in target
    shape = target.inner("template")
    deletion, lookup, texts = _deletion(target), _lookup(spec, context, head), _texts(shape)
    if deletion is None or lookup is None or texts is None:
        return None
    references = _references(spec, lookup, texts)
    made = texts.only(references)
    if not references or (texts.replaces and not made):
        spec.note("", "", "holds too little that can be referred to, so it stays as it is")
        return None
    template = _template(shape, texts, made, head if inherits else None, target.flag("immutable"))
    vault = _vault(spec, lookup)
    head = renamed(source, head, target, target.text("name", head.name))
    sealed = referring(head, references, template, vault)
    return sealed._replace(deletion_policy=deletion).to_dict()


def _deletion(target: Source) -> DeletionPolicy | None:
    creation = target.text("creationPolicy", "Owner")
    if creation not in {*_CREATION, "None"}:
        known = ", ".join((*_CREATION, "None"))
        raise ManifestError(f"is not one of {known}", field=target.at("creationPolicy"))
    if creation == "None":
        target.note("creationPolicy", creation, "makes no Secret, so it stays as it is")
        return None
    if "manifest" in target:
        target.note("manifest", "", "makes what is no Secret, so it stays as it is")
        return None
    policy, todo = _CREATION[creation]
    if todo:
        target.note("creationPolicy", creation, todo)
    target.expect("deletionPolicy", "Retain", _GONE)
    return policy


def _lookup(spec: Source, context: Context, head: Head) -> Lookup | None:
    if "secretStoreRef" not in spec:
        return Lookup(context, head.namespace, None)
    home = home_of(spec.inner("secretStoreRef"), context, head.namespace)
    return Lookup(context, head.namespace, home) if home else None


def _texts(shape: Source) -> Texts | None:
    data = shape.inner("data")
    given = {name: data.text(name) for name in data.names}
    engine = shape.text("engineVersion", "v2")
    if engine != "v2" and given:
        todo = "is another template language, so it stays as it is: move to v2 first"
        shape.note("engineVersion", engine, todo)
        return None
    policy = shape.text("mergePolicy", "Replace")
    merge = fields.one_of(MergePolicy, policy, shape.at("mergePolicy"))
    return checked(data, given, replaces=bool(given) and merge is MergePolicy.REPLACE)


def _references(spec: Source, lookup: Lookup, texts: Texts) -> dict[str, Reference]:
    data = take_data(spec, lookup)
    missing = sorted(texts.used - data.keys())
    complete = texts.replaces and not texts.everything
    keys = missing if complete else dict.fromkeys((*lookup.context.keys, *missing))
    named = complete or bool(lookup.context.keys)
    return take_data_from(spec, lookup, tuple(keys), complete=named) | data


def _template(
    shape: Source,
    texts: Texts,
    made: Mapping[str, str],
    inherited: Head | None,
    immutable: bool,  # noqa: FBT001
) -> Template:
    metadata = shape.inner("metadata")
    labels, annotations = _plain(metadata, "labels"), _plain(metadata, "annotations")
    return Template(
        type=shape.text("type") or DEFAULT_TYPE,
        immutable=immutable,
        labels=inherited.labels if inherited else labels,
        annotations=inherited.annotations if inherited else annotations,
        merge_policy=MergePolicy.REPLACE if texts.replaces else MergePolicy.MERGE,
        data=made,
    )


def _plain(metadata: Source, name: str) -> dict[str, str]:
    """Take labels or annotations; those that are templates are noted."""
    kept = {}
    for key, text in metadata.strings(name).items():
        if "{{" in text:
            todo = "is a template: labels and annotations are plain text here"
            metadata.note(f"{name}.{key}", "a template", todo)
        else:
            kept[key] = text
    check = fields.label_map if name == "labels" else fields.annotation_map
    return check(kept, metadata.at(name))


def _vault(spec: Source, lookup: Lookup) -> VaultTerms:
    policy = fields.one_of(
        RefreshPolicy, spec.text("refreshPolicy", "Periodic"), spec.at("refreshPolicy")
    )
    interval = take_interval(spec, "refreshInterval")
    if interval == NEVER:  # it is read again when the manifest changes
        interval = ""
        policy = RefreshPolicy.ON_CHANGE if policy is RefreshPolicy.PERIODIC else policy
    store = lookup.home.store if lookup.home else DEFAULT_STORE
    return VaultTerms(store=store, policy=policy, interval=interval)
