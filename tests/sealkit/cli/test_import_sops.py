"""`sealkit import` of what sops encrypted, by the real sops, with keys of age made for the test."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from pyrage import x25519  # type: ignore[import-untyped]  # has no annotations

from sealkit.foreign import sops as recognised
from tests.sealkit.cli.desk import CANARY, Desk, Result, only_sealed

KUBERNETES: Final = ("--encrypted-regex", "^(data|stringData)$")
SECRET: Final = f"""\
# who needs it
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: shop
  labels: {{app: db}}
  annotations: {{team: blue}}
type: Opaque
immutable: true
stringData:
  # as told by Ada
  PASSWORD: {CANARY}
  EMPTY: ""
  LINES: |
    a
    b
data:
  TOKEN: aGVsbG8=
"""
VALUES: Final = {
    "PASSWORD": CANARY.encode(),
    "EMPTY": b"",
    "LINES": b"a\nb\n",
    "TOKEN": b"hello",
}
FLUX: Final = "apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization"
PLAIN: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n    name: colours\nimmutable: true\n"


@dataclass(frozen=True)
class Sops:
    """The real sops, and a key of age that it encrypts for."""

    desk: Desk
    recipient: str

    def encrypt(self, text: str, *options: str, kind: str = "yaml") -> str:
        """Return what sops makes of a text, by itself without any rule."""
        program = shutil.which("sops", path=str(Path(sys.executable).parent))
        assert program, "sops is not in this environment: run `uv sync`"
        name = ("--filename-override", f"x.{kind}", "--age", self.recipient)
        done = subprocess.run(
            [program, "encrypt", *name, *options],
            input=text.encode(),
            capture_output=True,
            check=True,
            cwd=self.desk.keys_folder,
        )
        return done.stdout.decode()

    def file(self, name: str, text: str = SECRET, *options: str, kind: str = "yaml") -> str:
        encrypted = self.encrypt(text, *(options or KUBERNETES), kind=kind)
        self.desk.write(name, encrypted)
        return encrypted


@pytest.fixture
def sops(desk: Desk) -> Sops:
    """The user has sops and his key."""
    identity = x25519.Identity.generate()
    key_file = desk.keys_folder / "age.txt"
    key_file.write_text(f"{identity}\n")
    desk.environment |= {
        "PATH": str(Path(sys.executable).parent),
        "HOME": str(desk.keys_folder),
        "SOPS_AGE_KEY_FILE": str(key_file),
    }
    return Sops(desk, str(identity.to_public()))


def refused(desk: Desk, code: int, start: str, *arguments: str) -> Result:
    """Run an import that must fail, and leave everything as it was."""
    before = desk.files()
    result = desk.run("import", *arguments)
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err
    assert desk.files() == before
    assert CANARY not in result.err
    return result


def test_a_secret_is_sealed_and_loses_what_sops_added(desk: Desk, sops: Sops) -> None:
    sops.file("db.yaml")
    result = desk.ok("import", "-i", "db.yaml")
    text = desk.read("db.yaml")
    assert desk.values(text) == VALUES
    assert desk.opens_in(text) == {"prod", "staging"}
    assert "sops" not in text
    assert text.startswith("# who needs it\napiVersion: sealkit.dev/")
    template = only_sealed(text)["spec"]["template"]
    assert template["metadata"] == {"labels": {"app": "db"}, "annotations": {"team": "blue"}}
    assert (template["type"], template["immutable"]) == ("Opaque", True)
    assert result.err.startswith(
        "imported Secret shop/db: SealedSecret shop/db\n"
        "sealkit: note: what sops encrypted stays in Git's history"
    )
    assert "sealkit scan --history" in result.err
    assert CANARY not in result.out + result.err + text


def test_the_rule_for_the_file_decides_who_opens_it_and_how_far(desk: Desk, sops: Sops) -> None:
    rule = {"paths": ["apps/**"], "clusters": ["staging"], "scopes": ["namespace-wide"]}
    desk.config([rule])
    sops.file("apps/db.yaml")
    desk.ok("import", "-i", "apps/db.yaml")
    text = desk.read("apps/db.yaml")
    assert desk.opens_in(text) == {"staging"}
    assert only_sealed(text)["spec"]["scope"] == "namespace-wide"
    sops.file("db.yaml")
    refused(desk, 6, "db.yaml: no rule in .sealkit.yaml covers it", "-i", "db.yaml")


def test_a_file_elsewhere_is_sealed_for_its_new_place(desk: Desk, sops: Sops) -> None:
    rules = [{"paths": [f"{name}/*"], "clusters": [name]} for name in ("prod", "staging")]
    desk.config(rules)
    before = sops.file("prod/db.yaml")
    (desk.folder / "staging").mkdir()
    desk.ok("import", "prod/db.yaml", "-o", "staging/db.yaml")
    assert desk.opens_in(desk.read("staging/db.yaml")) == {"staging"}
    assert desk.opens_in(desk.ok("import", "prod/db.yaml").out) == {"prod"}
    assert desk.read("prod/db.yaml") == before
    result = desk.run("import", stdin=before)
    assert (result.code, result.out) == (2, "")
    assert "the rules depend on where the manifest will be" in result.err


def test_from_stdin_to_stdout(desk: Desk, sops: Sops) -> None:
    assert desk.values(desk.ok("import", stdin=sops.encrypt(SECRET, *KUBERNETES)).out) == VALUES


def test_json(desk: Desk, sops: Sops) -> None:
    text = json.dumps(yaml.safe_load(SECRET))
    sops.file("db.json", text, kind="json")
    desk.ok("import", "-i", "db.json")
    made = json.loads(desk.read("db.json"))
    assert desk.values(json.dumps(made)) == VALUES


def test_all_encrypted_even_the_kind(desk: Desk, sops: Sops) -> None:
    """What sops does without a rule; then the comment is secret, and goes."""
    sops.file("db.yaml", SECRET, "--unencrypted-suffix", "_never")
    desk.ok("import", "-i", "db.yaml")
    text = desk.read("db.yaml")
    assert desk.values(text) == VALUES
    assert text.startswith("apiVersion: sealkit.dev/")
    assert "ENC[" not in text


def test_several_documents_with_one_mac(desk: Desk, sops: Sops) -> None:
    other = SECRET.replace("name: db", "name: mail")
    text = f"# a list of colours\n{PLAIN}---\n{SECRET}---\n{other}"
    sops.file("all.yaml", text)
    desk.ok("import", "-i", "all.yaml")
    first, *_ = result = list(yaml.safe_load_all(desk.read("all.yaml")))
    assert first == yaml.safe_load(PLAIN)
    assert [one["metadata"]["name"] for one in result] == ["colours", "db", "mail"]
    assert desk.read("all.yaml").startswith(f"# a list of colours\n{PLAIN}---\n# who needs it\n")


def test_items_of_a_list(desk: Desk, sops: Sops) -> None:
    items = [yaml.safe_load(text) for text in (PLAIN, SECRET)]
    raw = {"apiVersion": "v1", "kind": "List", "items": items}
    sops.file("all.json", json.dumps(raw), kind="json")
    desk.ok("import", "-i", "all.json")
    made = json.loads(desk.read("all.json"))
    assert made.keys() == raw.keys()
    assert made["items"][0] == yaml.safe_load(PLAIN)
    assert desk.values(json.dumps(made["items"][1])) == VALUES


def test_a_value_that_reads_as_a_reference_stays_secret(desk: Desk, sops: Sops) -> None:
    text = desk.ok("import", stdin=sops.encrypt(SECRET.replace(CANARY, "vault:kv/a#b"))).out
    assert desk.values(text)["PASSWORD"] == b"vault:kv/a#b"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (("--encrypted-regex", "^data$"), "stringData.PASSWORD"),
        (("--unencrypted-suffix", "TOKEN"), "data.TOKEN"),
        (("--encrypted-suffix", "PASSWORD"), "data.TOKEN"),
    ],
    ids=["encrypted-regex", "unencrypted-suffix", "encrypted-suffix"],
)
def test_what_a_rule_left_in_plain_text_is_sealed_and_noted(
    desk: Desk, sops: Sops, options: tuple[str, str], field: str
) -> None:
    sops.file("db.yaml", SECRET, *options)
    result = desk.ok("import", "-i", "db.yaml")
    assert desk.values(desk.read("db.yaml")) == VALUES
    assert f"sealkit: note: db.yaml:1: {field}: stood in the file in plain text" in result.err
    assert "EMPTY" not in result.err
    assert CANARY not in result.err


def test_a_namespace_for_those_that_name_none(desk: Desk, sops: Sops) -> None:
    sops.file("db.yaml", SECRET.replace("  namespace: shop\n", ""))
    result = refused(desk, 1, "db.yaml:1: metadata.namespace: is missing", "-i", "db.yaml")
    assert "pass --namespace" in result.err
    desk.ok("import", "-i", "db.yaml", "-n", "post")
    text = desk.read("db.yaml")
    assert desk.values(text) == VALUES
    assert only_sealed(text)["metadata"]["namespace"] == "post"


class TestWhatDoesNotOpen:
    """Nothing is written, and the error says which file and what to do."""

    def test_no_sops(self, desk: Desk, sops: Sops) -> None:
        sops.file("db.yaml")
        desk.environment["PATH"] = str(desk.keys_folder)
        result = refused(desk, 1, "db.yaml: sops is not installed\n", "-i", "db.yaml")
        assert "sealkit: hint: install sops" in result.err

    def test_sops_that_does_not_start(self, desk: Desk, sops: Sops) -> None:
        sops.file("db.yaml")
        desk.environment["PATH"] = str(desk.keys_folder)
        broken = desk.keys_folder / "sops"
        broken.write_bytes(b"\x7fELF, but not really")
        broken.chmod(0o700)
        refused(desk, 1, "db.yaml: sops cannot be started: ", "-i", "db.yaml")

    def test_another_key(self, desk: Desk, sops: Sops) -> None:
        sops.file("db.yaml")
        other = desk.keys_folder / "age.txt"
        other.write_text(f"{x25519.Identity.generate()}\n")
        result = refused(desk, 4, "db.yaml: sops has no key here that opens it", "-i", "db.yaml")
        assert f"it is for age {sops.recipient}" in result.err
        assert "SOPS_AGE_KEY_FILE" in result.err

    def test_no_key(self, desk: Desk, sops: Sops) -> None:
        sops.file("db.yaml")
        del desk.environment["SOPS_AGE_KEY_FILE"]
        refused(desk, 4, "db.yaml: sops has no key here that opens it", "-i", "db.yaml")

    def test_a_changed_file(self, desk: Desk, sops: Sops) -> None:
        desk.write("db.yaml", sops.encrypt(SECRET, *KUBERNETES).replace("team: blue", "team: red"))
        refused(desk, 5, "db.yaml: was changed after sops encrypted it", "-i", "db.yaml")

    def test_what_sops_says_is_not_shown(self, desk: Desk, sops: Sops) -> None:
        text = sops.encrypt(SECRET, *KUBERNETES)
        at = text.index("ENC[AES256_GCM,data:", text.index("PASSWORD"))
        broken = f"{text[:at]}ENC[AES256_GCM,data:{CANARY}]{text[text.index(']', at) + 1 :]}"
        desk.write("db.yaml", broken)
        refused(desk, 1, "db.yaml: sops cannot decrypt it, and ends with ", "-i", "db.yaml")

    def test_nothing_is_written_if_one_of_two_does_not_open(self, desk: Desk, sops: Sops) -> None:
        sops.file("a.yaml")
        desk.write("b.yaml", sops.encrypt(SECRET, *KUBERNETES).replace("team: blue", "team: red"))
        refused(desk, 5, "b.yaml: ", "-i", "a.yaml", "b.yaml")

    def test_a_secret_that_kubernetes_would_refuse(self, desk: Desk, sops: Sops) -> None:
        sops.file("db.yaml", SECRET.replace('""', "12"))
        refused(desk, 1, "db.yaml:1: stringData.EMPTY: is not a string", "-i", "db.yaml")

    @pytest.mark.parametrize("twice", ["value", "file"])
    def test_a_value_that_is_encrypted_twice(self, desk: Desk, sops: Sops, twice: str) -> None:
        inner = sops.encrypt("PASSWORD=x\n", kind="env")
        if twice == "value":
            inner = sops.encrypt("a: x\n").split("a: ")[1].split("\n")[0]
        raw = yaml.safe_load(SECRET)
        raw["stringData"]["PASSWORD"] = inner
        sops.file("db.yaml", yaml.safe_dump(raw))
        where = "db.yaml:1: data.PASSWORD: is encrypted with sops"
        refused(desk, 1, where, "-i", "db.yaml")


class TestWhatIsNoSecret:
    """One clear message; in a folder it is a note, and the file stays."""

    @pytest.mark.parametrize(
        ("name", "text", "start", "hint"),
        [
            ("x.env", "A=b\n", ": is a file that sops encrypted as dotenv", "--from-env-file -"),
            (
                "x.ini",
                "[a]\nb = c\n",
                ": is a file that sops encrypted as ini",
                "--from-file KEY=-",
            ),
            ("x.bin", "\1\2", ":1: is a file that sops encrypted, and", "--from-file KEY=-"),
            ("values.yaml", "a: {b: c}\n", ":1: is a file that sops", "valuesFrom"),
            ("c.yaml", f"{PLAIN}data: {{a: b}}\n", ":1: is a ConfigMap that", "secretKeyRef"),
        ],
        ids=["dotenv", "ini", "binary", "values", "kind"],
    )
    def test_named(self, sops: Sops, name: str, text: str, start: str, hint: str) -> None:
        options = KUBERNETES if name == "c.yaml" else ()
        sops.desk.write(name, sops.encrypt(text, *options, kind=name.rpartition(".")[2]))
        result = refused(sops.desk, 1, f"{name}{start}", "-i", name)
        assert hint in result.err.splitlines()[1]

    def test_encrypted_as_a_whole_it_is_known_only_then(self, desk: Desk, sops: Sops) -> None:
        sops.file("c.yaml", f"{PLAIN}data: {{a: b}}\n", "--unencrypted-suffix", "_never")
        refused(desk, 1, "c.yaml:1: is a file that sops encrypted, and no Secret", "-i", "c.yaml")

    def test_a_list_encrypted_as_a_whole(self, desk: Desk, sops: Sops) -> None:
        raw = {"apiVersion": "v1", "kind": "List", "items": [yaml.safe_load(SECRET)] * 2}
        sops.file("c.yaml", yaml.safe_dump(raw), "--unencrypted-suffix", "_never")
        refused(desk, 1, "c.yaml:1: is a List that is encrypted as a whole", "-i", "c.yaml")

    def test_beside_secrets(self, desk: Desk, sops: Sops) -> None:
        """It would come out of its encryption, or not be opened by anything any more."""
        sops.file("all.yaml", f"{SECRET}---\n{PLAIN}data: {{a: b}}\n")
        where = "all.yaml:2: data.a: is encrypted beside the Secrets"
        refused(desk, 1, where, "-i", "all.yaml")

    def test_in_a_folder(self, desk: Desk, sops: Sops) -> None:
        sops.file("apps/values.yaml", "a: {b: c}\n")
        sops.file("apps/db.yaml")
        values = desk.read("apps/values.yaml")
        result = desk.ok("import", "-i", "apps")
        assert desk.read("apps/values.yaml") == values
        assert desk.values(desk.read("apps/db.yaml")) == VALUES
        assert "left file in apps/values.yaml as it is\n" in result.err
        assert (
            "note: apps/values.yaml:1: is a file that sops encrypted, and no Secret" in result.err
        )

    @pytest.mark.parametrize("option", ["--secrets", "--json"])
    def test_without_its_metadata_it_is_never_sealed(
        self, desk: Desk, sops: Sops, option: str
    ) -> None:
        text = sops.encrypt(SECRET, *KUBERNETES).partition("sops:\n")[0]
        desk.write("db.yaml", text)
        result = desk.ok("import", "-i", "db.yaml", option)
        assert desk.read("db.yaml") == text
        assert "without its field sops" in result.out + result.err


class TestWhoElseNeedsSops:
    """KSOPS, generators of kustomize, and Flux: a note says what remains to do."""

    GENERATOR = """\
