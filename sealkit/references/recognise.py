"""Which values of a Secret are references, in any spelling that its annotations allow for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from sealkit.errors import ReferenceSyntaxError
from sealkit.references.argocd import KeyPlaceholder, PathPlaceholder
from sealkit.references.bank_vaults import BankVaults
from sealkit.references.checks import check_path, under
from sealkit.references.modifiers import Plain
from sealkit.references.reference import Kv, Reference
from sealkit.references.spelling import Spelling
from sealkit.references.structured import parse_version
from sealkit.references.template import MAX_TEXT, Template, parse
from sealkit.sensitive import Sensitive

_ARGOCD: Final = "avp.kubernetes.io/"
_BANK_VAULTS: Final = "vault.security.banzaicloud.io/"
_KV: Final = {"": Kv.AUTO, "1": Kv.V1, "2": Kv.V2}

# The annotations that the functions below read; the rest of the peers' say where Vault is.
ANNOTATIONS: Final = (
    *(_ARGOCD + name for name in ("ignore", "kv-version", "path", "remove-missing")),
    _ARGOCD + "secret-version",
    *(_BANK_VAULTS + name for name in ("transit-key-id", "transit-path")),
)


@dataclass(frozen=True)
class Recognised:
    """The values of a Secret in two heaps: those to refer to, and those to encrypt."""

    references: Mapping[str, Template]
    values: Mapping[str, Sensitive]


def recognise(
    data: Mapping[str, Sensitive], annotations: Mapping[str, str] | None = None
) -> Recognised:
    """Split the values of a Secret, both heaps sorted by key.

    A value that is not UTF-8 holds no reference. The literal text around references becomes
    public, and it is for the caller to say so where it asks.

    Raises:
        ReferenceSyntaxError: an annotation is wrong, or a value begins as a reference and is none;
            the field is `data.<key>`, and nothing of the value is shown.
    """
    spellings = spellings_of(annotations or {})
    found = {key: _parse(key, data[key], spellings) for key in sorted(data)}
    return Recognised(
        {key: template for key, template in found.items() if template},
        {key: data[key] for key, template in found.items() if not template},
    )


def _parse(key: str, value: Sensitive, spellings: tuple[Spelling, ...]) -> Template | None:
    text: str | None = None
    with suppress(UnicodeDecodeError):
        text = value.reveal().decode()
    if text is None or len(text) > MAX_TEXT:
        return None
    with under(f"data.{key}"):
        return parse(text, spellings)


def spellings_of(annotations: Mapping[str, str]) -> tuple[Spelling, ...]:
    """Return the spellings to look for in a document with these annotations.

    Raises:
        ReferenceSyntaxError: an annotation of a peer that we read has a value that cannot be.
    """
    transit = _transit(annotations)
    if annotations.get(_ARGOCD + "ignore") == "true":
        return (transit,)
    kv = _kv(annotations)
    optional = annotations.get(_ARGOCD + "remove-missing") == "true"
    inline = PathPlaceholder(kv, optional)
    name = _ARGOCD + "path"
    if name not in annotations:
        return (transit, inline)
    with under(f"metadata.annotations.{name}"):
        check_path(annotations[name], "")
    generic = KeyPlaceholder(annotations[name], kv, _version(annotations), optional)
    return (transit, inline, generic)


def _transit(annotations: Mapping[str, str]) -> BankVaults:
    key = annotations.get(_BANK_VAULTS + "transit-key-id", "")
    mount = annotations.get(_BANK_VAULTS + "transit-path", "transit")
    for name, value in (("transit-key-id", key), ("transit-path", mount)):
        with under(f"metadata.annotations.{_BANK_VAULTS}{name}"):
            if value:
                check_path(value, "")
    return BankVaults(key, mount or "transit")


def _kv(annotations: Mapping[str, str]) -> Kv:
    name = _ARGOCD + "kv-version"
    kv = _KV.get(annotations.get(name, ""))
    if kv is None:
        raise ReferenceSyntaxError("is neither 1 nor 2", field=f"metadata.annotations.{name}")
    return kv


def _version(annotations: Mapping[str, str]) -> int | None:
    name = _ARGOCD + "secret-version"
    if not annotations.get(name):
        return None
    with under(f"metadata.annotations.{name}"):
        return parse_version(annotations[name])


def recognise_encoded(
    field: str, text: str, annotations: Mapping[str, str] | None = None
) -> Template | None:
    """Parse a reference that stands in `data` where base64 should be, as Argo CD users write it.

    What comes from Vault is then base64 itself, or made so by a last `base64encode`; the template
    gives the bytes that the base64 stands for. None: there is no reference, `text` may be base64.

    Raises:
        ReferenceSyntaxError: as `recognise`, the field being `field`; literal text around it.
    """
    with under(field):
        template = parse(text, spellings_of(annotations or {}))
        if template and len(template.parts) > 1:
            hint = "put the text under stringData"
            raise ReferenceSyntaxError("mixes references and base64", hint=hint)
    return Template((_decoded(template.references[0]),)) if template else None


def _decoded(reference: Reference) -> Reference:
    if reference.modifiers[-1:] == (Plain.BASE64_ENCODE,):
        return replace(reference, modifiers=reference.modifiers[:-1])
    return replace(reference, modifiers=(*reference.modifiers, Plain.BASE64_DECODE))
