"""`sealkit verify --cluster`: files and pins compared with a live cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from sealkit.config import NAME
from sealkit.manifests.emit import emit_yaml
from tests.sealkit.cli.desk import CANARY, Desk, Result, key_of, only_sealed, secret_text
from tests.sealkit.cli.test_verify_history import commit, git, renew, verdicts
from tests.sealkit.cli.test_view import READY
from tests.sealkit.loopback import kubeconfig, published, serving
from tests.sealkit.test_git import ENVIRONMENT

FILE: Final = "apps/db.yaml"
PROD: Final = key_of("prod").kid
LIST: Final = "/apis/sealkit.dev/v1alpha1/namespaces/{}/sealedsecrets?limit=500"
ONLINE: Final = ("verify", "--cluster", "here", "--kubeconfig", "kubeconfig")


class Cluster:
    """Prod, with the manifest of the file, applied and synced."""

    def __init__(self, desk: Desk, pages: dict[str, str]) -> None:
        self.desk = desk
        self.pages = pages
        self.keys({"prod": "active"})
        self.manifest: dict[str, Any] = only_sealed(desk.read(FILE))
        self.manifest["metadata"] |= {"uid": "u", "generation": 2, "labels": {"a": "b"}}
        self.manifest["status"] = {"observedGeneration": 2, "conditions": [READY]}
        self.has(self.manifest)

    def keys(self, states: dict[str, str], namespace: str = "sealkit-system") -> None:
        ((path, text),) = published(namespace, "unused").items()
        page = json.loads(text)
        lines = (f"{key_of(one).kid} {states[one]} 2026-01-01T00:00:00Z" for one in states)
        page["data"]["keys"] = "\n".join(lines)
        self.pages[path] = json.dumps(page)

    def has(self, *manifests: object, namespace: str = "shop") -> None:
        page = {"items": manifests, "metadata": {}}
        self.pages[LIST.format(namespace)] = json.dumps(page)

    def verify(self, *arguments: str | Path, form: str = "json") -> Result:
        return self.desk.run(*ONLINE, "--format", form, *arguments)

    def found(self, *arguments: str) -> list[tuple[str, str, str]]:
        result = self.verify(*arguments)
        assert result.code in {0, 3}, result.err
        return [
            (one["rule"], f"{one['file']}:{one['line']}", one["field"])
            for one in result.json["findings"]
        ]


@pytest.fixture
def cluster(desk: Desk) -> Iterator[Cluster]:
    desk.write(FILE, "")
    desk.ok("seal", "-o", FILE, stdin=secret_text(PASSWORD=CANARY))
    pages: dict[str, str] = {}
    with serving(pages) as url:
        desk.write("kubeconfig", kubeconfig(url))
        yield Cluster(desk, pages)


class TestManifests:
    def test_all_is_well(self, cluster: Cluster) -> None:
        result = cluster.verify(form="text")
        assert result == Result(0, "", "sealkit: 1 manifest: no findings\n")

    def test_the_current_context(self, cluster: Cluster) -> None:
        result = cluster.desk.ok("verify", "--kubeconfig", "kubeconfig", "--cluster")
        assert result.err == "sealkit: 1 manifest: no findings\n"

    def test_not_applied(self, cluster: Cluster) -> None:
        cluster.has()
        assert cluster.found() == [("SK313", f"{FILE}:4", "metadata.name")]
        assert cluster.verify().code == 0
        assert cluster.verify("--fail-on", "note").code == 3

    def test_of_another_name(self, cluster: Cluster) -> None:
        cluster.manifest["metadata"]["name"] = "other"
        cluster.has(cluster.manifest)
        assert [rule for rule, *_ in cluster.found()] == ["SK313"]

    def test_another_version(self, cluster: Cluster) -> None:
        cluster.desk.ok("set", FILE, "PASSWORD", stdin="other")
        assert cluster.found() == [("SK314", f"{FILE}:4", "metadata.name")]

    @pytest.mark.parametrize("field", ["suspend", "scpoe"])
    def test_a_field_that_the_file_has_not(self, cluster: Cluster, field: str) -> None:
        cluster.manifest["spec"][field] = True
        cluster.has(cluster.manifest)
        assert [rule for rule, *_ in cluster.found()] == ["SK314"]

    def test_not_ready(self, cluster: Cluster) -> None:
        bad = READY | {"status": "False", "reason": "NoKey", "message": "no key \x1b here"}
        cluster.manifest["status"]["conditions"] = [bad]
        cluster.has(cluster.manifest)
        result = cluster.verify(form="text")
        what = "is not ready in the cluster: NoKey: no key \\x1b here"
        line = f"{FILE}:4:3: warning SK315: shop/db: metadata.name: {what}\n"
        assert (result.code, result.out) == (3, line)

    def test_not_there_yet(self, cluster: Cluster) -> None:
        cluster.manifest["metadata"]["generation"] = 3
        cluster.has(cluster.manifest)
        assert [rule for rule, *_ in cluster.found()] == ["SK315"]

    def test_it_can_be_allowed(self, cluster: Cluster) -> None:
        cluster.has()
        text = cluster.desk.read(FILE)
        cluster.desk.write(FILE, f"# sealkit:allow SK313 comes tomorrow\n{text}")
        assert cluster.found() == []

    @pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "github", "gitlab"])
    def test_every_format(self, cluster: Cluster, form: str) -> None:
        cluster.has()
        result = cluster.verify(form=form)
        assert "is not in the cluster" in result.out
        assert CANARY not in result.out + result.err

    def test_those_for_other_clusters_are_passed_over(self, cluster: Cluster) -> None:
        cluster.has()
        cluster.desk.ok("seal", "-o", FILE, "-c", "staging", stdin=secret_text())
        cluster.desk.config([{"paths": ["apps/*"], "clusters": ["staging"]}])
        assert cluster.found() == []

    def test_where_no_rule_covers_a_file_its_keys_decide(self, cluster: Cluster) -> None:
        cluster.has()
        cluster.desk.config([{"paths": ["x"], "clusters": ["prod"]}])
        assert [rule for rule, *_ in cluster.found()] == ["SK101", "SK313"]
        cluster.desk.ok("seal", "-o", FILE, "--as", "x", stdin=secret_text())
        cluster.keys({"staging": "active"})
        assert [rule for rule, *_ in cluster.found()] == ["SK101"]

    def test_without_a_namespace(self, cluster: Cluster) -> None:
        text = cluster.desk.read(FILE).replace("  namespace: shop\n", "")
        cluster.desk.write(FILE, text)
        assert [rule for rule, *_ in cluster.found()] == ["SK204"]

    def test_several_namespaces(self, cluster: Cluster) -> None:
        desk = cluster.desk
        desk.write("b.yaml", desk.ok("seal", stdin=secret_text(namespace="other")).out)
        cluster.has(namespace="other")
        assert [place for _, place, _ in cluster.found()] == ["b.yaml:4"]

    def test_references_only(self, cluster: Cluster) -> None:
        cluster.has()
        desk = cluster.desk
        desk.write(FILE, desk.ok("seal", stdin=secret_text(A="vault:kv/a#b")).out)
        assert "SK313" in [rule for rule, *_ in cluster.found()]

    def test_without_a_configuration(self, cluster: Cluster) -> None:
        (cluster.desk.folder / NAME).unlink()
        assert [rule for rule, *_ in cluster.found()] == ["SK106"]

    def test_many_files_and_processes(self, cluster: Cluster) -> None:
        desk = cluster.desk
        for number in range(30):
            desk.write(f"x/{number}.yaml", desk.ok("seal", stdin=secret_text(f"n{number}")).out)
        assert len(cluster.found("--jobs", "2")) == 30


class TestKeys:
    """Pins and what the cluster publishes."""

    @pytest.mark.parametrize(
        ("states", "expected"),
        [
            ({"prod": "active"}, []),
            ({"prod": "retired"}, []),
            ({"prod": "active", "old": "retired"}, []),
            ({"new": "active", "prod": "active"}, ["SK311"]),
            ({"new": "active", "prod": "retired"}, ["SK311"]),
            ({"new": "active", "prod": "compromised"}, ["SK312"]),
            ({"prod": "compromised"}, ["SK312"]),
            ({"new": "active"}, ["SK310"]),
            ({"staging": "active", "prod": "retired"}, ["SK311"]),
        ],
        ids=str,
    )
    def test_states(self, cluster: Cluster, states: dict[str, str], expected: list[str]) -> None:
        cluster.keys(states)
        assert [rule for rule, *_ in cluster.found()] == expected

    def test_where_it_is_told(self, cluster: Cluster) -> None:
        cluster.keys({"new": "active", "prod": "active"})
        result = cluster.verify(form="text")
        what = f"key {PROD} was renewed, the cluster has {key_of('new').kid} now"
        place = f"{NAME}:3:3: warning SK311: prod: clusters.prod"
        assert result.out.splitlines() == [
            f"{place}: {what}",
            "  hint: sealkit clusters add NAME --context CTX --replace; sealkit rewrap --key FILE",
        ]
        text = cluster.desk.read(NAME)
        allow = "  # sealkit:allow SK311 next week\n  prod:"
        cluster.desk.write(NAME, text.replace("  prod:", allow))
        assert cluster.found() == []

    def test_another_cluster(self, cluster: Cluster) -> None:
        cluster.keys({"new": "active"})
        assert cluster.found() == [("SK310", f"{NAME}:1", "")]

    def test_another_namespace_of_the_controller(self, cluster: Cluster) -> None:
        cluster.pages.clear()
        cluster.keys({"prod": "compromised"}, "elsewhere")
        cluster.has(cluster.manifest)
        assert [one[0] for one in cluster.found("--controller-namespace", "elsewhere")] == ["SK312"]


class TestMistakes:
    """One clear error, and nothing else."""

    @pytest.mark.parametrize(
        ("context", "code", "start"),
        [
            ("gone", 1, "the cluster of context 'gone' cannot be reached"),
            ("none", 2, "the kubeconfig has no usable cluster of context 'none'"),
        ],
    )
    def test_no_cluster(self, cluster: Cluster, context: str, code: int, start: str) -> None:
        arguments = ("verify", "--cluster", context, "--kubeconfig", "kubeconfig")
        refused(cluster.desk.run(*arguments), code, start)

    def test_forbidden(self, cluster: Cluster) -> None:
        with serving({}, (403, CANARY)) as url:
            cluster.desk.write("kubeconfig", kubeconfig(url))
            result = cluster.verify()
        start = "the cluster publishes no key in namespace sealkit-system (HTTP 403)"
        refused(result, 1, start)
        assert CANARY not in result.err

    def test_no_right_to_list(self, cluster: Cluster) -> None:
        del cluster.pages[LIST.format("shop")]
        result = cluster.verify()
        refused(result, 1, "the cluster does not list SealedSecrets (HTTP 404)")
        assert "in the namespaces of the manifests" in result.err

    def test_a_kubeconfig_for_nothing(self, cluster: Cluster) -> None:
        refused(cluster.desk.run("verify", "--kubeconfig", "x"), 2, "--kubeconfig is of no use")

    def test_nothing_is_changed(self, cluster: Cluster) -> None:
        before = cluster.desk.files()
        cluster.verify()
        assert cluster.desk.files() == before


def refused(result: Result, code: int, start: str) -> None:
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err


def test_a_history_with_the_keys_that_the_cluster_still_has(cluster: Cluster) -> None:
    desk = cluster.desk
    desk.environment |= ENVIRONMENT
    git(desk, "init", "-q", "-b", "main")
    commit(desk)
    renew(desk)
    assert verdicts(cluster.verify("--history", form="text")) == [
        f"{FILE}:1 needs key {PROD} (prod)"
    ]
    cluster.keys({"prod-2": "active", "prod": "retired"})
    assert verdicts(cluster.verify("--history", form="text")) == ["ok"]
    cluster.keys({"prod-2": "active"})
    assert cluster.verify("--history").code == 3


def test_what_is_compared_is_what_yaml_says(cluster: Cluster) -> None:
    raw = yaml.safe_load(cluster.desk.read(FILE))
    spec = raw["spec"]
    raw["spec"] = {name: spec[name] for name in reversed(list(spec))}
    cluster.desk.write(FILE, emit_yaml(raw))
    assert cluster.found() == []
