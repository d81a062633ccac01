"""No field gets lost: each changes the result, or there is a note about it."""

from __future__ import annotations

import json
import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.errors import ManifestError
from sealkit.foreign import Context, Conversion, convert, convert_secret
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.stores import VaultStore
from sealkit.references.reference import StoreKind
from sealkit.referring import divide
from tests.sealkit.foreign.documents import KINDS, SAMPLES, Raw, at, edited, everything, places

Path = tuple[str | int, ...]
Case = tuple[str, Raw, Path]

# Left out they mean the same: defaults of the peers, what is said elsewhere, names for people.
DEFAULTS: Final = {
    "ExternalSecret": {
        "spec.refreshPolicy",
        "spec.secretStoreRef.kind",
        "spec.target.template.engineVersion",
        "spec.target.template.type",
        *(
            f"spec.data[1].remoteRef.{name}"
            for name in ("metadataPolicy", "conversionStrategy", "nullBytePolicy")
        ),
    },
    "SecretStore": {
        "spec.provider.vault.version",
        *(f"spec.provider.vault.tls.{name}.key" for name in ("certSecretRef", "keySecretRef")),
    },
    "ClusterSecretStore": {"spec.provider.vault.caProvider.namespace"},
    "VaultStaticSecret": {
        "spec.destination.type",
        "spec.destination.transformation.templates.url.name",
    },
    "VaultDynamicSecret": {
        "spec.destination.type",
        "spec.destination.transformation.templates.url.name",
    },
}


def said(path: Path) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def attempt(raw: Raw, context: Context) -> tuple[Conversion | None, str]:
    """Convert, or return the field that is wrong."""
    try:
        return convert(raw, context), ""
    except ManifestError as error:
        return None, error.field


def outcome(raw: Raw, kind: str) -> tuple[str, Conversion | None]:
    """Everything that a user sees of a conversion of all kinds, and what is seen of this one."""
    documents = everything(**{kind: raw})
    context = Context(documents)
    seen = [attempt(one, context) for one in documents]
    return str(seen), seen[KINDS.index(kind)][0]


def covered(field: str, result: Conversion | None) -> bool:
    """Tell whether there is a note about all of a part of the document, and this is in it."""
    return any(
        field.startswith((f"{note.field}.", f"{note.field}["))
        for note in (result.notes if result else ())
        if note.found.startswith(("mapping of", "list of"))
    )


def cases() -> list[Case]:
    return [
        (kind, raw, path)
        for kind, raw in SAMPLES
        for path in places(raw)
        if path[0] in {"metadata", "spec"} and len(path) > 1
    ]


def named(case: Case) -> str:
    return f"{case[0]}-{said(case[2])}"


@pytest.mark.parametrize("case", cases(), ids=named)
def test_a_field_changes_something(case: Case) -> None:
    kind, raw, path = case
    without = edited(raw, path, lambda parent, name: parent.pop(name))
    (before, result), (after, _) = outcome(raw, kind), outcome(without, kind)
    if not covered(said(path), result):
        assert (before == after) == (said(path) in DEFAULTS.get(kind, ()))


def mappings() -> list[Case]:
    return [
        (kind, raw, path)
        for kind, raw in SAMPLES
        for path in [(), *places(raw)]
        if isinstance(at(raw, path), dict)
    ]


@pytest.mark.parametrize("case", mappings(), ids=named)
@pytest.mark.parametrize("value", ["canary", 1, {"a": "canary"}, ["canary"], {}], ids=str)
def test_an_unknown_field_gives_a_note_that_does_not_quote_it(case: Case, value: object) -> None:
    kind, sample, path = case
    raw = edited(sample, (*path, "zz"), lambda parent, name: parent.update({name: value}))
    field = said((*path, "zz"))
    result, refused = attempt(raw, Context(everything(**{kind: raw})))
    if result is None:  # a map of texts, in which a name may be anything
        assert refused.startswith(field)
        return
    assert "canary" not in str(result.notes)
    noted = field in {one.field for one in result.notes} or covered(field, result)
    assert noted or is_kept(path[-1], result)


def is_kept(parent: str | int, result: Conversion) -> bool:
    """Labels, annotations and such may have any name, and it is in the result."""
    text = re.sub(r'[\\ "]', "", json.dumps(result.manifest))
    return parent in {"labels", "annotations", "params", "data"} and "zz:canary" in text


def accepted(result: Conversion) -> None:
    """What comes out is ours, and written as we write it."""
    if result.manifest is None:
        assert result.notes or result.goes
    elif result.manifest["kind"] == "SealedSecret":
        sealed = SealedSecret.from_dict(result.manifest)
        assert sealed.scope == "strict"
        assert sealed.to_dict() == result.manifest
    else:
        VaultStore.from_dict(result.manifest)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(
        ["", "a", "A b", "../x", "v1", "kv-v1", "0", "1h", "{{ .a }}", "{{", "Merge", "None", "a/b"]
    ),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["name", "key", "text", "a b"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def changed(raw: Raw, path: Path, value: object) -> Raw:
    return edited(raw, path, lambda parent, name: parent.__setitem__(name, value))


@given(st.data())
def test_whatever_comes_in_what_goes_out_is_accepted(data: st.DataObject) -> None:
    """Documents in which a few fields are gone or hold anything at all."""
    kind, raw = data.draw(st.sampled_from(SAMPLES))
    for _ in range(data.draw(st.integers(0, 4))):
        path = data.draw(st.sampled_from([*places(raw)]))
        if path[0] not in {"apiVersion", "kind"}:
            raw = changed(raw, path, data.draw(json_values))
    context = Context(
        everything(**{kind: raw}),
        data.draw(st.sampled_from([(), ("a", "b-c")])),
        data.draw(st.sampled_from(StoreKind)),
    )
    result, refused = attempt(raw, context)
    if result is None:
        assert refused
    else:
        accepted(result)


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "tls.crt", "username"]),
        st.sampled_from(["vault:kv/a#b", "<path:kv/data/a#b>", "x<path:kv/data/a#b#3>y", "plain"]),
        min_size=1,
    ),
    st.sampled_from(["", "Opaque", "kubernetes.io/tls", "kubernetes.io/basic-auth"]),
)
def test_secrets_too(values: dict[str, str], kind: str) -> None:
    raw = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "type": kind}
    try:
        divided = divide({**raw, "stringData": values})
    except ManifestError:
        return
    accepted(convert_secret(raw, divided.secret, divided.references, Context()))
