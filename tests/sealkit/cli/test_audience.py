"""Who may read what: the configuration decides, for every way of asking."""

from __future__ import annotations

import pytest

from tests.sealkit.cli.desk import TODAY, Desk, Result, key_of, only_sealed, secret_text


def refused(result: Result, code: int, start: str) -> None:
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err


class TestAudience:
    """Who can open the result."""

    def test_only_the_cluster_asked_for(self, desk: Desk) -> None:
        out = desk.ok("seal", "-c", "prod", stdin=secret_text()).out
        assert desk.opens_in(out) == {"prod"}

    def test_a_cluster_asked_for_twice_counts_once(self, desk: Desk) -> None:
        result = desk.ok("seal", "-c", "prod", "-c", "prod", stdin=secret_text())
        assert result.err.endswith("for prod (strict)\n")

    def test_an_unknown_cluster(self, desk: Desk) -> None:
        result = desk.run("seal", "-c", "dev", stdin=secret_text())
        refused(result, 2, "there is no cluster 'dev' in .sealkit.yaml, expected prod, staging")

    def test_recipient_files_serve_where_there_is_no_configuration(self, bare: Desk) -> None:
        path = bare.recipient("lab")
        result = bare.ok("seal", "--recipient", path, stdin=secret_text())
        assert result.err == "sealed shop/db: 2 values for lab (strict)\n"
        assert bare.opens_in(result.out) == {"lab"}

    def test_neither_configuration_nor_recipient(self, bare: Desk) -> None:
        result = bare.run("seal", stdin=secret_text())
        refused(result, 2, "there is no .sealkit.yaml here or above\nsealkit: hint: sealkit init")

    def test_a_configuration_without_clusters(self, bare: Desk) -> None:
        bare.ok("init")
        refused(bare.run("seal", stdin=secret_text()), 2, "there is no cluster in .sealkit.yaml")

    def test_an_expired_recipient_file_without_configuration(self, bare: Desk) -> None:
        path = bare.recipient("lab", not_after=TODAY.replace(day=1, month=1))
        result = bare.run("seal", "--recipient", path, stdin=secret_text())
        refused(result, 2, ".sealkit/lab.pub: the key expired on 2026-01-01")

    def test_a_pinned_recipient_file_stands_for_its_cluster(self, desk: Desk) -> None:
        path = desk.folder / ".sealkit" / "staging.pub"
        out = desk.ok("seal", "--recipient", path, stdin=secret_text()).out
        assert desk.opens_in(out) == {"staging"}

    def test_a_recipient_file_that_is_not_pinned(self, desk: Desk) -> None:
        path = desk.recipient("lab")
        result = desk.run("seal", "--recipient", path, stdin=secret_text())
        refused(result, 6, ".sealkit/lab.pub: key ")

    def test_a_recipient_file_does_not_get_round_a_rule(self, desk: Desk) -> None:
        desk.config(rules=[{"paths": ["prod/**"], "clusters": ["prod"]}])
        path = desk.folder / ".sealkit" / "staging.pub"
        result = desk.run("seal", "--recipient", path, "--as", "prod/a.yaml", stdin=secret_text())
        refused(result, 6, "prod/a.yaml: is to be sealed for prod, not for staging")

    def test_an_expired_key(self, desk: Desk) -> None:
        desk.recipient("prod", not_after=TODAY)
        desk.ok("seal", stdin=secret_text())
        result = desk.run("seal", stdin=secret_text(), today=TODAY.replace(day=2))
        refused(result, 2, ".sealkit/prod.pub: the key expired on 2026-11-01")

    def test_the_configuration_may_end_a_key_earlier(self, desk: Desk) -> None:
        desk.config(clusters={"prod": desk.entry("prod", notAfter="2026-10-31")})
        refused(desk.run("seal", stdin=secret_text()), 2, ".sealkit/prod.pub: the key expired")

    def test_a_recipient_file_with_another_key_than_the_pinned_one(self, desk: Desk) -> None:
        desk.recipient("prod", key="attacker")
        result = desk.run("seal", stdin=secret_text())
        refused(result, 2, f".sealkit/prod.pub: holds key {key_of('attacker').kid}")

    def test_a_recipient_file_that_is_missing(self, desk: Desk) -> None:
        (desk.folder / ".sealkit" / "prod.pub").unlink()
        refused(desk.run("seal", stdin=secret_text()), 1, ".sealkit/prod.pub: cannot be read")


