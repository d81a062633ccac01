"""Let sealed manifests follow the configuration: other clusters, new data keys. Pure.

Whoever could open an envelope once knows its data key for ever: taking a wrap away hides nothing
from them that is sealed already.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sealkit.crypto import x1
from sealkit.crypto.context import Binding
from sealkit.encoding import from_uuid
from sealkit.errors import NoKeyError, UsageError
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import EnvelopeId, SealedEnvelope, SealedSecret
from sealkit.sealing import Random, open_values, set_values

Keys = Mapping[x1.Kid, x1.PrivateKey]


def opens_for(sealed: SealedSecret, kids: Collection[str]) -> bool:
    """Tell whether every envelope opens with exactly these keys, by their ids."""
    return all(set(envelope.wraps) == set(kids) for envelope in sealed.envelopes.values())


def rewrap(sealed: SealedSecret, recipients: Collection[x1.PublicKey], keys: Keys) -> SealedSecret:
    """Return `sealed` with wraps for exactly `recipients`; its values keep their bytes.

    So do wraps for those who stay. A private key is needed only where a wrap is to be added.

    Raises:
        NoKeyError: no key in `keys` fits an envelope that needs a new wrap.
        UnsealError: an envelope does not open with its key.
        UsageError: there is no recipient.
        ManifestError: the manifest has no name or namespace, and its scope needs it.
    """
    if not recipients:
        raise UsageError("there is no cluster to seal for")
    binding = Binding(sealed.scope.value, *sealed.scope.place(sealed.namespace, sealed.name))
    envelopes = {
        eid: SealedEnvelope(envelope.suite, _wraps(eid, envelope, binding, recipients, keys))
        for eid, envelope in sealed.envelopes.items()
    }
    return sealed._replace(envelopes=envelopes)


def reseal(
    sealed: SealedSecret,
    recipients: Collection[x1.PublicKey],
    keys: Keys,
    random: Random,
    scope: Scope | None = None,
) -> SealedSecret:
    """Return `sealed` with all its values encrypted anew in one new envelope for `recipients`.

    `scope` is the new one; None keeps it. What is in Vault, the template and the rest stay.

    Raises:
        NoKeyError, UnsealError: as `sealing.open_values`.
        ManifestError, UsageError: as `sealing.set_values`; the manifest says no name or namespace,
            and the new scope needs it.
    """
    values = open_values(sealed, keys)
    moved = sealed._replace(scope=scope or sealed.scope)
    return set_values(moved, values, recipients, random)


def _wraps(
    eid: EnvelopeId,
    envelope: SealedEnvelope,
    binding: Binding,
    recipients: Collection[x1.PublicKey],
    keys: Keys,
) -> dict[str, bytes]:
    wraps: dict[str, bytes] = {
        key.kid: envelope.wraps[key.kid] for key in recipients if key.kid in envelope.wraps
    }
    added = [key for key in recipients if key.kid not in wraps]
    if not added:
        return wraps
    opened = _opened(eid, envelope, binding, keys)
    return wraps | {str(key.kid): opened.wrap(key) for key in added}


def _opened(eid: EnvelopeId, envelope: SealedEnvelope, binding: Binding, keys: Keys) -> x1.Envelope:
    raw_id = from_uuid(eid)
    for kid in sorted(envelope.wraps):
        if key := keys.get(x1.Kid(kid)):
            data_key = x1.unwrap(envelope.wraps[kid], key, binding, raw_id)
            return x1.Envelope(data_key, binding, raw_id)
    needed = ", ".join(sorted(envelope.wraps))
    raise NoKeyError(f"no key here for kid {needed}")
