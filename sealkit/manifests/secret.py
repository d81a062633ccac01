"""The core/v1 Secret: parsed with every check the API server makes, before anything is sealed.

Rules: Kubernetes `ValidateSecret` (pkg/apis/core/validation) and the Secret type table of its docs.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final, NamedTuple, NoReturn

from sealkit import fields
from sealkit.encoding import to_base64
from sealkit.errors import ManifestError
from sealkit.manifests.gitops import LAST_APPLIED
from sealkit.sensitive import Sensitive

MAX_DATA_KEYS: Final = 1024
MAX_DATA_BYTES: Final = 1 << 20  # Kubernetes MaxSecretSize: the decoded values together
DEFAULT_TYPE: Final = "Opaque"
TOO_LARGE: Final = "holds more than 1 MiB, the API server refuses that"

# A ServiceAccount token Secret makes the cluster mint a credential; a bootstrap token joins nodes.
REFUSED_TYPES: Final = frozenset(
    {"kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"}
)
_REQUIRED_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
_JSON_KEYS: Final = frozenset({".dockerconfigjson", ".dockercfg"})
_FIELDS: Final = ("apiVersion", "kind", "metadata", "type", "immutable", "data", "stringData")


class Secret(NamedTuple):
    """A Secret as a person wrote it or the controller writes it; `data` holds the decoded values.

    `namespace` may be empty. Labels and annotations are those of the Secret only.
    """

    name: str
    namespace: str
    data: Mapping[str, Sensitive]
    type: str = DEFAULT_TYPE
    immutable: bool = False
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}

    @classmethod
    def from_dict(cls, raw: Mapping[str, object], *, elsewhere: Collection[str] = ()) -> Secret:
        """Parse a `v1` `Secret`. `stringData` wins over `data`, as on the API server.

        `elsewhere` are data keys that this Secret has too, with values that are not here.

        Server-side metadata (uid, ownerReferences, …) is left out, and so is kubectl's annotation
        with a copy of all values; null means absent. Items of a List need not repeat their kind.

        Raises:
            ManifestError: a field is wrong, unknown or too large, or the type's rules are broken.
        """
        present = _present(raw, "")
        fields.only(present, _FIELDS, "")
        if (present.get("apiVersion", "v1"), present.get("kind", "Secret")) != ("v1", "Secret"):
            raise ManifestError("is not a Secret of v1", field="kind")
        metadata = _present(present.get("metadata", {}), "metadata")
        annotations = fields.annotation_map(metadata.get("annotations", {}), "metadata.annotations")
        annotations.pop(LAST_APPLIED, None)
        secret = cls(
            name=fields.object_name(metadata.get("name", "")),
            namespace=fields.namespace_or_none(metadata.get("namespace", "")),
            type=fields.text(present.get("type", DEFAULT_TYPE), "type") or DEFAULT_TYPE,
            immutable=fields.flag(present.get("immutable", False), "immutable"),
            data=_values(present),
            labels=fields.label_map(metadata.get("labels", {}), "metadata.labels"),
            annotations=annotations,
        )
        check_keys(secret.type, {**dict.fromkeys(elsewhere), **secret.data})
        check_contents(secret.type, secret.data)
        return secret

    def to_dict(self) -> dict[str, object]:
        """Return the Secret as the API server takes it. The result holds plaintext in base64."""
        metadata: dict[str, object] = {"name": self.name}
        if self.namespace:
            metadata["namespace"] = self.namespace
        if self.labels:
            metadata["labels"] = dict(self.labels)
        if self.annotations:
            metadata["annotations"] = dict(self.annotations)
        values = {key: to_base64(self.data[key].reveal()) for key in sorted(self.data)}
        raw: dict[str, object] = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
        raw |= {"type": self.type, "data": values}
        return raw | {"immutable": True} if self.immutable else raw


def _present(raw: object, path: str) -> dict[str, object]:
    given = fields.mapping(raw, path)
    return {name: value for name, value in given.items() if value is not None}


def _values(raw: Mapping[str, object]) -> dict[str, Sensitive]:
    encoded = fields.string_map(raw.get("data", {}), "data")
    plain = fields.string_map(raw.get("stringData", {}), "stringData")
    decoded = {key: _decode(text, f"data.{key}") for key, text in encoded.items()}
    decoded |= {key: _encode(text, f"stringData.{key}") for key, text in plain.items()}
    return {key: decoded[key] for key in sorted(decoded)}


def _decode(text: str, path: str) -> Sensitive:
    """Decode base64 as the API server does: line breaks are allowed, other white space is not."""
    with suppress(binascii.Error, UnicodeEncodeError):
        raw = text.replace("\r", "").replace("\n", "").encode("ascii")
        return Sensitive(base64.b64decode(raw, validate=True))
    # Raised out here because the codec's own error, its context in there, carries the text.
    hint = "put readable text under stringData, or encode it with base64"
    raise ManifestError("is not base64", field=path, hint=hint)


def _encode(text: str, path: str) -> Sensitive:
    with suppress(UnicodeEncodeError):
        return Sensitive(text.encode())
    raise ManifestError("holds half of a surrogate pair, which is no text", field=path)


def check_data_key(key: str, path: str) -> None:
    """Refuse a data key that no Secret can have.

    Raises:
        ManifestError: not 1 to 253 letters, digits, `-`, `_`, `.`, or `.`, `..`, `..` in front.
    """
    if not fields.is_data_key(key):
        what = "is not a data key, expected letters, digits, '-', '_' and '.'"
        raise ManifestError(what, field=f"{path}.{key}")


def check_keys(
    type_name: str, keys: Mapping[str, object], path: str = "data", type_path: str = "type"
) -> None:
    """Check what can be checked without the values: type, number and names of the data keys.

    Raises:
        ManifestError: a refused type, too many keys, a bad key, or one that the type requires
            is missing.
    """
    if type_name in REFUSED_TYPES:
        raise ManifestError(f"{type_name!r} cannot be made from a sealed manifest", field=type_path)
    if len(keys) > MAX_DATA_KEYS:
        raise ManifestError(f"has more than {MAX_DATA_KEYS} keys", field=path)
    for key in keys:
        check_data_key(key, path)
    for key in _REQUIRED_KEYS.get(type_name, ()):
        if key not in keys:
            raise ManifestError(f"is missing, type {type_name} needs it", field=f"{path}.{key}")
    if type_name == "kubernetes.io/basic-auth" and not {"username", "password"} & set(keys):
        raise ManifestError(f"has neither username nor password, type {type_name}", field=path)


def check_values(type_name: str, data: Mapping[str, Sensitive]) -> None:
    """Check a whole Secret as the API server would.

    Raises:
        ManifestError: as `check_keys` and `check_contents`.
    """
    check_keys(type_name, data)
    check_contents(type_name, data)


def check_contents(type_name: str, data: Mapping[str, Sensitive]) -> None:
    """Check values alone, of a whole Secret or of some of its keys.

    Raises:
        ManifestError: more than 1 MiB of values; Docker configuration that is not a JSON object;
            an empty SSH key.
    """
    if sum(len(value.reveal()) for value in data.values()) > MAX_DATA_BYTES:
        raise ManifestError(TOO_LARGE, field="data")
    for key in data.keys() & set(_REQUIRED_KEYS.get(type_name, ())):
        if key in _JSON_KEYS and not _is_json_object(data[key].reveal()):
            raise ManifestError("is not a JSON object", field=f"data.{key}")
        if key == "ssh-privatekey" and not data[key].reveal():
            raise ManifestError("is empty", field=f"data.{key}")


def _is_json_object(raw: bytes) -> bool:
    """Tell it as Go does: UTF-8 only, no byte order mark, no NaN."""
    with suppress(ValueError, RecursionError):
        text = raw.decode("utf-8", "replace")
        import json  # noqa: PLC0415 (cold start: of this type only)

        return isinstance(json.loads(text, parse_constant=_refuse_constant), dict)
    return False


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError
