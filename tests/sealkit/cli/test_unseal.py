"""`sealkit unseal`: all of it, for the right key only."""

from __future__ import annotations

import base64
import json
import sys
from typing import Final

import pytest
import yaml

from sealkit.cli.making import making
from sealkit.manifests.emit import emit_yaml
from tests.sealkit.cli.desk import CANARY, Desk, Result, key_of, secret_text
from tests.sealkit.samples import in_lines

FILE = "db.yaml"


@pytest.fixture
def sealed(desk: Desk) -> Desk:
    desk.ok("seal", "-o", FILE, stdin=secret_text())
    return desk


def refused(result: Result, code: int, start: str) -> None:
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err


def data(text: str) -> dict[str, bytes]:
    raw = yaml.safe_load(text)
    assert raw["kind"] == "Secret"
    return {key: base64.b64decode(value) for key, value in raw["data"].items()}


@pytest.mark.parametrize("cluster", ["prod", "staging"])
def test_each_cluster_can_open_it(sealed: Desk, cluster: str) -> None:
    result = sealed.ok("unseal", FILE, "--key", sealed.key_file(cluster))
    assert data(result.out) == {"PASSWORD": b"hunter2", "USER": b"app"}
    assert result.err == ""


def test_the_secret_that_came_in_comes_out(desk: Desk) -> None:
    metadata = {"name": "db", "namespace": "shop", "labels": {"app": "db"}}
    raw = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "immutable": True}
    values = {"binary": bytes(range(256)), "empty": b""}
    encoded = {key: base64.b64encode(value).decode() for key, value in values.items()}
    text = json.dumps(raw | {"type": "Opaque", "data": encoded})
    out = desk.ok("seal", stdin=text).out
    again = desk.ok("unseal", "--key", desk.key_file("prod"), stdin=out).out
    assert json.loads(again) == json.loads(text)


def test_every_document_in_its_place(desk: Desk) -> None:
    text = f"# a\n{secret_text('a')}---\nkind: Other # stays\n---\n{secret_text('b')}"
    out = desk.ok("seal", stdin=text).out
    back = desk.ok("unseal", "--key", desk.key_file("prod"), stdin=out).out
    assert [raw["kind"] for raw in yaml.safe_load_all(back)] == ["Secret", "Other", "Secret"]
    assert back.startswith("# a\n")
    assert "kind: Other # stays\n" in back


def test_the_output_file_is_private(sealed: Desk) -> None:
    path = sealed.write("plain.yaml", "old")
    path.chmod(0o644)
    for name in ("plain.yaml", "new.yaml"):
        sealed.ok("unseal", FILE, "--key", sealed.key_file("prod"), "-o", name)
        assert (sealed.folder / name).stat().st_mode & 0o777 == 0o600
        assert data(sealed.read(name))["PASSWORD"] == b"hunter2"


def test_the_key_may_come_from_standard_input(sealed: Desk) -> None:
    keys = sealed.key_file("staging").read_bytes()
    assert data(sealed.ok("unseal", FILE, "--key", "-", stdin=keys).out)["USER"] == b"app"


def test_standard_input_is_one_thing_only(sealed: Desk) -> None:
    refused(sealed.run("unseal", "--key", "-", stdin=b"x"), 2, "standard input can be only one")


def test_several_keys_and_what_else_a_backup_holds(sealed: Desk) -> None:
    other = sealed.keys_folder / "backup.yaml"
    other.write_text(f"{secret_text()}---\nkind: ConfigMap\n---\n")
    with other.open("a") as file:
        file.write(sealed.key_file("lab", "prod").read_text())
    sealed.ok("unseal", FILE, "--key", sealed.key_file("dev"), "--key", other)


def test_no_key_fits(sealed: Desk) -> None:
    result = sealed.run("unseal", FILE, "--key", sealed.key_file("lab"))
    refused(result, 4, "db.yaml:1: no key here for kid ")
    assert all(key_of(name).kid in result.err for name in ("prod", "staging"))


