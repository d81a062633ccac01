"""`sealkit doctor`: each thing that goes wrong is found, and nothing else is said to be wrong."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from sealkit import __version__
from sealkit.cli.doctor import Check, State, check_crypto, check_yaml, has_libyaml, run
from sealkit.errors import SealkitError
from tests.sealkit.cli.desk import CANARY, TODAY, Desk, key_of

GIT = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
MARKED = "*.sealed.yaml text diff=sealkit merge=sealkit\n# x merge=other\n"


@pytest.fixture
def healthy(desk: Desk) -> Desk:
    """A desk where everything is as it should be: its own PATH, and a repository of git."""
    folder = desk.keys_folder / "bin"
    folder.mkdir()
    for name in ("git", "sh", "env"):  # and nothing else of this machine
        (folder / name).symlink_to(shutil.which(name) or "")
    desk.environment |= {"PATH": str(folder), "EDITOR": "sh", **GIT}
    for name in ("sealkit", "kubectl", "kubectl-sealkit"):
        program(desk, name, f'{{"sealkit": "{__version__}"}}')
    git(desk, "init", "-q", "-b", "main")
    return desk


def program(desk: Desk, name: str, prints: str, code: int = 0) -> Path:
    path = desk.keys_folder / "bin" / name
    path.write_text(f"#!/bin/sh\necho '{prints}'\nexit {code}\n")
    path.chmod(0o755)
    return path


def git(desk: Desk, *arguments: str) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(desk.folder), **GIT}
    subprocess.run(["git", *arguments], cwd=desk.folder, env=environment, check=True)


def found(desk: Desk, name: str, *files: str | Path) -> list[Check]:
    """The checks with one id, and that the exit code agrees with all of them."""
    result = desk.run("doctor", "--json", *files)
    checks = [Check(**entry) for entry in result.json]
    assert result.code == any(check.state == State.FAIL for check in checks)
    assert result.err == ""
    return [check for check in checks if check.id == name]


def states(desk: Desk, name: str, *files: str | Path) -> list[str]:
    return [check.state for check in found(desk, name, *files)]


def test_everything_is_well(healthy: Desk) -> None:
    checks = healthy.ok("doctor", "--json").json
    assert {check["state"] for check in checks} == {"ok"}
    assert not any(check["hint"] for check in checks)


def test_as_text(healthy: Desk) -> None:
    healthy.environment["VAULT_ADDR"] = "http://vault"
    result = healthy.run("doctor")
    assert (result.code, result.err) == (1, "")
    lines = result.out.splitlines()
    assert lines[1] == "ok    yaml          PyYAML has libyaml"
    assert lines[-2].startswith("fail  vault         VAULT_ADDR begins with http://")
    assert lines[-1] == "                    hint: export VAULT_ADDR=https://…"
    assert "\x1b" not in result.out


def test_nothing_is_changed(healthy: Desk) -> None:
    before = healthy.files()
    healthy.ok("doctor")
    assert healthy.files() == before


class TestLibraries:
    """What everything else rests on."""

    def test_without_ml_kem(self) -> None:
        def work() -> str:
            raise SealkitError("there is no ML-KEM-768", hint="install the wheel")

        check = check_crypto(work)
        assert (check.state, check.message) == (State.FAIL, "there is no ML-KEM-768")
        assert check.hint == "install the wheel"

    def test_a_damaged_package(self) -> None:
        def work() -> str:
            raise ImportError("no hpke")

        assert check_crypto(work).state is State.FAIL

    def test_without_libyaml(self) -> None:
        assert check_yaml(lambda: False).state is State.FAIL

    def test_without_yaml_that_is_all_there_is(
        self, healthy: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "yaml", None)
        assert not has_libyaml()
        result = healthy.run("doctor", "--json")
        assert result.code == 1
        assert [check["id"] for check in result.json] == ["crypto", "yaml"]
        assert run.__module__ == "sealkit.cli.doctor"


class TestConfiguration:
    """`.sealkit.yaml` and recipient files."""

    def test_none(self, healthy: Desk) -> None:
        (healthy.folder / ".sealkit.yaml").unlink()
        (check,) = found(healthy, "config")
        assert (check.state, check.hint) == (State.WARN, "sealkit init")
        assert found(healthy, "recipients") == []

    def test_a_wrong_one(self, healthy: Desk) -> None:
        healthy.config(rules=[{"path": ["**"]}])
        (check,) = found(healthy, "config")
        assert check.state == State.FAIL
        assert check.message.startswith(".sealkit.yaml: rules[0].path: ")
        assert check.hint == "did you mean 'paths'?"
        assert found(healthy, "recipients") == []

    def test_a_wrong_one_further_down(self, healthy: Desk) -> None:
        healthy.write("apps/.sealkit.yaml", "nonsense")
        assert states(healthy, "config") == ["ok", "fail"]

    def test_no_cluster_yet(self, healthy: Desk) -> None:
        healthy.write(".sealkit.yaml", "apiVersion: sealkit.dev/config/v1\n")
        for name in ("prod", "staging"):
            (healthy.folder / ".sealkit" / f"{name}.pub").unlink()
        assert states(healthy, "recipients") == ["warn"]

    @pytest.mark.parametrize(
        ("last", "expected"),
        [
            pytest.param(date(2026, 10, 31), "fail", id="expired"),
            pytest.param(date(2026, 12, 1), "warn", id="in-30-days"),
            pytest.param(date(2026, 12, 2), "ok", id="in-31-days"),
        ],
    )
    def test_the_last_day(self, healthy: Desk, last: date, expected: str) -> None:
        assert date(2026, 11, 1) == TODAY
        healthy.recipient("prod", not_after=last)
        assert states(healthy, "recipients") == [expected]

    def test_another_key_than_pinned(self, healthy: Desk) -> None:
        healthy.recipient("prod", key="lab")
        (check,) = found(healthy, "recipients")
        assert check.state == State.FAIL
        assert key_of("lab").kid in check.message
        assert "--replace" in check.hint

    def test_a_missing_file(self, healthy: Desk) -> None:
        (healthy.folder / ".sealkit" / "prod.pub").unlink()
        (check,) = found(healthy, "recipients")
        assert check.state == State.FAIL
        assert "prod.pub" in check.message

    def test_a_key_that_nobody_pins(self, healthy: Desk) -> None:
        healthy.recipient("lab")
        healthy.write(".sealkit/junk.pub", "junk")
        (check,) = found(healthy, "recipients")
        assert check.state == State.WARN
        assert key_of("lab").kid in check.message


class TestPrivateKeys:
    """Keys in the repository, and keys that others can read."""

    @pytest.mark.parametrize("name", ["prod.key", "deploy/key.yaml", "key"])
    def test_in_the_repository(self, healthy: Desk, name: str) -> None:
        healthy.write(name, healthy.key_file("prod").read_bytes())
        (check,) = found(healthy, "private-keys")
        assert check.state == State.FAIL
        assert name in check.message

    def test_committed(self, healthy: Desk) -> None:
        healthy.write("prod.key", healthy.key_file("prod").read_bytes())
        git(healthy, "add", "prod.key")
        assert states(healthy, "private-keys") == ["fail"]
        (healthy.folder / "prod.key").unlink()
        assert states(healthy, "private-keys") == ["ok"]

    def test_ignored_by_git(self, healthy: Desk) -> None:
        healthy.write("prod.key", healthy.key_file("prod").read_bytes())
        healthy.write(".gitignore", "*.key\n")
        assert states(healthy, "private-keys") == ["ok"]

    def test_without_git(self, desk: Desk) -> None:
        desk.write("apps/prod.key", desk.key_file("prod").read_bytes())
        assert states(desk, "private-keys") == ["fail"]
        assert [check.message for check in found(desk, "git")] == [
            "this folder is in no git repository"
        ]

    def test_what_only_speaks_of_keys(self, healthy: Desk) -> None:
        healthy.write("a.yaml", "type: sealkit.dev/key\n")
        healthy.write("b.yaml", "sealkit.dev/key: [\n")
        healthy.write("c.png", healthy.key_file("prod").read_bytes())
        healthy.write("d.txt", b" " * (16 * 1024 * 1024 + 1))
        assert states(healthy, "private-keys") == ["ok"]

    @pytest.mark.parametrize(
        ("mode", "expected"), [(0o600, "ok"), (0o400, "ok"), (0o640, "fail"), (0o604, "fail")]
    )
    def test_who_else_reads_it(self, healthy: Desk, mode: int, expected: str) -> None:
        path = healthy.key_file("prod")
        path.chmod(mode)
        (check,) = found(healthy, "key-files", path)
        assert check.state == expected
        assert check.hint == ("" if expected == "ok" else f"chmod 600 {path}")

    def test_public_keys_may_be_read(self, healthy: Desk) -> None:
        assert states(healthy, "key-files", ".sealkit/prod.pub") == ["ok"]

    def test_a_file_that_is_not_there(self, healthy: Desk) -> None:
        assert states(healthy, "key-files", "none.key") == ["fail"]

    def test_no_key_is_shown(self, healthy: Desk) -> None:
        path = healthy.key_file("prod")
        seed = key_of("prod").seed.reveal()
        healthy.write("prod.key", path.read_bytes())
        healthy.write("x.yaml", path.read_text().replace("kind: Secret", f"kind: {CANARY}"))
        for form in ((), ("--json",)):
            result = healthy.run("doctor", *form, path)
            assert result.code == 1
            for spelling in (seed.hex(), base64.b64encode(seed).decode(), CANARY):
                assert spelling not in result.out + result.err


class TestGit:
    """Drivers that git is told to use, and what it keeps."""

    def test_named_and_missing(self, healthy: Desk) -> None:
        healthy.write(".gitattributes", MARKED)
        for name in ("git-diff", "git-merge"):
            (check,) = found(healthy, name)
            assert (check.state, check.hint) == (State.WARN, "sealkit git install")

    def test_named_further_up(self, healthy: Desk) -> None:
        healthy.write(".gitattributes", MARKED)
        (healthy.folder / "apps").mkdir()
        inner = Desk(healthy.folder / "apps", healthy.keys_folder, healthy.environment)
        assert states(inner, "git-merge") == ["warn"]

    def test_a_comment_names_nothing(self, healthy: Desk) -> None:
        healthy.write(".gitattributes", "# merge=sealkit\n")
        assert states(healthy, "git-merge") == ["ok"]

    @pytest.mark.parametrize(
        ("command", "expected"),
        [
            pytest.param("sealkit git textconv", "ok", id="this-one"),
            pytest.param("env X=1 sealkit git textconv", "ok", id="at-the-end-of-others"),
            pytest.param("/gone/sealkit git textconv", "fail", id="gone"),
            pytest.param("cat", "warn", id="something-else"),
            pytest.param("'sealkit", "warn", id="quote"),
        ],
    )
    def test_what_it_runs(self, healthy: Desk, command: str, expected: str) -> None:
        git(healthy, "config", "diff.sealkit.textconv", command)
        assert states(healthy, "git-diff") == [expected]

    def test_another_version(self, healthy: Desk) -> None:
        (healthy.keys_folder / "bin" / "old").mkdir()
        path = program(healthy, "old/sealkit", '{"sealkit": "0.0.1"}')
        git(healthy, "config", "merge.sealkit.driver", f"{path} git merge-driver %O %A %B")
        (check,) = found(healthy, "git-merge")
        assert check.state == State.WARN
        assert "0.0.1" in check.message

    def test_decrypted_values_that_are_cached(self, healthy: Desk) -> None:
        git(healthy, "config", "diff.sealkit.cachetextconv", "yes")
        git(healthy, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--allow-empty", "-qmx")
        git(healthy, "update-ref", "refs/notes/textconv/sealkit", "HEAD")
        assert states(healthy, "git-cache") == ["fail", "fail"]


class TestPrograms:
    """PATH, kubectl, the editor, Vault."""

    def test_not_on_path(self, healthy: Desk) -> None:
        (healthy.keys_folder / "bin" / "sealkit").unlink()
        assert states(healthy, "path") == ["warn"]

    @pytest.mark.parametrize(
        ("prints", "code", "said"),
        [
            pytest.param('{"sealkit": "0.0.1"}', 0, "version 0.0.1", id="another"),
            pytest.param('{"sealkit": "0.0.1"}', 1, "does not run", id="fails"),
            pytest.param("[]", 0, "does not run", id="other-json"),
            pytest.param("{}", 0, "does not run", id="no-version"),
            pytest.param("junk", 0, "does not run", id="no-json"),
        ],
    )
    def test_another_on_path(self, healthy: Desk, prints: str, code: int, said: str) -> None:
        program(healthy, "sealkit", prints, code)
        (check,) = found(healthy, "path")
        assert check.state == State.WARN
        assert said in check.message

    def test_kubectl_without_plugin(self, healthy: Desk) -> None:
        (healthy.keys_folder / "bin" / "kubectl-sealkit").unlink()
        assert states(healthy, "kubectl") == ["warn"]
        (healthy.keys_folder / "bin" / "kubectl").unlink()
        assert states(healthy, "kubectl") == ["ok"]

    @pytest.mark.parametrize(
        ("editor", "expected"),
        [
            pytest.param("sh -x", "ok", id="there"),
            pytest.param("no-such-editor", "warn", id="not-there"),
            pytest.param("'sh", "warn", id="quote"),
            pytest.param("code", "warn", id="comes-back-at-once"),
            pytest.param("code --wait", "ok", id="waits"),
        ],
    )
    def test_the_editor(self, healthy: Desk, editor: str, expected: str) -> None:
        program(healthy, "code", "")
        healthy.environment["SEALKIT_EDITOR"] = editor
        assert states(healthy, "editor") == [expected]

    @pytest.mark.parametrize(
        ("address", "expected"),
        [
            ("https://vault.example.com", "ok"),
            ("http://vault.example.com", "fail"),
            ("HTTP://vault.example.com:8200", "fail"),
            ("http://127.0.0.1:8200", "ok"),
            ("http://[::1]:8200", "ok"),
            ("http://[", "fail"),
            ("http://127.0.0.1.example.com", "fail"),
        ],
    )
    @pytest.mark.parametrize("name", ["VAULT_ADDR", "BAO_ADDR"])
    def test_vault_without_tls(self, healthy: Desk, name: str, address: str, expected: str) -> None:
        healthy.environment[name] = address
        assert states(healthy, "vault") == [expected]
