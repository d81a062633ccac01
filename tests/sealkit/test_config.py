"""`.sealkit.yaml`: strict reading, globs, and which file rules."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from sealkit.config import NAME, Cluster, Rule, add_cluster, find_config, load_config
from sealkit.errors import ConfigError, SealkitError
from sealkit.manifests.scope import Scope

KID = "ugjqmgt57w3v74anzqcmrveowu"
GOOD = f"""\
apiVersion: sealkit.dev/config/v1
clusters:
  prod: {{kid: {KID}, recipient: .sealkit/prod.pub, notAfter: 2027-05-01}}
  staging: {{kid: {KID}, recipient: .sealkit/staging.pub}}
rules:
- paths: ["apps/*/prod/**"]
  clusters: [prod]
  scopes: [strict]
- paths: ["**"]
  clusters: [prod, staging]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / NAME
    path.write_text(text)
    return path


def test_everything_is_read(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD))
    assert config.clusters == {
        "prod": Cluster("prod", KID, ".sealkit/prod.pub", date(2027, 5, 1)),
        "staging": Cluster("staging", KID, ".sealkit/staging.pub"),
    }
    assert config.rules == (
        Rule(("apps/*/prod/**",), ("prod",), (Scope.STRICT,)),
        Rule(("**",), ("prod", "staging"), tuple(Scope)),
    )
    assert config.path == str(tmp_path / NAME)


@pytest.mark.parametrize("rest", ["", "clusters:\nrules:\n", "clusters: {}\nrules: []\n"])
def test_little_is_enough(tmp_path: Path, rest: str) -> None:
    config = load_config(write(tmp_path, f"# ours\napiVersion: sealkit.dev/config/v1\n{rest}"))
    assert (config.clusters, config.rules) == ({}, ())


def test_json_and_windows_line_ends_are_read_as_well(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, GOOD.replace("\n", "\r\n"))).rules
    assert load_config(write(tmp_path, '{"apiVersion": "sealkit.dev/config/v1"}')).rules == ()


