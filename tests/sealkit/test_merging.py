"""Merging the data of one manifest: what merges opens, and so does each side of a conflict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedEnvelope, SealedSecret
from sealkit.manifests.secret import Secret
from sealkit.manifests.template import Template
from sealkit.manifests.vault import VaultTerms, Workload, WorkloadKind
from sealkit.merging import ABSENT, Conflict, conflicts, merge, resolved
from sealkit.references.store import Store
from sealkit.references.template import from_raw
from sealkit.sealing import seal, set_values, unseal, unset_values
from sealkit.sensitive import Sensitive
from tests.sealkit.cli.desk import key_of

KEYS: Final = ("a", "b", "c", "d")
PROD: Final = key_of("prod")
Changes = Mapping[str, str | None]


class Random:
    """Bytes that never come twice."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, size: int) -> bytes:
        self.calls += 1
        return self.calls.to_bytes(8, "big") * (size // 8) if size % 8 == 0 else bytes(size)


RANDOM: Final = Random()


def sealed(values: Mapping[str, str], scope: Scope = Scope.STRICT) -> SealedSecret:
    data = {key: Sensitive(value.encode()) for key, value in values.items()}
    return seal(Secret("db", "shop", data), [PROD.public], scope, RANDOM)


def changed(base: SealedSecret, changes: Changes) -> SealedSecret:
    """Set and remove values, each value in an envelope of its own."""
    for key, value in changes.items():
        if value is not None:
            base = set_values(base, {key: Sensitive(value.encode())}, [PROD.public], RANDOM)
        elif key in base.encrypted_data:
            base = unset_values(base, [key])
    return base


def plain(raw: object) -> dict[str, str]:
    """Open a manifest as its cluster does."""
    assert isinstance(raw, dict)
    secret = unseal(SealedSecret.from_dict(raw), {PROD.kid: PROD})
    return {key: value.reveal().decode() for key, value in secret.data.items()}


def merged(
    base: SealedSecret | None, ours: SealedSecret, theirs: SealedSecret
) -> dict[str, object]:
    return merge(base.to_dict() if base else ABSENT, ours.to_dict(), theirs.to_dict())


def paths(tree: object) -> list[str]:
    return [".".join(path).removeprefix("spec.") for path, _ in conflicts(tree)]


values = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["1", "2"]))
edits = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["3", "4", None]), max_size=3)


def expected(
    base: Mapping[str, str], ours: Changes, theirs: Changes, side: Literal["ours", "theirs"]
) -> tuple[dict[str, str], set[str]]:
    """The model: each key alone. A value that is set is another one, whatever it says."""
    result, both = dict[str, str](), set[str]()
    for key in KEYS:
        told = [
            changes[key]
            for changes in (ours, theirs)
            if key in changes and (changes[key] is not None or key in base)
        ]
        value = told[-1 if side == "theirs" else 0] if told else base.get(key)
        both |= {key} if len(told) == 2 and told != [None, None] else set()
        result |= {key: value} if value is not None else {}
    return result, both


@given(values, edits, edits)
def test_each_key_merges_alone_and_each_side_of_a_conflict_opens(
    start: dict[str, str], our_edits: dict[str, str | None], their_edits: dict[str, str | None]
) -> None:
    base = sealed(start)
    tree = merged(base, changed(base, our_edits), changed(base, their_edits))
    sides: tuple[Literal["ours", "theirs"], ...] = ("ours", "theirs")
    for side in sides:
        result, both = expected(start, our_edits, their_edits, side)
        assert plain(resolved(tree, side)) == result
        assert bool(list(conflicts(tree))) == bool(both)


@given(values, edits, edits)
def test_the_sides_are_equal_before_the_merge(
    start: dict[str, str], our_edits: dict[str, str | None], their_edits: dict[str, str | None]
) -> None:
    base = sealed(start)
    ours, theirs = changed(base, our_edits), changed(base, their_edits)
    tree, mirrored = merged(base, ours, theirs), merged(base, theirs, ours)
    assert resolved(tree, "ours") == resolved(mirrored, "theirs")
    assert resolved(tree, "theirs") == resolved(mirrored, "ours")


