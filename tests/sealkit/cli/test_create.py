"""`sealkit create`: a new Secret, sealed in one step."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.builders.env_file import EnvFile
from sealkit.cli.dotenv import parse_env
from sealkit.cli.ingredients import CHARSETS, Recipe
from sealkit.errors import ManifestError
from sealkit.sensitive import Sensitive
from tests.fakes.vault_certificates import Authority
from tests.sealkit.cli.desk import CANARY, Desk, Result, only_sealed
from tests.sealkit.samples import in_lines

FILE = "db.yaml"
AT = ("-n", "shop", "-o", FILE)
SSH = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"


def create(desk: Desk, *arguments: str | Path, **world: Any) -> Result:
    """Create shop/db in a file; the command must succeed."""
    return desk.ok("create", "db", *AT, *arguments, **world)


def values(desk: Desk) -> dict[str, bytes]:
    return desk.values(desk.read(FILE))


def template(desk: Desk) -> Any:
    return only_sealed(desk.read(FILE))["spec"]["template"]


def refused(desk: Desk, *arguments: str | Path, **world: Any) -> str:
    """Run a command that is refused before anything was written; return what it says."""
    before = desk.files()
    result = desk.run("create", "db", *arguments, **world)
    assert result.code != 0
    assert result.out == ""
    assert desk.files() == before
    assert result.err.startswith("sealkit: error: ")
    return result.err.removeprefix("sealkit: error: ")


class TestValues:
    """Where values come from."""

    def test_standard_input(self, desk: Desk) -> None:
        result = create(desk, "--from-literal-stdin", "PASSWORD", stdin=b"\x00x")
        assert (result.out, result.err) == (
            "",
            "sealed shop/db: 1 value for prod, staging (strict)\n",
        )
        assert values(desk) == {"PASSWORD": b"\x00x"}
        assert template(desk) == {"type": "Opaque"}
        assert desk.opens_in(desk.read(FILE)) == {"prod", "staging"}

    def test_a_line_break_at_the_end_is_told(self, desk: Desk) -> None:
        assert "line break" in create(desk, "--from-literal-stdin", "A", stdin="x\n").err
        assert values(desk) == {"A": b"x\n"}

    def test_typing(self, desk: Desk) -> None:
        keys = ("--from-literal-stdin", "B", "--from-literal-stdin", "A")
        create(desk, *keys, answer=lambda prompt: prompt.lower())
        assert desk.asked == ["B: ", "A: "]
        assert values(desk) == {"A": b"a: ", "B": b"b: "}

    def test_files(self, desk: Desk) -> None:
        path = desk.keys_folder / "value"
        path.write_bytes(bytes(range(256)))
        create(desk, "--from-file", f"A={path}", "--from-file", "B=-", stdin="b")
        assert values(desk) == {"A": bytes(range(256)), "B": b"b"}

    def test_env_files(self, desk: Desk) -> None:
        path = desk.keys_folder / ".env"
        path.write_text("# the shop\nA=1\nexport B='two words'\n")
        create(desk, "--from-env-file", path, "--from-env-file", "-", stdin="C=3")
        assert values(desk) == {"A": b"1", "B": b"two words", "C": b"3"}

    def test_generated(self, desk: Desk) -> None:
        result = create(desk, "--generate", "A", "--generate", "B:64:hex", "--generate", "C:8")
        found = {key: value.decode() for key, value in values(desk).items()}
        assert re.fullmatch("[A-Za-z0-9]{32}", found["A"])
        assert re.fullmatch("[0-9a-f]{64}", found["B"])
        assert re.fullmatch("[A-Za-z0-9]{8}", found["C"])
        assert not [value for value in found.values() if value in result.err + desk.read(FILE)]

    def test_references(self, desk: Desk) -> None:
        pairs = ("--reference", "A=vault:kv/a#b", "--reference", "B=x${vault:kv/a#b}")
        result = create(desk, *pairs, "--cluster-store", "main", "--generate", "C")
        assert result.err.splitlines() == [
            "sealkit: note: B: the text around its references is public now",
            "sealed shop/db: 1 value for prod, staging, 2 references (strict)",
        ]
        spec = only_sealed(desk.read(FILE))["spec"]
        assert in_lines(spec["references"]) == {"A": "vault:kv/a#b", "B": "x${vault:kv/a#b}"}
        assert spec["vault"] == {"store": {"name": "main", "kind": "ClusterVaultStore"}}

    def test_references_alone_need_no_recipient(self, bare: Desk) -> None:
        bare.ok("init")
        assert (
            create(bare, "--reference", "A=vault:kv/a#b").err
            == "sealed shop/db: 1 reference (strict)\n"
        )

    def test_what_reads_as_a_reference_is_told(self, desk: Desk) -> None:
        result = create(desk, "--from-literal-stdin", "A", stdin="vault:kv/a#b")
        assert result.err.startswith("sealkit: note: A: reads as a reference and is encrypted")
        assert values(desk) == {"A": b"vault:kv/a#b"}


class TestTypes:
    """Contents that have a type of their own."""

    def docker(self, desk: Desk) -> Any:
        assert template(desk)["type"] == "kubernetes.io/dockerconfigjson"
        return json.loads(values(desk)[".dockerconfigjson"])["auths"]

    def test_docker_from_standard_input(self, desk: Desk) -> None:
        create(desk, "--docker", "ghcr.io", "--docker-user", "ada", stdin=b"pass\r\n")
        auth = base64.b64encode(b"ada:pass").decode()
        assert self.docker(desk) == {
            "ghcr.io": {"username": "ada", "password": "pass", "auth": auth}
        }

    def test_docker_typed(self, desk: Desk) -> None:
        create(desk, "--docker", "ghcr.io", answer=lambda prompt: prompt.split()[0])
        assert desk.asked == ["user for ghcr.io: ", "password for ghcr.io: "]
        assert self.docker(desk)["ghcr.io"]["auth"] == base64.b64encode(b"user:password").decode()

    def test_tls(self, desk: Desk) -> None:
        certificate, key = pair(desk, "a")
        create(desk, "--tls", certificate, key)
        assert template(desk)["type"] == "kubernetes.io/tls"
        assert values(desk) == {"tls.crt": certificate.read_bytes(), "tls.key": key.read_bytes()}

    def test_ssh(self, desk: Desk) -> None:
        path = desk.keys_folder / "id"
        path.write_text(SSH.replace("\n", "\r\n"))
        create(desk, "--ssh", path)
        assert template(desk)["type"] == "kubernetes.io/ssh-auth"
        assert values(desk) == {"ssh-privatekey": SSH.encode()}

    def test_a_type_and_metadata(self, desk: Desk) -> None:
        more = ("--label", "app=shop", "--label", "empty=", "--annotation", "a.b/c=d=e")
        create(desk, "--type", "example.com/x", "--generate", "A", *more)
        found = template(desk)
        assert found["type"] == "example.com/x"
        assert found["metadata"] == {
            "labels": {"app": "shop", "empty": ""},
            "annotations": {"a.b/c": "d=e"},
        }

    def test_the_type_that_is_made_may_be_named(self, desk: Desk) -> None:
        path = desk.keys_folder / "id"
        path.write_text(SSH)
        create(desk, "--ssh", path, "--type", "kubernetes.io/ssh-auth")


def pair(desk: Desk, name: str) -> tuple[Path, Path]:
    """Write a certificate and its key."""
    made = Authority("the authority").issue(name)
    paths = desk.keys_folder / f"{name}.crt", desk.keys_folder / f"{name}.key"
    for path, content in zip(paths, (made.certificate, made.key), strict=True):
        path.write_bytes(content)
    return paths


class TestTerms:
    """For whom, and where to."""

    def test_the_manifest_can_go_to_standard_output(self, desk: Desk) -> None:
        result = desk.ok("create", "db", "-n", "shop", "--generate", "A")
        assert desk.values(result.out).keys() == {"A"}

    def test_cluster_and_scope(self, desk: Desk) -> None:
        create(desk, "--generate", "A", "--cluster", "prod", "--scope", "cluster-wide")
        assert desk.opens_in(desk.read(FILE)) == {"prod"}
        assert only_sealed(desk.read(FILE))["spec"]["scope"] == "cluster-wide"

    def test_the_path_decides(self, desk: Desk) -> None:
        desk.config([{"paths": ["prod/**"], "clusters": ["prod"], "scopes": ["namespace-wide"]}])
        out = desk.ok("create", "db", "-n", "shop", "--generate", "A", "--as", "prod/a.yaml").out
        assert desk.opens_in(out) == {"prod"}
        assert only_sealed(out)["spec"]["scope"] == "namespace-wide"
        assert desk.run("create", "db", *AT, "--generate", "A").code == 6

    def test_the_report_can_be_json(self, desk: Desk) -> None:
        report = create(desk, "--generate", "A", "--json").json[0]
        assert (report["file"], report["keys"], report["name"]) == (FILE, 1, "db")

    def test_a_file_that_is_there(self, desk: Desk) -> None:
        desk.write(FILE, "mine")
        message = refused(desk, *AT, "--from-literal-stdin", "A", answer="x")
        assert message.startswith("db.yaml: is there already\n")
        assert desk.asked == []
        create(desk, "--generate", "A", "--force")
        assert values(desk).keys() == {"A"}


class TestMistakes:
    """Each is told before anybody is asked for anything, and nothing is written."""

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ("", "there is no value"),
            ("--generate A --json", "--json needs -o FILE"),
            ("--generate A --store x", "--store and --cluster-store are for --reference"),
            ("--generate A --docker-user x", "--docker-user is for --docker"),
            ("--generate A", "metadata.namespace: is missing, and scope strict"),
            ("-n A --generate A", "--namespace: is not a name"),
            ("--generate A --label x", "--label: is not of the form KEY=VALUE"),
            ("--generate A --label x=1 --label x=2", "--label.x: is given twice"),
            ("--generate A --label a/b/c=x", "--label.a/b/c: is not a name"),
            ("--generate A --annotation =x", "--annotation.: is not a name"),
            ("--generate A:7", "--generate A: LENGTH is not a number from 8 to 4096"),
            ("--generate A:many", "--generate A: LENGTH is not a number"),
            ("--generate A:8:many", "--generate A: CHARSET is none of alnum, letters"),
            ("--generate a/b", "KEY number 1 is not a data key"),
            ("-n shop --generate A --generate A", "A: is given twice"),
            ("-n shop --generate A --reference A=vault:kv/a#b", "A: is given twice"),
            ("-n shop --generate A --from-literal-stdin A", "A: is given twice"),
            ("--from-file A", "--from-file: is not of the form KEY=PATH"),
            ("-n shop --from-file A=none", "none: cannot be read: no such file"),
            ("-n shop --from-env-file none", "none: cannot be read: no such file"),
            ("--from-literal-stdin A --from-literal-stdin B", "standard input holds one"),
            ("--from-file A=- --from-env-file -", "standard input holds one of the values only"),
            ("--docker x", "--docker: needs --docker-user where nobody can be asked"),
            ("--docker a&b --docker-user u", "--docker: holds white space or a control"),
            ("-n shop --docker x --docker-user u", "stdin: the password is empty"),
            ("--docker x --docker-user u --ssh -", "--docker and --ssh exclude each other"),
            ("--ssh - --type Opaque", "--type: is not kubernetes.io/ssh-auth, which --ssh makes"),
            ("-n shop --ssh .sealkit.yaml", "value '.sealkit.yaml' is not a private key as"),
            ("-n shop --tls .sealkit.yaml x", "x: cannot be read"),
            ("-n shop --type kubernetes.io/tls --from-literal-stdin A", "data.tls.crt: is missing"),
            ("-n shop --type kubernetes.io/service-account-token --generate A", "type: "),
        ],
        ids=range(31),
    )
    def test_of_options(self, desk: Desk, arguments: str, message: str) -> None:
        given = [one.replace("&", " ") for one in arguments.split()]
        assert refused(desk, *given).startswith(message)

    def test_a_name_that_is_none(self, desk: Desk) -> None:
        assert "NAME: is not a name" in desk.run("create", "D B", "--generate", "A").err

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ("--from-literal-stdin A", "A: nothing was typed"),
            ("--docker x", "user for x: nothing was typed"),
            ("--docker x --docker-user u", "password for x: nothing was typed"),
        ],
    )
    def test_nothing_typed(self, desk: Desk, arguments: str, message: str) -> None:
        assert refused(desk, *AT, *arguments.split(), answer="").startswith(message)

    def test_a_key_of_another_certificate(self, desk: Desk) -> None:
        certificate, _ = pair(desk, "a")
        _, key = pair(desk, "b")
        message = refused(desk, *AT, "--tls", certificate, key)
        assert message == f"value {str(key)!r} is not the private key of the certificate\n"

    def test_no_recipient_is_told_before_anybody_is_asked(self, bare: Desk) -> None:
        message = refused(bare, *AT, "--from-literal-stdin", "A", answer="x")
        assert message.startswith("there is no .sealkit.yaml here or above")
        assert bare.asked == []


class TestEnvFiles:
    """The dialect, which guesses nothing."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", {}),
            ("\ufeffA=1\r\nB=2\r\n\r\n", {"A": "1", "B": "2"}),
            ("  # x\n\n\texport  A=1  \n", {"A": "1"}),
            ("A=\nB=''\nC=\"\"", {"A": "", "B": "", "C": ""}),
            ("A=a b$c${D}#e\\n", {"A": "a b$c${D}#e\\n"}),
            ("A='a # \"b\" \\n'  # c", {"A": 'a # "b" \\n'}),
            ("A='one\ntwo'\nB=3", {"A": "one\ntwo", "B": "3"}),
            ('A="a\\n\\"b\\" \\\\ \\$c \\x"', {"A": 'a\n"b" \\ $c \\x'}),
            ("a.b-c=1", {"a.b-c": "1"}),
            ("A==b=", {"A": "=b="}),
        ],
        ids=range(10),
    )
    def test_values(self, text: str, expected: dict[str, str]) -> None:
        found = {key: value.reveal().decode() for key, value in parse_env(text.encode()).items()}
        assert found == expected

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("A=1\nB", r"is not NAME=value, or a quote is not closed \(line 2\)"),
            ("A='x", r"\(line 1\)"),
            ("A='x'y", r"\(line 1\)"),
            ("A = x", r"\(line 1\)"),
            ("1A=x", r"\(line 1\)"),
            ("A=1\n\nA=2", r"is given twice \(line 3\)"),
            ("A=x #y", r"which some readers take for a comment \(line 1\)"),
            ("A=\xff", "is not UTF-8 text"),
        ],
        ids=range(8),
    )
    def test_what_is_refused(self, text: str, problem: str) -> None:
        with pytest.raises(ManifestError, match=problem):
            parse_env(text.encode("latin-1"))

    def test_the_file_is_named(self, desk: Desk) -> None:
        desk.write(".env", f"A={CANARY} #x")
        message = refused(desk, *AT, "--from-env-file", ".env")
        assert message.startswith(".env: A: holds ' #', which some readers take")
        assert CANARY not in message

    @given(st.dictionaries(st.sampled_from("ABC"), st.text("a'\"\\$`#\n \t=é")))
    def test_what_the_builder_writes_is_read(self, texts: dict[str, str]) -> None:
        values = {key: Sensitive(text.encode()) for key, text in texts.items()}
        built = EnvFile().build(values, lambda _: b"")[".env"]
        assert parse_env(built.reveal()) == dict(sorted(values.items()))