FIRST = "rules[0]"
PATHS = '["apps/*/prod/**"]'


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        pytest.param("config/v1", "config/v2", "apiVersion", id="other-version"),
        pytest.param("apiVersion: sealkit.dev/config/v1\n", "", "apiVersion", id="no-version"),
        pytest.param("rules:", "rule:", "rule", id="unknown-field"),
        pytest.param("notAfter", "notafter", "clusters.prod.notafter", id="unknown-of-cluster"),
        pytest.param("  scopes:", "  scope:", f"{FIRST}.scope", id="unknown-of-rule"),
        pytest.param("  prod: {", "  Prod: {", "clusters.Prod", id="cluster-name"),
        pytest.param(f"kid: {KID}, ", "", "clusters.prod.kid", id="no-kid"),
        pytest.param(KID, KID[:-1], "clusters.prod.kid", id="short-kid"),
        pytest.param(KID, KID.upper(), "clusters.prod.kid", id="upper-case-kid"),
        pytest.param(KID, "12", "clusters.prod.kid", id="number-for-kid"),
        pytest.param("recipient: .sealkit/prod.pub, ", "", "clusters.prod.recipient", id="no-file"),
        pytest.param(".sealkit/prod.pub", '""', "clusters.prod.recipient", id="empty-file"),
        pytest.param("2027-05-01", "2027-5-1", "clusters.prod.notAfter", id="loose-date"),
        pytest.param("2027-05-01", '"20270501"', "clusters.prod.notAfter", id="basic-date"),
        pytest.param("2027-05-01", "2027-02-30", "clusters.prod.notAfter", id="no-such-day"),
        pytest.param("2027-05-01", "true", "clusters.prod.notAfter", id="date-that-is-none"),
        pytest.param("[prod]\n", "[dev]\n", f"{FIRST}.clusters", id="unknown-cluster"),
        pytest.param("[prod]\n", "prod\n", f"{FIRST}.clusters", id="no-list"),
        pytest.param("[prod]\n", "[]\n", f"{FIRST}.clusters", id="no-cluster"),
        pytest.param("[prod]\n", "[prod, prod]\n", f"{FIRST}.clusters", id="cluster-twice"),
        pytest.param("  clusters: [prod]\n", "", f"{FIRST}.clusters", id="clusters-missing"),
        pytest.param("[strict]", "[wide]", f"{FIRST}.scopes", id="unknown-scope"),
        pytest.param("[strict]", "[]", f"{FIRST}.scopes", id="no-scope"),
        pytest.param("[strict]", "[1]", f"{FIRST}.scopes", id="number-for-scope"),
        pytest.param(PATHS, "[]", f"{FIRST}.paths", id="no-path"),
        pytest.param(PATHS, "[1]", f"{FIRST}.paths", id="number-for-path"),
        pytest.param(PATHS, '["/apps/**"]', f"{FIRST}.paths", id="absolute"),
        pytest.param(PATHS, '["../apps/**"]', f"{FIRST}.paths", id="upwards"),
        pytest.param(PATHS, '["./apps/**"]', f"{FIRST}.paths", id="here"),
        pytest.param(PATHS, '["apps/"]', f"{FIRST}.paths", id="folder"),
        pytest.param(PATHS, '["apps//a"]', f"{FIRST}.paths", id="two-slashes"),
        pytest.param(PATHS, '[""]', f"{FIRST}.paths", id="empty-path"),
        pytest.param(PATHS, '["app[ab]"]', f"{FIRST}.paths", id="character-class"),
        pytest.param(PATHS, '["{a,b}"]', f"{FIRST}.paths", id="braces"),
        pytest.param(PATHS, '["!apps"]', f"{FIRST}.paths", id="negated"),
        pytest.param(PATHS, '["a\\\\b"]', f"{FIRST}.paths", id="backslash"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, field: str) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert (caught.value.file, caught.value.field) == (str(path), field)
    assert str(caught.value).startswith(f"{path}: {field}: ")


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        pytest.param("rules:", "rule:", "did you mean 'rules'?", id="field"),
        pytest.param("notAfter", "notafter", "did you mean 'notAfter'?", id="field-of-cluster"),
        pytest.param("- paths:", "- path:", "did you mean 'paths'?", id="field-of-rule"),
        pytest.param("[prod]\n", "[prd]\n", "did you mean 'prod'?", id="cluster"),
        pytest.param("[prod]\n", "[x]\n", "", id="cluster-unlike-any"),
        pytest.param(
            "rules:", "x:", "known fields: apiVersion, clusters, rules", id="field-unlike-any"
        ),
    ],
)
def test_what_was_probably_meant(tmp_path: Path, old: str, new: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, GOOD.replace(old, new)))
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "document"),
    [
        pytest.param("", 0, id="empty"),
        pytest.param(f"{GOOD}---\n{GOOD}", 0, id="two-documents"),
        pytest.param("[]\n", 0, id="a-list"),
        pytest.param("a: [\n", 1, id="syntax"),
        pytest.param(f"{GOOD}clusters: {{}}\n", 1, id="key-twice"),
        pytest.param(f"{GOOD}x: &a 1\n", 1, id="anchor"),
        pytest.param("clusters: false\n", 0, id="false-for-clusters"),
        pytest.param("clusters: []\n", 0, id="list-for-clusters"),
        pytest.param("rules: {}\n", 0, id="mapping-for-rules"),
        pytest.param("rules: false\n", 0, id="false-for-rules"),
        pytest.param("clusters: {prod: 1}\n", 0, id="number-for-a-cluster"),
        pytest.param("rules: [1]\n", 0, id="number-for-a-rule"),
    ],
)
def test_other_shapes(tmp_path: Path, text: str, document: int) -> None:
    if text.startswith(("clusters", "rules")):
        text = f"apiVersion: sealkit.dev/config/v1\n{text}"
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert (caught.value.file, caught.value.document) == (str(path), document)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SealkitError, match="cannot be read"):
        load_config(tmp_path / NAME)


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("a.yaml", ["a.yaml"], ["b/a.yaml", "a.yaml.bak", "axyaml"]),
        ("*.yaml", ["a.yaml", ".yaml"], ["b/a.yaml", "a.yml"]),
        ("*/a", ["b/a"], ["a", "b/c/a"]),
        ("a?c", ["abc"], ["ac", "a/c", "abbc"]),
        ("**", ["a", "b/a", "b/c/a"], []),
        ("**/a", ["a", "b/a", "c/b/a"], ["ba", "b/ca", "a/b"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "ab/c", "b/a/c"]),
        ("a/**/b", ["a/b", "a/c/b", "a/c/d/b"], ["ab", "a/cb"]),
        ("a/*/prod/**", ["a/x/prod/a", "a/x/prod/b/a"], ["a/prod/a", "a/x/y/prod/a"]),
        ("a**b", ["ab", "axb", "a/x/b"], ["ba"]),
        ("a+(b).c", ["a+(b).c"], ["aab.c", "abxc"]),
        ("**/x\u2028*", ["x\u2028\n"], ["x"]),
    ],
)  # fmt: skip
def test_globs(glob: str, yes: list[str], no: list[str]) -> None:
    rule = Rule((glob,), ("prod",))
    assert [path for path in yes + no if rule.matches(path)] == yes


