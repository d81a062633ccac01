"""A SealedSecret of Bitnami, opened: what becomes of it here, and its values. Pure.

Scope, name and namespace are those of its own metadata; what the template says of them counts for
nothing, there as here. The form of their first releases, a whole Secret in `spec.data`, is read as
well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sealkit import fields
from sealkit.errors import ManifestError, UnsealError
from sealkit.foreign.context import Raw
from sealkit.foreign.head import take_head
from sealkit.foreign.source import Note, Source
from sealkit.manifests.gitops import LAST_APPLIED
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.secret import DEFAULT_TYPE, Secret
from sealkit.manifests.template import Template
from sealkit.sensitive import Sensitive

if TYPE_CHECKING:
    from sealkit.crypto.bitnami import Ring

API_VERSION: Final = "bitnami.com/v1alpha1"
KIND: Final = "SealedSecret"
PREFIX: Final = "sealedsecrets.bitnami.com/"
# The first one that is "true" counts; without any it is strict.
SCOPES: Final[Mapping[str, Scope]] = {
    f"{PREFIX}cluster-wide": Scope.CLUSTER,
    f"{PREFIX}namespace-wide": Scope.NAMESPACE,
}

_UNOWNED: Final = f"{PREFIX}skip-set-owner-references"
_HINTS: Final = {
    "spec.template.metadata.finalizers": "are not put on the Secret",
}
_ANNOTATIONS: Final = {
    f"{PREFIX}managed": "an existing Secret is taken over only with the annotation"
    " sealkit.dev/adopt",
    f"{PREFIX}patch": "the Secret is made whole, not merged into one that is there",
}
_UNSEAL_HINT: Final = (
    "it takes the key that it was sealed to, and name, namespace and scope as they were then"
)


@dataclass(frozen=True)
class Opened:
    """The manifest without its values, those values, and what is not carried over."""

    sealed: SealedSecret
    values: Mapping[str, Sensitive]
    notes: tuple[Note, ...]


def open_bitnami(raw: Raw, ring: Ring) -> Opened:
    """Open a SealedSecret of Bitnami. The result has not been checked as a manifest of ours.

    Raises:
        UnsealError: a value does not open; the field names it.
        ManifestError: a field is wrong in itself.
    """
    from sealkit.crypto.bitnami import label  # noqa: PLC0415  # cold start

    source = Source(raw)
    source.take("status")
    head = take_head(source)
    scope = next((one for name, one in SCOPES.items() if _says(head.annotations, name)), None)
    scope = scope or Scope.STRICT
    bound_to = label(*scope.place(head.namespace, head.name))
    spec = source.inner("spec")
    template, values = _contents(spec, ring, bound_to)
    retained = _says(template.annotations, _UNOWNED)
    sealed = SealedSecret(
        name=head.name,
        namespace=head.namespace,
        scope=scope,
        envelopes={},
        encrypted_data={},
        template=template._replace(annotations=_kept(template.annotations)),
        labels=head.labels,
        annotations=_kept(head.annotations),
        deletion_policy="Retain" if retained else "Delete",
    )
    return Opened(sealed, values, (*source.notes, *source.left_over(_HINTS)))


def _contents(
    spec: Source, ring: Ring, bound_to: bytes
) -> tuple[Template, Mapping[str, Sensitive]]:
    items = spec.strings("encryptedData")
    if "data" in spec:
        return _whole_secret(spec, items, ring, bound_to)
    values = {
        key: _opened(ring, item, bound_to, f"spec.encryptedData.{key}")
        for key, item in items.items()
    }
    return _template(spec.inner("template"), items), values


def _opened(ring: Ring, item: str, bound_to: bytes, path: str) -> Sensitive:
    from sealkit.crypto.bitnami import parse_item  # noqa: PLC0415  # cold start

    try:
        return ring.open(parse_item(item, path), bound_to)
    except UnsealError as error:
        error.field, error.hint = path, _UNSEAL_HINT
        raise


def _whole_secret(
    spec: Source, items: Mapping[str, str], ring: Ring, bound_to: bytes
) -> tuple[Template, Mapping[str, Sensitive]]:
    """Open the deprecated form: one item whose value is the JSON of a Secret."""
    path = spec.at("data")
    if items:
        raise ManifestError("is there beside encryptedData, and only one may be", field=path)
    secret = _secret(_opened(ring, spec.text("data"), bound_to, path))
    if secret is None:
        raise ManifestError("does not hold a Secret", field=path)
    spec.take("template")  # their controller looks at the Secret only
    template = Template(
        type=secret.type,
        immutable=secret.immutable,
        labels=secret.labels,
        annotations=secret.annotations,
    )
    return template, secret.data


def _secret(value: Sensitive) -> Secret | None:
    """Parse a Secret, or return None: an error of the parser would carry what is in it."""
    with suppress(ValueError, RecursionError, ManifestError):
        return Secret.from_dict(fields.mapping(json.loads(value.reveal()), ""))
    return None


def _template(source: Source, items: Mapping[str, str]) -> Template:
    metadata = source.inner("metadata")
    for name in ("name", "namespace"):
        metadata.take(name)
    annotations = fields.annotation_map(metadata.strings("annotations"), metadata.at("annotations"))
    for name, todo in _ANNOTATIONS.items():
        if _says(annotations, name):
            metadata.note(f"annotations.{name}", "true", todo)
    return Template(
        type=source.text("type") or DEFAULT_TYPE,
        immutable=source.flag("immutable"),
        labels=fields.label_map(metadata.strings("labels"), metadata.at("labels")),
        annotations=annotations,
        data=_texts(source, items),
    )


def _texts(template: Source, items: Mapping[str, str]) -> dict[str, str]:
    """Take the text templates. From 0.40 on null takes a value out of the Secret."""
    entries = fields.mapping(template.take("data") or {}, template.at("data"))
    texts = {}
    for key, text in sorted(entries.items()):
        if text is None:
            template.note(f"data.{key}", "null", "the value stays in the Secret")
            continue
        texts[key] = fields.text(text, template.at(f"data.{key}"))
        if key in items:
            todo = "is encrypted as well: the text wins, as with Bitnami before 0.37"
            template.note(f"data.{key}", "", todo)
    return texts


def _says(annotations: Mapping[str, str], name: str) -> bool:
    return annotations.get(name) == "true"


def _kept(annotations: Mapping[str, str]) -> dict[str, str]:
    return {
        name: text
        for name, text in annotations.items()
        if not name.startswith(PREFIX) and name != LAST_APPLIED
    }
