"""Compare a manifest in a file with what a cluster has of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from sealkit.errors import ManifestError
from sealkit.findings import rules
from sealkit.findings.finding import Finding, Place
from sealkit.manifests.sealed import API_VERSION, KIND, SealedSecret

# What the controller writes on the Secrets it makes: docs/controller.md.
_HASH: Final = "sealkit.dev/spec-hash"
_RETAIN: Final = "sealkit.dev/deletion-policy"
_MANAGED: Final = "sealkit.dev/managed"


def foreign(
    owners: Sequence[Mapping[str, object]],
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    uid: str,
) -> str:
    """Say why a Secret is not the one of the manifest with this uid, "" if it is.

    It is if the controller made it, and the manifest owns it; or nobody does, since it was to
    outlive its manifest.
    """
    owner = next((one for one in owners if one.get("controller") is True), None)
    if owner is None:
        is_retained = labels.get(_MANAGED) == "true" and _RETAIN in annotations
        return "" if is_retained and _HASH in annotations else "was not made by sealkit"
    kind = (owner.get("api_version"), owner.get("kind"))
    if kind != (API_VERSION, KIND):
        return f"belongs to {owner.get('kind')} {owner.get('name')}"
    if _HASH not in annotations:
        return "was not made by sealkit"
    return "" if uid and owner.get("uid") == uid else "belongs to a manifest that was deleted"


class Filed(NamedTuple):
    """A manifest in a file: its name in a cluster, the place of that name, its content.

    `clusters` are the names of those that are to read it.
    """

    namespace: str
    name: str
    place: Place
    content: str
    clusters: frozenset[str]


def content_of(sealed: SealedSecret) -> str:
    """Return what stands for all that a manifest says, in a file or in a cluster.

    Labels and annotations count for nothing: GitOps tools add their own.
    """
    import json  # noqa: PLC0415 (rare: cold start)
    from hashlib import sha256  # noqa: PLC0415 (same)

    return sha256(json.dumps(sealed.to_dict()["spec"]).encode()).hexdigest()


def is_of(content: str, raw: Mapping[str, object]) -> bool:
    """Tell whether a manifest in a cluster says the same as one in a file."""
    try:
        return content_of(SealedSecret.from_dict(raw)) == content
    except ManifestError:
        return False


def behind(raw: Mapping[str, object]) -> str:
    """Say why the Secret is not what a manifest in the cluster says, "" if it is.

    Taken from the status that the controller wrote: "" also says that it is of this generation.
    """
    metadata, status = _child(raw, "metadata"), _child(raw, "status")
    if status.get("observedGeneration") != metadata.get("generation"):
        return "the controller has not got to it yet"
    conditions = status.get("conditions")
    for one in conditions if isinstance(conditions, list) else ():
        if isinstance(one, Mapping) and one.get("type") == "Ready":
            if one.get("status") == "True":
                return ""
            return f"{one.get('reason', 'Unknown')}: {one.get('message', '')}"
    return "the controller has not got to it yet"


def check_applied(
    filed: Iterable[Filed], raws: Iterable[Mapping[str, object]]
) -> Iterator[Finding]:
    """Yield manifests for a cluster that it does not have, or has made no Secret of."""
    there = {_name(raw): raw for raw in raws}
    for one in filed:
        raw = there.get((one.namespace, one.name))
        if raw is None:
            yield Finding(rules.NOT_APPLIED, one.place, "is not in the cluster")
        elif not is_of(one.content, raw):
            what = "is another version in the cluster"
            yield Finding(rules.OTHER_VERSION, one.place, what)
        elif reason := behind(raw):
            yield Finding(rules.NOT_READY, one.place, f"is not ready in the cluster: {reason}")


def _name(raw: Mapping[str, object]) -> tuple[object, object]:
    metadata = _child(raw, "metadata")
    return metadata.get("namespace"), metadata.get("name")


class Pinned(NamedTuple):
    """A cluster in the configuration: its name, the id of its key, where both stand."""

    name: str
    kid: str
    place: Place


def check_keys(
    pinned: Sequence[Pinned], states: Mapping[str, str], top: Place
) -> Iterator[Finding]:
    """Yield pinned keys that a cluster wants nobody to seal to any more.

    `states` are those of all its keys by id, the newest first; `top` is the configuration.
    """
    current = next((kid for kid, state in states.items() if state == "active"), "")
    again = "sealkit clusters add NAME --context CTX --replace"
    if not any(one.kid in states for one in pinned):
        what = "the cluster has none of the keys that are pinned here"
        yield Finding(rules.NOT_OF_THE_CLUSTER, top, what, "is it the right context?")
    for one in pinned:
        if states.get(one.kid) == "compromised":
            what = f"key {one.kid} is compromised, the cluster says"
            yield Finding(rules.COMPROMISED, one.place, what, f"{again}; sealkit reseal --key FILE")
        elif one.kid in states and current and one.kid != current:
            what = f"key {one.kid} was renewed, the cluster has {current} now"
            yield Finding(rules.RENEWED, one.place, what, f"{again}; sealkit rewrap --key FILE")


def _child(raw: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = raw.get(name)
    return value if isinstance(value, Mapping) else {}