@given(st.integers(8, 100), st.sampled_from(sorted(CHARSETS)), st.randoms())
def test_generated_values_hold_what_they_should(length: int, charset: str, random: Any) -> None:
    value = Recipe.parse(f"A:{length}:{charset}").value(random.randbytes).reveal().decode()
    assert len(value) == length
    assert set(value) <= set(CHARSETS[charset])


@pytest.mark.parametrize("charset", CHARSETS)
def test_every_character_is_as_likely(charset: str) -> None:
    assert len(set(CHARSETS[charset])) == len(CHARSETS[charset])
    rounds = iter([bytes(range(256)), bytes(range(256))])
    value = Recipe("A", 256, CHARSETS[charset]).value(lambda _: next(rounds)).reveal().decode()
    whole = 256 // len(CHARSETS[charset]) * len(CHARSETS[charset])
    assert {value[:whole].count(one) for one in CHARSETS[charset]} == {
        256 // len(CHARSETS[charset])
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("--from-literal-stdin", "A"),
        ("--from-file", "A=-"),
        ("--from-env-file", "-"),
        ("--docker", "x", "--docker-user", "u"),
        ("--docker", "x", "--docker-user", "a:b"),
        ("--ssh", "-"),
        ("--tls", "-", ".sealkit.yaml"),
        ("--tls", ".sealkit.yaml", "-"),
        ("--from-literal-stdin", f"A={CANARY}"),
        ("--from-file", CANARY),
        ("--generate", f"A:{CANARY}"),
        ("--generate", f"A={CANARY}"),
        ("--reference", f"A={CANARY}"),
        ("--reference", f"A=vault:{CANARY}"),
        ("--from-literal-stdin", ".dockerconfigjson", "--type", "kubernetes.io/dockerconfigjson"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(
    "text", [CANARY, f"X={CANARY}", f"X='{CANARY}"], ids=["as-is", "env", "quote"]
)
def test_no_value_shows(desk: Desk, arguments: tuple[str, ...], text: str) -> None:
    result = desk.run("create", "db", *AT, *arguments, stdin=text)
    everything = result.out + result.err + "".join(map(str, desk.files().values()))
    assert CANARY not in everything
    assert base64.b64encode(CANARY.encode()).decode() not in everything
