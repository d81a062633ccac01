"""The way in: what this process brings along, and its exit."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealkit.__main__ import main
from sealkit.cli.app import App
from sealkit.cli.main import run
from sealkit.errors import SealkitError


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """A short command does without the garbage collector; the test run does not."""
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.parametrize(("argument", "code"), [("--version", 0), ("--none", 2)])
def test_main_ends_with_the_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    argument: str,
    code: int,
) -> None:
    monkeypatch.setattr(sys, "argv", ["sealkit", argument])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    capsys.readouterr()


def test_interrupted_while_modules_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupting:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sealkit.cli.main":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "sealkit.cli.main")
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130


def test_a_closed_standard_input_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    app = App.of_process()
    assert app.read("-") == b""
    assert not app.interactive()


def test_without_standard_output_nothing_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert run(["version"]) == 1
    assert capsys.readouterr().err == "sealkit: error: standard output is closed\n"


def test_a_folder_that_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(SealkitError, match="the current folder: no such file"):
        App.of_process()
