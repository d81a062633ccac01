"""`sealkit clusters`: whose key is pinned, and that it never changes silently."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
import yaml

from sealkit.config import load_config
from sealkit.crypto.recipient import Recipient
from sealkit.keystore import load_recipient
from tests.sealkit.cli.desk import TODAY, Desk, Result, key_of
from tests.sealkit.loopback import kubeconfig, published, serving

LATER = date(2027, 5, 1)


@pytest.fixture
def started(bare: Desk) -> Desk:
    """A repository after `sealkit init`."""
    bare.ok("init")
    return bare


def text_of(name: str, not_after: date | None = None) -> str:
    return str(Recipient(name, key_of(name).public, not_after))


def source(desk: Desk, name: str, not_after: date | None = None) -> str:
    """A recipient file as somebody sent it."""
    path = desk.keys_folder / f"{name}.pub"
    path.write_text(text_of(name, not_after))
    return str(path)


def refused(desk: Desk, result: Result, code: int, start: str, pinned: str | None = None) -> None:
    """A refusal that left the pinned key of `prod` as it was."""
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err
    cluster = load_config(desk.folder / ".sealkit.yaml").clusters.get("prod")
    assert (cluster.kid if cluster else None) == pinned
    assert (desk.folder / ".sealkit" / "prod.pub").exists() == bool(pinned)


class TestAdd:
    """Pinning."""

    def test_from_a_file(self, started: Desk) -> None:
        result = started.ok("clusters", "add", "prod", source(started, "prod", LATER))
        assert result.err.splitlines() == [
            f"pinned cluster prod: key {key_of('prod').kid}",
            "sealkit: note: compare this key id with the one the cluster's operator sees",
        ]
        cluster = load_config(started.folder / ".sealkit.yaml").clusters["prod"]
        assert (cluster.kid, cluster.not_after) == (key_of("prod").kid, LATER)
        recipient = load_recipient(started.folder / cluster.recipient)
        assert recipient == Recipient("prod", key_of("prod").public, LATER)

    def test_the_name_is_ours(self, started: Desk) -> None:
        started.ok("clusters", "add", "eu", source(started, "prod"))
        assert load_recipient(started.folder / ".sealkit" / "eu.pub").cluster == "eu"

    def test_comments_and_other_clusters_stay(self, started: Desk) -> None:
        started.ok("clusters", "add", "prod", source(started, "prod"))
        before = started.read(".sealkit.yaml").splitlines()
        started.ok("clusters", "add", "dev", source(started, "dev"))
        after = started.read(".sealkit.yaml").splitlines()
        assert [line for line in before if line not in after] == []
        assert list(load_config(started.folder / ".sealkit.yaml").clusters) == ["dev", "prod"]

    def test_from_a_folder_below(self, started: Desk) -> None:
        (started.folder / "apps").mkdir()
        below = Desk(started.folder / "apps", started.keys_folder)
        below.ok("clusters", "add", "prod", source(started, "prod"))
        assert "prod" in load_config(started.folder / ".sealkit.yaml").clusters
        assert list(below.folder.iterdir()) == []

    def test_the_same_key_again_is_no_error(self, started: Desk) -> None:
        started.ok("clusters", "add", "prod", source(started, "prod"))
        before = started.files()
        started.ok("clusters", "add", "prod", source(started, "prod"))
        assert started.files() == before

    def test_a_last_day(self, started: Desk) -> None:
        path = source(started, "prod")
        started.ok("clusters", "add", "prod", path, "--not-after", "2026-12-24")
        cluster = load_config(started.folder / ".sealkit.yaml").clusters["prod"]
        assert cluster.not_after == date(2026, 12, 24)

    def test_nobody_can_add_days_to_what_the_cluster_says(self, started: Desk) -> None:
        path = source(started, "prod", LATER)
        started.ok("clusters", "add", "prod", path, "--not-after", "2040-01-01")
        assert load_config(started.folder / ".sealkit.yaml").clusters["prod"].not_after == LATER

    def test_the_expected_key_id(self, started: Desk) -> None:
        path, kid = source(started, "prod"), key_of("prod").kid
        started.ok("clusters", "add", "prod", path, "--kid", kid)

    def test_replace_pins_a_new_key(self, started: Desk) -> None:
        started.ok("clusters", "add", "prod", source(started, "prod"))
        started.ok("clusters", "add", "prod", source(started, "prod-2"), "--replace")
        assert load_config(started.folder / ".sealkit.yaml").clusters["prod"].kid == (
            key_of("prod-2").kid
        )
        assert started.ok("clusters", "list").out.endswith("usable\n")


class TestAddRefuses:
    """Mistakes and attacks."""

    def test_another_key_for_a_pinned_cluster(self, started: Desk) -> None:
        started.ok("clusters", "add", "prod", source(started, "prod"))
        result = started.run("clusters", "add", "prod", source(started, "lab"))
        kid = key_of("prod").kid
        refused(started, result, 2, f"cluster 'prod' is pinned to {kid}", pinned=kid)
        assert key_of("lab").kid in result.err

    def test_another_key_than_expected(self, started: Desk) -> None:
        kid = key_of("prod").kid
        result = started.run("clusters", "add", "prod", source(started, "lab"), "--kid", kid)
        refused(started, result, 2, f"the key found is {key_of('lab').kid}, not {kid}")

    def test_no_configuration(self, bare: Desk) -> None:
        result = bare.run("clusters", "add", "prod", source(bare, "prod"))
        assert result.code == 2
        assert result.err.startswith("sealkit: error: there is no .sealkit.yaml here or above")

    @pytest.mark.parametrize("name", ["../prod", "Prod", "a b", "-x-"])
    def test_a_name_that_is_none(self, started: Desk, name: str) -> None:
        result = started.run("clusters", "add", "--", name, source(started, "prod"))
        refused(started, result, 2, "NAME: ")

    @pytest.mark.parametrize("more", [[], ["x.pub", "--context", "y"]], ids=["none", "two"])
    def test_not_one_source(self, started: Desk, more: list[str]) -> None:
        result = started.run("clusters", "add", "prod", *more)
        refused(started, result, 2, "expected exactly one of FILE, URL or --context")

    @pytest.mark.parametrize(
        "text",
        ["", "\xff", text_of("prod").replace(key_of("prod").kid, key_of("lab").kid), "X" * 9000],
        ids=["empty", "binary", "forged-kid", "long"],
    )
    def test_a_file_that_is_no_recipient(self, started: Desk, text: str) -> None:
        path = started.keys_folder / "x.pub"
        path.write_bytes(text.encode("latin-1"))
        refused(started, started.run("clusters", "add", "prod", path), 2, f"{path}: ")

    def test_a_file_that_is_missing(self, started: Desk) -> None:
        result = started.run("clusters", "add", "prod", "none.pub")
        refused(started, result, 1, "none.pub: cannot be read")

    def test_a_folder_that_cannot_be_made(self, started: Desk) -> None:
        started.write(".sealkit", "a file in the way")
        result = started.run("clusters", "add", "prod", source(started, "prod"))
        assert result.code == 1
        assert result.err.startswith("sealkit: error: .sealkit: cannot be created: file exists")


class TestFromTheNetwork:
    """Keys that a cluster or its controller serves."""

    @pytest.fixture
    def server(self) -> Iterator[str]:
        pages = {"/v1/recipient": text_of("prod", LATER), "/junk": "<html>"}
        pages |= published("sealkit-system", text_of("prod", LATER))
        pages |= published("empty", None)
        with serving(pages) as url:
            yield url

    def test_from_an_address(self, started: Desk, server: str) -> None:
        result = started.ok("clusters", "add", "prod", f"{server}/v1/recipient")
        assert key_of("prod").kid in result.err

    def test_from_the_cluster(self, started: Desk, server: str) -> None:
        started.write("kubeconfig", kubeconfig(server))
        started.ok("clusters", "add", "prod", "--kubeconfig", "kubeconfig")
        started.ok("clusters", "add", "eu", "--kubeconfig", "kubeconfig", "--context", "here")
        rows = started.ok("clusters", "list", "--json").json
        assert [row["not_after"] for row in rows] == ["2027-05-01", "2027-05-01"]

    @pytest.mark.parametrize(
        ("path", "code", "what"),
        [("/none", 1, "cannot be fetched (HTTP 404)"), ("/junk", 2, "not a recipient file")],
    )
    def test_an_address_with_something_else(
        self, started: Desk, server: str, path: str, code: int, what: str
    ) -> None:
        result = started.run("clusters", "add", "prod", f"{server}{path}")
        refused(started, result, code, f"{server}{path}: {what}")

    @pytest.mark.parametrize(
        ("url", "what"),
        [("http://127.0.0.1:1/x", "URLError"), ("http://[::1/x", "ValueError")],
        ids=["nobody", "no-address"],
    )
    def test_an_address_where_nothing_is(self, started: Desk, url: str, what: str) -> None:
        result = started.run("clusters", "add", "prod", url)
        refused(started, result, 1, f"{url}: cannot be fetched ({what})")

    @pytest.mark.parametrize(
        ("arguments", "code", "start"),
        [
            (["--context", "gone"], 1, "the cluster of context 'gone' cannot be reached"),
            (["--context", "none"], 2, "the kubeconfig has no usable cluster of context 'none'"),
            (["--controller-namespace", "x"], 1, "the cluster publishes no key in namespace x"),
            (["--controller-namespace", "empty"], 2, "empty/sealkit-public-keys: not a recipient"),
        ],
    )
    def test_a_cluster_without_answer(
        self, started: Desk, server: str, arguments: list[str], code: int, start: str
    ) -> None:
        started.write("kubeconfig", kubeconfig(server))
        result = started.run("clusters", "add", "prod", "--kubeconfig", "kubeconfig", *arguments)
        refused(started, result, code, start)

    @pytest.mark.parametrize("text", ["a: [", "[]", "clusters: 1", "", "users: {a: b}"], ids=repr)
    def test_a_kubeconfig_that_is_none(self, started: Desk, text: str) -> None:
        started.write("kubeconfig", text)
        result = started.run("clusters", "add", "prod", "--kubeconfig", "kubeconfig")
        refused(started, result, 2, "the kubeconfig has no usable cluster in use (")


class TestList:
    """What is pinned, and what can be sealed for."""

    def test_without_clusters(self, started: Desk) -> None:
        result = started.ok("clusters", "list")
        assert result.out == ""
        assert result.err.startswith("there is no cluster yet")

    def test_every_state(self, desk: Desk) -> None:
        desk.recipient("old", not_after=date(2026, 1, 31))
        desk.recipient("swapped", key="attacker")
        names = ("prod", "old", "swapped", "lost")
        desk.config(clusters={name: desk.entry(name) for name in names})
        result = desk.ok("clusters", "list")
        assert result.out.splitlines() == [
            f"prod     {key_of('prod').kid}  no end      usable",
            f"old      {key_of('old').kid}  2026-01-31  expired",
            f"swapped  {key_of('swapped').kid}  no end      mismatched",
            f"lost     {key_of('lost').kid}  no end      unreadable",
        ]
        notes = result.err.splitlines()
        assert notes[0] == "sealkit: note: old: .sealkit/old.pub the key expired on 2026-01-31"
        assert notes[1].startswith("sealkit: note: swapped: .sealkit/swapped.pub holds key ")
        assert notes[2].startswith("sealkit: note: lost: .sealkit/lost.pub cannot be read: ")

    def test_the_last_day_counts(self, desk: Desk) -> None:
        desk.config(clusters={"prod": desk.entry("prod", notAfter=TODAY.isoformat())})
        assert desk.ok("clusters", "list", "--json").json[0]["state"] == "usable"
        tomorrow = TODAY.replace(day=2)
        (row,) = desk.ok("clusters", "list", "--json", today=tomorrow).json
        assert (row["state"], row["not_after"]) == ("expired", "2026-11-01")

    def test_no_configuration(self, bare: Desk) -> None:
        assert bare.run("clusters", "list").code == 2


class TestRemove:
    """`clusters remove`: out of the configuration, with the file of its key."""

    def test_the_entry_and_the_file_go_and_the_rest_stays(self, desk: Desk) -> None:
        desk.config()
        text = desk.read(".sealkit.yaml")
        result = desk.ok("clusters", "remove", "staging")
        after = desk.read(".sealkit.yaml")
        assert set(yaml.safe_load(after)["clusters"]) == {"prod"}
        assert set(after.splitlines()) < set(text.splitlines())
        assert result.err.startswith(f"removed cluster staging: key {key_of('staging').kid}\n")
        files = desk.files()
        assert ".sealkit/prod.pub" in files
        assert ".sealkit/staging.pub" not in files

    def test_the_last_one(self, desk: Desk) -> None:
        desk.config(clusters={"prod": desk.entry("prod")})
        desk.ok("clusters", "remove", "prod")
        assert desk.ok("clusters", "list").out == ""

    def test_a_file_that_is_elsewhere_or_used_by_another_stays(self, desk: Desk) -> None:
        path = desk.recipient("prod")
        desk.config(clusters={"a": desk.entry("prod"), "b": desk.entry("prod")})
        desk.ok("clusters", "remove", "a")
        assert path.exists()
        desk.write("keys/prod.pub", path.read_text())
        entry = {**desk.entry("prod"), "recipient": "keys/prod.pub"}
        desk.config(clusters={"a": entry})
        desk.ok("clusters", "remove", "a")
        assert (desk.folder / "keys" / "prod.pub").exists()

    def test_a_file_that_is_gone_already(self, desk: Desk) -> None:
        desk.config()
        (desk.folder / ".sealkit" / "prod.pub").unlink()
        desk.ok("clusters", "remove", "prod")

    def test_one_that_a_rule_names(self, desk: Desk) -> None:
        desk.config(rules=[{"paths": ["a/**"], "clusters": ["prod", "staging"]}])
        before = desk.files()
        result = desk.run("clusters", "remove", "prod")
        assert (result.code, desk.files()) == (6, before)
        assert "rules[0].clusters: names cluster 'prod'" in result.err

    def test_one_that_is_not_there(self, desk: Desk) -> None:
        desk.config()
        result = desk.run("clusters", "remove", "nowhere")
        assert result.code == 2
        assert (
            "there is no cluster 'nowhere' in .sealkit.yaml, expected prod, staging" in result.err
        )
