"""What the secrets of the Vault Secrets Operator have in common: destination and transformation.

The operator writes all keys of a secret; references need their names. They are known where the
templates are all there is, where filters name them, or where the user does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sealkit import fields
from sealkit.foreign.context import Context
from sealkit.foreign.head import Head, renamed, take_head
from sealkit.foreign.sealed import NEVER, referring, take_interval, take_restarts
from sealkit.foreign.source import Source
from sealkit.foreign.texts import Texts, checked, without_secrets_map
from sealkit.manifests.secret import DEFAULT_TYPE, check_data_key
from sealkit.manifests.template import MergePolicy, Template
from sealkit.manifests.vault import VaultTerms
from sealkit.references.reference import Reference, Store, StoreKind

_TRANSFORMATION: Final = "spec.destination.transformation"
COMMON_HINTS: Final[Mapping[str, str]] = {
    "spec.syncConfig": "Vault is asked when the interval is over",
    f"{_TRANSFORMATION}.transformationRefs": (
        "is not looked up: put its texts under spec.template.data"
    ),
}
_LITERAL: Final = re.compile(r"\^((?:[-_A-Za-z0-9]|\\\.)+)\$")
_PLAIN_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME_THEM: Final = "takes all keys of the secret, and references need their names: pass --keys"
_OF_THE_OPERATOR: Final = "default"


@dataclass(frozen=True)
class Destination:
    """The Secret to be: what it is made of. `keys` are those of the secret that go into it."""

    source: Source
    texts: Texts
    keys: tuple[str, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """The keys that have to be read: those that stay and those that templates use."""
        return tuple(sorted({*self.keys, *self.texts.used}))

    def references(self, base: Reference) -> dict[str, Reference]:
        """Return a reference for each of them, to keys of the secret that `base` is."""
        return {key: replace(base, key=key) for key in self.values}

    def template(self) -> Template:
        """Take type, labels and annotations, and return the template."""
        made = self.texts.only(self.values)
        hidden = frozenset(self.values) - frozenset(self.keys)
        kept = {key: _as_it_is(key) for key in self.keys if hidden and key not in made}
        labels, annotations = self.source.strings("labels"), self.source.strings("annotations")
        return Template(
            type=self.source.text("type") or DEFAULT_TYPE,
            labels=fields.label_map(labels, self.source.at("labels")),
            annotations=fields.annotation_map(annotations, self.source.at("annotations")),
            merge_policy=MergePolicy.REPLACE if hidden else MergePolicy.MERGE,
            data={**kept, **made},
        )


def _as_it_is(key: str) -> str:
    return f"{{{{ .{key} }}}}" if _PLAIN_FIELD.fullmatch(key) else f'{{{{ index . "{key}" }}}}'


def take_destination(spec: Source, context: Context) -> Destination:
    """Take `destination` apart from its name, type, labels and annotations.

    Raises:
        ManifestError: a field is wrong.
    """
    destination = spec.inner("destination")
    if not destination.flag("create"):
        todo = "sealkit makes the Secret itself: delete the old one, or annotate it to be adopted"
        destination.note("create", "false", todo)
    if destination.flag("overwrite"):
        todo = "an existing Secret is taken over only with the annotation sealkit.dev/adopt"
        destination.note("overwrite", "true", todo)
    transformation = destination.inner("transformation")
    if not transformation.flag("excludeRaw"):
        transformation.note("excludeRaw", "false", "_raw, all of the answer as JSON, is not made")
    texts = _texts(transformation)
    keys = _keys(transformation, context, texts)
    for key in keys:
        check_data_key(key, transformation.path)
    return Destination(destination, texts, keys)


def _texts(transformation: Source) -> Texts:
    templates = transformation.inner("templates")
    given = {}
    for key in templates.names:
        template = templates.inner(key)
        text = without_secrets_map(template.required("text"))
        template.take("name")  # what errors of the operator call it
        if text is None:
            todo = "uses more than the secret itself, which nothing can here: write it anew"
            templates.note(key, "a template", todo)
        else:
            given[key] = text
    return checked(templates, given)


def _keys(transformation: Source, context: Context, texts: Texts) -> tuple[str, ...]:
    """Take the filters, and return which keys of the secret stay, as far as that is known."""
    excludes, includes = transformation.texts("excludes"), transformation.texts("includes")
    if ".*" in excludes and not includes and not texts.everything:
        return ()
    literal = [match[1] for one in includes if (match := _LITERAL.fullmatch(one))]
    literal = [one.replace("\\.", ".") for one in literal]
    if includes and len(literal) == len(includes) and not excludes:
        return tuple(dict.fromkeys(literal))
    for name, patterns in (("excludes", excludes), ("includes", includes)):
        if patterns:
            transformation.note(name, ", ".join(patterns), "keys are named here, not filtered")
    if not context.keys:
        transformation.note("", "", _NAME_THEM)
    return context.keys or tuple(sorted(texts.used))


@dataclass(frozen=True)
class Operated:
    """One secret of the operator while it is read."""

    source: Source
    context: Context
    head: Head
    spec: Source
    destination: Destination

    @classmethod
    def of(cls, source: Source, context: Context) -> Operated:
        """Take what stands before `spec`, and the destination.

        Raises:
            ManifestError: a field of them is wrong.
        """
        head = take_head(source)
        spec = source.inner("spec")
        return cls(source, context, head, spec, take_destination(spec, context))

    def manifest(
        self, references: Mapping[str, Reference], template: Template, *, revoke: bool = False
    ) -> dict[str, object] | None:
        """Take name, store, interval and restarts, and return the manifest.

        Return None with a note if there is nothing to refer to.

        Raises:
            ManifestError: a field of them is wrong.
        """
        target = self.destination.source
        if not references:
            target.note("", "", "names no key, so it stays as it is")
            return None
        interval = take_interval(self.spec, "refreshAfter")
        terms = VaultTerms(
            store=self._store(),
            interval="" if interval == NEVER else interval,
            revoke_on_delete=revoke,
        )
        head = renamed(self.source, self.head, target, target.required("name"))
        restarts = take_restarts(self.spec)
        sealed = referring(head, references, template, terms)
        return sealed._replace(restarts=restarts).to_dict()

    def _store(self) -> Store:
        """Take `vaultAuthRef`, which becomes a store of that name."""
        ref = self.spec.text("vaultAuthRef")
        namespace, _, name = ref.rpartition("/")
        if not ref:
            todo = f"means that of the operator: make a store called {_OF_THE_OPERATOR}"
            self.spec.note("vaultAuthRef", "none", todo)
        elif namespace not in {"", self.head.namespace} and not self._shares_stores:
            todo = "a VaultStore is for its own namespace: pass --store-kind ClusterVaultStore"
            self.spec.note("vaultAuthRef", ref, todo)
        with self.spec.as_references({"store": "vaultAuthRef"}):
            return Store(name or _OF_THE_OPERATOR, self.context.store_kind)

    @property
    def _shares_stores(self) -> bool:
        return self.context.store_kind is StoreKind.CLUSTER