RULES = [
    {"paths": ["apps/*/prod/**"], "clusters": ["prod"], "scopes": ["strict"]},
    {"paths": ["apps/**"], "clusters": ["staging"]},
]


class TestRules:
    """What the rules of the configuration make of a target."""

    @pytest.fixture
    def ruled(self, desk: Desk) -> Desk:
        desk.config(rules=RULES)
        return desk

    @pytest.mark.parametrize(
        ("target", "cluster"),
        [("apps/a/prod/db.yaml", "prod"), ("apps/a/x/db.yaml", "staging")],
    )
    def test_the_first_match_decides(self, ruled: Desk, target: str, cluster: str) -> None:
        out = ruled.ok("seal", "--as", target, stdin=secret_text()).out
        assert ruled.opens_in(out) == {cluster}

    def test_the_output_file_decides(self, ruled: Desk) -> None:
        (ruled.folder / "apps").mkdir()
        ruled.ok("seal", "-o", "apps/db.yaml", stdin=secret_text())
        assert ruled.opens_in(ruled.read("apps/db.yaml")) == {"staging"}

    def test_each_file_in_place_decides_for_itself(self, ruled: Desk) -> None:
        names = {"apps/a/prod/db.yaml": "prod", "apps/db.yaml": "staging"}
        for name in names:
            ruled.write(name, secret_text())
        ruled.ok("seal", "-i", *names)
        for name, cluster in names.items():
            assert ruled.opens_in(ruled.read(name)) == {cluster}

    def test_no_rule_covers_the_file(self, ruled: Desk) -> None:
        result = ruled.run("seal", "--as", "db.yaml", stdin=secret_text())
        refused(result, 6, "db.yaml: no rule in .sealkit.yaml covers it")

    def test_the_target_must_be_known(self, ruled: Desk) -> None:
        result = ruled.run("seal", stdin=secret_text())
        refused(result, 2, "the rules depend on where the manifest will be")
        assert "sealkit: hint: pass -o FILE or --as PATH" in result.err

    def test_with_a_cluster_it_need_not_be_known(self, ruled: Desk) -> None:
        out = ruled.ok("seal", "-c", "prod", stdin=secret_text()).out
        assert ruled.opens_in(out) == {"prod"}

    def test_a_cluster_must_not_contradict_the_rule(self, ruled: Desk) -> None:
        result = ruled.run("seal", "-c", "prod", "--as", "apps/db.yaml", stdin=secret_text())
        refused(result, 6, "apps/db.yaml: is to be sealed for staging, not for prod")

    def test_a_scope_that_the_rule_does_not_allow(self, ruled: Desk) -> None:
        arguments = ("--scope", "cluster-wide", "--as", "apps/a/prod/db.yaml")
        result = ruled.run("seal", *arguments, stdin=secret_text())
        refused(result, 6, "apps/a/prod/db.yaml: spec.scope: cluster-wide is not allowed here")

    def test_without_a_scope_the_first_allowed_one_is_taken(self, ruled: Desk) -> None:
        rule = {"paths": ["*"], "clusters": ["prod"], "scopes": ["namespace-wide", "strict"]}
        ruled.config(rules=[rule])
        out = ruled.ok("seal", "--as", "db.yaml", stdin=secret_text()).out
        assert only_sealed(out)["spec"]["scope"] == "namespace-wide"

    def test_the_configuration_nearest_to_the_target_rules(self, ruled: Desk) -> None:
        nested = ruled.read(".sealkit.yaml").replace("- staging", "- prod")
        nested = nested.replace(".sealkit/", "../.sealkit/")
        ruled.write("apps/.sealkit.yaml", nested.replace("apps/**", "**"))
        out = ruled.ok("seal", "--as", "apps/db.yaml", stdin=secret_text()).out
        assert ruled.opens_in(out) == {"prod"}

    def test_a_link_counts_where_it_points(self, ruled: Desk) -> None:
        ruled.write("apps/a/prod/db.yaml", secret_text())
        (ruled.folder / "apps" / "link.yaml").symlink_to("a/prod/db.yaml")
        ruled.ok("seal", "-i", "apps/link.yaml")
        assert ruled.opens_in(ruled.read("apps/a/prod/db.yaml")) == {"prod"}
