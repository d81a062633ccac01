"""`sealkit vault push`: values go to a real server, references to them come out."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from sealkit.cli.vault_desk import Own, Place, connecting
from sealkit.cli.vault_shelf import look, put
from sealkit.errors import SealkitError, VaultError
from sealkit.sensitive import Sensitive
from sealkit.vault import Vault
from tests.fakes.vault_admin import ROOT_TOKEN, Admin
from tests.fakes.vault_server import OpenBao
from tests.sealkit.cli.desk import CANARY, Desk, Result, only_sealed, secret_text
from tests.sealkit.samples import in_lines

FILE, OUT = "plain.yaml", "db.yaml"
BINARY = bytes(range(256))
_serial = itertools.count()


@pytest.fixture(params=["kv", "old"])
def to(request: pytest.FixtureRequest) -> str:
    """A path of its own in a mount of either version."""
    return f"{request.param}/push/{next(_serial)}"


@pytest.fixture
def kv2() -> str:
    return f"kv/push/{next(_serial)}"


@pytest.fixture
def shop(desk: Desk, vault: Admin) -> Desk:
    """The desk with a Secret in a file."""
    desk.write(FILE, secret_text(PASSWORD=CANARY, USER="app"))
    return desk


def written(vault: Admin, to: str) -> dict[str, Any]:
    """What is at a path now, as the administrator sees it."""
    mount, _, rest = to.partition("/")
    if mount == "old":
        return dict(vault.do("GET", to)["data"])
    return dict(vault.do("GET", f"kv/data/{rest}")["data"]["data"])


def write(vault: Admin, to: str, data: dict[str, Any]) -> None:
    mount, _, rest = to.partition("/")
    vault.do("POST", *((to, data) if mount == "old" else (f"kv/data/{rest}", {"data": data})))


def version(vault: Admin, to: str) -> int:
    number: int = vault.do("GET", f"kv/metadata/{to.partition('/')[2]}")["data"]["current_version"]
    return number


def references(text: str) -> dict[str, Any]:
    return in_lines(only_sealed(text)["spec"]["references"])


def push(desk: Desk, to: str, *arguments: str, **world: Any) -> Result:
    return desk.run("vault", "push", FILE, "--to", to, *arguments, **world)


def refused(result: Result, code: int, start: str) -> None:
    assert (result.code, result.out) == (code, ""), result.err
    assert f"sealkit: error: {start}" in result.err, result.err
    assert CANARY not in result.err


class TestWriting:
    """What is in Vault afterwards."""

    def test_values_go_to_vault_and_references_come_out(
        self, shop: Desk, vault: Admin, to: str
    ) -> None:
        result = push(shop, to)
        assert result.code == 0, result.err
        assert written(vault, to) == {"PASSWORD": CANARY, "USER": "app"}
        spec = only_sealed(result.out)["spec"]
        assert in_lines(spec["references"]) == {
            "PASSWORD": f"vault:{to}#PASSWORD",
            "USER": f"vault:{to}#USER",
        }
        assert spec["encryptedData"] == {}
        which = " version 1" if to.startswith("kv") else ""
        assert result.err == f"wrote {to}{which}: added PASSWORD, USER\n"

    def test_what_comes_out_resolves(self, shop: Desk, to: str) -> None:
        push(shop, to, "-o", OUT)
        assert "made: type Opaque, 2 keys" in shop.ok("vault", "check", OUT).out

    def test_it_needs_no_recipients(self, shop: Desk, kv2: str) -> None:
        (shop.folder / ".sealkit.yaml").unlink()
        assert push(shop, kv2).code == 0

    def test_the_path_may_be_that_of_the_http_api(self, shop: Desk, vault: Admin, kv2: str) -> None:
        path = kv2.replace("kv/", "kv/data/")
        out = push(shop, path).out
        assert references(out)["USER"] == f"vault:{path}#USER"
        assert written(vault, kv2)["USER"] == "app"

    def test_what_is_there_already_is_not_written_again(
        self, shop: Desk, vault: Admin, kv2: str
    ) -> None:
        first = push(shop, kv2)
        again = push(shop, kv2)
        assert version(vault, kv2) == 1
        assert again.out == first.out
        assert again.err == f"nothing to write to {kv2} version 1: equal PASSWORD, USER\n"

    def test_other_keys_stay_as_they_are(self, shop: Desk, vault: Admin, to: str) -> None:
        write(vault, to, {"PASSWORD": "old", "other": 1.5, "deep": {"a": [None, True]}})
        result = push(shop, to)
        assert written(vault, to) == {
            "PASSWORD": CANARY,
            "USER": "app",
            "other": 1.5,
            "deep": {"a": [None, True]},
        }
        assert ": added USER; changed PASSWORD\n" in result.err

    def test_unless_they_shall_go(self, shop: Desk, vault: Admin, to: str) -> None:
        write(vault, to, {"USER": "app", "other": "x"})
        result = push(shop, to, "--replace")
        assert written(vault, to) == {"PASSWORD": CANARY, "USER": "app"}
        assert ": added PASSWORD; equal USER; removed other\n" in result.err

    def test_bytes_that_are_no_text(self, shop: Desk, vault: Admin, to: str) -> None:
        encoded = base64.b64encode(BINARY).decode()
        shop.write(FILE, secret_text().replace("stringData", "data").replace("hunter2", encoded))
        shop.write(FILE, shop.read(FILE).replace(": app", ": YXBw"))
        out = push(shop, to, "-o", OUT)
        assert out.code == 0, out.err
        assert written(vault, to) == {"PASSWORD": encoded, "USER": "app"}
        assert references(shop.read(OUT))["PASSWORD"] == f"vault:{to}#PASSWORD | base64decode"
        assert "PASSWORD | base64decode → ok, 256 bytes" in shop.ok("vault", "check", OUT).out

    def test_over_a_version_that_was_deleted(self, shop: Desk, vault: Admin, kv2: str) -> None:
        write(vault, kv2, {"old": "x"})
        vault.do("DELETE", f"kv/data/{kv2.partition('/')[2]}")
        assert push(shop, kv2).code == 0
        assert written(vault, kv2) == {"PASSWORD": CANARY, "USER": "app"}
        assert version(vault, kv2) == 2

    def test_references_stay_references(self, shop: Desk, vault: Admin, kv2: str) -> None:
        shop.write(FILE, secret_text(A="one", B="vault:kv/other#b", C="x ${vault:kv/other#c}"))
        result = push(shop, kv2)
        assert references(result.out) == {
            "A": f"vault:{kv2}#A",
            "B": "vault:kv/other#b",
            "C": "x ${vault:kv/other#c}",
        }
        assert written(vault, kv2) == {"A": "one"}
        assert "C: the text around its references is public now" in result.err

    @pytest.mark.parametrize("of_root", [True, False], ids=["root-s-token", "its-own-token"])
    def test_in_a_namespace_of_vault(
        self,
        shop: Desk,
        vault: Admin,
        kv2: str,
        of_root: bool,  # noqa: FBT001 (a case)
    ) -> None:
        vault.ask("POST", "sys/namespaces/push", {})
        vault.ask("POST", "sys/mounts/kv", {"type": "kv-v2"}, within="push")
        vault.policy("all", {"*": "read create update"}, within="push")
        token = ROOT_TOKEN if of_root else vault.token("all", within="push")
        shop.environment |= {"VAULT_NAMESPACE": "push", "VAULT_TOKEN": token}
        result = push(shop, kv2, "-o", OUT)
        assert result.code == 0, result.err
        path = f"kv/data/{kv2.partition('/')[2]}"
        assert vault.do("GET", path, within="push")["data"]["data"]["USER"] == "app"
        shop.ok("vault", "check", OUT)


class TestManifest:
    """What comes out."""

    def test_in_place(self, shop: Desk, kv2: str) -> None:
        shop.write(FILE, f"# mine\nkind: Other\n---\n{shop.read(FILE)}")
        assert push(shop, kv2, "-i").code == 0
        text = shop.read(FILE)
        assert text.startswith("# mine\nkind: Other\n---\n")
        assert CANARY not in text

    def test_from_standard_input(self, shop: Desk, kv2: str) -> None:
        text = secret_text(namespace="", A="one")
        arguments = ("vault", "push", "--to", kv2, "-n", "shop", "--store", "main")
        spec = only_sealed(shop.ok(*arguments, stdin=text).out)
        assert spec["metadata"]["namespace"] == "shop"
        assert spec["spec"]["vault"] == {"store": "main"}

    def test_a_cluster_store_and_a_scope(self, shop: Desk, kv2: str) -> None:
        arguments = ("--cluster-store", "main", "--scope", "namespace-wide")
        spec = only_sealed(push(shop, kv2, *arguments).out)["spec"]
        assert spec["vault"] == {"store": {"name": "main", "kind": "ClusterVaultStore"}}
        assert spec["scope"] == "namespace-wide"

    def test_the_rules_of_the_repository(self, shop: Desk, vault: Admin, kv2: str) -> None:
        rule = {"paths": ["**"], "clusters": ["prod"], "scopes": ["namespace-wide"]}
        shop.config(rules=[rule])
        refused(push(shop, kv2, "-o", OUT, "--scope", "strict"), 6, f"{OUT}: spec.scope: ")
        assert vault.ask("GET", f"kv/data/{kv2.partition('/')[2]}").status == 404
        assert push(shop, kv2, "-o", OUT).code == 0
        assert only_sealed(shop.read(OUT))["spec"]["scope"] == "namespace-wide"

    def test_a_dry_run_changes_nothing(self, shop: Desk, vault: Admin, kv2: str) -> None:
        write(vault, kv2, {"PASSWORD": "old", "other": "x"})
        before = shop.files()
        result = push(shop, kv2, "--dry-run", "--replace", "-i")
        assert (result.code, result.out) == (0, "")
        assert result.err == (
            f"would write {kv2} version 1: added USER; changed PASSWORD; removed other\n"
        )
        assert written(vault, kv2) == {"PASSWORD": "old", "other": "x"}
        assert shop.files() == before

    def test_a_dry_run_that_would_change_nothing(self, shop: Desk, kv2: str) -> None:
        push(shop, kv2)
        result = push(shop, kv2, "--dry-run")
        assert result.err == f"would write nothing to {kv2} version 1: equal PASSWORD, USER\n"

    def test_the_report_can_be_json(self, shop: Desk, kv2: str) -> None:
        (line,) = push(shop, kv2, "-o", OUT, "--json").json
        assert line == {
            "file": FILE,
            "document": 1,
            "namespace": "shop",
            "name": "db",
            "path": kv2,
            "written": True,
            "version": 1,
            "dry_run": False,
            "added": ["PASSWORD", "USER"],
            "changed": [],
            "equal": [],
            "removed": [],
        }
        (line,) = push(shop, kv2, "--dry-run", "--json").json
        assert (line["written"], line["equal"]) == (False, ["PASSWORD", "USER"])


class TestRefusals:
    """Nothing was written, and one line says why."""

    @pytest.mark.parametrize(
        ("to", "start"),
        [
            ("", "--to: is empty"),
            ("kv/a/", "--to: has an empty segment"),
            ("kv/../a", "--to: has a segment '.' or '..'"),
            ("kv/a%2fb", "--to: holds one of %"),
        ],
    )
    def test_a_path_that_is_none(self, shop: Desk, to: str, start: str) -> None:
        refused(push(shop, to), 2, start)

    @pytest.mark.parametrize(
        ("to", "code", "start"),
        [
            ("none/a", 1, "look up the mount of none/a: is refused (HTTP 403)"),
            ("kv", 1, "the path is that of a mount"),
            ("old", 2, "--to: names a mount alone"),
            ("pki/a", 2, "--to: leads to a mount of type pki"),
            ("sys/a", 1, "nothing below sys/ may be read"),
        ],
    )
    def test_a_path_that_leads_to_no_secret(
        self, shop: Desk, to: str, code: int, start: str
    ) -> None:
        refused(push(shop, to), code, start)

    def test_a_path_that_no_reference_can_name(self, shop: Desk) -> None:
        refused(push(shop, "kv/<path:a"), 1, f"{FILE}:1: data.PASSWORD: cannot be named")

    def test_what_the_token_may_not_read(self, shop: Desk, vault: Admin, kv2: str) -> None:
        path = f"kv/data/{kv2.partition('/')[2]}"
        vault.policy("create", {path: "create update"})
        shop.environment["VAULT_TOKEN"] = vault.token("create")
        refused(push(shop, kv2), 1, f"read {kv2}: is refused (HTTP 403)\nsealkit: hint: ")

    def test_what_the_token_may_not_write(self, shop: Desk, vault: Admin, kv2: str) -> None:
        path = f"kv/data/{kv2.partition('/')[2]}"
        vault.policy("look", {path: "read"})
        shop.environment["VAULT_TOKEN"] = vault.token("look")
        before = shop.files()
        refused(push(shop, kv2, "-i"), 1, f"post {path}: is refused (HTTP 403)")
        assert shop.files() == before

    def test_a_deleted_version_whose_number_may_not_be_read(
        self, shop: Desk, vault: Admin, kv2: str
    ) -> None:
        rest = kv2.partition("/")[2]
        write(vault, kv2, {"a": "b"})
        vault.do("DELETE", f"kv/data/{rest}")
        vault.policy("data", {f"kv/data/{rest}": "read create update"})
        shop.environment["VAULT_TOKEN"] = vault.token("data")
        refused(push(shop, kv2), 1, f"get kv/metadata/{rest}: is refused (HTTP 403)")

    def test_a_bad_token(self, shop: Desk, kv2: str) -> None:
        shop.environment["VAULT_TOKEN"] = CANARY
        result = push(shop, kv2)
        refused(result, 1, "log in: is refused (HTTP 403)")
        assert "hint: is the token still good there?" in result.err

    def test_no_address(self, shop: Desk, kv2: str) -> None:
        del shop.environment["VAULT_ADDR"]
        refused(push(shop, kv2), 2, "it is not known where Vault is\nsealkit: hint: set VAULT_ADDR")

    def test_no_token(self, shop: Desk, kv2: str) -> None:
        del shop.environment["VAULT_TOKEN"]
        refused(push(shop, kv2), 2, "there is no token for Vault")

    @pytest.mark.parametrize(
        ("text", "code", "start"),
        [
            ("kind: Other\n", 2, f"{FILE}: holds no Secrets, expected one"),
            (secret_text("a") + "---\n" + secret_text("b"), 2, f"{FILE}: holds 2 Secrets"),
            (secret_text(A="vault:kv/a#b"), 2, f"{FILE}:1: holds no value to write"),
            (secret_text().replace("hunter2", "[hunter2]"), 1, f"{FILE}:1: stringData.PASSWORD"),
            (secret_text(A=f"vault:{CANARY}"), 1, f"{FILE}:1: stringData.A.key: has no '#'"),
            (secret_text(namespace=""), 1, f"{FILE}:1: metadata.namespace: "),
        ],
    )
    def test_input(self, shop: Desk, kv2: str, text: str, code: int, start: str) -> None:
        shop.write(FILE, text)
        refused(push(shop, kv2), code, start)

    @pytest.mark.parametrize(
        ("arguments", "start"),
        [
            (["-i", "-o", OUT], "--in-place goes with a file"),
            (["--json"], "--json needs -o FILE, --in-place or --dry-run"),
            (["--store", "a", "--cluster-store", "b"], "--store and --cluster-store exclude"),
            (["--store", "A_B"], "--store: is not a name Kubernetes accepts"),
            (["-n", "A_B"], "--namespace: "),
        ],
    )
    def test_options(self, shop: Desk, kv2: str, arguments: list[str], start: str) -> None:
        refused(push(shop, kv2, *arguments), 2, start)

    def test_the_manifest_cannot_be_written(self, shop: Desk, kv2: str) -> None:
        refused(push(shop, kv2, "-o", "none/x.yaml"), 1, "none/x.yaml: cannot be written")
        assert push(shop, kv2, "-o", OUT).err.startswith("nothing to write")


@pytest.fixture
def client(bao: OpenBao) -> Iterator[Vault]:
    """The client that a push would have."""
    with connecting(Own(Sensitive(ROOT_TOKEN.encode()), "", "", b"")) as connections:
        yield connections.client(Place(bao.address))


class TestMeanwhile:
    """Somebody else writes between the look and the write."""

    def test_their_value_stays(self, client: Vault, vault: Admin, kv2: str) -> None:
        shelf = look(client, kv2)
        write(vault, kv2, {"a": "theirs"})
        with pytest.raises(SealkitError, match="somebody else wrote") as refusal:
            put(client, shelf, {"a": Sensitive(b"mine")}, replaces=False)
        assert not isinstance(refusal.value, VaultError)
        assert "theirs" not in repr(look(client, kv2))
        assert written(vault, kv2) == {"a": "theirs"}
        assert version(vault, kv2) == 1

    def test_another_refusal_is_told_as_it_is(self, client: Vault, vault: Admin, kv2: str) -> None:
        shelf = look(client, kv2)
        with pytest.raises(VaultError):
            put(client, shelf, {"a": Sensitive(b"x" * (64 << 20))}, replaces=False)
        assert vault.ask("GET", f"kv/data/{kv2.partition('/')[2]}").status == 404
