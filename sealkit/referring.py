"""Split a Secret into what is to be sealed and what refers to Vault. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from sealkit.errors import ManifestError, ReferenceSyntaxError
from sealkit.manifests.secret import Secret
from sealkit.sensitive import Sensitive

if TYPE_CHECKING:
    from sealkit.references.template import Template as ValueTemplate

# What every spelling has. Most values have nothing like it, and then none has to be loaded.
_SIGNS: Final = (b"vault:", b"<")
_PEERS: Final = ("avp.kubernetes.io/", "vault.security.banzaicloud.io/")


class Divided(NamedTuple):
    """A Secret in two parts: what is to be sealed, and what refers to Vault."""

    secret: Secret
    references: Mapping[str, ValueTemplate]

    @property
    def partly_public(self) -> tuple[str, ...]:
        """The keys with text around their references; it stands in the manifest as it is."""
        return tuple(key for key, one in self.references.items() if one.is_partly_public)


def divide(raw: Mapping[str, object]) -> Divided:
    """Parse a Secret whose values may be references, in any spelling that is known.

    The annotations with which the peers say how to read them are left out of the result, if there
    is a reference.

    Raises:
        ManifestError: as `Secret.from_dict`.
        ReferenceSyntaxError: a value begins as a reference and is none.
    """
    references = _references(raw)
    rest = {**raw}
    for name in ("data", "stringData"):
        entries = raw.get(name)
        if isinstance(entries, Mapping):
            rest[name] = {key: entries[key] for key in entries if key not in references}
    secret = Secret.from_dict(rest, elsewhere=references)
    if references:
        kept = {key: one for key, one in secret.annotations.items() if not key.startswith(_PEERS)}
        secret = secret._replace(annotations=kept)
    return Divided(secret, {key: references[key] for key in sorted(references)})


def _references(raw: Mapping[str, object]) -> dict[str, ValueTemplate]:
    """Return the references in the values. `stringData` wins over `data`."""
    annotations = _annotations(raw)
    plain = _texts(raw, "stringData")
    found: dict[str, ValueTemplate] = {}
    for key, text in _texts(raw, "data").items():
        template = None if key in plain else _in_data(key, text, annotations)
        found |= {key: template} if template else {}
    values = {key: Sensitive(_encoded(key, text)) for key, text in plain.items()}
    return found | dict(_in_string_data(values, annotations))


def _annotations(raw: Mapping[str, object]) -> dict[str, str]:
    metadata = raw.get("metadata")
    return _texts(metadata, "annotations") if isinstance(metadata, Mapping) else {}


def _texts(raw: Mapping[str, object], name: str) -> dict[str, str]:
    """Return the entries of a field that are what they should be; the others are refused later."""
    entries = raw.get(name)
    if not isinstance(entries, Mapping):
        return {}
    return {k: v for k, v in entries.items() if isinstance(k, str) and isinstance(v, str)}


def _in_data(key: str, text: str, annotations: Mapping[str, str]) -> ValueTemplate | None:
    """Recognise a reference that stands where base64 should be, or is in base64 itself."""
    with suppress(binascii.Error, UnicodeEncodeError):
        line = text.replace("\r", "").replace("\n", "").encode("ascii")
        value = {key: Sensitive(base64.b64decode(line, validate=True))}
        return _recognised(value, annotations).get(key)
    if not _may_refer(text.encode("utf-8", "replace")):
        return None
    from sealkit.references.recognise import recognise_encoded  # noqa: PLC0415  # cold start

    return recognise_encoded(f"data.{key}", text, annotations)


def _in_string_data(
    values: Mapping[str, Sensitive], annotations: Mapping[str, str]
) -> Mapping[str, ValueTemplate]:
    """Recognise values of `stringData`, and say so in errors."""
    try:
        return _recognised(values, annotations)
    except ReferenceSyntaxError as error:
        if error.field.startswith("data."):
            error.field = f"stringData.{error.field.removeprefix('data.')}"
        raise


def _recognised(
    values: Mapping[str, Sensitive], annotations: Mapping[str, str]
) -> Mapping[str, ValueTemplate]:
    candidates = {key: one for key, one in values.items() if _may_refer(one.reveal())}
    if not candidates and not any(name.startswith(_PEERS) for name in annotations):
        return {}
    from sealkit.references.recognise import recognise  # noqa: PLC0415  # cold start

    return recognise(candidates, annotations).references


def _may_refer(value: bytes) -> bool:
    return any(sign in value for sign in _SIGNS)


def _encoded(key: str, text: str) -> bytes:
    with suppress(UnicodeEncodeError):
        return text.encode()
    # Raised out here because the codec's own error, its context in there, carries the text.
    what = "holds half of a surrogate pair, which is no text"
    raise ManifestError(what, field=f"stringData.{key}")