@given(values, edits)
def test_one_side_alone_is_the_result(start: dict[str, str], edit: dict[str, str | None]) -> None:
    base = sealed(start)
    side = changed(base, edit)
    for tree in (merged(base, side, base), merged(base, base, side), merged(base, side, side)):
        assert tree == side.to_dict()
        assert list(tree) == list(side.to_dict())


def test_new_keys_are_sorted_among_each_other_and_stay_behind_what_they_followed() -> None:
    base = sealed({"b": "1", "y": "1"})
    tree = merged(base, changed(base, {"d": "2", "z": "2"}), changed(base, {"a": "3", "c": "3"}))
    spec = tree["spec"]
    assert isinstance(spec, dict)
    assert list(spec["encryptedData"]) == ["a", "b", "c", "d", "y", "z"]
    assert plain(tree).keys() == {"a", "b", "c", "d", "y", "z"}


def test_both_sides_added_the_manifest() -> None:
    base = sealed({"a": "1"})
    tree = merged(None, changed(base, {"b": "2"}), changed(base, {"c": "3"}))
    assert plain(tree) == {"a": "1", "b": "2", "c": "3"}


class TestClusters:
    """Wraps of one envelope: merged by cluster, as long as there is one data key for sure."""

    KIDS = tuple(key_of(name).kid for name in ("one", "two", "three", "four"))

    def wrapped(self, base: SealedSecret, **wraps: bytes) -> SealedSecret:
        (eid,) = base.envelopes
        kids = dict(zip(("one", "two", "three", "four"), self.KIDS, strict=True))
        entries: dict[str, bytes] = {kids[name]: byte * 1168 for name, byte in wraps.items()}
        return base._replace(envelopes={eid: SealedEnvelope("X1", entries)})

    def result(self, base: object, ours: object, theirs: object) -> list[str]:
        """Return the clusters that the merged envelope opens in, or the one conflict."""
        start = sealed({"a": "1"})
        sides = []
        for side in (base, ours, theirs):
            assert isinstance(side, dict)
            sides.append(self.wrapped(start, **side))
        tree = merged(*sides)
        (found,) = SealedSecret.from_dict(tree).envelopes.values() if not paths(tree) else (None,)
        if found is None:
            return ["conflict"]
        names = ("one", "two", "three", "four")
        return [name for name, kid in zip(names, self.KIDS, strict=True) if kid in found.wraps]

    def test_one_added_here_and_one_removed_there(self) -> None:
        base = {"one": b"1", "two": b"2"}
        assert self.result(base, base | {"three": b"3"}, {"one": b"1"}) == ["one", "three"]

    def test_different_ones_added(self) -> None:
        base = {"one": b"1"}
        both = ["one", "two", "three"]
        assert self.result(base, base | {"two": b"2"}, base | {"three": b"3"}) == both

    def test_the_same_one_added_in_other_bytes_is_a_conflict(self) -> None:
        base = {"one": b"1"}
        assert self.result(base, base | {"two": b"2"}, base | {"two": b"3"}) == ["conflict"]

    def test_other_bytes_on_one_side_are_never_mixed_with_what_the_other_added(self) -> None:
        base = {"one": b"1"}
        assert self.result(base, {"one": b"9"}, base | {"two": b"2"}) == ["conflict"]

    def test_other_bytes_for_all_on_one_side_only_are_taken(self) -> None:
        base = {"one": b"1", "two": b"2"}
        assert self.result(base, {"one": b"8", "two": b"9"}, base) == ["one", "two"]

    def test_no_cluster_left_is_a_conflict(self) -> None:
        base = {"one": b"1", "two": b"2"}
        assert self.result(base, {"one": b"1"}, {"two": b"2"}) == ["conflict"]

    def test_an_envelope_that_one_side_has_no_use_for_is_as_the_other_left_it(self) -> None:
        start = sealed({"a": "1"})
        theirs = changed(changed(start, {"b": "1"}), {"a": "2"})
        raw = merged(start, start, theirs)
        assert raw == theirs.to_dict()
        cherry = merge(start.to_dict(), changed(start, {"a": None}).to_dict(), start.to_dict())
        assert plain(cherry) == {}

    def test_values_on_one_side_and_clusters_on_the_other(self) -> None:
        start = sealed({"a": "1", "b": "1"})
        (eid,) = start.envelopes
        wraps = {**start.envelopes[eid].wraps, str(self.KIDS[0]): bytes(1168)}
        more = start._replace(envelopes={eid: SealedEnvelope("X1", wraps)})
        tree = merged(start, more, changed(start, {"b": "2"}))
        assert plain(tree) == {"a": "1", "b": "2"}
        assert SealedSecret.from_dict(tree).envelopes[eid].wraps.keys() == wraps.keys()


