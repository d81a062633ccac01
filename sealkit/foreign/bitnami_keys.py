"""Sealing keys of Bitnami's controller: key Secrets as kubectl prints them, or plain PEM. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from sealkit.crypto.bitnami import parse_private_keys
from sealkit.errors import ConfigError, ManifestError
from sealkit.manifests.documents import Resource, iter_resources, read_documents
from sealkit.manifests.secret import Secret
from sealkit.sensitive import Sensitive

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_KEY: Final = "tls.key"
_HINT: Final = "kubectl get secret -A -l sealedsecrets.bitnami.com/sealed-secrets-key -o yaml"


def parse_bitnami_keys(raw: bytes, source: str) -> tuple[RSAPrivateKey, ...]:
    """Read private keys; `source` is named in errors.

    Objects without a `tls.key` are passed over. It does not matter what state a key is in: those
    out of use still open what was sealed to them.

    Raises:
        ConfigError: there is no key, or one that is damaged, encrypted or not RSA.
        ManifestError: it is neither PEM, nor YAML or JSON that is safe to read.
    """
    try:
        if raw.lstrip().startswith(b"-----BEGIN "):
            return parse_private_keys(Sensitive(raw))
    except ConfigError as error:
        error.hint = _HINT
        error.located(file=source)
        raise
    keys = tuple(key for pem in _pems(raw, source) for key in pem)
    if not keys:
        raise ConfigError("holds no sealing key of Bitnami", hint=_HINT).located(file=source)
    return keys


def _pems(raw: bytes, source: str) -> Iterator[tuple[RSAPrivateKey, ...]]:
    for document in read_documents(raw, file=source):
        for resource in iter_resources(document):
            try:
                yield _keys_in(resource)
            except (ConfigError, ManifestError) as error:
                error.field = ".".join(part for part in (resource.field, error.field) if part)
                error.located(file=source, document=document.number)
                raise


def _keys_in(resource: Resource) -> tuple[RSAPrivateKey, ...]:
    raw = resource.to_dict()
    data = raw.get("data")
    if raw.get("kind") != "Secret" or not isinstance(data, Mapping) or _KEY not in data:
        return ()
    # Only the key is looked at: not the rest of the Secret, nor whether it fits its type.
    only_key = {"metadata": {"name": "key"}, "data": {_KEY: data[_KEY]}}
    pem = Secret.from_dict(only_key).data[_KEY]
    try:
        return parse_private_keys(pem)
    except ConfigError as error:
        error.field = f"data.{_KEY}"
        raise