namespace: shop
secretGenerator:
- name: app
  envs: [app.env, plain.env, missing.env, 1]
  files: [tls.key=key.bin, ../docs/key.bin]
- name: mail
  namespace: post
  env: app.env
- odd
"""

    def test_generators(self, desk: Desk, sops: Sops) -> None:
        desk.write("apps/kustomization.yaml", self.GENERATOR)
        desk.write("apps/app.env", sops.encrypt("A=b\n", kind="env"))
        desk.write("apps/plain.env", "A=b\n")
        for name in ("apps/key.bin", "docs/key.bin"):
            desk.write(name, sops.encrypt("\1", kind="bin"))
        result = desk.ok("import", "-i", ".")
        assert "left file as it is\n" in result.err
        for command in (
            "sops decrypt apps/app.env | sealkit create app -n shop --from-env-file - -o apps/app",
            "decrypt apps/key.bin | sealkit create app -n shop --from-file tls.key=- -o apps/app",
            "decrypt docs/key.bin | sealkit create app -n shop --from-file key.bin=- -o apps/app",
            "decrypt apps/app.env | sealkit create mail -n post --from-env-file - -o apps/mail",
        ):
            assert command in result.err
        assert "plain.env" not in result.err

    def test_a_generator_that_says_nothing_else(self, desk: Desk, sops: Sops) -> None:
        desk.write("kustomization.yaml", "secretGenerator:\n- {env: app.env}\n")
        desk.write("app.env", sops.encrypt("A=b\n", kind="env"))
        command = (
            "sops decrypt app.env | sealkit create NAME -n NAMESPACE --from-env-file - -o NAME"
        )
        assert command in desk.ok("import", "-i", "kustomization.yaml").err

    def test_the_command_in_the_note_works(self, desk: Desk) -> None:
        text = desk.ok("create", "app", "-n", "x", "--from-env-file", "-", stdin="A=b\n").out
        assert desk.values(text) == {"A": b"b"}

    def test_a_name_in_a_command_is_only_a_name(self, desk: Desk, sops: Sops) -> None:
        desk.write("kustomization.yaml", 'secretGenerator:\n- {name: $(id), env: "a b.env"}\n')
        desk.write("a b.env", sops.encrypt("A=b\n", kind="env"))
        result = desk.ok("import", "-i", "kustomization.yaml")
        assert "sops decrypt 'a b.env' | sealkit create '$(id)' -n" in result.err
        assert result.err.count("'$(id).yaml'") == 1

    def test_from_stdin_nobody_knows_where_files_are(self, desk: Desk, sops: Sops) -> None:
        desk.write("app.env", sops.encrypt("A=b\n", kind="env"))
        assert "nothing to import" in desk.ok("import", stdin=self.GENERATOR).err

    @pytest.mark.parametrize(
        ("text", "note"),
        [
            (
                "{apiVersion: viaduct.ai/v1, kind: ksops, files: [a.yaml]}",
                "files (list of 1): once",
            ),
            ("{apiVersion: viaduct.ai/v1, kind: ksops, secretFrom: {}, files: x}", "files (value)"),
            (
                f"{{{FLUX}, spec: {{decryption: {{provider: sops}}}}}}",
                "spec.decryption (sops): can",
            ),
        ],
        ids=["ksops", "ksops-odd", "flux"],
    )
    def test_objects(self, desk: Desk, text: str, note: str) -> None:
        desk.write("a.yaml", f"{text}\n")
        result = desk.ok("import", "-i", "a.yaml")
        assert f"sealkit: note: a.yaml:1: {note}" in result.err
        assert desk.read("a.yaml") == f"{text}\n"

    @pytest.mark.parametrize("spec", ["{}", "{decryption: {provider: other}}", "x"])
    def test_flux_without_sops(self, desk: Desk, spec: str) -> None:
        result = desk.ok("import", stdin=f"{{{FLUX}, spec: {spec}}}  # sops")
        assert "spec.decryption" not in result.err


class TestRecognition:
    """What only a stranger's file holds."""

    @pytest.mark.parametrize(
        ("metadata", "keys"),
        [
            (None, []),
            (
                {"age": [{"recipient": "age1x"}, "odd", {"recipient": 1}], "pgp": "odd"},
                ["age age1x"],
            ),
            ({"key_groups": [{"pgp": [{"fp": "A\nB"}]}, "odd"]}, ["pgp A\\nB"]),
        ],
        ids=["none", "odd", "groups"],
    )
    def test_keys(self, metadata: Any, keys: list[str]) -> None:
        assert recognised.keys_of(metadata) == keys

    def test_encrypted_fields_have_paths(self) -> None:
        value = "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]"
        raw = {"a": [{"b": value}, 1], "c": value, "d": "ENC[x]"}
        assert list(recognised.encrypted_fields(raw)) == ["a[0].b", "c"]

    def test_a_line_of_a_value_that_looks_like_a_comment_stays(
        self, desk: Desk, sops: Sops
    ) -> None:
        line = "#ENC[AES256_GCM,x]"
        plain = f"{PLAIN}note: |\n    {line}\n"
        sops.file("all.yaml", f"{plain}---\n{SECRET}")
        desk.ok("import", "-i", "all.yaml")
        assert line in desk.read("all.yaml")
