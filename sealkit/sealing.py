"""Join manifests and crypto: seal a Secret, change single values, open a manifest. Pure.

Sealing and changing need public keys only. Opening is all or nothing: one bad value and there is
no Secret at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from sealkit.assembly import Salt, assemble, no_salt
from sealkit.crypto import x1
from sealkit.crypto.context import Binding
from sealkit.encoding import from_uuid, to_uuid
from sealkit.errors import NoKeyError, UsageError
from sealkit.manifests.gitops import (
    LAST_APPLIED,
    belongs_to_a_tool,
    is_of_the_controller,
)
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import (
    EnvelopeId,
    SealedEnvelope,
    SealedSecret,
    SealedValue,
)
from sealkit.manifests.secret import Secret, check_contents, check_keys
from sealkit.manifests.template import Template
from sealkit.manifests.vault import VaultTerms
from sealkit.sensitive import Sensitive

if TYPE_CHECKING:
    from sealkit.references.template import Template as ValueTemplate

Random = Callable[[int], bytes]

_ENVELOPE_ID_BYTES: Final = 16


class Referred(NamedTuple):
    """The values of a Secret that are in Vault, and how they are resolved."""

    references: Mapping[str, ValueTemplate] = {}
    terms: VaultTerms = VaultTerms()


_NOTHING: Final = Referred()


def seal(
    secret: Secret,
    recipients: Iterable[x1.PublicKey],
    scope: Scope,
    random: Random,
    referred: Referred = _NOTHING,
) -> SealedSecret:
    """Return the manifest that becomes `secret` in each recipient's cluster.

    All values share one envelope; those that are `referred` to are not in `secret`. Labels and
    annotations of GitOps tools go to the manifest, all others to the Secret. `random` must be a
    cryptographic source.

    Raises:
        ManifestError: the Secret is invalid, or the scope needs a namespace that is not there.
        UsageError: there is no recipient, and something to seal.
    """
    check_keys(secret.type, {**dict.fromkeys(referred.references), **secret.data})
    check_contents(secret.type, secret.data)
    binding = Binding(scope.value, *scope.place(secret.namespace, secret.name))
    envelopes, values = _seal_values(secret.data, recipients, binding, random)
    sealed = SealedSecret(
        name=secret.name,
        namespace=secret.namespace,
        scope=scope,
        envelopes=envelopes,
        encrypted_data=values,
        template=Template(
            type=secret.type,
            immutable=secret.immutable,
            labels=_for_secret(secret.labels),
            annotations=_for_secret(secret.annotations),
        ),
        labels=_for_tools(secret.labels),
        annotations=_for_tools(secret.annotations),
        references=referred.references,
        vault=referred.terms,
    )
    sealed.check()
    return sealed


def set_values(
    sealed: SealedSecret,
    changes: Mapping[str, Sensitive],
    recipients: Iterable[x1.PublicKey],
    random: Random,
) -> SealedSecret:
    """Return `sealed` with some values added or replaced, all in one new envelope.

    Needs no private key; every other value keeps its bytes, and envelopes that no value uses any
    more go.

    Raises:
        ManifestError: a bad data key, too many keys or envelopes, or a new value that breaks a
            rule of the Secret's type or is too large by itself.
        UsageError: there is no recipient.
    """
    check_contents(sealed.template.type, changes)
    binding = _binding(sealed)
    envelopes, values = _seal_values(changes, recipients, binding, random)
    return _with_values(
        sealed, {**sealed.envelopes, **envelopes}, {**sealed.encrypted_data, **values}
    )


def unset_values(sealed: SealedSecret, keys: Iterable[str]) -> SealedSecret:
    """Return `sealed` without some values and without envelopes that no value uses any more.

    Raises:
        UsageError: a key is not there.
        ManifestError: the type of the Secret needs the key.
    """
    remaining = dict(sealed.encrypted_data)
    for key in keys:
        if remaining.pop(key, None) is None:
            raise UsageError("is not in the manifest", field=f"spec.encryptedData.{key}")
    return _with_values(sealed, sealed.envelopes, remaining)


def open_values(sealed: SealedSecret, keys: Mapping[x1.Kid, x1.PrivateKey]) -> dict[str, Sensitive]:
    """Return the sealed values of a manifest; `resolving.assemble` makes the Secret of them.

    Raises:
        NoKeyError: no key in `keys` fits some envelope; the message names the key ids it needs.
        UnsealError: anything else failed; deliberately not told what.
        ManifestError: the manifest has no name or namespace, and its scope needs it.
    """
    binding = _binding(sealed)
    open_envelopes = {
        eid: _open_envelope(eid, envelope, binding, keys)
        for eid, envelope in sealed.envelopes.items()
    }
    return {
        key: open_envelopes[value.envelope].open(key, value.item)
        for key, value in sealed.encrypted_data.items()
    }


def unseal(
    sealed: SealedSecret,
    keys: Mapping[x1.Kid, x1.PrivateKey],
    resolved: Mapping[str, Sensitive] = MappingProxyType({}),
    salt: Salt = no_salt,
) -> Secret:
    """Return the Secret inside a manifest, with the manifest's own name and namespace.

    `resolved` are the values that its references stand for.

    Raises:
        NoKeyError, UnsealError: see `open_values`.
        ManifestError, TemplateError: see `assembly.assemble`.
    """
    return assemble(sealed, {**open_values(sealed, keys), **resolved}, salt)


def _binding(sealed: SealedSecret) -> Binding:
    return Binding(sealed.scope.value, *sealed.scope.place(sealed.namespace, sealed.name))


def _seal_values(
    data: Mapping[str, Sensitive],
    recipients: Iterable[x1.PublicKey],
    binding: Binding,
    random: Random,
) -> tuple[dict[EnvelopeId, SealedEnvelope], dict[str, SealedValue]]:
    keys = {key.kid: key for key in recipients}
    if not data:
        return {}, {}
    if not keys:
        raise UsageError("there is no cluster to seal for")
    raw_id = random(_ENVELOPE_ID_BYTES)
    eid = EnvelopeId(to_uuid(raw_id))
    envelope = x1.Envelope(Sensitive(random(x1.DEK_BYTES)), binding, raw_id)
    wraps: dict[str, bytes] = {kid: envelope.wrap(keys[kid]) for kid in sorted(keys)}
    values = {key: SealedValue(eid, envelope.seal(key, data[key])) for key in sorted(data)}
    return {eid: SealedEnvelope(x1.NAME, wraps)}, values


def _with_values(
    sealed: SealedSecret,
    envelopes: Mapping[EnvelopeId, SealedEnvelope],
    values: Mapping[str, SealedValue],
) -> SealedSecret:
    used = {value.envelope for value in values.values()}
    changed = sealed._replace(
        envelopes={eid: envelopes[eid] for eid in sorted(envelopes) if eid in used},
        encrypted_data={key: values[key] for key in sorted(values)},
    )
    changed.check()
    return changed


def _open_envelope(
    eid: EnvelopeId,
    envelope: SealedEnvelope,
    binding: Binding,
    keys: Mapping[x1.Kid, x1.PrivateKey],
) -> x1.Envelope:
    raw_id = from_uuid(eid)
    for kid, wrapped in envelope.wraps.items():
        key = keys.get(x1.Kid(kid))
        if key is not None:
            return x1.Envelope(x1.unwrap(wrapped, key, binding, raw_id), binding, raw_id)
    raise NoKeyError(f"no key here for kid {', '.join(sorted(envelope.wraps))}")


def _for_secret(entries: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in entries.items() if not belongs_to_a_tool(key)}


def _for_tools(entries: Mapping[str, str]) -> dict[str, str]:
    return {
        key: value
        for key, value in entries.items()
        if belongs_to_a_tool(key) and key != LAST_APPLIED and not is_of_the_controller(key)
    }
