"""`sealkit edit`: values in an editor, with and without a private key."""

from __future__ import annotations

import base64
import os
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.cli.editing import draft, plan
from sealkit.cli.scratch import (
    NAME,
    PREFIX,
    Saved,
    edit,
    editor_of,
    folder_in_memory,
    is_in_memory,
    scratch,
)
from sealkit.errors import SealkitError, UsageError
from sealkit.manifests.scope import Scope
from sealkit.manifests.secret import Secret
from sealkit.sealing import open_values, seal
from sealkit.sensitive import Sensitive
from tests.sealkit.cli.desk import CANARY, Desk, Result, key_of, only_sealed, secret_text
from tests.sealkit.samples import in_lines

FILE = "db.yaml"
COMMENTED = f"# who owns this: the shop\n{secret_text()}---\nkind: ConfigMap # stays\n"
TEXTS = {
    "PASSWORD": "hunter2",
    "CERT": "-----BEGIN-----\nabc\n\n  def\n-----END-----\n",
    "NO_END": "a\nb",
    "TRAILING": "a \nb",
    "LEADING": "\n a\n",
    "ENDS": "a\n\n\n",
    "TABS": "a:\n\tb\n",
    "NUMBER": "0123",
    "WORD": "yes",
    "EMPTY": "",
    "COMMENT": "a # b",
    "MARK": "<sealed>",
    "REFERS": "vault:kv/a#b",
    "ALMOST": "vault:of gold",
}


@dataclass
class Editor:
    """A program that edits by shell commands: one `$1`, another one each time it is started."""

    path: Path

    def will(self, *commands: str) -> None:
        cases = "".join(f"{number}) {text}\n;;\n" for number, text in enumerate(commands, 1))
        self.path.write_text(
            '#!/bin/sh\nn=$(($(cat "$0.n") + 1))\necho $n > "$0.n"\ncp "$1" "$0.$n"\n'
            'stat -c "%a %n" "$1" "$(dirname "$1")" > "$0.seen"\n'
            f'case $n in\n{cases}*) echo "started too often" >&2; exit 9;; esac\n'
        )
        self.path.chmod(0o700)
        self.path.with_name("editor.n").write_text("0")

    def saw(self, number: int = 1) -> str:
        return self.path.with_name(f"editor.{number}").read_text()

    @property
    def starts(self) -> int:
        return int(self.path.with_name("editor.n").read_text())

    @property
    def seen(self) -> dict[Path, str]:
        """The modes of the file and of its folder while it was edited."""
        lines = self.path.with_name("editor.seen").read_text().splitlines()
        return {Path(path): mode for mode, path in (line.split(" ", 1) for line in lines)}


@pytest.fixture
def editor(desk: Desk) -> Editor:
    path = desk.keys_folder / "editor"
    desk.environment |= {"SEALKIT_EDITOR": str(path), "PATH": os.environ["PATH"]}
    return Editor(path)


@pytest.fixture
def sealed(desk: Desk, editor: Editor) -> Desk:
    desk.ok("seal", "-o", FILE, stdin=COMMENTED)
    return desk


def run_edit(desk: Desk, *arguments: str | Path, **world: Any) -> Result:
    return desk.run("edit", FILE, *arguments, "--allow-disk", **world)


def values(desk: Desk) -> dict[str, bytes]:
    return desk.values(desk.read(FILE))


def shell_set(key: str, value: str) -> str:
    return f"sed -i 's|^  {key}: .*|  {key}: {value}|' \"$1\""


def shell_write(text: str) -> str:
    return f"cat > \"$1\" <<'THE-END'\n{text}\nTHE-END"


def shell_put(key: str, value: str) -> str:
    """Write a whole Secret with one value."""
    return shell_write(
        secret_text(**{key: value}).replace("stringData", "type: Opaque\nstringData")
    )


