"""What changed between two manifests, and which became which."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.comparing import Altered, Keys, Manifest, Reader, compare, pair
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedEnvelope, SealedSecret
from sealkit.manifests.secret import Secret
from sealkit.manifests.template import Template
from sealkit.references.template import from_raw
from sealkit.sealing import Random, Referred, seal, set_values
from sealkit.sensitive import Sensitive
from tests.sealkit.cli.desk import key_of


def numbers() -> Random:
    counter = itertools.count(1)
    return lambda size: next(counter).to_bytes(size, "big")


RANDOM = numbers()


def sealed(*clusters: str, name: str = "db", **values: str) -> SealedSecret:
    data = {key: Sensitive(value.encode()) for key, value in (values or {"A": "x"}).items()}
    keys = [key_of(cluster).public for cluster in clusters or ("prod",)]
    return seal(Secret(name, "shop", data), keys, Scope.NAMESPACE, RANDOM)


def set_value(old: SealedSecret, *clusters: str, **values: str) -> SealedSecret:
    data = {key: Sensitive(value.encode()) for key, value in values.items()}
    return set_values(old, data, [key_of(cluster).public for cluster in clusters], RANDOM)


def kid(cluster: str) -> str:
    return key_of(cluster).kid


def reader(cluster: str, **changes: object) -> Reader:
    return replace(Reader(kid(cluster), False, False, (), (), False), **changes)  # type: ignore[arg-type]  # noqa: FBT003 (by position)


def test_nothing_changed() -> None:
    old = sealed(A="x", B="y")
    assert not compare(old, SealedSecret.from_dict(old.to_dict())).differs


def test_values_by_their_bytes() -> None:
    old = sealed(A="x", B="y", C="z")
    new = set_value(old, "prod", B="y", D="new")
    new = new._replace(encrypted_data={k: v for k, v in new.encrypted_data.items() if k != "A"})
    found = compare(old, new)
    assert found.values == Keys(("D",), ("A",), ("B",))
    assert (found.envelopes, found.readers, found.fields) == ((1, 2), (), ())
    assert found.differs


class TestReaders:
    def test_added_and_removed(self) -> None:
        found = compare(sealed("prod", "lab"), sealed("prod", "staging"))
        expected = (reader("lab", removed=True), reader("staging", added=True))
        assert found.readers == tuple(sorted(expected, key=lambda one: one.kid))

    def test_one_that_opens_some_values_only(self) -> None:
        old = sealed("prod", "lab", A="x", B="y")
        new = set_value(old, "prod", B="y", C="new")
        assert compare(old, new).readers == (reader("lab", lost=("B",)),)
        assert compare(new, old).readers == (reader("lab", gained=("B",)),)

    def test_a_new_value_is_no_gain_for_those_who_open_all(self) -> None:
        old = sealed("prod", A="x")
        assert compare(old, set_value(old, "prod", B="y")).readers == ()

    def test_wrapped_anew(self) -> None:
        old = sealed("prod", "lab")
        ((eid, envelope),) = old.envelopes.items()
        wraps = {**envelope.wraps, kid("prod"): bytes(1168)}
        new = old._replace(envelopes={eid: SealedEnvelope("X1", wraps)})
        found = compare(old, new)
        assert found.readers == (reader("prod", rewrapped=True),)
        assert found.differs


class TestFields:
    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"scope": Scope.STRICT}, Altered("spec.scope", "namespace-wide", "strict")),
            ({"suspend": True}, Altered("spec.suspend", None, new=True)),
            ({"labels": {"a.b/c": "d"}}, Altered("metadata.labels.a.b/c", None, "d")),
            ({"name": "other"}, Altered("metadata.name", "db", "other")),
            (
                {"template": Template(type="my/type")},
                Altered("spec.template.type", "Opaque", "my/type"),
            ),
            (
                {"template": Template(annotations={"a": "1"})},
                Altered("spec.template.metadata.annotations.a", None, "1"),
            ),
            (
                {"template": Template(data={"t": "{{ .A }}"}, delimiters=("<<", ">>"))},
                Altered("spec.template.delimiters", None, ["<<", ">>"]),
            ),
        ],
        ids=["scope", "suspend", "label", "name", "type", "annotation", "delimiters"],
    )
    def test_each_by_its_path(self, change: Mapping[str, object], expected: Altered) -> None:
        old = sealed()
        new = old._replace(**change)  # type: ignore[arg-type]  # by name
        assert expected in compare(old, new).fields
        back = Altered(expected.field, expected.new, expected.old)
        assert back in compare(new, old).fields
        assert compare(old, new).differs


def test_references_are_public() -> None:
    one, two = (from_raw(f"vault:kv/shop/db#{key}") for key in ("one", "two"))
    old = seal(Secret("db", "shop", {}), [], Scope.STRICT, RANDOM, Referred({"A": one, "B": one}))
    new = old._replace(references={"A": two, "C": one})
    assert compare(old, new).references == (
        Altered("A", "vault:kv/shop/db#one", "vault:kv/shop/db#two"),
        Altered("C", None, "vault:kv/shop/db#one"),
        Altered("B", "vault:kv/shop/db#one", None),
    )


def test_a_manifest_that_was_not_there() -> None:
    new = sealed(A="x", B="y")
    found = compare(None, new)
    assert found.values.added == ("A", "B")
    assert found.readers == (reader("prod", added=True),)
    assert Altered("spec.scope", None, "namespace-wide") in found.fields
    assert compare(new, None).values.removed == ("A", "B")
    assert not compare(None, None).differs


def at(file: str, manifest: SealedSecret | None, name: str = "db", document: int = 1) -> Manifest:
    return Manifest(file, document, "shop", name, manifest, "" if manifest else "no good")


class TestPairs:
    def test_the_same_name_in_the_same_file(self) -> None:
        old = [at("a", sealed()), at("b", sealed())]
        new = [at("b", sealed()), at("a", sealed())]
        assert pair(old, new) == [(old[1], new[0]), (old[0], new[1])]

    def test_one_moved(self) -> None:
        old, new = at("a", sealed()), at("b", sealed())
        assert pair([old], [new]) == [(old, new)]

    def test_of_several_that_moved_the_one_with_the_same_values(self) -> None:
        prod, lab = sealed("prod"), sealed("lab")
        old = [at("prod.yaml", prod), at("lab.yaml", lab)]
        new = [at("new/lab.yaml", lab), at("new/prod.yaml", set_value(prod, "prod", B="y"))]
        assert pair(old, new) == [(old[1], new[0]), (old[0], new[1])]

    def test_one_renamed_keeps_a_value(self) -> None:
        manifest = sealed()
        old = at("a", manifest)
        new = at("a", set_value(manifest, "prod", B="y")._replace(name="other"), "other")
        assert pair([old], [new]) == [(old, new)]

    def test_another_name_and_other_values_are_another_manifest(self) -> None:
        old, new = at("a", sealed()), at("a", sealed(name="other"), "other")
        assert pair([old], [new]) == [(None, new), (old, None)]

    def test_a_copy_is_new(self) -> None:
        manifest = sealed()
        old, copy = at("a", manifest), at("b", manifest)
        assert pair([old], [copy, old]) == [(None, copy), (old, old)]

    def test_twins_in_one_file_by_their_order(self) -> None:
        old = [at("a", sealed(), document=number) for number in (1, 2)]
        assert pair(old, old[1:]) == [(old[0], old[1]), (old[1], None)]

    def test_one_that_cannot_be_read_by_its_name(self) -> None:
        old, new = at("a", None), at("a", sealed())
        assert pair([old], [new]) == [(old, new)]

    @given(
        st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), max_size=6),
        st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), max_size=6),
    )
    def test_each_comes_once(self, old: list[tuple[str, str]], new: list[tuple[str, str]]) -> None:
        olds = [at(file, None, name, number) for number, (file, name) in enumerate(old)]
        news = [at(file, None, name, number + 100) for number, (file, name) in enumerate(new)]
        pairs = pair(olds, news)
        assert sorted(one.document for one, _ in pairs if one) == list(range(len(olds)))
        assert [one for _, one in pairs if one] == news
