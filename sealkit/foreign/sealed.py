"""The SealedSecret that comes of it: references only, nothing encrypted, scope strict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from sealkit import fields
from sealkit.errors import ManifestError
from sealkit.foreign.head import Head
from sealkit.foreign.source import Source
from sealkit.manifests.duration import seconds
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.template import Template
from sealkit.manifests.vault import (
    MAX_INTERVAL_SECONDS,
    MAX_RESTARTS,
    MIN_INTERVAL_SECONDS,
    VaultTerms,
    Workload,
    WorkloadKind,
)
from sealkit.references.reference import Reference
from sealkit.references.template import Template as ValueTemplate

NEVER: Final = "0s"

_ZERO: Final = re.compile(r"0|(?:0(?:\.0+)?[a-z]+)+")
_KINDS: Final = {kind.value: kind for kind in WorkloadKind}


def referring(
    head: Head, references: Mapping[str, Reference], template: Template, vault: VaultTerms
) -> SealedSecret:
    """Return the manifest, not checked."""
    return SealedSecret(
        name=head.name,
        namespace=head.namespace,
        scope=Scope.STRICT,
        envelopes={},
        encrypted_data={},
        references={key: ValueTemplate((one,)) for key, one in references.items()},
        vault=vault,
        template=template,
        labels=head.labels,
        annotations=head.annotations,
    )


def take_interval(source: Source, name: str) -> str:
    """Take a duration: `NEVER` for none at all, "" where nothing is said.

    One that sealkit has not is noted, and nothing is said then.
    """
    text = source.text(name)
    if not text or _ZERO.fullmatch(text):
        return NEVER if text else ""
    try:
        seconds(text, "", MIN_INTERVAL_SECONDS, MAX_INTERVAL_SECONDS)
    except ManifestError as error:
        todo = f"{error.problem}: set spec.vault.refreshInterval, or the store decides"
        source.note(name, text, todo)
        return ""
    return text


def take_restarts(spec: Source) -> tuple[Workload, ...]:
    """Take `rolloutRestartTargets`; those of other kinds, or too many, are noted."""
    restarts: list[Workload] = []
    for entry in spec.entries("rolloutRestartTargets"):
        kind = entry.required("kind")
        name = fields.object_name(entry.required("name"), entry.at("name"))
        if kind not in _KINDS:
            entry.note("kind", kind, f"cannot be restarted, only {', '.join(_KINDS)} can")
        elif len(restarts) == MAX_RESTARTS:
            entry.note(
                "", f"{kind} {name}", f"is one more than the {MAX_RESTARTS} that fit: use labels"
            )
        else:
            restarts.append(Workload(_KINDS[kind], name))
    return tuple(restarts)