class TestWithoutKey:
    """Placeholders stand for what is sealed."""

    def test_what_is_shown(self, sealed: Desk, editor: Editor) -> None:
        editor.will(shell_set("USER", "root"))
        run_edit(sealed)
        comments = editor.saw().splitlines()[:3]
        assert all(line.startswith("# ") for line in comments)
        assert editor.saw().splitlines()[3:] == [
            "apiVersion: v1",
            "kind: Secret",
            "metadata:",
            "  name: db",
            "  namespace: shop",
            "type: Opaque",
            "stringData:",
            '  PASSWORD: "<sealed>"',
            '  USER: "<sealed>"',
        ]

    def test_a_replaced_value_alone_is_sealed(self, sealed: Desk, editor: Editor) -> None:
        before = sealed.read(FILE).splitlines()
        editor.will(shell_set("USER", "root"))
        result = run_edit(sealed)
        assert (result.code, result.out) == (0, "")
        assert result.err == "set USER in db.yaml for prod, staging\n"
        after = sealed.read(FILE).splitlines()
        gone = [line.split(":")[0].strip() for line in before if line not in after]
        assert gone == ["USER"]
        assert "# who owns this: the shop" in after
        assert "kind: ConfigMap # stays" in after
        assert values(sealed) == {"PASSWORD": b"hunter2", "USER": b"root"}
        assert sealed.opens_in(sealed.read(FILE)) == {"prod", "staging"}

    def test_added_and_removed(self, sealed: Desk, editor: Editor) -> None:
        add = "printf '  A: x\\n  B: |\\n    one\\n    two\\n' >> \"$1\""
        editor.will(f'sed -i /USER/d "$1"; {add}')
        assert run_edit(sealed).err == "set A, B and removed USER in db.yaml for prod, staging\n"
        assert values(sealed) == {"A": b"x", "B": b"one\ntwo\n", "PASSWORD": b"hunter2"}

    def test_the_report_can_be_json(self, sealed: Desk, editor: Editor) -> None:
        editor.will("sed -i '/USER/d; s/PASSWORD: .*/PASSWORD: other/' $1")
        line = sealed.ok("edit", FILE, "--json").json
        assert [(one["set"], one["removed"]) for one in line] == [(["PASSWORD"], ["USER"])]
        editor.will("true")
        assert sealed.ok("edit", FILE, "--json").json == []

    def test_only_removed(self, sealed: Desk, editor: Editor) -> None:
        editor.will('sed -i /USER/d "$1"')
        assert run_edit(sealed).err == "removed USER in db.yaml\n"
        assert values(sealed) == {"PASSWORD": b"hunter2"}

    def test_bytes_and_marks_go_under_data(self, sealed: Desk, editor: Editor) -> None:
        encoded = base64.b64encode(b"\xff<sealed>").decode()
        editor.will(
            f'printf "data:\\n  USER: %s\\n" {encoded} >> "$1"; sed -i "/  USER: .<s/d" "$1"'
        )
        assert run_edit(sealed).code == 0
        assert values(sealed)["USER"] == b"\xff<sealed>"

    def test_all_values_may_go(self, sealed: Desk, editor: Editor) -> None:
        editor.will('sed -i -e /USER/d -e /PASSWORD/d "$1"')
        assert run_edit(sealed).err == "removed PASSWORD, USER in db.yaml\n"
        assert only_sealed(sealed.read(FILE))["spec"]["encryptedData"] == {}

    def test_a_mark_at_a_new_key(self, sealed: Desk, editor: Editor) -> None:
        editor.will("sed -i 's/USER/NAME/' \"$1\"")
        refused(sealed, run_edit(sealed), 1, "db.yaml:1: stringData.NAME: stands for no value")

    def test_one_of_several(self, desk: Desk, editor: Editor) -> None:
        desk.ok("seal", "-o", FILE, stdin=f"{secret_text('a')}---\n{secret_text('b')}")
        editor.will(shell_set("USER", "root"))
        assert run_edit(desk).code == 2
        assert editor.starts == 0
        assert run_edit(desk, "--name", "b").code == 0
        assert "name: b\n" in editor.saw()


