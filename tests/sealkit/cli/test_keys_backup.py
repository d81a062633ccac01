"""`sealkit keys backup`, `restore`, `status`, `retire` and `compromised`, on an API server."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from pyrage import x25519  # type: ignore[import-untyped]  # has no annotations

from sealkit.crypto.recipient import Recipient
from sealkit.keypair import LABEL, KeyPair, KeyState
from sealkit.manifests.emit import emit_yaml
from sealkit_controller.objects import CONFIG_MAPS, SEALED_SECRETS, SECRETS
from sealkit_controller.sandbox import Answer, Fault, Sandbox
from tests.faults.hand import Hand
from tests.sealkit.cli.desk import Desk, Result, key_of
from tests.sealkit.samples import a_manifest

Json = dict[str, Any]
ME: Final = x25519.Identity.generate()
NUMBERS: Final = itertools.count(1)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as made:
        made.install_crds()
        yield made


@dataclass
class Cluster:
    """A namespace with keys of its own, asked from a desk; nothing it prints may hold a seed."""

    desk: Desk
    box: Sandbox
    namespace: str
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hand = Hand(self.box)
        self.hand.namespace(self.namespace)
        self.desk.write("kubeconfig", self.box.kubeconfig())
        self.desk.write("me.txt", f"# created: today\n{ME}\n")
        self.desk.write("team.txt", f"# me\n{ME.to_public()}\n")

    def has(self, name: str, secret: str = "", state: KeyState = KeyState.ACTIVE) -> str:
        """Store the key of a name, a day younger than the one before; return its id."""
        self.names.append(name)
        since = datetime(2026, 1, len(self.names), tzinfo=UTC)
        raw = KeyPair(key_of(name), state, since).to_secret(secret or name, self.namespace)
        assert self.hand.create(SECRETS, raw, self.namespace)
        return str(key_of(name).kid)

    def loses(self, *secrets: str) -> None:
        for secret in secrets:
            self.hand.delete(SECRETS, (self.namespace, secret))

    def secret(self, name: str) -> Json | None:
        return self.hand.get(SECRETS, (self.namespace, name))

    def secrets(self) -> dict[str, Json]:
        """Every Secret, without what the API server adds."""
        found: dict[str, Json] = {}
        for raw in self.hand.all(SECRETS, self.namespace):
            metadata: Any = raw["metadata"]
            kept = {key: metadata[key] for key in ("name", "labels") if key in metadata}
            found[metadata["name"]] = {**raw, "metadata": kept}
        return found

    def applies(self, name: str, *keys: str) -> None:
        """Have a manifest that opens with the keys of some names."""
        raw = a_manifest(keys=[key_of(key) for key in keys], name=name).to_dict()
        self.hand.apply(SEALED_SECRETS, raw, ("shop", name))

    def publishes(self, *keys: tuple[str, str]) -> None:
        """Publish what a controller would say of keys, the newest first."""
        data = {
            "recipient": str(Recipient("prod", key_of(keys[0][0]).public)),
            "keys": "".join(
                f"{key_of(name).kid} {state} 2026-01-01T00:00:00Z\n" for name, state in keys
            ),
        }
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "sealkit-public-keys"},
            "data": data,
        }
        assert self.hand.create(CONFIG_MAPS, body, self.namespace)

    def run(self, *arguments: str | Path, **world: Any) -> Result:
        where = ("--kubeconfig", "kubeconfig", "--controller-namespace", self.namespace)
        result = self.desk.run("keys", *arguments, *where, **world)
        for name in self.names:
            seed = key_of(name).seed.reveal()
            for form in (base64.b64encode(seed).decode(), seed.hex(), str(ME)):
                assert form not in result.out + result.err
        return result

    def ok(self, *arguments: str | Path, **world: Any) -> Result:
        result = self.run(*arguments, **world)
        assert result.code == 0, result.err
        return result


@pytest.fixture
def cluster(bare: Desk, box: Sandbox) -> Iterator[Cluster]:
    made = Cluster(bare, box, f"system-{next(NUMBERS)}")
    if made.hand.get(SEALED_SECRETS, ("shop", "x")) is None:
        made.hand.ask(
            "POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}}, "application/json"
        )
    yield made
    box.faults.clear()
    for raw in made.hand.all(SEALED_SECRETS, "shop"):
        metadata: Any = raw["metadata"]
        made.hand.delete(SEALED_SECRETS, ("shop", metadata["name"]))


class TestBackup:
    """All keys or none, encrypted, in a file that nothing replaces."""

    def test_what_is_backed_up_is_restored(self, cluster: Cluster) -> None:
        old = cluster.has("old", state=KeyState.RETIRED)
        new = cluster.has("new")
        before = cluster.secrets()
        result = cluster.ok("backup", "--recipient", str(ME.to_public()), "-o", "keys.age")
        assert result.err.splitlines() == [
            f"backed up 2 keys of {cluster.namespace} to keys.age",
            f"  {old}  retired",
            f"  {new}  active",
        ]
        assert result.out == ""
        assert (cluster.desk.folder / "keys.age").stat().st_mode & 0o777 == 0o600
        cluster.loses("old", "new")
        result = cluster.ok("restore", "keys.age", "-i", "me.txt")
        assert result.out.splitlines() == [
            f"{old}  retired      restored as old",
            f"{new}  active       restored as new",
        ]
        assert cluster.secrets() == before

    def test_to_standard_output_for_those_in_a_file(self, cluster: Cluster) -> None:
        kid = cluster.has("a")
        result = cluster.ok("backup", "-R", "team.txt", "-R", "team.txt")
        assert result.out.startswith("-----BEGIN AGE ENCRYPTED FILE-----\n")
        assert f"backed up 1 key of {cluster.namespace}\n" in result.err
        proof = cluster.ok("restore", "--dry-run", "-", "-i", "me.txt", "--json", stdin=result.out)
        assert proof.json["keys"] == [kid]

    def test_with_a_passphrase(self, cluster: Cluster) -> None:
        kid = cluster.has("a")
        cluster.ok("backup", "-p", "-o", "typed.age", answer="correct horse")
        cluster.desk.write("pass", "correct horse\n")
        proof = cluster.ok("restore", "--dry-run", "typed.age", "--passphrase-file", "pass")
        assert proof.out == "opened 0 of 0 SealedSecrets with 1 key\n"
        proof = cluster.ok("restore", "--dry-run", "typed.age", "--json", answer="correct horse")
        assert proof.json["keys"] == [kid]
        result = cluster.run("restore", "--dry-run", "typed.age", "--passphrase-file", "me.txt")
        assert result.code == 5
        assert result.err.startswith("sealkit: error: typed.age: does not open: another passphrase")

    def test_a_file_that_is_there_is_kept(self, cluster: Cluster) -> None:
        cluster.has("a")
        cluster.desk.write("keys.age", "the only copy")
        result = cluster.run("backup", "-R", "team.txt", "-o", "keys.age")
        assert result.code == 2
        assert result.err.splitlines() == [
            "sealkit: error: keys.age: is there already",
            "sealkit: hint: keep it: it may hold keys that old commits need; write another file",
        ]
        assert cluster.desk.read("keys.age") == "the only copy"

    def test_a_folder_gets_a_file_for_each_change(self, cluster: Cluster) -> None:
        folder = cluster.desk.folder / "backups"
        folder.mkdir()
        arguments = ("backup", "-R", "team.txt", "-o", "backups")
        a = cluster.has("a")
        first = cluster.ok(*arguments).err.splitlines()[0]
        assert first.startswith(
            f"backed up 1 key of {cluster.namespace} to backups/keys-2026-01-01-"
        )
        (name,) = (path.name for path in folder.iterdir())
        before = cluster.desk.files()
        assert cluster.ok(*arguments).err == f"nothing new since backups/{name}\n"
        assert cluster.desk.files() == before
        cluster.has("b")
        cluster.ok(*arguments)
        cluster.ok("retire", a)
        cluster.ok(*arguments)
        files = sorted(folder.iterdir())
        assert len(files) == 3
        out = cluster.ok("restore", "--dry-run", *files, "-i", "me.txt", "--json").json
        assert (len(out["keys"]), out["missing"]) == (2, [])

    def test_a_damaged_key_is_not_left_out_in_silence(self, cluster: Cluster) -> None:
        cluster.has("a")
        damaged = KeyPair(key_of("b"), KeyState.ACTIVE, datetime(2026, 2, 1, tzinfo=UTC))
        raw: Any = damaged.to_secret("b", cluster.namespace)
        raw["data"]["seed"] = raw["data"]["seed"][:8]
        assert cluster.hand.create(SECRETS, raw, cluster.namespace)
        result = cluster.run("backup", "-R", "team.txt", "-o", "keys.age")
        assert result.code == 2
        assert result.err.startswith(f"sealkit: error: {cluster.namespace}/b: ")
        assert not (cluster.desk.folder / "keys.age").exists()

    def test_no_key_at_all(self, cluster: Cluster) -> None:
        result = cluster.run("backup", "-R", "team.txt")
        expected = f"sealkit: error: there is no key in namespace {cluster.namespace}\n"
        assert (result.code, result.err) == (1, expected)

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ((), "takes one of --recipient, --recipients-file, --passphrase and --passphrase-file"),
            (("-p", "-R", "team.txt"), "takes one of --recipient"),
            (("-r", "age1x"), "--recipient: line 1 is no X25519 recipient of age"),
            (("-R", "me.txt"), "me.txt: line 2 is no X25519 recipient of age"),
            (("-R", "none.txt"), "none.txt: cannot be read"),
            (("-p",), "there is nobody to ask for a passphrase"),
            (("--passphrase-file", "empty"), "passphrase: is empty, or is not UTF-8"),
        ],
    )
    def test_for_nobody(self, cluster: Cluster, arguments: tuple[str, ...], error: str) -> None:
        cluster.has("a")
        cluster.desk.write("empty", "\n")
        result = cluster.run("backup", *arguments, "-o", "keys.age")
        assert result.code in {1, 2}
        assert result.err.startswith(f"sealkit: error: {error}")
        assert not (cluster.desk.folder / "keys.age").exists()

    @pytest.mark.parametrize(
        ("typed", "error"), [("", "nothing was typed"), ("ab", "is not the same twice")]
    )
    def test_a_passphrase_that_is_mistyped(self, cluster: Cluster, typed: str, error: str) -> None:
        answers = iter(typed or "")
        result = cluster.run("backup", "-p", answer=lambda _: next(answers, ""))
        assert (result.code, result.err.splitlines()[0]) == (
            2,
            f"sealkit: error: passphrase: {error}",
        )

    def test_whoever_may_not_read_the_keys(self, cluster: Cluster) -> None:
        cluster.box.faults.add(Fault(Answer(403), "list", "secrets", cluster.namespace))
        result = cluster.run("backup", "-R", "team.txt")
        assert result.code == 1
        what = f"does not list the key Secrets of namespace {cluster.namespace} (HTTP 403)"
        assert result.err.splitlines() == [
            f"sealkit: error: the cluster {what}",
            "sealkit: hint: it takes the right to list secrets in the namespace of the controller",
        ]


class TestRestore:
    """Only what is missing, under a name that is free, as often as one likes."""

    @pytest.fixture
    def backup(self, cluster: Cluster) -> str:
        """A backup of two keys, `a` and `b`."""
        for name in ("a", "b"):
            cluster.has(name)
        cluster.ok("backup", "-R", "team.txt", "-o", "keys.age")
        return "keys.age"

    def test_a_name_that_another_key_has_taken(self, cluster: Cluster, backup: str) -> None:
        cluster.loses("a", "b")
        cluster.has("new", secret="a")
        a, b = key_of("a").kid, key_of("b").kid
        expected = [
            f"{a}  active       restored as restored-{a}",
            f"{b}  active       restored as b",
        ]
        assert cluster.ok("restore", backup, "-i", "me.txt").out.splitlines() == expected
        again = [line.replace("restored as", "is there as") for line in expected]
        before = cluster.secrets()
        assert cluster.ok("restore", backup, "-i", "me.txt").out.splitlines() == again
        assert cluster.secrets() == before
        assert {"a", "b", f"restored-{a}"} == before.keys()

    def test_no_name_is_free(self, cluster: Cluster, backup: str) -> None:
        cluster.loses("a")
        for name in ("a", f"restored-{key_of('a').kid}"):
            body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}
            assert cluster.hand.create(SECRETS, body, cluster.namespace)
        result = cluster.run("restore", backup, "-i", "me.txt")
        assert result.code == 1
        where = f"{cluster.namespace}/restored-{key_of('a').kid}"
        assert result.err == f"sealkit: error: {where}: is the name of another Secret\n"

    def test_a_damaged_key_is_in_nobodys_way(self, cluster: Cluster, backup: str) -> None:
        a, b = key_of("a").kid, key_of("b").kid
        cluster.hand.edit(
            SECRETS, {"metadata": {"labels": {LABEL: "gone"}}}, (cluster.namespace, "b")
        )
        result = cluster.ok("restore", backup, "-i", "me.txt")
        assert result.out.splitlines() == [
            f"{a}  active       is there as a",
            f"{b}  active       restored as restored-{b}",
        ]
        where = f"sealkit: note: {cluster.namespace}/b: metadata.labels.{LABEL}: "
        assert result.err.startswith(where)
        assert result.err.endswith("; it is passed over\n")
        assert cluster.ok("retire", a).err.startswith(where)

    def test_the_state_in_the_cluster_stays(self, cluster: Cluster, backup: str) -> None:
        cluster.ok("compromised", key_of("a").kid)
        out = cluster.ok("restore", backup, "-i", "me.txt", "--json").json
        assert [(row["state"], row["created"]) for row in out] == [
            ("compromised", False),
            ("active", False),
        ]

    def test_of_two_backups_the_worse_state_counts(self, cluster: Cluster, backup: str) -> None:
        cluster.ok("retire", key_of("a").kid)
        cluster.ok("backup", "-R", "team.txt", "-o", "later.age")
        for files in ((backup, "later.age"), ("later.age", backup)):
            cluster.loses("a", "b")
            out = cluster.ok("restore", *files, "-i", "me.txt", "--json").json
            assert [row["state"] for row in out] == ["retired", "active"]

    def test_from_what_kubectl_prints(self, cluster: Cluster) -> None:
        path = cluster.desk.key_file("a")
        out = cluster.ok("restore", path).out
        assert out == f"{key_of('a').kid}  active       restored as key\n"

    def test_what_was_restored_before_a_failure_stays(self, cluster: Cluster, backup: str) -> None:
        cluster.loses("a", "b")
        answer = Answer(403)
        cluster.box.faults.add(Fault(answer, "create", "secrets", cluster.namespace, skip=1))
        result = cluster.run("restore", backup, "-i", "me.txt")
        assert result.code == 1
        assert result.out == f"{key_of('a').kid}  active       restored as a\n"
        assert "does not create a Secret in namespace" in result.err
        assert cluster.ok("restore", backup, "-i", "me.txt").out.splitlines()[1].endswith("as b")

    def test_a_namespace_that_is_not_there(self, cluster: Cluster, backup: str) -> None:
        cluster.namespace = "nowhere"
        result = cluster.run("restore", backup, "-i", "me.txt")
        assert result.code == 1
        assert "a Secret in namespace nowhere (HTTP 404)\nsealkit: hint: it takes" in result.err

    @pytest.mark.parametrize(
        ("arguments", "code", "error"),
        [
            (("keys.age",), 2, "keys.age: is encrypted to an identity of age"),
            (("keys.age", "-i", "other.txt"), 4, "keys.age: no identity given opens it"),
            (("keys.age", "-i", "team.txt"), 2, "team.txt: identity 1 is no X25519 identity"),
            (("keys.age", "-i", "keys.age"), 2, "keys.age: is encrypted itself"),
            (("cut.age", "-i", "me.txt"), 5, "cut.age: does not open: it is damaged"),
            (("me.txt",), 2, "me.txt: holds no key of sealkit"),
            (("team.txt", "-i", "me.txt"), 2, "team.txt: holds no key of sealkit"),
            (("empty.age", "-i", "me.txt"), 2, "empty.age: holds no key of sealkit"),
            (("-", "-i", "-"), 2, "standard input can be only one of them"),
            (
                ("keys.age", "-i", "me.txt", "--manifests", "."),
                2,
                "--manifests: goes with --dry-run",
            ),
        ],
    )
    def test_what_does_not_open(
        self, cluster: Cluster, backup: str, arguments: tuple[str, ...], code: int, error: str
    ) -> None:
        desk = cluster.desk
        desk.write("other.txt", str(x25519.Identity.generate()))
        desk.write("cut.age", desk.read(backup)[:-100])
        from pyrage import encrypt  # noqa: PLC0415

        desk.write("empty.age", encrypt(b"a: 1\n", [ME.to_public()]))
        before = cluster.secrets()
        result = cluster.run("restore", *arguments)
        assert result.err.startswith(f"sealkit: error: {error}")
        assert result.code == code
        assert cluster.secrets() == before


class TestProof:
    """What a backup opens, shown before it is needed, and nothing written."""

    def test_every_manifest_of_the_cluster(self, cluster: Cluster) -> None:
        a = cluster.has("a")
        cluster.applies("one", "a")
        cluster.ok("backup", "-R", "team.txt", "-o", "keys.age")
        arguments = ("restore", "--dry-run", "keys.age", "-i", "me.txt")
        cluster.box.requests.clear()
        assert cluster.ok(*arguments).out == "opened 1 of 1 SealedSecret with 1 key\n"
        b = cluster.has("b")
        cluster.applies("two", "a", "b")
        cluster.applies("three", "b")
        result = cluster.run(*arguments)
        assert result.code == 3
        assert result.out.splitlines() == [
            f"{b}  is in the cluster, and in no backup",
            f"shop/three: no key here for kid {b}",
            "opened 2 of 3 SealedSecrets with 1 key",
        ]
        found = cluster.run(*arguments, "--json").json
        assert found == {
            "keys": [a],
            "missing": [b],
            "opened": 2,
            "unopened": [{"manifest": "shop/three", "problem": f"no key here for kid {b}"}],
        }
        verbs = {entry.verb for entry in cluster.box.requests}
        assert verbs == {"list"}

    def test_the_manifests_of_a_folder_without_any_cluster(self, cluster: Cluster) -> None:
        desk = cluster.desk
        path = desk.key_file("a")
        good, moved = a_manifest(keys=[key_of("a")]), a_manifest(keys=[key_of("a")], name="x")
        text = emit_yaml(moved.to_dict()).replace("name: x", "name: y")
        desk.write("apps/good.yaml", emit_yaml(good.to_dict()))
        arguments = ("restore", "--dry-run", path, "--manifests", "apps", "--context", "none")
        assert cluster.ok(*arguments).out == "opened 1 of 1 SealedSecret with 1 key\n"
        desk.write("apps/moved.yaml", text)
        result = cluster.run(*arguments)
        assert result.code == 3
        assert result.out.splitlines()[0].startswith("apps/moved.yaml:1: ")
        assert result.out.splitlines()[1] == "opened 1 of 2 SealedSecrets with 1 key"


class TestState:
    """What a key is good for, seen and changed."""

    def test_only_the_label_changes(self, cluster: Cluster) -> None:
        a = cluster.has("a")
        before = cluster.secrets()
        result = cluster.ok("retire", a)
        assert result.err.splitlines() == [
            f"key {a} is retired now, it was active",
            "sealkit: note: the controller makes a new key now; back it up: sealkit keys backup",
            "sealkit: hint: where it is pinned: sealkit clusters add NAME … --replace",
        ]
        before["a"]["metadata"]["labels"][LABEL] = "retired"
        assert cluster.secrets() == before

    def test_a_key_beside_others(self, cluster: Cluster) -> None:
        a, _ = cluster.has("a"), cluster.has("b")
        result = cluster.ok("compromised", a)
        assert result.err.splitlines() == [
            f"key {a} is compromised now, it was active",
            "sealkit: note: whatever was sealed for it counts as read: change those values",
            "sealkit: hint: where it is pinned: sealkit clusters add NAME … --replace",
        ]
        assert cluster.ok("compromised", a).err == f"key {a} is compromised already\n"

    def test_a_key_that_is_stored_twice_changes_twice(self, cluster: Cluster) -> None:
        a, _ = cluster.has("a"), cluster.has("a", secret="restored")
        assert cluster.ok("retire", a).err.startswith(f"key {a} is retired now, it was active\n")
        states = [one["metadata"]["labels"][LABEL] for one in cluster.secrets().values()]
        assert states == ["retired", "retired"]

    @pytest.mark.parametrize("verb", ["retire", "compromised"])
    def test_no_such_key(self, cluster: Cluster, verb: str) -> None:
        result = cluster.run(verb, key_of("a").kid)
        assert result.code == 2
        assert result.err.endswith("is no key of this cluster\nsealkit: hint: it has none\n")
        a = cluster.has("a")
        assert f"hint: it has: {a}\n" in cluster.run(verb, "x").err

    def test_whoever_may_not(self, cluster: Cluster) -> None:
        a = cluster.has("a")
        cluster.box.faults.add(Fault(Answer(403), "patch", "secrets", cluster.namespace))
        result = cluster.run("retire", a)
        assert result.code == 1
        what = f"sealkit: error: the cluster does not label Secret {cluster.namespace}/a (HTTP 403)"
        assert result.err.splitlines()[0] == what

    def test_status_without_a_configuration(self, cluster: Cluster) -> None:
        cluster.publishes(("new", "active"), ("old", "retired"))
        result = cluster.ok("status")
        assert result.out.splitlines() == [
            "KEY                         STATE        SINCE                 SEALS  PINNED BY",
            f"{key_of('new').kid}  active       2026-01-01T00:00:00Z  yes",
            f"{key_of('old').kid}  retired      2026-01-01T00:00:00Z  no",
        ]
        assert result.err == ""

    def test_status_tells_of_pins_that_are_old(self, cluster: Cluster) -> None:
        desk = cluster.desk
        for name in ("prod", "staging"):
            desk.recipient(name)
        desk.config()
        cluster.publishes(("new", "active"), ("prod", "active"), ("staging", "retired"))
        result = cluster.ok("status")
        assert [line.split()[3:] for line in result.out.splitlines()[1:]] == [
            ["yes"],
            ["no", "prod"],
            ["no", "staging"],
        ]
        assert result.err.splitlines() == [
            "sealkit: note: prod pins a key that is older",
            "sealkit: hint: sealkit clusters add prod … --replace",
            "sealkit: note: staging pins a key that is retired",
            "sealkit: hint: sealkit clusters add staging … --replace",
        ]
        found = json.loads(cluster.ok("status", "--json").out)
        assert [row["pinned_by"] for row in found] == [[], ["prod"], ["staging"]]
        assert [row["seals"] for row in found] == [True, False, False]
