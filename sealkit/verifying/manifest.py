"""Judge one sealed manifest without any key: by itself, and by the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from sealkit.errors import ManifestError
from sealkit.findings import rules
from sealkit.findings.finding import Finding, Place
from sealkit.findings.locating import place_in
from sealkit.manifests.documents import Resource
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedSecret, SealedValue
from sealkit.manifests.secret import MAX_DATA_BYTES

SOON: Final = timedelta(days=30)
MAX_MANIFEST_BYTES: Final = 3 << 19  # 1.5 MiB: what etcd takes in one request
MAX_ANNOTATIONS_BYTES: Final = 256 << 10  # client-side apply keeps a copy of the object in one
_NEARLY: Final = 0.9
# Parts of a sealed value in bytes: docs/format.md.
_ITEM_HEADER: Final = 24 + 32
_TAG: Final = 16
_CHUNK: Final = 16 * 1024 + _TAG
_LENGTH: Final = 4
_AGAIN: Final = "sealkit rewrap brings it in line with the configuration"
_AT_LINE: Final = re.compile(r" \(line ([0-9]+), column ([0-9]+)\)$")


class Policy(NamedTuple):
    """What the configuration says of one file; `clusters` of None: no rule covers it.

    `names` are all clusters that it knows, by the ids of their keys.
    """

    names: Mapping[str, str]
    clusters: tuple[str, ...] | None
    scopes: tuple[Scope, ...] = tuple(Scope)


@dataclass(frozen=True)
class Manifest:
    """A manifest with its place in a text."""

    resource: Resource
    sealed: SealedSecret

    @property
    def subject(self) -> str:
        """What it is called in findings."""
        return _subject(self.sealed.namespace, self.sealed.name)

    def at(self, field: str) -> Place:
        """Return the place of a field."""
        return place_in(self.resource, field, self.subject)


def _subject(namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def parse(resource: Resource) -> Manifest | Finding:
    """Read a manifest strictly, as the controller does; the finding says what is wrong."""
    try:
        return Manifest(resource, SealedSecret.from_dict(resource.to_dict()))
    except ManifestError as error:
        is_about_vault = error.field.startswith(("spec.references", "spec.vault"))
        rule = rules.BAD_REFERENCE if is_about_vault else rules.INVALID_MANIFEST
        place = place_in(resource, error.field, _said_subject(resource))
        return Finding(rule, place, error.problem, error.hint)


def _said_subject(resource: Resource) -> str:
    metadata = resource.to_dict().get("metadata")
    said = metadata if isinstance(metadata, Mapping) else {}
    return _subject(*(str(said.get(name) or "") for name in ("namespace", "name")))


def unreadable(error: ManifestError, file: str) -> Finding:
    """Return the finding for a file that cannot be read as YAML or JSON."""
    match = _AT_LINE.search(error.problem)
    line, column = (int(match[1]), int(match[2])) if match else (1, 0)
    problem = error.problem[: match.start()] if match else error.problem
    place = Place(file, error.document, line, column, error.field)
    return Finding(rules.UNREADABLE, place, problem, error.hint)


def check(manifest: Manifest) -> Iterator[Finding]:
    """Yield what is wrong with a manifest by itself."""
    sealed = manifest.sealed
    if sealed.references and not sealed.encrypted_data:
        what = f"holds references only: scope {sealed.scope} binds nothing"
        yield Finding(rules.REFERENCES_ONLY, manifest.at("spec.references"), what)
    elif sealed.scope is not Scope.CLUSTER and not sealed.namespace:
        what = f"is missing, and scope {sealed.scope} binds values to it"
        hint = "say the namespace that it was sealed for"
        yield Finding(rules.NO_NAMESPACE, manifest.at("metadata.namespace"), what, hint)
    yield from _check_sizes(manifest)


def _check_sizes(manifest: Manifest) -> Iterator[Finding]:
    values = manifest.sealed.encrypted_data.values()
    least, most = (sum(sizes) for sizes in zip((0, 0), *map(_size, values), strict=True))
    field = "spec.encryptedData"
    if least > MAX_DATA_BYTES:
        what = f"holds more than {_kib(least)} KiB, a Secret holds 1,024 KiB at most"
        yield Finding(rules.TOO_LARGE, manifest.at(field), what)
    elif most > MAX_DATA_BYTES * _NEARLY:
        what = f"holds up to {_kib(most)} KiB, a Secret holds 1,024 KiB at most"
        yield Finding(rules.NEARLY_TOO_LARGE, manifest.at(field), what)
    node = manifest.resource.node
    yield from _check_length(manifest, node.end - node.start)


def _check_length(manifest: Manifest, length: int) -> Iterator[Finding]:
    size = f"is about {_kib(length)} KiB long"
    if length > MAX_MANIFEST_BYTES:
        what = f"{size}, etcd takes 1,536 KiB at most"
        yield Finding(rules.TOO_LARGE, manifest.at(""), what)
    elif length > MAX_MANIFEST_BYTES * _NEARLY:
        what = f"{size}, etcd takes 1,536 KiB at most"
        yield Finding(rules.NEARLY_TOO_LARGE, manifest.at(""), what)
    elif length > MAX_ANNOTATIONS_BYTES:
        what = f"{size}, client-side apply takes 256 KiB at most"
        hint = "kubectl apply --server-side"
        yield Finding(rules.SERVER_SIDE_ONLY, manifest.at(""), what, hint)


def _size(value: SealedValue) -> tuple[int, int]:
    """Return the least and the greatest size that a value can have: padding hides it."""
    body = len(value.item) - _ITEM_HEADER
    padded = body - (body // _CHUNK + 1) * _TAG
    exponent = padded.bit_length() - 1
    step = 64 if padded <= 1024 else 1 << (exponent - exponent.bit_length())
    return max(padded - step + 1 - _LENGTH, 0), padded - _LENGTH


def _kib(size: int) -> str:
    return f"{size // 1024:,}"


def check_policy(manifest: Manifest, policy: Policy) -> Iterator[Finding]:
    """Yield where a manifest differs from what the configuration says of its file."""
    sealed = manifest.sealed
    if policy.clusters is None:
        hint = "add a rule to the configuration, with paths and clusters"
        yield Finding(rules.NO_RULE, manifest.at(""), "no rule covers the file", hint)
    elif sealed.scope not in policy.scopes:
        allowed = ", ".join(policy.scopes)
        what = f"{sealed.scope} is not allowed here, expected {allowed}"
        yield Finding(rules.SCOPE_NOT_ALLOWED, manifest.at("spec.scope"), what)
    for eid, envelope in sealed.envelopes.items():
        yield from _check_wraps(manifest, policy, f"spec.envelopes.{eid}.wraps", envelope.wraps)


def _check_wraps(
    manifest: Manifest, policy: Policy, field: str, wraps: Iterable[str]
) -> Iterator[Finding]:
    readers = {kid: policy.names.get(kid, "") for kid in sorted(wraps)}
    for name in policy.clusters or ():
        if name not in readers.values():
            what = f"does not open in {name}"
            yield Finding(rules.MISSING_CLUSTER, manifest.at(field), what, _AGAIN)
    for kid, name in readers.items():
        if not name:
            what = "is a key that the configuration does not know"
            yield Finding(rules.UNKNOWN_KEY, manifest.at(f"{field}.{kid}"), what, _AGAIN)
        elif policy.clusters is not None and name not in policy.clusters:
            what = f"opens in {name} as well"
            yield Finding(rules.EXTRA_CLUSTER, manifest.at(f"{field}.{kid}"), what, _AGAIN)


def check_last_day(place: Place, last: date | None, today: date) -> Iterator[Finding]:
    """Yield whether the key of a cluster is expired, or soon will be."""
    hint = "fetch the current one: sealkit clusters add NAME … --replace"
    if last and today > last:
        yield Finding(rules.EXPIRED, place, f"the key expired on {last}", hint)
    elif last and today + SOON >= last:
        yield Finding(rules.EXPIRES_SOON, place, f"the key expires on {last}", hint)