class TestWithKey:
    """Values stand as they are."""

    def edited(self, desk: Desk, **world: Any) -> Result:
        return run_edit(desk, "--key", desk.key_file("prod"), **world)

    def test_values_are_shown_and_kept(self, sealed: Desk, editor: Editor) -> None:
        data = only_sealed(sealed.read(FILE))["spec"]["encryptedData"]
        editor.will(shell_set("USER", "root"))
        self.edited(sealed)
        assert "  PASSWORD: hunter2\n  USER: app\n" in editor.saw()
        assert values(sealed) == {"PASSWORD": b"hunter2", "USER": b"root"}
        after = only_sealed(sealed.read(FILE))["spec"]["encryptedData"]
        assert after["PASSWORD"] == data["PASSWORD"]

    def test_texts_of_several_lines_are_lines(self, desk: Desk, editor: Editor) -> None:
        desk.ok("seal", "--no-references", "-o", FILE, stdin=secret_text(**TEXTS))
        editor.will(shell_set("PASSWORD", "new"))
        assert self.edited(desk).err == "set PASSWORD in db.yaml for prod, staging\n"
        shown = editor.saw()
        assert "  CERT: |\n    -----BEGIN-----\n    abc\n\n      def\n    -----END-----\n" in shown
        assert "  NO_END: |-\n    a\n    b\n" in shown
        assert "data:\n  ALMOST: " in shown
        expected = {key: text.encode() for key, text in TEXTS.items()} | {"PASSWORD": b"new"}
        assert values(desk) == expected

    def test_the_same_value_in_other_words_keeps_its_bytes(
        self, sealed: Desk, editor: Editor
    ) -> None:
        before = sealed.read(FILE)
        editor.will(shell_set("USER", "\\x27app\\x27"))
        assert self.edited(sealed).err == "sealkit: note: nothing was changed in db.yaml\n"
        assert sealed.read(FILE) == before

    def test_a_key_that_does_not_fit(self, sealed: Desk, editor: Editor) -> None:
        editor.will()
        assert run_edit(sealed, "--key", sealed.key_file("lab")).code == 4
        assert editor.starts == 0


class TestReferences:
    """What is in Vault shows as it is spelt."""

    @pytest.fixture
    def referring(self, desk: Desk) -> Desk:
        text = secret_text(A="vault:kv/shop/db#password", B="plain", C="x${vault:kv/a#b}y")
        desk.ok("seal", "-o", FILE, "--cluster-store", "main", stdin=text)
        return desk

    def test_they_are_shown_and_changed(self, referring: Desk, editor: Editor) -> None:
        editor.will(shell_set("A", '"vault:kv/shop/db#other"'))
        assert run_edit(referring).code == 0
        assert '  A: "vault:kv/shop/db#password"\n  B: "<sealed>"\n  C: "x${' in editor.saw()
        assert (
            in_lines(only_sealed(referring.read(FILE))["spec"]["references"])["A"]
            == "vault:kv/shop/db#other"
        )

    def test_a_value_becomes_one_and_one_a_value(self, referring: Desk, editor: Editor) -> None:
        swap = [
            shell_set("A", "plain"),
            shell_set("B", '"p${vault:kv/c#d}"'),
            'sed -i "/ C:/d" "$1"',
        ]
        editor.will("\n".join(swap))
        result = run_edit(referring)
        assert result.code == 0
        assert result.err.startswith("sealkit: note: B: the text around its references is public")
        spec = only_sealed(referring.read(FILE))["spec"]
        assert list(spec["encryptedData"]) == ["A"]
        assert in_lines(spec["references"]) == {"B": "p${vault:kv/c#d}"}
        assert spec["vault"]["store"]["name"] == "main"

    def test_with_the_last_all_about_them_goes(self, referring: Desk, editor: Editor) -> None:
        editor.will('sed -i -e "/ A:/d" -e "/ C:/d" "$1"')
        assert run_edit(referring).code == 0
        assert not {"vault", "references"} & only_sealed(referring.read(FILE))["spec"].keys()

    def test_structured_ones(self, referring: Desk, editor: Editor) -> None:
        structured = "{mount: kv, path: a, key: b, optional: true}"
        editor.will(shell_set("A", structured), shell_set("B", "new"))
        assert run_edit(referring).code == 0
        before = only_sealed(referring.read(FILE))["spec"]["references"]
        assert before["A"]["optional"] is True
        assert run_edit(referring).code == 0
        assert "    optional: true\n" in editor.saw(2)
        assert only_sealed(referring.read(FILE))["spec"]["references"] == before

    def test_one_that_is_none(self, referring: Desk, editor: Editor) -> None:
        editor.will(shell_set("B", '"vault:of gold"'))
        result = run_edit(referring)
        assert (result.code, result.out) == (1, "")
        assert "db.yaml:1: stringData.B.key: has no '#'" in result.err
        assert "base64 under data" in result.err
        assert "gold" not in result.err

    def test_without_recipients_references_can_be_edited(self, bare: Desk) -> None:
        editor = Editor(bare.keys_folder / "editor")
        bare.environment |= {"EDITOR": str(editor.path), "PATH": os.environ["PATH"]}
        bare.ok("init")
        bare.ok("seal", "-o", FILE, stdin=secret_text(A="vault:kv/a#b"))
        editor.will(shell_set("A", '"vault:kv/a#c"'), shell_set("A", "plain"))
        assert run_edit(bare).err == "set A in db.yaml\n"
        result = run_edit(bare)
        assert result.code == 2
        assert "there is no cluster" in result.err