@pytest.mark.parametrize(
    ("old", "new"),
    [("name: db", "name: cache"), ("namespace: shop", "namespace: stage"), ("USER: ", "LOGIN: ")],
    ids=["renamed", "moved", "key-renamed"],
)
def test_tampering(sealed: Desk, old: str, new: str) -> None:
    sealed.write(FILE, sealed.read(FILE).replace(old, new))
    result = sealed.run("unseal", FILE, "--key", sealed.key_file("prod"))
    refused(result, 5, "db.yaml:1: ")


def test_one_bad_manifest_and_nothing_comes_out(sealed: Desk) -> None:
    text = sealed.read(FILE)
    sealed.write(FILE, f"{text}---\n{text.replace('name: db', 'name: cache')}")
    result = sealed.run("unseal", FILE, "--key", sealed.key_file("prod"), "-o", "plain.yaml")
    refused(result, 5, "db.yaml:2: ")
    assert not (sealed.folder / "plain.yaml").exists()


def test_nothing_sealed(sealed: Desk) -> None:
    result = sealed.run("unseal", "--key", sealed.key_file("prod"), stdin=secret_text())
    refused(result, 2, "stdin: holds no SealedSecret")


def test_a_key_is_required(sealed: Desk) -> None:
    refused(sealed.run("unseal", FILE), 2, "missing option '--key'")


class TestBadKeyFiles:
    """A file that is no key, or a damaged one, says so without showing anything of it."""

    def run(self, desk: Desk, text: str | bytes) -> Result:
        path = desk.keys_folder / "bad.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        result = desk.run("unseal", FILE, "--key", path)
        assert result.out == ""
        return result

    def test_no_key_in_it(self, sealed: Desk) -> None:
        result = self.run(sealed, secret_text(PASSWORD=CANARY))
        assert result.code == 2
        assert "holds no key of sealkit" in result.err
        assert CANARY not in result.err

    def test_missing(self, sealed: Desk) -> None:
        refused(sealed.run("unseal", FILE, "--key", "none"), 1, "none: cannot be read")

    def test_not_yaml(self, sealed: Desk) -> None:
        assert self.run(sealed, f"a: [{CANARY}\n").code == 1

    def test_a_kid_of_another_key(self, sealed: Desk) -> None:
        text = sealed.key_file("prod").read_text()
        wrong = base64.b64encode(key_of("lab").kid.encode()).decode()
        right = base64.b64encode(key_of("prod").kid.encode()).decode()
        result = self.run(sealed, text.replace(right, wrong))
        assert result.code == 2
        assert "bad.yaml:1: items[0].data.kid: is not the id of the key" in result.err

    def test_a_seed_of_the_wrong_length(self, sealed: Desk) -> None:
        seed = base64.b64encode(key_of("prod").seed.reveal()).decode()
        short = base64.b64encode(CANARY.encode()).decode()
        result = self.run(sealed, sealed.key_file("prod").read_text().replace(seed, short))
        assert result.code == 2
        assert short not in result.err
        assert CANARY not in result.err


REFERENCE = "vault:kv/shop/db#password"
STRUCTURED = {"path": "kv/shop/db", "key": "password", "optional": True}


def with_spec(desk: Desk, text: str, **spec: object) -> None:
    """Seal a Secret and add to the spec of the manifest."""
    raw = yaml.safe_load(desk.ok("seal", stdin=text).out)
    raw["spec"] |= spec
    desk.write(FILE, emit_yaml(raw))