def test_a_hostile_glob_takes_no_longer_than_others() -> None:
    rule = Rule(("*a" * 20 + "**b" * 20 + "c",), ("prod",))
    assert not rule.matches("a" * 100 + "b" * 100)


class TestFinding:
    """The nearest file upwards from the target."""

    @pytest.fixture
    def tree(self, tmp_path: Path) -> Path:
        (tmp_path / "apps" / "shop").mkdir(parents=True)
        write(tmp_path, GOOD)
        return tmp_path

    def test_upwards(self, tree: Path) -> None:
        config = find_config(tree / "apps" / "shop" / "db.yaml")
        assert config is not None
        assert config.folder == str(tree)
        rule = config.rule_for(str(tree / "apps" / "shop" / "prod" / "db.yaml"))
        assert rule is not None
        assert rule.clusters == ("prod",)

    def test_the_nearest_wins_even_if_it_says_nothing(self, tree: Path) -> None:
        write(tree / "apps", "apiVersion: sealkit.dev/config/v1\n")
        config = find_config(tree / "apps" / "shop")
        assert config is not None
        assert config.folder == str(tree / "apps")
        assert config.rule_for(str(tree / "apps" / "db.yaml")) is None

    def test_a_wrong_one_is_not_passed_over(self, tree: Path) -> None:
        write(tree / "apps", "junk")
        with pytest.raises(ConfigError):
            find_config(tree / "apps" / "shop")

    def test_one_that_cannot_be_read_is_not_passed_over(self, tree: Path) -> None:
        (tree / "apps" / NAME).symlink_to(NAME)  # to itself
        with pytest.raises(SealkitError, match="too many levels of symbolic links") as caught:
            find_config(tree / "apps" / "shop")
        assert caught.value.file == str(tree / "apps" / NAME)

    def test_a_folder_of_that_name_is_none(self, tree: Path) -> None:
        (tree / "apps" / NAME).mkdir()
        config = find_config(tree / "apps" / "shop")
        assert config is not None
        assert config.folder == str(tree)

    def test_none(self, tmp_path: Path) -> None:
        assert find_config(tmp_path) is None

    def test_a_file_elsewhere_falls_under_no_rule(self, tree: Path) -> None:
        config = find_config(tree)
        assert config is not None
        assert config.rule_for(str(tree.parent / "db.yaml")) is None


class TestAddCluster:
    """Editing keeps every other byte."""

    CLUSTER = Cluster("lab", KID, ".sealkit/lab.pub", date(2027, 1, 2))

    def test_into_what_is_there(self, tmp_path: Path) -> None:
        text = GOOD.replace("rules:", "# rules follow\nrules:  # first match")
        edited = add_cluster(text.encode(), self.CLUSTER)
        assert [line for line in text.splitlines() if line not in edited.splitlines()] == []
        assert load_config(write(tmp_path, edited)).clusters["lab"] == self.CLUSTER

    def test_replacing(self, tmp_path: Path) -> None:
        cluster = Cluster("prod", KID, "other.pub")
        config = load_config(write(tmp_path, add_cluster(GOOD.encode(), cluster)))
        assert config.clusters["prod"] == cluster
        assert list(config.clusters) == ["prod", "staging"]

    @pytest.mark.parametrize("text", ["apiVersion: sealkit.dev/config/v1\n", "\n# a\n"])
    def test_into_nothing(self, tmp_path: Path, text: str) -> None:
        head = "" if "apiVersion" in text else "apiVersion: sealkit.dev/config/v1\n"
        edited = add_cluster((head + text).encode(), self.CLUSTER)
        assert load_config(write(tmp_path, edited)).clusters == {"lab": self.CLUSTER}

    @pytest.mark.parametrize("start", ["# a\n---\n", "---\n---\n"])
    def test_empty_documents_before_it(self, tmp_path: Path, start: str) -> None:
        edited = add_cluster(f"{start}{GOOD}".encode(), self.CLUSTER)
        assert "lab" in load_config(write(tmp_path, edited)).clusters
