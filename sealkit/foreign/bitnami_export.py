"""A manifest of ours as a SealedSecret of Bitnami. Pure.

A text that their controller makes the same way stays a template. Everything else that the manifest
makes of its values is made now, and sealed as one more value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from sealkit.assembly import Salt, assemble
from sealkit.crypto.bitnami import label
from sealkit.foreign.bitnami import API_VERSION, KIND, SCOPES
from sealkit.foreign.conversion import Conversion
from sealkit.foreign.source import Note
from sealkit.manifests.sealed import GROUP, SealedSecret
from sealkit.manifests.secret import Secret
from sealkit.manifests.template import DELIMITERS, MergePolicy, Template, metadata_maps
from sealkit.sensitive import Sensitive

Seal = Callable[[Sensitive, bytes], str]
"""Makes the item for a value that is bound to a label."""

_ACTION: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
# Functions that Bitnami has not, or whose result there is another or comes in random order.
_OTHER: Final = re.compile(r"\b(?:get|hasKey|keys|nospace|required|slice|toYaml|values)\b")
_NOW: Final = "is made now, and sealed as a value: export again when what it is made of changes"
_OURS: Final = "means nothing to Bitnami's controller, so it is left out"


def obstacles(sealed: SealedSecret) -> tuple[Note, ...]:
    """Return why a manifest stays as it is: their controller cannot get all of its values."""
    todo = "are in Vault, which Bitnami's controller does not ask, so it stays as it is"
    names = ", ".join(sorted(sealed.references))
    return (Note("spec.references", names, todo),) if names else ()


def to_bitnami(
    sealed: SealedSecret, values: Mapping[str, Sensitive], seal: Seal, salt: Salt
) -> Conversion:
    """Return the manifest for their controller; `values` are all those that `sealed` holds.

    Raises:
        TemplateError, ManifestError: as `assembly.assemble`; or the scope needs a namespace.
    """
    secret = assemble(sealed, values, salt)
    kept = {key: text for key, text in sealed.template.data.items() if _is_kept(sealed, key, text)}
    bound_to = label(*sealed.scope.place(sealed.namespace, sealed.name))
    items = {key: seal(one, bound_to) for key, one in secret.data.items() if key not in kept}
    manifest = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": _metadata(sealed),
        "spec": {"encryptedData": items, "template": _template(secret, kept)},
    }
    return Conversion(tuple(_notes(sealed, kept)), manifest)


def _is_kept(sealed: SealedSecret, key: str, text: str) -> bool:
    """Tell whether every version of their controller makes of this text what ours makes.

    From 0.37 on theirs gives a text the other texts as well, and lets a value win over a text.
    """
    template = sealed.template
    if template.merge_policy is not MergePolicy.MERGE or template.delimiters != DELIMITERS:
        return False
    if key in sealed.value_names or any(map(_OTHER.search, _ACTION.findall(text))):
        return False
    return _names_values_only(template, text)


def _names_values_only(template: Template, text: str) -> bool:
    from sealkit.templates.template import parse  # noqa: PLC0415  # most manifests have no text

    usage = parse(text).usage
    return not usage.everything and not usage.names & template.makes


def _metadata(sealed: SealedSecret) -> dict[str, object]:
    annotations = {
        name: text
        for name, text in sealed.annotations.items()
        if not _is_ours(name) and name not in SCOPES
    }
    annotations |= {name: "true" for name, scope in SCOPES.items() if scope is sealed.scope}
    labels = {name: text for name, text in sealed.labels.items() if not _is_ours(name)}
    return {**_place(sealed), **metadata_maps(labels, annotations)}


def _template(secret: Secret, texts: Mapping[str, str]) -> dict[str, object]:
    raw: dict[str, object] = {"type": secret.type}
    if secret.immutable:
        raw["immutable"] = True
    raw["metadata"] = {**_place(secret), **metadata_maps(secret.labels, secret.annotations)}
    return raw | ({"data": dict(texts)} if texts else {})


def _place(one: SealedSecret | Secret) -> dict[str, object]:
    place: dict[str, object] = {"name": one.name}
    return place | ({"namespace": one.namespace} if one.namespace else {})


def _notes(sealed: SealedSecret, kept: Mapping[str, str]) -> Iterator[Note]:
    for kind, names in (("labels", sealed.labels), ("annotations", sealed.annotations)):
        for name in filter(_is_ours, names):
            yield Note(f"metadata.{kind}.{name}", "", _OURS)
    for builder in sealed.template.build:
        yield Note(f"spec.template.build.{builder.name}", "", _NOW)
    for key in sealed.template.data:
        if key not in kept:
            yield Note(f"spec.template.data.{key}", "", _NOW)
    yield from _notes_on_behaviour(sealed)


def _notes_on_behaviour(sealed: SealedSecret) -> Iterator[Note]:
    if sealed.restarts:
        found = ", ".join(f"{one.kind} {one.name or one.selector}" for one in sealed.restarts)
        yield Note("spec.rolloutRestart", found, "nothing restarts them when the Secret changes")
    if sealed.suspend:
        yield Note("spec.suspend", "true", "Bitnami's controller makes the Secret all the same")
    if sealed.recreate:
        todo = "delete the Secret by hand when its type or an immutable value changes"
        yield Note("spec.recreate", "true", todo)
    if sealed.deletion_policy == "Retain":
        todo = "the Secret is deleted together with its SealedSecret"
        yield Note("spec.deletionPolicy", sealed.deletion_policy, todo)


def _is_ours(name: str) -> bool:
    return name.startswith(f"{GROUP}/")