class TestReferences:
    """Manifests with values in Vault, which nobody asks here."""

    @pytest.mark.parametrize(
        "reference", [REFERENCE, f"x ${{{REFERENCE}}}", f">>{REFERENCE} | base64decode"]
    )
    def test_they_come_out_as_they_went_in(self, desk: Desk, reference: str) -> None:
        text = secret_text(A=reference, B="plain")
        sealed = desk.ok("seal", "-o", FILE, stdin=text)
        back = desk.ok("unseal", FILE, "--key", desk.key_file("prod"))
        assert yaml.safe_load(back.out)["stringData"] == {"A": reference}
        assert data(back.out) == {"B": b"plain"}
        assert back.err == ""
        again = desk.ok("seal", stdin=back.out)
        assert in_lines(yaml.safe_load(again.out)["spec"]["references"]) == {"A": reference}
        assert desk.values(again.out) == {"B": b"plain"}
        assert sealed.err == again.err

    def test_the_type_may_need_what_they_are(self, desk: Desk) -> None:
        text = secret_text(**{"ssh-privatekey": REFERENCE}) + "type: kubernetes.io/ssh-auth\n"
        desk.ok("seal", "-o", FILE, stdin=text)
        back = desk.ok("unseal", FILE, "--key", desk.key_file("prod")).out
        assert yaml.safe_load(back)["type"] == "kubernetes.io/ssh-auth"
        assert desk.ok("seal", stdin=back).out == desk.read(FILE)

    @pytest.mark.parametrize(
        ("option", "flag"), [("--store", "--store"), ("--cluster-store", "--cluster-store")]
    )
    def test_a_store_is_told(self, desk: Desk, option: str, flag: str) -> None:
        desk.ok("seal", option, "main", "-o", FILE, stdin=secret_text(A=REFERENCE))
        result = desk.ok("unseal", FILE, "--key", desk.key_file("prod"))
        assert f"a Secret names no store, seal it again with {flag} main\n" in result.err

    def test_a_value_that_reads_as_a_reference_is_told(self, desk: Desk) -> None:
        for value in (REFERENCE, "vault:of gold"):
            desk.ok("seal", "--no-references", "-o", FILE, stdin=secret_text(A=value))
            result = desk.ok("unseal", FILE, "--key", desk.key_file("prod"))
            assert data(result.out) == {"A": value.encode()}
            assert result.err.endswith("seal it again with --no-references\n")

    def test_more_than_text_can_say(self, desk: Desk) -> None:
        with_spec(desk, secret_text(B="plain"), references={"A": STRUCTURED})
        result = desk.run("unseal", FILE, "--key", desk.key_file("prod"))
        refused(result, 2, "db.yaml:1: spec.references.A: is more than text in a Secret can say")
        assert "hint: sealkit vault check FILE" in result.err

    def test_something_is_made_of_them(self, desk: Desk) -> None:
        template = {"type": "Opaque", "data": {"C": "{{ .A }}"}}
        with_spec(desk, secret_text(A=REFERENCE, B="plain"), template=template)
        result = desk.run("unseal", FILE, "--key", desk.key_file("prod"))
        refused(result, 2, "db.yaml:1: spec.template: makes something of values that are in Vault")


class TestMaking:
    """Manifests that make something of their values."""

    USERS: Final = {"htpasswd": {"users": [{"username": "USER", "password": "PASSWORD"}]}}

    def test_salts_are_random(self, desk: Desk) -> None:
        with_spec(desk, secret_text(), template={"type": "Opaque", "build": self.USERS})
        out = desk.ok("unseal", FILE, "--key", desk.key_file("prod")).out
        assert data(out)["auth"].startswith(b"app:$2y$10$")

    def test_what_cannot_be_made_is_located(self, desk: Desk) -> None:
        text = secret_text(USER="a:b", PASSWORD=CANARY)
        with_spec(desk, text, template={"type": "Opaque", "build": self.USERS})
        result = desk.run("unseal", FILE, "--key", desk.key_file("prod"))
        refused(result, 1, "db.yaml:1: builder htpasswd: value 'USER' holds a colon")

    def test_without_bcrypt(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "bcrypt", None)
        with_spec(desk, secret_text(), template={"type": "Opaque", "build": self.USERS})
        result = desk.run("unseal", FILE, "--key", desk.key_file("prod"))
        refused(result, 1, "db.yaml:1: the builder htpasswd needs bcrypt")

    def test_another_module_that_is_missing_is_a_bug(self) -> None:
        with pytest.raises(ModuleNotFoundError), making(bytes):
            raise ModuleNotFoundError(name="other")
