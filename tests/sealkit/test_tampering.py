"""Whatever is changed in a manifest: it is refused, or nobody gets another value for it.

The parts that are not bound, on purpose, are listed here and in docs/threat-model.md, exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.builders import parse_builders
from sealkit.errors import ManifestError, UnsealError
from sealkit.manifests.documents import read_documents
from sealkit.manifests.emit import emit_yaml
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedEnvelope, SealedSecret
from sealkit.manifests.template import MergePolicy, Template
from sealkit.manifests.vault import VaultTerms, Workload, WorkloadKind
from sealkit.references import template as value_template
from sealkit.references.reference import Reference
from sealkit.sealing import open_values, unseal
from sealkit.sensitive import Sensitive
from tests.sealkit.samples import KEY, OTHER, a_manifest, ring

VALUES = {"password": b"hunter2", "user": b"shop"}
FULL = a_manifest(VALUES)._replace(
    template=Template(
        "Opaque",
        immutable=True,
        labels={"app": "db"},
        annotations={"owner": "me"},
        merge_policy=MergePolicy.REPLACE,
        build=parse_builders({"jsonFile": {"file": "a.json", "keys": ["r"]}}, ""),
        data={"a": "x"},
        delimiters=("[[", "]]"),
    ),
    references={"r": value_template.Template((Reference("kv/a", "b"),))},
    vault=VaultTerms(interval="1h", revoke_on_delete=True),
    restarts=(Workload(WorkloadKind.DEPLOYMENT, "web"),),
    labels={"app": "db"},
    annotations={"owner": "me"},
    suspend=True,
    recreate=True,
    deletion_policy="Retain",
)
TEXT = emit_yaml(FULL.to_dict())
RESOLVED = {"r": Sensitive(b"of Vault")}

# What may change without a value being refused, for the holder of KEY. "missing" means: a value
# with its line, or a wrap with its line, was taken out and what is left opens.
UNBOUND = {
    "labels",
    "annotations",
    "suspend",
    "recreate",
    "deletion_policy",
    "references",
    "vault",
    "restarts",
    "template.type",
    "template.immutable",
    "template.labels",
    "template.annotations",
    "template.merge_policy",
    "template.build",
    "template.data",
    "template.delimiters",
    "encrypted_data: missing",
    "envelopes: wraps for other clusters",
}


def read(text: str) -> SealedSecret:
    """The one object in `text`, as a program would take it."""
    (document,) = read_documents(text)
    plain = document.to_plain()
    if not isinstance(plain, Mapping):
        raise ManifestError("is not a mapping")
    return SealedSecret.from_dict(plain)


def differences(sealed: SealedSecret) -> Iterator[str]:
    """Name the parts in which `sealed` differs from FULL."""
    for name in SealedSecret._fields:
        ours, theirs = getattr(FULL, name), getattr(sealed, name)
        if ours == theirs:
            continue
        if name == "template":
            yield from template_differences(theirs)
        elif name == "encrypted_data" and theirs.items() <= ours.items():
            yield "encrypted_data: missing"
        elif name == "envelopes" and same_for_us(theirs):
            yield "envelopes: wraps for other clusters"
        else:
            yield name


def template_differences(template: Template) -> Iterator[str]:
    for name, ours, theirs in zip(Template._fields, FULL.template, template, strict=True):
        if ours != theirs:
            yield f"template.{name}"


def same_for_us(envelopes: Mapping[Any, SealedEnvelope]) -> bool:
    ours = {eid: (entry.suite, entry.wraps[KEY.kid]) for eid, entry in FULL.envelopes.items()}
    return ours == {
        eid: (entry.suite, entry.wraps.get(KEY.kid)) for eid, entry in envelopes.items()
    }


def outcome(text: str) -> set[str]:
    """Read and open a changed text; return what differs though it opens, nothing if refused."""
    try:
        sealed = read(text)
        opened = open_values(sealed, ring(KEY))
    except (ManifestError, UnsealError):
        return set()
    values = {key: value.reveal() for key, value in opened.items()}
    assert values.items() <= VALUES.items()
    return set(differences(sealed))


def differing_after_one_change() -> set[str]:
    """Change every position of TEXT in three ways: another character, a comment, a deletion."""
    found: set[str] = set()
    for position, old in enumerate(TEXT):
        base64_inside = re.fullmatch(r"[A-Za-z0-9+/]{3}", TEXT[position - 1 : position + 2])
        for new in [other_character(old)] if base64_inside else [other_character(old), "#", ""]:
            found |= outcome(TEXT[:position] + new + TEXT[position + 1 :])
    return found


def other_character(old: str) -> str:
    return "B" if old == "A" else "A"


def test_the_text_is_small_and_opens() -> None:
    assert len(TEXT) < 5000
    assert outcome(TEXT) == set()
    assert unseal(read(TEXT), ring(KEY), RESOLVED) == unseal(FULL, ring(KEY), RESOLVED)


LINES = TEXT.splitlines(keepends=True)


def differing_after_one_line() -> set[str]:
    """Take out each line, and write each twice."""
    found: set[str] = set()
    for number in range(len(LINES)):
        found |= outcome("".join(LINES[:number] + LINES[number + 1 :]))
        found |= outcome("".join(LINES[: number + 1] + LINES[number:]))
    return found


def test_every_changed_character_and_line_is_refused_or_in_a_part_that_is_not_bound() -> None:
    """Equality: no part is listed that was never met."""
    assert differing_after_one_change() | differing_after_one_line() == UNBOUND


@given(st.integers(0, len(TEXT)), st.integers(0, 40), st.text(max_size=3))
def test_any_other_edit_is_refused_or_in_a_part_that_is_not_bound(
    start: int, length: int, new: str
) -> None:
    assert outcome(TEXT[:start] + new + TEXT[start + length :]) <= UNBOUND


@given(st.permutations(LINES[5:]))
def test_any_order_of_lines_is_refused_or_means_the_same(lines: list[str]) -> None:
    assert outcome("".join(LINES[:5] + lines)) <= UNBOUND


def test_every_changed_byte_of_a_wrap_is_refused_by_its_cluster() -> None:
    ((eid, envelope),) = FULL.envelopes.items()
    wrap = envelope.wraps[KEY.kid]
    for changed in every_changed_byte(wrap):
        wraps = {**envelope.wraps, KEY.kid: changed}
        with pytest.raises(UnsealError):
            unseal(FULL._replace(envelopes={eid: envelope._replace(wraps=wraps)}), ring(KEY))


@pytest.mark.parametrize("key", VALUES)
def test_every_changed_byte_of_an_item_is_refused(key: str) -> None:
    value = FULL.encrypted_data[key]
    for changed in every_changed_byte(value.item):
        data = {**FULL.encrypted_data, key: value._replace(item=changed)}
        with pytest.raises(UnsealError):
            unseal(FULL._replace(encrypted_data=data), ring(KEY))


def every_changed_byte(raw: bytes) -> Iterator[bytes]:
    for position in range(len(raw)):
        changed = bytearray(raw)
        changed[position] ^= 1 << position % 8
        yield bytes(changed)


CHANGED: dict[str, dict[str, Any]] = {
    "name": {"name": "db2"},
    "namespace": {"namespace": "stage"},
    "scope": {"scope": Scope.CLUSTER},
    "envelopes": {"envelopes": a_manifest(VALUES).envelopes},
    "encrypted_data": {"encrypted_data": a_manifest(VALUES).encrypted_data},
    "template": {"template": Template("example.com/other", immutable=False, labels={"a": "b"})},
    "labels": {"labels": {}},
    "annotations": {"annotations": {}},
    "suspend": {"suspend": False},
    "recreate": {"recreate": False},
    "deletion_policy": {"deletion_policy": "Delete"},
    "references": {"references": {"o": value_template.Template((Reference("kv/a", "b"),))}},
    "vault": {"vault": VaultTerms()},
    "restarts": {"restarts": ()},
}
BOUND_FIELDS = {"name", "namespace", "scope", "envelopes", "encrypted_data"}


@pytest.mark.parametrize("name", CHANGED)
def test_each_field_is_bound_or_listed(name: str) -> None:
    changed = FULL._replace(**CHANGED[name])
    if name in BOUND_FIELDS:
        with pytest.raises((UnsealError, ManifestError)):
            unseal(SealedSecret.from_dict(changed.to_dict()), ring(KEY))
    else:
        assert open_values(changed, ring(KEY)) == open_values(FULL, ring(KEY))
        assert set(differences(changed)) <= UNBOUND


def test_the_lists_above_are_complete() -> None:
    names = set(SealedSecret._fields)
    assert set(CHANGED) == names
    template = {f"template.{name}" for name in Template._fields}
    partly = {"encrypted_data: missing", "envelopes: wraps for other clusters"}
    assert (names - BOUND_FIELDS - {"template"}) | template | partly == UNBOUND


def test_a_change_for_another_cluster_is_refused_there() -> None:
    ((eid, envelope),) = FULL.envelopes.items()
    wraps = {**envelope.wraps, OTHER.kid: bytes(1168)}
    changed = FULL._replace(envelopes={eid: envelope._replace(wraps=wraps)})
    assert unseal(changed, ring(KEY), RESOLVED) == unseal(FULL, ring(KEY), RESOLVED)
    with pytest.raises(UnsealError):
        unseal(changed, ring(OTHER), RESOLVED)
