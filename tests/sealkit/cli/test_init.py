"""`sealkit init`: the files a repository needs, and nothing that is there is touched."""

from __future__ import annotations

from sealkit.config import load_config
from tests.sealkit.cli.desk import Desk


def test_it_writes_a_configuration_that_loads(bare: Desk) -> None:
    result = bare.ok("init")
    assert result.out == ""
    assert result.err.splitlines() == [
        "wrote .sealkit.yaml: next, sealkit clusters add NAME --context CTX",
        "wrote .gitattributes",
    ]
    config = load_config(bare.folder / ".sealkit.yaml")
    assert (config.clusters, config.rules) == ({}, ())


def test_the_example_rules_are_right_once_their_comment_marks_go(bare: Desk) -> None:
    bare.ok("init")
    bare.ok("clusters", "add", "prod", bare.recipient("prod"))
    text = bare.read(".sealkit.yaml")
    head, mark, rules = text.partition("# rules:")
    bare.write(".sealkit.yaml", head + (mark + rules).replace("# ", ""))
    (rule,) = load_config(bare.folder / ".sealkit.yaml").rules
    assert rule.clusters == ("prod",)


def test_twice_changes_nothing(bare: Desk) -> None:
    bare.ok("init")
    before = bare.files()
    assert bare.ok("init").err == "kept .sealkit.yaml\n"
    assert bare.files() == before


def test_what_is_there_stays(bare: Desk) -> None:
    bare.write(".gitattributes", b"*.png binary\r\n*.sealed.yaml text eol=lf\r\n# \xff")
    bare.ok("init")
    content = (bare.folder / ".gitattributes").read_bytes()
    assert content == (
        b"*.png binary\r\n*.sealed.yaml text eol=lf\r\n# \xff\n.sealkit/*.pub text eol=lf\n"
    )


def test_a_wrong_configuration_is_told(bare: Desk) -> None:
    bare.write(".sealkit.yaml", "apiVersion: 1\n")
    result = bare.run("init")
    assert result.code == 2
    assert result.err.startswith("sealkit: error: .sealkit.yaml: apiVersion: ")
    assert list(bare.files()) == [".sealkit.yaml"]


def test_a_demo_cluster_that_does_not_answer(bare: Desk) -> None:
    result = bare.run("init", "--demo-cluster", "none.kubeconfig")
    assert result.code == 2
    assert "the kubeconfig has no usable cluster" in result.err
