"""Judging manifests: what needs no files, no configuration and no command."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

import pytest

from sealkit.findings import rules
from sealkit.findings.finding import Finding, Place, Rule
from sealkit.manifests.documents import iter_resources, read_documents
from sealkit.manifests.emit import emit_yaml
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import EnvelopeId, SealedValue
from sealkit.manifests.secret import Secret
from sealkit.padding import padded_length
from sealkit.sealing import seal
from sealkit.sensitive import Sensitive
from sealkit.verifying.history import Held, Obstacle, Stay, by_commit, locked_out, no_key, reach
from sealkit.verifying.manifest import Manifest, Policy, check, check_last_day, parse
from sealkit.verifying.repository import Kustomization, Target, check_kustomizations, check_targets
from tests.sealkit.cli.desk import key_of

TODAY: Final = date(2026, 11, 1)
KIB: Final = 1024


def manifest(scope: Scope = Scope.STRICT, namespace: str = "shop") -> Manifest:
    secret = Secret("db", namespace, {"A": Sensitive(b"x")})
    sealed = seal(secret, [key_of("prod").public], scope, lambda size: b"\1" * size)
    (document,) = read_documents(emit_yaml(sealed.to_dict()), file="f")
    parsed = parse(next(iter_resources(document)))
    assert isinstance(parsed, Manifest)
    return parsed


def with_sizes(*sizes: int) -> Manifest:
    """Return a manifest with values of these sizes in bytes, which nobody could open."""
    one = manifest()
    eid: EnvelopeId = next(iter(one.sealed.envelopes))
    padded = (padded_length(size + 4) for size in sizes)
    items = (bytes(56 + size + 16 * (size // (16 * KIB) + 1)) for size in padded)
    values = {f"K{number}": SealedValue(eid, item) for number, item in enumerate(items)}
    return replace(one, sealed=one.sealed._replace(encrypted_data=values))


def with_length(length: int) -> Manifest:
    one = manifest()
    node = one.resource.node._replace(end=one.resource.node.start + length)
    return replace(one, resource=one.resource._replace(node=node))


def broken(findings: list[Finding]) -> list[Rule]:
    return [finding.rule for finding in findings]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([900 * KIB], []),
        ([1000] * 900, []),
        ([940 * KIB], [rules.NEARLY_TOO_LARGE]),
        ([1024 * KIB], [rules.NEARLY_TOO_LARGE]),
        ([1000] * 1000, [rules.NEARLY_TOO_LARGE]),
        ([1056 * KIB], [rules.TOO_LARGE]),
        ([1000] * 1160, [rules.TOO_LARGE]),
        ([600 * KIB] * 2, [rules.TOO_LARGE]),
    ],
    ids=["none", "fits", "many-fit", "near", "full", "many-near", "one", "many", "two"],
)
def test_sizes_of_values(sizes: list[int], expected: list[Rule]) -> None:
    assert broken(list(check(with_sizes(*sizes)))) == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (256 * KIB, []),
        (257 * KIB, [rules.SERVER_SIDE_ONLY]),
        (1400 * KIB, [rules.NEARLY_TOO_LARGE]),
        (1537 * KIB, [rules.TOO_LARGE]),
    ],
)
def test_length_of_the_manifest(length: int, expected: list[Rule]) -> None:
    assert broken(list(check(with_length(length)))) == expected


@pytest.mark.parametrize("scope", list(Scope))
def test_a_scope_that_needs_a_namespace(scope: Scope) -> None:
    one = manifest(scope)
    nowhere = replace(one, sealed=one.sealed._replace(namespace=""))
    assert broken(list(check(one))) == []
    expected = [] if scope is Scope.CLUSTER else [rules.NO_NAMESPACE]
    assert broken(list(check(nowhere))) == expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (None, []),
        (date(2026, 10, 31), [rules.EXPIRED]),
        (TODAY, [rules.EXPIRES_SOON]),
        (date(2026, 12, 1), [rules.EXPIRES_SOON]),
        (date(2026, 12, 2), []),
    ],
)
def test_the_last_day_of_a_key(last: date | None, expected: list[Rule]) -> None:
    assert broken(list(check_last_day(Place("c"), last, TODAY))) == expected


def target(path: str = "/r/a.yaml", **changes: object) -> Target:
    one = Target("shop", "db", Scope.STRICT, path, Place(path, 1, 3, 3), frozenset({"k"}), True)  # noqa: FBT003 (a row)
    return one._replace(**changes)  # type: ignore[arg-type]  # fields by name


class TestTargets:
    """Two manifests for one Secret."""

    @pytest.mark.parametrize(
        ("other", "is_same"),
        [
            (target("/r/b.yaml"), True),
            (target("/q/b.yaml"), True),
            (target("/r/b.yaml", readers=frozenset({"k", "l"})), True),
            (target("/r/b.yaml", readers=frozenset({"l"})), False),
            (target("/r/b.yaml", readers=frozenset()), False),
            (target("/r/b.yaml", name="other"), False),
            (target("/r/b.yaml", namespace="other"), False),
            (target("/r/b.yaml", namespace=""), False),
        ],
        ids=["same", "folder", "more", "cluster", "nobody", "name", "namespace", "nowhere"],
    )
    def test_same_name_and_a_cluster_in_common(self, other: Target, *, is_same: bool) -> None:
        assert bool(list(check_targets([target(), other]))) is is_same

    def test_the_later_one_is_told_and_names_the_first(self) -> None:
        others = [target("/r/b.yaml"), target("/r/c.yaml")]
        found = list(check_targets([target(), *others]))
        assert [one.place.file for one in found] == ["/r/b.yaml", "/r/c.yaml"]
        assert all("/r/a.yaml:3:3" in one.message for one in found)

    @pytest.mark.parametrize("path", ["/r/b.yaml", "/q/b.yaml"])
    def test_without_a_namespace_the_folder_decides(self, path: str) -> None:
        pair = [target(namespace=""), target(path, namespace="")]
        assert bool(list(check_targets(pair))) is path.startswith("/r/")


def kustomization(folder: str = "/r", /, **raw: object) -> Kustomization:
    return Kustomization.from_dict({"resources": ["a.yaml"], **raw}, f"{folder}/k.yaml", "k.yaml")


class TestKustomizations:
    """Transformations that close values."""

    @pytest.mark.parametrize(
        ("said", "scopes"),
        [
            ({}, set()),
            ({"namePrefix": "x-"}, {Scope.STRICT}),
            ({"nameSuffix": "-x"}, {Scope.STRICT}),
            ({"namespace": "shop"}, set()),
            ({"namespace": "other"}, {Scope.STRICT, Scope.NAMESPACE}),
            ({"namePrefix": 3, "namespace": ["other"]}, set()),
        ],
        ids=["nothing", "prefix", "suffix", "same-namespace", "namespace", "other-types"],
    )
    def test_what_closes_which_scope(self, said: dict[str, object], scopes: set[Scope]) -> None:
        for scope in Scope:
            found = list(check_kustomizations([target(scope=scope)], [kustomization(**said)]))
            assert bool(found) is (scope in scopes), scope

    def test_what_is_not_listed_or_not_sealed_is_not_meant(self) -> None:
        targets = [target("/r/b.yaml"), target("/q/a.yaml"), target(is_bound=False)]
        assert not list(check_kustomizations(targets, [kustomization(namePrefix="x-")]))

    def test_no_namespace_comes_from_the_kustomization(self) -> None:
        by = kustomization(namespace="other")
        assert not list(check_kustomizations([target(namespace="")], [by]))

    def test_other_kustomizations_are_followed_even_in_a_ring(self) -> None:
        top = kustomization("/r/over", resources=["../base", 7], nameSuffix="-x")
        base = kustomization("/r/base", resources=["../over", "./sub/../db.yaml"])
        (found,) = check_kustomizations([target("/r/base/db.yaml")], [top, base])
        assert found.message.startswith("becomes 'db-x' by k.yaml")

    @pytest.mark.parametrize("name", ["components", "bases"])
    def test_other_lists(self, name: str) -> None:
        raw = {"resources": "a.yaml", name: ["part"], "namePrefix": "x-"}
        found = check_kustomizations(
            [target("/r/part/a.yaml")], [kustomization(**raw), kustomization("/r/part")]
        )
        assert len(list(found)) == 1


def held(*envelopes: str) -> Held:
    """Return a manifest with envelopes, each given by the letters of the keys that open it."""
    return Held(1, "shop/db", tuple(map(frozenset, envelopes)))


class TestHistory:
    """Which states a cluster can be rolled back to."""

    POLICY: Final = Policy({"p": "prod", "s": "staging", "l": "lab"}, ("prod", "staging"))

    @pytest.mark.parametrize(
        ("envelopes", "expected"),
        [
            (["ps"], {}),
            ([], {}),
            (["ps", "psl"], {}),
            (["s"], {"prod": ""}),
            (["os"], {"prod": "o"}),
            (["osx"], {"prod": "o"}),
            (["ls"], {"prod": ""}),
            (["xs"], {"prod": "x"}),
            (["xys"], {"prod": "x or y"}),
            (["os", "qs"], {"prod": "o, q"}),
            (["os", "os", "ps"], {"prod": "o"}),
            (["ot"], {"prod": "o", "staging": "t"}),
        ],
    )
    def test_who_is_locked_out(self, envelopes: list[str], expected: dict[str, str]) -> None:
        former = {"o": ["prod"], "q": ["prod"], "t": ["staging"], "l": ["lab"]}
        found = list(locked_out(held(*envelopes), self.POLICY, former))
        assert {one.cluster: one.needs for one in found} == expected

    @pytest.mark.parametrize("clusters", [None, ()])
    def test_where_nobody_says_who_is_to_read(self, clusters: tuple[str, ...] | None) -> None:
        anybody = self.POLICY._replace(clusters=clusters)
        assert not list(locked_out(held("lx", "s"), anybody, {}))
        (found,) = locked_out(held("lx", "y"), anybody, {})
        assert (found.cluster, found.keys) == ("", ("y",))

    def test_what_each_commit_holds(self) -> None:
        bad = no_key(held("x"), [frozenset("x")], "here")
        stays = [
            Stay("a", 0, 2, (held("p"),)),
            Stay("b", 1, 1, (held("x"), held("p")), (bad,)),
        ]
        states = by_commit(stays, 4)
        assert [one.manifests for one in states] == [1, 3, 1, 0]
        none: list[tuple[str, Obstacle]] = []
        assert [one.obstacles for one in states] == [none, [("b", bad)], none, none]
        assert reach(states) == 1
        assert reach(states[:1]) == 1
        assert reach(states[1:]) == 0