class TestScope:
    """A value opens only in the scope it was sealed for."""

    def resealed(self, scope: Scope) -> SealedSecret:
        return sealed({"a": "1", "b": "1"}, scope)

    def test_other_scopes_on_both_sides_are_a_conflict_of_everything(self) -> None:
        ours, theirs = self.resealed(Scope.NAMESPACE), self.resealed(Scope.CLUSTER)
        tree = merged(self.resealed(Scope.STRICT), ours, theirs)
        assert {"scope", "encryptedData.a", "encryptedData.b"} <= set(paths(tree))
        assert resolved(tree, "ours") == ours.to_dict()
        assert resolved(tree, "theirs") == theirs.to_dict()

    @pytest.mark.parametrize("turned", [False, True], ids=["ours", "theirs"])
    def test_a_value_of_the_old_scope_does_not_slip_into_the_new_one(self, *, turned: bool) -> None:
        base = self.resealed(Scope.STRICT)
        sides = [self.resealed(Scope.CLUSTER), changed(base, {"c": "3"})]
        tree = merged(base, *(reversed(sides) if turned else sides))
        assert "encryptedData.c" in paths(tree)
        assert plain(resolved(tree, "theirs" if turned else "ours")) == {"a": "1", "b": "1"}

    def test_what_both_have_is_theirs_together(self) -> None:
        base = self.resealed(Scope.STRICT)
        ours, theirs = (base._replace(scope=scope) for scope in (Scope.NAMESPACE, Scope.CLUSTER))
        assert paths(merged(base, ours, theirs)) == ["scope"]

    def test_one_side_alone_changes_it(self) -> None:
        base, ours = self.resealed(Scope.STRICT), self.resealed(Scope.CLUSTER)
        assert merged(base, ours, base) == ours.to_dict()