def refused(desk: Desk, result: Result, code: int, start: str) -> None:
    """A refusal that left the file as it was."""
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err
    assert values(desk) == {"PASSWORD": b"hunter2", "USER": b"app"}


class TestMistakes:
    """Nothing is lost, nothing half done."""

    @pytest.mark.parametrize(
        ("command", "start"),
        [
            (shell_write("a: ["), "the edited text:1: "),
            (shell_write("a"), "the edited text:1: is not exactly one Secret"),
            (
                shell_write("kind: Secret\n---\nkind: Secret"),
                "the edited text:1: is not exactly one",
            ),
            (
                "sed -i 's/  name: db/  name: other/' \"$1\"",
                "db.yaml:1: metadata: cannot be changed",
            ),
            ("sed -i '/^type/d' \"$1\"", "db.yaml:1: type: cannot be changed here"),
            ("sed -i '$a immutable: true' \"$1\"", "db.yaml:1: immutable: is not a field"),
            (shell_set("USER", "5432"), "db.yaml:1: stringData.USER: is not a string, quote it"),
            (shell_set("USER", ""), "db.yaml:1: stringData.USER: is not a string"),
            ("sed -i '$a \\  A B: x' \"$1\"", "db.yaml:1: data.A B: is not a data key"),
            ('printf \'data: {X: "?"}\' >> "$1"', "db.yaml:1: data.X: is not base64"),
            ("sed -i '$a data: []' \"$1\"", "db.yaml:1: data: is not a mapping"),
            (': > "$1"', "db.yaml:1: nothing was left in the editor"),
            ('rm "$1"', "db.yaml:1: nothing was left in the editor"),
            ("exit 3", "db.yaml:1: the editor '"),
            ("kill -9 $$", "db.yaml:1: the editor '"),
        ],
        ids=[
            *("no-yaml", "text", "two", "name", "type", "immutable", "number", "null", "key"),
            *("base64", "list", "emptied", "deleted", "failed", "killed"),
        ],
    )
    def test_what_is_wrong_changes_nothing(
        self, sealed: Desk, editor: Editor, command: str, start: str
    ) -> None:
        editor.will(command)
        refused(sealed, run_edit(sealed), 1, start)
        assert editor.starts == 1
        assert not any(path.exists() for path in editor.seen)

    def test_a_person_gets_it_back_with_the_error_above(self, sealed: Desk, editor: Editor) -> None:
        wrong = f"{shell_set('USER', '5432')}\n{shell_set('PASSWORD', '@')}"
        editor.will(wrong, shell_set("PASSWORD", "x"), shell_set("USER", '"5432"'))
        assert run_edit(sealed, answer="").code == 0
        first, second, *rest = editor.saw(2).splitlines()
        assert first.startswith("# sealkit: error: the edited text:1: ")
        assert second.startswith("# sealkit: hint: ")
        line = int(first.split("(line ")[1].split(",")[0])
        assert editor.saw(2).splitlines()[line - 1] == "  PASSWORD: @"
        assert rest[0] == editor.saw(1).splitlines()[0]
        lines = editor.saw(3).splitlines()
        assert lines[0] == "# sealkit: error: stringData.USER: is not a string, quote it"
        assert lines[2] == rest[0]
        assert values(sealed) == {"PASSWORD": b"x", "USER": b"5432"}

    def test_closing_it_as_it_was_gives_up(self, sealed: Desk, editor: Editor) -> None:
        editor.will(shell_set("USER", "5432"), ":")
        result = run_edit(sealed, answer="")
        assert (result.code, editor.starts) == (1, 2)
        assert "stringData.USER: is not a string" in result.err
        assert values(sealed)["USER"] == b"app"

    def test_emptying_it_gives_up(self, sealed: Desk, editor: Editor) -> None:
        editor.will(shell_set("USER", "5432"), ': > "$1"')
        refused(sealed, run_edit(sealed, answer=""), 1, "db.yaml:1: nothing was left")

    def test_undoing_the_mistake_changes_nothing(self, sealed: Desk, editor: Editor) -> None:
        before = (sealed.folder / FILE).stat()
        editor.will(shell_set("USER", "5432"), shell_set("USER", '"<sealed>"'))
        result = run_edit(sealed, answer="")
        assert (result.code, result.err) == (0, "sealkit: note: nothing was changed in db.yaml\n")
        assert (sealed.folder / FILE).stat().st_ino == before.st_ino

    def test_the_rules_of_the_type_hold_for_the_whole(self, desk: Desk, editor: Editor) -> None:
        text = secret_text(username="app").replace(
            "stringData", "type: kubernetes.io/basic-auth\nstringData"
        )
        desk.ok("seal", "-o", FILE, stdin=text)
        editor.will('sed -i "/username/d" "$1"', "sed -i 's/username: .*/password: x/' \"$1\"")
        result = run_edit(desk)
        assert (result.code, "basic-auth" in result.err) == (1, True)
        assert run_edit(desk).code == 0
        assert values(desk) == {"password": b"x"}

    def test_a_file_that_changed_meanwhile(self, sealed: Desk, editor: Editor) -> None:
        change = f"{shell_set('USER', 'root')}; echo '# new' >> {sealed.folder / FILE}"
        editor.will(change)
        refused(sealed, run_edit(sealed), 1, "db.yaml: was changed by somebody else meanwhile")
        assert sealed.read(FILE).endswith("# new\n")

    def test_drift_is_settled_first(self, sealed: Desk, editor: Editor) -> None:
        editor.will()
        sealed.config(clusters={"prod": sealed.entry("prod")})
        result = run_edit(sealed)
        assert (result.code, editor.starts) == (6, 0)

    def test_standard_input_is_no_file_to_edit(self, desk: Desk) -> None:
        assert "needs a file" in desk.run("edit", "-").err

    @pytest.mark.parametrize(
        ("editor", "message"),
        [
            ("/none/such", "the editor '/none/such' cannot be started: no such file"),
            ("vi 'x", "$SEALKIT_EDITOR: has a quote that is not closed"),
        ],
    )
    def test_an_editor_that_is_none(self, sealed: Desk, editor: str, message: str) -> None:
        sealed.environment["SEALKIT_EDITOR"] = editor
        refused(sealed, run_edit(sealed), 2, f"db.yaml:1: {message}")


