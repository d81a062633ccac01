"""`sealkit keys usage`: what depends on each key of a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest

from sealkit.crypto.recipient import Recipient
from sealkit.manifests.emit import emit_yaml
from tests.sealkit.cli.desk import Desk, key_of
from tests.sealkit.loopback import kubeconfig, published, serving
from tests.sealkit.samples import a_manifest

NEW, OLD, GONE = (key_of(name) for name in ("new", "old", "gone"))
LISTED = f"{NEW.kid} active 2026-10-01T00:00:00Z\n{OLD.kid} retired 2026-01-01T00:00:00Z\n"
LIST = "/apis/sealkit.dev/v1alpha1/sealedsecrets?limit=500"
NEXT = LIST.replace("limit", "continue=x&limit")


def page(*manifests: Mapping[str, object], more: str = "") -> str:
    return json.dumps({"items": manifests, "metadata": {"continue": more}})


def pages(listed: str | None = LISTED) -> dict[str, str]:
    recipient = str(Recipient("prod", NEW.public))
    both, old, gone = (
        a_manifest(keys=keys, name=name).to_dict()
        for name, keys in (("both", (NEW, OLD)), ("old", (OLD,)), ("gone", (GONE,)))
    )
    found = published("sealkit-system", recipient)
    (path,) = found
    if listed is not None:
        raw = json.loads(found[path])
        raw["data"]["keys"] = listed
        found[path] = json.dumps(raw)
    return found | {LIST: page(both, old, more="x"), NEXT: page(gone)}


@pytest.fixture
def server(bare: Desk) -> Iterator[str]:
    with serving(pages()) as url:
        bare.write("kubeconfig", kubeconfig(url))
        yield url


USAGE = ("keys", "usage", "--kubeconfig", "kubeconfig")


@pytest.mark.usefixtures("server")
class TestUsage:
    """Counted in the cluster, or in files, by the cluster's keys."""

    def test_the_manifests_of_the_cluster(self, bare: Desk) -> None:
        result = bare.ok(*USAGE)
        assert result.out.splitlines() == [
            "KEY                         STATE        SINCE                 MANIFESTS  ONLY",
            f"{NEW.kid}  active       2026-10-01T00:00:00Z          1     0",
            f"{OLD.kid}  retired      2026-01-01T00:00:00Z          2     1",
        ]
        note = "sealkit: note: none of these keys opens 1 SealedSecret\n"
        assert result.err == note

    def test_as_json(self, bare: Desk) -> None:
        found = bare.ok(*USAGE, "--json").json
        assert found["unopened"] == 1
        assert found["keys"][1] == {
            "kid": OLD.kid,
            "state": "retired",
            "since": "2026-01-01T00:00:00Z",
            "manifests": 2,
            "only": 1,
        }

    def test_what_needs_a_key(self, bare: Desk) -> None:
        assert bare.ok(*USAGE, "--key", OLD.kid).out == "shop/old\n"
        assert bare.ok(*USAGE, "--key", NEW.kid).out == ""

    def test_the_manifests_of_files_and_folders(self, bare: Desk) -> None:
        text = emit_yaml(a_manifest(keys=(OLD,)).to_dict())
        bare.write("apps/a/db.yaml", f"kind: Other\n---\n{text}")
        bare.write("apps/b/db.yml", text)
        bare.write("apps/chart/template.yaml", "a: {{ template }}\n")
        bare.write("apps/readme.md", text)
        bare.write("one.yaml", text)
        found = bare.ok(*USAGE, "apps", "one.yaml", "--json").json
        assert [row["only"] for row in found["keys"]] == [0, 3]
        lines = bare.ok(*USAGE, "apps", "one.yaml", "--key", OLD.kid).out.splitlines()
        assert lines == ["apps/a/db.yaml:2", "apps/b/db.yml:1", "one.yaml:1"]

    def test_standard_input(self, bare: Desk) -> None:
        text = emit_yaml(a_manifest(keys=(OLD,)).to_dict())
        assert bare.ok(*USAGE, "-", "--key", OLD.kid, stdin=text).out == "stdin:1\n"

    def test_a_key_that_the_cluster_has_not(self, bare: Desk) -> None:
        result = bare.run(*USAGE, "--key", GONE.kid)
        assert result.code == 2
        assert result.err.splitlines() == [
            "sealkit: error: --key: is no key of this cluster",
            f"sealkit: hint: it has: {NEW.kid}, {OLD.kid}",
        ]

    def test_a_file_that_is_broken(self, bare: Desk) -> None:
        bare.write("apps/db.yaml", "apiVersion: sealkit.dev/v1alpha1\na: [\n")
        result = bare.run(*USAGE, "apps")
        assert result.code == 1
        assert result.err.startswith("sealkit: error: apps/db.yaml:1: ")

    def test_a_file_that_is_missing(self, bare: Desk) -> None:
        assert bare.run(*USAGE, "none.yaml").err.startswith("sealkit: error: none.yaml: cannot")


@pytest.mark.parametrize("listed", [None, "", "a b\n"], ids=["missing", "empty", "damaged"])
def test_a_cluster_without_a_list_of_keys(bare: Desk, listed: str | None) -> None:
    with serving(pages(listed)) as url:
        bare.write("kubeconfig", kubeconfig(url))
        result = bare.run(*USAGE)
    assert result.code == 2
    what = "sealkit-system/sealkit-public-keys: data.keys: is missing or damaged"
    assert result.err == f"sealkit: error: {what}\n"


def test_a_cluster_that_does_not_list_manifests(bare: Desk) -> None:
    found = pages()
    del found[LIST]
    with serving(found) as url:
        bare.write("kubeconfig", kubeconfig(url))
        result = bare.run(*USAGE)
    assert result.code == 1
    what = "the cluster does not list SealedSecrets (HTTP 404)"
    assert result.err.startswith(f"sealkit: error: {what}\nsealkit: hint: ")