class TestEntries:
    """All that is not a value: merged entry by entry."""

    BASE = sealed({"a": "1"})._replace(
        labels={"app": "x"},
        annotations={"note": "x"},
        references={"u": from_raw("vault:kv/a#u", "u"), "v": from_raw("vault:kv/a#v", "v")},
        vault=VaultTerms(interval="1h"),
        template=Template(labels={"l": "1"}, data={"url": "{{ .a }}"}),
        restarts=(Workload(WorkloadKind.DEPLOYMENT, "web"),),
    )

    @pytest.mark.parametrize(
        ("ours", "theirs", "both"),
        [
            pytest.param(
                {"labels": {"app": "y"}},
                {"labels": {"app": "x", "b": "1"}},
                {"labels": {"app": "y", "b": "1"}},
                id="labels",
            ),
            pytest.param(
                {"annotations": {}}, {"labels": {}}, {"annotations": {}, "labels": {}}, id="removed"
            ),
            pytest.param(
                {"references": {"v": from_raw("vault:kv/b#v", "v")}},
                {"vault": VaultTerms(Store("other"), interval="1h")},
                {
                    "references": {"v": from_raw("vault:kv/b#v", "v")},
                    "vault": VaultTerms(Store("other"), interval="1h"),
                },
                id="references",
            ),
            pytest.param(
                {"template": Template(labels={"l": "1"}, data={"url": "{{ .a }}", "x": "x"})},
                {"template": Template(labels={"l": "1", "m": "2"}, data={"url": "{{ .u }}"})},
                {
                    "template": Template(
                        labels={"l": "1", "m": "2"}, data={"url": "{{ .u }}", "x": "x"}
                    )
                },
                id="template",
            ),
            pytest.param(
                {"restarts": (BASE.restarts[0], Workload(WorkloadKind.DAEMON_SET, "d"))},
                {"restarts": (Workload(WorkloadKind.STATEFUL_SET, "s"),)},
                {
                    "restarts": (
                        Workload(WorkloadKind.DAEMON_SET, "d"),
                        Workload(WorkloadKind.STATEFUL_SET, "s"),
                    )
                },
                id="restarts",
            ),
            pytest.param(
                {"suspend": True},
                {"deletion_policy": "Retain"},
                {"suspend": True, "deletion_policy": "Retain"},
                id="flags",
            ),
        ],
    )
    def test_merge(
        self, ours: dict[str, object], theirs: dict[str, object], both: dict[str, object]
    ) -> None:
        sides = [self.BASE._replace(**changes) for changes in (ours, theirs, both)]  # type: ignore[arg-type]  # of tests
        assert merged(self.BASE, *sides[:2]) == sides[2].to_dict()

    @pytest.mark.parametrize(
        ("ours", "theirs", "path"),
        [
            ({"labels": {"app": "y"}}, {"labels": {}}, "metadata.labels"),
            ({"labels": {"app": "y"}}, {"labels": {"app": "z"}}, "metadata.labels.app"),
            ({"vault": VaultTerms(interval="2h")}, {"vault": VaultTerms()}, "vault"),
            (
                {"template": BASE.template._replace(type="x/y")},
                {"template": BASE.template._replace(type="x/z")},
                "template.type",
            ),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_conflict(self, ours: dict[str, object], theirs: dict[str, object], path: str) -> None:
        sides = [self.BASE._replace(**changes) for changes in (ours, theirs)]  # type: ignore[arg-type]  # of tests
        tree = merged(self.BASE, *sides)
        assert paths(tree) == [path]
        assert resolved(tree, "ours") == sides[0].to_dict()
        assert resolved(tree, "theirs") == sides[1].to_dict()

    def test_one_key_sealed_here_and_referred_to_there(self) -> None:
        base = self.BASE._replace(references={}, vault=VaultTerms())
        ours = changed(base, {"k": "1"})
        theirs = base._replace(references={"k": from_raw("vault:kv/a#k", "k")})
        tree = merged(base, ours, theirs)
        assert {"encryptedData.k", "references"} <= set(paths(tree))
        assert resolved(tree, "ours") == ours.to_dict()
        assert resolved(tree, "theirs") == theirs.to_dict()

    def test_a_key_that_became_a_reference(self) -> None:
        base = sealed({"k": "1", "l": "1"})._replace(labels={"a": "1"})
        theirs = unset_values(base, ["k"])._replace(references={"k": from_raw("vault:k/a#k", "k")})
        tree = merged(base, base._replace(labels={"a": "2"}), theirs)
        assert tree == theirs._replace(labels={"a": "2"}).to_dict()

    def test_status_of_the_cluster_is_no_obstacle(self) -> None:
        raw = self.BASE.to_dict()
        tree = merge(raw, raw | {"status": {"n": [1]}}, raw | {"status": {"n": [2]}})
        assert dict(conflicts(tree)) == {("status", "n"): Conflict([1], [2])}