class TestEditor:
    """How it is found, and whether it waits."""

    def test_the_first_that_is_set_counts(self) -> None:
        everything = {"SEALKIT_EDITOR": " ", "VISUAL": "code --wait", "EDITOR": "ed"}
        assert editor_of(everything) == ["code", "--wait"]
        assert editor_of({"SEALKIT_EDITOR": "a 'b c'", "EDITOR": "ed"}) == ["a", "b c"]
        assert editor_of({}) == ["vi"]

    def test_one_that_comes_back_at_once(self, sealed: Desk) -> None:
        before = (sealed.folder / FILE).stat().st_ino
        sealed.environment["SEALKIT_EDITOR"] = "true"
        result = run_edit(sealed)
        assert (result.code, result.out) == (0, "")
        hint, note = result.err.splitlines()
        assert hint.endswith("tell it to wait for you: SEALKIT_EDITOR='true --wait'")
        assert note == "sealkit: note: nothing was changed in db.yaml"
        assert (sealed.folder / FILE).stat().st_ino == before

    def test_one_that_saves_the_same_has_waited(self, sealed: Desk, editor: Editor) -> None:
        editor.will('touch "$1"')
        assert run_edit(sealed).err == "sealkit: note: nothing was changed in db.yaml\n"

    @pytest.mark.parametrize(("seconds", "untouched"), [(0.9, True), (1.1, False)])
    def test_a_second_is_enough_to_read(
        self,
        tmp_path: Path,
        seconds: float,
        untouched: bool,  # noqa: FBT001 (a column)
    ) -> None:
        times = iter((10.0, 10.0 + seconds))
        saved = edit(tmp_path / "x", Sensitive(b"x"), ["true"], os.environ, lambda: next(times))
        assert saved == Saved(Sensitive(b"x"), untouched)


