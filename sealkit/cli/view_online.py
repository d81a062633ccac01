"""`sealkit view --context`: the Secrets that a cluster made of manifests, as its user may see them.

A Secret that does not belong to the manifest is never shown, whoever may read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sealkit.cli.app import App
from sealkit.cli.view import Opened
from sealkit.cluster import Live, LiveSecret, Place, live
from sealkit.errors import PolicyError, SealkitError, UsageError
from sealkit.lines import printable
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.vault import VaultTerms
from sealkit.verifying.live import behind, content_of, foreign, is_of

if TYPE_CHECKING:
    from sealkit.cli.resources import Found


def fetch(app: App, place: Place, found: list[Found]) -> list[Opened]:
    """Return the Secrets of manifests, all or none; say where one is of another version.

    Raises:
        UsageError: a manifest does not say its namespace.
        PolicyError: a Secret belongs to somebody else.
        SealkitError: a Secret is not there, or the cluster does not answer, or refuses.
    """
    manifests = [_parsed(entry) for entry in found]
    answers = live(place, [(one.namespace, one.name) for one in manifests])
    opened = [
        _opened(entry, sealed, answer)
        for entry, sealed, answer in zip(found, manifests, answers, strict=True)
    ]
    for one, answer in zip(manifests, answers, strict=True):
        if note := _note(one, answer):
            app.say(f"sealkit: note: {one.namespace}/{one.name}: {printable(note)}")
    return opened


def _parsed(entry: Found) -> SealedSecret:
    with entry.located():
        sealed = SealedSecret.from_dict(entry.raw)
        if not sealed.namespace:
            what = "is missing, and the cluster has a Secret in some namespace"
            hint = "say the namespace in the manifest"
            raise UsageError(what, field="metadata.namespace", hint=hint)
        return sealed


def _opened(entry: Found, sealed: SealedSecret, answer: Live) -> Opened:
    with entry.located():
        secret = _owned(answer, f"{sealed.namespace}/{sealed.name}")
    # What is in Vault is in the Secret too.
    template = sealed.template._replace(type=secret.type)
    plain = sealed._replace(references={}, vault=VaultTerms(), template=template)
    return Opened(entry, plain, secret.data)


def _owned(answer: Live, name: str) -> LiveSecret:
    secret, manifest = answer.secret, answer.manifest
    if secret is None:
        why = "not applied" if manifest is None else behind(manifest)
        raise SealkitError(f"the cluster has no Secret {name}: {why}")
    reason = foreign(secret.owners, secret.labels, secret.annotations, _uid(manifest))
    if reason:
        raise PolicyError(f"the Secret {name} in the cluster {reason}: it is not shown")
    return secret


def _uid(manifest: Mapping[str, object] | None) -> str:
    metadata = manifest.get("metadata") if manifest else None
    return str(metadata.get("uid", "")) if isinstance(metadata, Mapping) else ""


def _note(sealed: SealedSecret, answer: Live) -> str:
    """Say how a Secret may be of another version than the manifest in the file."""
    if answer.manifest is None:
        return "the cluster has the Secret, but not the manifest any more"
    if not is_of(content_of(sealed), answer.manifest):
        return "the cluster has another version of the manifest, and of the Secret"
    if reason := behind(answer.manifest):
        return f"the Secret is not what the manifest says: {reason}"
    return ""
