"""`sealkit set` and `sealkit unset`: single values, without any private key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sealkit.cli.desk import CANARY, TODAY, Desk, Result, key_of, only_sealed, secret_text
from tests.sealkit.samples import in_lines

FILE = "db.yaml"
COMMENTED = f"# who owns this: the shop\n{secret_text()}---\nkind: ConfigMap # stays\n"


@pytest.fixture
def sealed(desk: Desk) -> Desk:
    """The desk with a sealed manifest of PASSWORD and USER in a file with other documents."""
    desk.ok("seal", "-o", FILE, stdin=COMMENTED)
    return desk


def refused(desk: Desk, result: Result, code: int, start: str) -> None:
    """A refusal that left the file as it was."""
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err
    assert desk.values(desk.read(FILE)) == {"PASSWORD": b"hunter2", "USER": b"app"}


def values(desk: Desk) -> dict[str, bytes]:
    return desk.values(desk.read(FILE))


class TestSet:
    """Adding and changing."""

    def test_a_value_from_standard_input(self, sealed: Desk) -> None:
        result = sealed.ok("set", FILE, "PASSWORD", stdin=b"\x00new")
        assert result.err == "set PASSWORD in db.yaml for prod, staging\n"
        assert values(sealed) == {"PASSWORD": b"\x00new", "USER": b"app"}

    def test_a_value_that_is_typed(self, sealed: Desk) -> None:
        sealed.ok("set", FILE, "PASSWORD", answer="new")
        assert sealed.asked == ["PASSWORD: "]
        assert values(sealed)["PASSWORD"] == b"new"

    def test_several_values_that_are_typed(self, sealed: Desk) -> None:
        sealed.ok("set", FILE, "PASSWORD", "USER", answer=lambda prompt: prompt.lower())
        assert values(sealed) == {"PASSWORD": b"password: ", "USER": b"user: "}

    def test_bytes_that_are_no_text_survive_typing(self, sealed: Desk) -> None:
        sealed.ok("set", FILE, "PASSWORD", answer="\udcff")
        assert values(sealed)["PASSWORD"] == b"\xff"

    def test_values_from_files(self, sealed: Desk) -> None:
        path = sealed.keys_folder / "value"
        path.write_bytes(bytes(range(256)))
        sealed.ok("set", FILE, "USER", "--from-file", f"PASSWORD={path}", stdin="u")
        assert values(sealed) == {"PASSWORD": bytes(range(256)), "USER": b"u"}

    def test_a_file_name_may_hold_an_equals_sign(self, sealed: Desk) -> None:
        path = sealed.keys_folder / "a=b"
        path.write_bytes(b"x")
        sealed.ok("set", FILE, "--from-file", f"PASSWORD={path}")
        assert values(sealed)["PASSWORD"] == b"x"

    def test_an_empty_value_can_be_piped(self, sealed: Desk) -> None:
        sealed.ok("set", FILE, "PASSWORD", stdin=b"")
        assert values(sealed)["PASSWORD"] == b""

    def test_a_new_key_goes_to_its_place_in_the_order(self, sealed: Desk) -> None:
        sealed.ok("set", FILE, "TOKEN", stdin="t")
        data = only_sealed(sealed.read(FILE))["spec"]["encryptedData"]
        assert list(data) == ["PASSWORD", "TOKEN", "USER"]
        assert values(sealed)["TOKEN"] == b"t"

    def test_every_other_line_keeps_its_bytes(self, sealed: Desk) -> None:
        before = sealed.read(FILE).splitlines()
        sealed.ok("set", FILE, "PASSWORD", stdin="new")
        after = sealed.read(FILE).splitlines()
        gone = [line for line in before if line not in after]
        assert [line.split(":")[0].strip() for line in gone] == ["PASSWORD"]
        assert "# who owns this: the shop" in after
        assert "kind: ConfigMap # stays" in after

    def test_an_envelope_that_nothing_uses_any_more_goes(self, sealed: Desk) -> None:
        sealed.ok("set", FILE, "PASSWORD", "USER", answer="x")
        assert len(only_sealed(sealed.read(FILE))["spec"]["envelopes"]) == 1

    def test_a_line_break_at_the_end_is_kept_and_told(self, sealed: Desk) -> None:
        result = sealed.ok("set", FILE, "PASSWORD", stdin="new\n")
        assert result.err.startswith("sealkit: note: the value ends with a line break")
        assert values(sealed)["PASSWORD"] == b"new\n"

    def test_output_goes_elsewhere(self, sealed: Desk) -> None:
        before = sealed.read(FILE)
        out = sealed.ok("set", FILE, "PASSWORD", "-o", "-", stdin="new").out
        assert sealed.values(out)["PASSWORD"] == b"new"
        sealed.ok("set", FILE, "PASSWORD", "-o", "other.yaml", stdin="new")
        assert sealed.values(sealed.read("other.yaml"))["PASSWORD"] == b"new"
        assert sealed.read(FILE) == before

    def test_a_manifest_from_standard_input(self, sealed: Desk) -> None:
        path = sealed.keys_folder / "value"
        path.write_bytes(b"new")
        text = sealed.read(FILE)
        result = sealed.ok("set", "-", "--from-file", f"PASSWORD={path}", stdin=text)
        assert sealed.values(result.out)["PASSWORD"] == b"new"

    def test_the_report_can_be_json(self, sealed: Desk) -> None:
        result = sealed.ok("set", FILE, "PASSWORD", "--json", stdin="new")
        assert result.json[0]["set"] == ["PASSWORD"]
        assert result.json[0]["clusters"] == ["prod", "staging"]

    def test_name_chooses_one_of_several(self, desk: Desk) -> None:
        desk.ok("seal", "-o", FILE, stdin=f"{secret_text('a')}---\n{secret_text('b')}")
        before = desk.read(FILE)
        result = desk.run("set", FILE, "PASSWORD", stdin="x")
        assert (result.code, desk.read(FILE)) == (2, before)
        assert result.err.startswith("sealkit: error: db.yaml: holds several: 'a', 'b'")
        desk.ok("set", FILE, "PASSWORD", "--name", "b", stdin="x")
        first = before.index("---")
        assert desk.read(FILE)[:first] == before[:first]

    def test_without_configuration_the_recipients_are_given(self, bare: Desk) -> None:
        path = bare.recipient("prod")
        bare.ok("seal", "--recipient", path, "-o", FILE, stdin=secret_text())
        bare.ok("set", FILE, "PASSWORD", "--recipient", path, stdin="new")
        assert values(bare)["PASSWORD"] == b"new"


class TestSetRefuses:
    """Mistakes, each of which leaves the file as it was."""

    def test_a_value_among_the_arguments(self, sealed: Desk) -> None:
        result = sealed.run("set", FILE, f"PASSWORD={CANARY}")
        refused(sealed, result, 2, "a value on the command line ends up in the shell history")
        assert "sealkit: hint: sealkit set FILE PASSWORD asks for it" in result.err
        assert CANARY not in result.err

    def test_a_value_beside_its_key_is_not_quoted(self, sealed: Desk) -> None:
        result = sealed.run("set", FILE, "PASSWORD", f"{CANARY}!")
        refused(sealed, result, 2, "KEY number 2 is not a data key")
        assert CANARY not in result.err

    def test_no_key_at_all(self, sealed: Desk) -> None:
        refused(sealed, sealed.run("set", FILE), 2, "there is no key to set")

    def test_nothing_typed(self, sealed: Desk) -> None:
        refused(sealed, sealed.run("set", FILE, "USER", answer=""), 2, "db.yaml:1: USER: nothing")

    def test_two_values_on_standard_input(self, sealed: Desk) -> None:
        result = sealed.run("set", FILE, "PASSWORD", "USER", stdin="x")
        refused(sealed, result, 2, "standard input holds the value of one key only")

    def test_manifest_and_value_on_standard_input(self, sealed: Desk) -> None:
        result = sealed.run("set", "-", "USER", stdin=sealed.read(FILE))
        refused(sealed, result, 2, "standard input holds the manifest already")

    @pytest.mark.parametrize(
        ("arguments", "start"),
        [
            (["USER", "USER"], "USER: is given twice"),
            (["USER", "--from-file", "USER=value"], "USER: is given twice"),
            (["--from-file", "USER"], "--from-file: is not of the form KEY=PATH"),
            (["--from-file", "USER="], "--from-file: is not of the form KEY=PATH"),
            (["USER", "-o", "-", "--json"], "--json needs -o FILE"),
        ],
    )
    def test_misuse(self, sealed: Desk, arguments: list[str], start: str) -> None:
        refused(sealed, sealed.run("set", FILE, *arguments, answer="x"), 2, start)

    def test_a_value_file_that_is_missing(self, sealed: Desk) -> None:
        result = sealed.run("set", FILE, "--from-file", "USER=none")
        refused(sealed, result, 1, "none: cannot be read: no such file")

    def test_nobody_is_asked_before_the_manifest_is_found_good(self, sealed: Desk) -> None:
        for name, text in {"none.yaml": None, "bad.yaml": "a: [", "plain.yaml": "a: 1\n"}.items():
            if text:
                sealed.write(name, text)
            assert sealed.run("set", name, "USER", answer="x").code in {1, 2}
        assert sealed.asked == []

    def test_a_file_without_manifest(self, sealed: Desk) -> None:
        sealed.write("secret.yaml", secret_text())
        result = sealed.run("set", "secret.yaml", "USER", stdin="x")
        refused(
            sealed, result, 2, "secret.yaml: holds no SealedSecret\nsealkit: hint: sealkit seal"
        )

    def test_no_manifest_of_that_name(self, sealed: Desk) -> None:
        result = sealed.run("set", FILE, "USER", "--name", "x", stdin="x")
        refused(sealed, result, 2, "db.yaml: holds no SealedSecret named 'x'")

    def test_a_value_that_breaks_a_rule_of_the_type(self, desk: Desk) -> None:
        text = secret_text(**{".dockerconfigjson": "{}"}) + "type: kubernetes.io/dockerconfigjson\n"
        desk.ok("seal", "-o", FILE, stdin=text)
        before = desk.read(FILE)
        result = desk.run("set", FILE, ".dockerconfigjson", stdin=CANARY)
        assert (result.code, desk.read(FILE)) == (1, before)
        assert "is not a JSON object" in result.err
        assert CANARY not in result.err

    def test_an_expired_key(self, sealed: Desk) -> None:
        sealed.recipient("prod", not_after=TODAY)
        result = sealed.run("set", FILE, "USER", stdin="x", today=TODAY.replace(day=2))
        refused(sealed, result, 2, ".sealkit/prod.pub: the key expired on 2026-11-01")


@pytest.mark.parametrize("verb", ["set", "unset"])
class TestDrift:
    """The configuration says who may read; a manifest that says otherwise is not touched."""

    def test_a_cluster_more(self, sealed: Desk, verb: str) -> None:
        sealed.config(clusters={"prod": sealed.entry("prod")})
        refused(sealed, sealed.run(verb, FILE, "USER", stdin="x"), 6, "db.yaml:1: spec.envelopes.")

    def test_a_cluster_less(self, sealed: Desk, verb: str) -> None:
        sealed.recipient("dev")
        names = ("prod", "staging", "dev")
        sealed.config(clusters={name: sealed.entry(name) for name in names})
        result = sealed.run(verb, FILE, "USER", stdin="x")
        refused(sealed, result, 6, "db.yaml:1: spec.envelopes.")
        assert "is to open in prod, staging, dev" in result.err

    def test_a_renewed_key(self, sealed: Desk, verb: str) -> None:
        sealed.recipient("prod", key="prod-2")
        prod = sealed.entry("prod", kid=key_of("prod-2").kid)
        sealed.config(clusters={"prod": prod, "staging": sealed.entry("staging")})
        refused(sealed, sealed.run(verb, FILE, "USER", stdin="x"), 6, "db.yaml:1: spec.envelopes.")

    def test_a_scope_that_is_not_allowed(self, sealed: Desk, verb: str) -> None:
        rule = {"paths": ["**"], "clusters": ["prod", "staging"], "scopes": ["cluster-wide"]}
        sealed.config(rules=[rule])
        refused(sealed, sealed.run(verb, FILE, "USER", stdin="x"), 6, "db.yaml:1: spec.scope: ")


class TestUnset:
    """Removing."""

    def test_a_value_goes_and_the_rest_stays(self, sealed: Desk) -> None:
        before = sealed.read(FILE).splitlines()
        result = sealed.ok("unset", FILE, "USER")
        assert result.err == "removed USER from db.yaml\n"
        assert values(sealed) == {"PASSWORD": b"hunter2"}
        after = sealed.read(FILE).splitlines()
        assert [line for line in before if line not in after] == [
            line for line in before if line.strip().startswith("USER:")
        ]

    def test_all_values(self, sealed: Desk) -> None:
        sealed.ok("unset", FILE, "USER", "PASSWORD", "USER")
        assert values(sealed) == {}

    def test_the_report_can_be_json(self, sealed: Desk) -> None:
        assert sealed.ok("unset", FILE, "USER", "--json").json[0]["removed"] == ["USER"]

    def test_from_standard_input(self, sealed: Desk) -> None:
        out = sealed.ok("unset", "-", "USER", stdin=sealed.read(FILE)).out
        assert sealed.values(out) == {"PASSWORD": b"hunter2"}

    def test_a_key_that_is_not_there(self, sealed: Desk) -> None:
        result = sealed.run("unset", FILE, "USER", "NONE")
        refused(sealed, result, 2, "db.yaml:1: spec.encryptedData.NONE: is not in the manifest")

    def test_a_key_that_the_type_needs(self, desk: Desk) -> None:
        text = secret_text(**{"tls.crt": "c", "tls.key": "k"}) + "type: kubernetes.io/tls\n"
        desk.ok("seal", "-o", FILE, stdin=text)
        before = desk.read(FILE)
        result = desk.run("unset", FILE, "tls.key")
        assert (result.code, desk.read(FILE)) == (1, before)
        start = "sealkit: error: db.yaml:1: spec.encryptedData.tls.key: is missing, type"
        assert result.err.startswith(start)

    def test_a_value_among_the_arguments(self, sealed: Desk) -> None:
        result = sealed.run("unset", FILE, f"USER={CANARY}")
        refused(sealed, result, 2, "a value on the command line")
        assert CANARY not in result.err

    def test_no_key(self, sealed: Desk) -> None:
        refused(sealed, sealed.run("unset", FILE), 2, "there is no key to remove")


def test_a_link_stays_a_link(sealed: Desk, tmp_path: Path) -> None:
    link = sealed.folder / "link.yaml"
    link.symlink_to(FILE)
    sealed.ok("set", "link.yaml", "USER", stdin="x")
    assert link.is_symlink()
    assert values(sealed)["USER"] == b"x"


REFERENCE = "vault:kv/shop/db#password"
REFERRING = f"# whose: the shop\n{secret_text(A=REFERENCE, B='plain')}"


class TestReferences:
    """Values in Vault, in the same manifest."""

    @pytest.fixture
    def referring(self, desk: Desk) -> Desk:
        """A manifest of a reference A and a sealed value B, with comments."""
        desk.ok("seal", "--store", "main", "-o", FILE, stdin=REFERRING)
        text = desk.read(FILE).replace("key: password", "key: password   # rotated by hand")
        desk.write(FILE, text)
        return desk

    @staticmethod
    def references(desk: Desk) -> object:
        return in_lines(only_sealed(desk.read(FILE))["spec"]["references"])

    def test_one_is_added_in_its_place(self, sealed: Desk) -> None:
        before = sealed.read(FILE).splitlines()
        result = sealed.ok("set", FILE, "--reference", f"TOKEN={REFERENCE}")
        assert result.err == "set TOKEN in db.yaml for prod, staging\n"
        after = sealed.read(FILE).splitlines()
        assert [line for line in after if line not in before] == [
            "  references:",
            "    TOKEN:",
            "      path: kv/shop/db",
            "      key: password",
        ]
        assert list(only_sealed(sealed.read(FILE))["spec"])[2:4] == ["encryptedData", "references"]

    def test_one_is_changed(self, referring: Desk) -> None:
        new = "x ${vault:kv/other#b}"
        referring.ok("set", FILE, "--reference", f"A={new}", "--reference", "C=<path:kv/c#d>")
        assert self.references(referring) == {"A": new, "C": "vault:kv/c#d"}
        assert "# whose: the shop" in referring.read(FILE)

    def test_a_sealed_value_moves_to_vault(self, referring: Desk) -> None:
        result = referring.ok("set", FILE, "--reference", f"B={REFERENCE}", "--json")
        assert result.json[0]["set"] == ["B"]
        assert result.json[0]["clusters"] == []
        spec = only_sealed(referring.read(FILE))["spec"]
        assert in_lines(spec["references"]) == {"A": REFERENCE, "B": REFERENCE}
        assert not spec.get("encryptedData")
        assert not spec.get("envelopes")
        referring.ok("inspect", FILE)

    def test_beside_a_value(self, referring: Desk) -> None:
        referring.ok("set", FILE, "TOKEN", "--reference", f"C={REFERENCE}", stdin="t")
        spec = only_sealed(referring.read(FILE))["spec"]
        assert list(spec["encryptedData"]) == ["B", "TOKEN"]
        assert in_lines(spec["references"]) == {"A": REFERENCE, "C": REFERENCE}

    def test_references_alone_need_no_recipients(self, bare: Desk) -> None:
        bare.ok("seal", "-o", FILE, stdin=secret_text(A=REFERENCE))
        bare.ok("set", FILE, "--reference", "B=vault:kv/a#b")
        bare.ok("unset", FILE, "A")
        assert self.references(bare) == {"B": "vault:kv/a#b"}
        result = bare.run("set", FILE, "C", stdin="x")
        assert (result.code, "there is no .sealkit.yaml" in result.err) == (2, True)

    def test_sealed_values_beside_it_need_them(self, referring: Desk) -> None:
        (referring.folder / ".sealkit.yaml").unlink()
        before = referring.read(FILE)
        result = referring.run("set", FILE, "--reference", "C=vault:kv/a#b")
        assert result.err.startswith("sealkit: error: there is no .sealkit.yaml here or above")
        assert (result.code, referring.read(FILE)) == (2, before)

    def test_a_value_for_a_reference_is_refused_before_it_is_asked(self, referring: Desk) -> None:
        before = referring.read(FILE)
        result = referring.run("set", FILE, "A", answer=CANARY)
        assert result.err == (
            "sealkit: error: db.yaml:1: spec.references.A: is a reference to Vault\n"
            "sealkit: hint: change it with --reference, or remove it first: sealkit unset\n"
        )
        assert (result.code, referring.read(FILE), referring.asked) == (2, before, [])

    def test_one_is_removed(self, referring: Desk) -> None:
        referring.ok("set", FILE, "--reference", "C=vault:kv/a#b")
        before = referring.read(FILE).splitlines()
        result = referring.ok("unset", FILE, "C")
        assert result.err == "removed C from db.yaml\n"
        after = referring.read(FILE).splitlines()
        assert [line for line in before if line not in after] == [
            "    C:",
            "      path: kv/a",
            "      key: b",
        ]
        assert any("# rotated by hand" in line for line in after)

    def test_the_last_one_takes_with_it_what_is_about_them(self, referring: Desk) -> None:
        referring.ok("unset", FILE, "A")
        spec = only_sealed(referring.read(FILE))["spec"]
        assert "references" not in spec
        assert "vault" not in spec
        assert referring.values(referring.read(FILE)) == {"B": b"plain"}

    def test_both_at_once(self, referring: Desk) -> None:
        result = referring.run("unset", FILE, "A", "B", "C")
        assert "spec.encryptedData.C: is not in the manifest" in result.err
        referring.ok("unset", FILE, "A", "B")

    def test_the_type_needs_it(self, desk: Desk) -> None:
        text = secret_text(**{"ssh-privatekey": REFERENCE, "A": "x"})
        desk.ok("seal", "-o", FILE, stdin=f"{text}type: kubernetes.io/ssh-auth\n")
        result = desk.run("unset", FILE, "ssh-privatekey")
        assert (result.code, "is missing, type" in result.err) == (1, True)

    def test_a_manifest_whose_references_are_written_by_hand(self, bare: Desk) -> None:
        head = "apiVersion: sealkit.dev/v1alpha1\nkind: SealedSecret\n"
        head += "metadata: {name: db, namespace: shop}\nspec:\n  scope: strict\n"
        bare.write(FILE, f"{head}  template: {{type: Opaque}}\n")
        bare.ok("set", FILE, "--reference", "A=vault:kv/a#b")
        reference = "  references:\n    A:\n      path: kv/a\n      key: b\n"
        assert bare.read(FILE) == f"{head}{reference}  template: {{type: Opaque}}\n"

    def test_a_reference_of_another_spelling_keeps_it(self, bare: Desk) -> None:
        bare.ok("seal", "-o", FILE, stdin=secret_text(A=REFERENCE, Z=REFERENCE))
        text = bare.read(FILE).replace(
            "A:\n      path: kv/shop/db\n      key: password\n", "A: <path:kv/c#d>   # by hand\n"
        )
        bare.write(FILE, text)
        bare.ok("set", FILE, "--reference", "Z=vault:kv/a#b")
        assert "    A: <path:kv/c#d>   # by hand\n" in bare.read(FILE)

    @pytest.mark.parametrize(
        ("arguments", "start"),
        [
            (["--reference", CANARY], "--reference: is not of the form KEY=vault:PATH#KEY"),
            (["--reference", f"B={CANARY}"], "B: holds no reference"),
            (["--reference", f"B=vault:{CANARY}"], "B.key: has no '#'"),
            (["--reference", f"a b={CANARY}"], "KEY number 1 is not a data key"),
            (["--reference", "B=vault:a/b#c"] * 2, "B: is given twice"),
            (["B", "--reference", "B=vault:a/b#c"], "B: is given twice"),
            ([], "there is no key to set"),
        ],
    )
    def test_mistakes_are_not_quoted(
        self, referring: Desk, arguments: list[str], start: str
    ) -> None:
        before = referring.read(FILE)
        result = referring.run("set", FILE, *arguments, stdin="x")
        assert result.err.startswith(f"sealkit: error: {start}"), result.err
        assert (result.code, referring.read(FILE)) == (2, before)
        assert CANARY not in result.err