class TestScratch:
    """The file is private, in memory, and gone in the end."""

    def test_modes(self, sealed: Desk, editor: Editor) -> None:
        editor.will(shell_set("USER", "root"))
        run_edit(sealed)
        (file, mode), (folder, folder_mode) = editor.seen.items()
        assert (file.name, mode, folder_mode) == (NAME, "600", "700")
        assert folder.name.startswith(PREFIX)
        assert not folder.exists()

    def test_what_editors_leave_beside_it_goes_too(self, sealed: Desk, editor: Editor) -> None:
        editor.will('cp "$1" "$1~"; mkdir "$(dirname "$1")/undo"; cp "$1" "$(dirname "$1")/undo"')
        run_edit(sealed)
        assert not any(path.exists() for path in editor.seen)

    def test_in_memory(self) -> None:
        mounts = (
            "/dev/sda / ext4 rw 0 0\ntmpfs /shm tmpfs rw 0 0\ntmpfs /run/a\\040b tmpfs rw 0 0\n"
            "tmpfs /run/user tmpfs rw 0 0\n/dev/sdb /run/user ext4 rw 0 0\n"
        )
        found = [
            is_in_memory(Path(path), mounts)
            for path in ("/shm", "/shm/x", "/shmx", "/run/a b", "/run/user", "/srv")
        ]
        assert found == [True, True, False, True, False, False]
        assert not is_in_memory(Path("/shm"), "")

    def test_no_folder_in_memory(self, tmp_path: Path) -> None:
        none = tmp_path / "none"
        with pytest.raises(UsageError) as raised:
            folder_in_memory({"XDG_RUNTIME_DIR": str(tmp_path)}, mounts_file=none)
        assert "--allow-disk" in raised.value.hint
        found = folder_in_memory({"TMPDIR": str(tmp_path)}, allow_disk=True, mounts_file=none)
        assert found == tmp_path
        assert folder_in_memory({}, allow_disk=True, mounts_file=none).is_dir()

    def test_a_folder_in_memory_is_found(self, tmp_path: Path) -> None:
        mounts = tmp_path / "mounts"
        mounts.write_text(f"tmpfs {tmp_path} tmpfs rw 0 0\n")
        environment = {"XDG_RUNTIME_DIR": str(tmp_path)}
        assert folder_in_memory(environment, mounts_file=mounts) == tmp_path

    def test_what_killed_ones_left_is_removed(self, tmp_path: Path) -> None:
        (tmp_path / f"{PREFIX}dead").mkdir()
        (tmp_path / f"{PREFIX}dead" / NAME).write_text("x")
        (tmp_path / f"{PREFIX}link").symlink_to(tmp_path)
        (tmp_path / f"{PREFIX}file").write_text("x")
        with scratch(tmp_path) as mine, scratch(tmp_path) as other:
            assert mine.parent.is_dir()
            assert other.parent.is_dir()
            names = {path.name for path in tmp_path.iterdir()}
        assert names == {mine.parent.name, other.parent.name, f"{PREFIX}link", f"{PREFIX}file"}
        assert not mine.parent.exists()

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        with pytest.raises(SealkitError, match="no folder can be made"), scratch(tmp_path / "none"):
            pass

    def test_signals_are_as_before(self, tmp_path: Path) -> None:
        before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
        with scratch(tmp_path):
            os.kill(os.getpid(), signal.SIGINT)  # for the editor, not for us
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.parametrize(
    ("number", "stubborn"),
    [
        (signal.SIGTERM, False),
        (signal.SIGHUP, False),
        (signal.SIGINT, False),
        (signal.SIGTERM, True),
    ],
    ids=["terminate", "hang-up", "interrupt", "an-editor-that-stays"],
)
def test_a_signal_while_the_editor_runs_leaves_nothing(
    sealed: Desk,
    tmp_path: Path,
    number: signal.Signals,
    stubborn: bool,  # noqa: FBT001 (a column)
) -> None:
    before = sealed.read(FILE)
    for name in ("ready", "done"):
        os.mkfifo(tmp_path / name)
    script = tmp_path / "editor.py"
    script.write_text(
        "import os, signal, sys\n"
        + ("signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" if stubborn else "")
        + f"open({str(tmp_path / 'ready')!r}, 'w').write(f'{{os.getpid()}} {{sys.argv[1]}}')\n"
        f"open({str(tmp_path / 'done')!r}).read()\n"
    )
    environment = {**os.environ, "SEALKIT_EDITOR": f"{sys.executable} {script}"}
    command = [sys.executable, "-m", "sealkit", "edit", FILE, "--allow-disk"]
    with subprocess.Popen(
        command, cwd=sealed.folder, env=environment, stderr=subprocess.PIPE
    ) as process:
        editor, path = (tmp_path / "ready").read_text().split(" ", 1)
        assert Path(path).is_file()
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
        process.send_signal(number)
        if number == signal.SIGINT:  # the editor's business: sealkit waits for it
            (tmp_path / "done").write_text("")
        code = process.wait(timeout=60)
    assert code == (0 if number == signal.SIGINT else 128 + number)
    assert not Path(path).parent.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(editor), 0)
    assert sealed.read(FILE) == before


@pytest.mark.parametrize(
    "command",
    [
        shell_put("PASSWORD", CANARY),
        shell_write(f"stringData:\n  A: {CANARY}\n  B: @"),
        shell_write(f"stringData: {{A: [{CANARY}]}}"),
        shell_write(f"{CANARY}"),
        f"{shell_set('USER', f'vault:{CANARY}')}",
        f'printf "data: {{X: {CANARY}}}" >> "$1"',
        shell_set("PASSWORD", f"!!binary {CANARY}"),
        f"{shell_set('PASSWORD', CANARY)}; exit 1",
    ],
    ids=["fine", "no-yaml", "list", "text", "reference", "base64", "tag", "failed"],
)
@pytest.mark.parametrize("with_key", [False, True], ids=["marks", "values"])
def test_no_value_shows(
    desk: Desk,
    editor: Editor,
    command: str,
    with_key: bool,  # noqa: FBT001 (a column)
) -> None:
    desk.ok("seal", "-o", FILE, stdin=secret_text(PASSWORD=CANARY, USER="app"))
    editor.will(command)
    result = run_edit(desk, *(("--key", desk.key_file("prod")) if with_key else ()))
    assert editor.starts == 1
    assert CANARY not in result.out + result.err + desk.read(FILE)
    assert (CANARY in editor.saw()) is with_key


NEAR = st.text("a-:#|> \n\t'\"\\{}[]&*!%@`,?~0\r\x00é\u2028<sealed>vault:${}", max_size=12)


@given(st.dictionaries(st.sampled_from("abc"), st.one_of(NEAR.map(str.encode), st.binary())))
def test_what_is_shown_reads_as_what_was_sealed(data: dict[str, bytes]) -> None:
    private = key_of("prod")
    keys = {private.kid: private}
    secret = Secret("db", "shop", {key: Sensitive(one) for key, one in data.items()})
    sealed = seal(secret, [private.public], Scope.STRICT, os.urandom)
    opened = open_values(sealed, keys)
    shown = draft(sealed, opened)
    # As if all of it had been typed: nothing is known of what was there before.
    typed = plan(sealed, None, draft(sealed, None), Sensitive(shown.reveal()))
    assert not typed.references
    assert {key: value.reveal() for key, value in typed.values.items()} == data
    unchanged = plan(sealed, opened, shown, shown)
    assert unchanged.kept == frozenset(data)
    assert not unchanged.values
