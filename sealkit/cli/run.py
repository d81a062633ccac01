"""`sealkit run`: a local program gets the values, in its environment or as files in memory."""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

import click

from sealkit.cli.app import App
from sealkit.cli.view import Opened, open_file
from sealkit.errors import SealkitError, UsageError
from sealkit.files import PRIVATE_MODE, reason_of, write_atomically
from sealkit.sensitive import Sensitive

FOLDER: Final = "SEALKIT_DIR"

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Whoever can seal for a cluster could otherwise choose what is executed here.
_LOADING: Final = re.compile(
    "PATH|IFS|ENV|BASH_ENV|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|GCONV_PATH|(LD|DYLD)_.*"
    "|PYTHON(PATH|HOME|STARTUP)|NODE_(OPTIONS|PATH)|PERL5?(LIB|OPT|DB)|RUBY(LIB|OPT)"
    "|(_JAVA|JDK_JAVA|JAVA_TOOL)_OPTIONS|GIT_.*"
)


def _signals(*names: str) -> frozenset[signal.Signals]:
    """Return those of some signals that this system has; Windows has few."""
    return frozenset(getattr(signal, name) for name in names if hasattr(signal, name))


# Python ignores these, and what it starts would too.
_IGNORED_HERE: Final = _signals("SIGPIPE", "SIGXFSZ")
_PASSED_ON: Final = _signals("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
_WATCHED: Final = _PASSED_ON | _signals("SIGCHLD")
_POLL_SECONDS: Final = 1.0  # in case that another thread took the signal


class Command(NamedTuple):
    """A program that was found, and its whole command line, which holds no value."""

    program: str
    line: tuple[str, ...]


class _WithCommand(click.Command):
    """A command whose own arguments end at the first `--`; a program and its own follow."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the program away, and parse the rest."""
        own, rest = args, list[str]()
        if "--" in args:
            place = args.index("--")
            own, rest = args[:place], args[place + 1 :]
        ctx.meta[__name__] = tuple(rest)
        return super().parse_args(ctx, own)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Say that a program follows."""
        return [*super().collect_usage_pieces(ctx), "-- PROGRAM [ARGUMENT]..."]


@click.command("run", cls=_WithCommand)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--key",
    "keys",
    multiple=True,
    required=True,
    metavar="FILE",
    help="Key Secrets of the controller, as `kubectl get -o yaml` prints them; repeatable.",
)
@click.option("--env", "as_env", is_flag=True, help="As environment variables, the default.")
@click.option(
    "--file", "as_files", is_flag=True, help=f"As files in memory, in the folder ${FOLDER}."
)
@click.option("--prefix", default="", metavar="TEXT", help="Begin the names of variables so.")
@click.pass_context
def run_command(
    context: click.Context,
    files: tuple[str, ...],
    keys: tuple[str, ...],
    as_env: bool,
    as_files: bool,
    prefix: str,
) -> None:
    """Run PROGRAM with the values of all manifests in FILEs.

    Its exit code is that of the program, 128 and the number of the signal if one ended it.
    """
    app: App = context.obj
    line: tuple[str, ...] = context.meta[__name__]
    if as_files and (as_env or prefix):
        raise UsageError("--file goes neither with --env nor with --prefix")
    if not line:
        hint = "sealkit run FILE --key FILE -- PROGRAM"
        raise UsageError("there is no program to run", hint=hint)
    command = _found(app, line)
    opened = [one for file in dict.fromkeys(files) for one in open_file(app, file, keys)]
    if as_files:
        raise click.exceptions.Exit(run_with_files(app, command, opened))
    run_with_variables(app, command, opened, prefix)


def _found(app: App, line: tuple[str, ...]) -> Command:
    import shutil  # noqa: PLC0415 (cold start)

    program = shutil.which(line[0], path=app.environment.get("PATH"))
    if program is None:
        raise UsageError(f"there is no program {line[0]!r}")
    return Command(program, line)


def run_with_variables(
    app: App, command: Command, opened: Sequence[Opened], prefix: str
) -> NoReturn:
    """Become the program, with the values in its environment.

    A value in Vault may be there already, set by the user.

    Raises:
        UsageError: a value cannot be a variable, or is not known here.
        SealkitError: the program cannot be started.
    """
    given = (name for name in app.environment if name.startswith(prefix))
    values = _collected(opened, {name.removeprefix(prefix) for name in given})
    for key, value in values.items():
        _check_variable(key, prefix, value)
    variables = {f"{prefix}{key}": value.reveal() for key, value in values.items()}
    if sys.platform == "win32":
        raise click.exceptions.Exit(_wait_for(command, app.environment, variables))
    _become(command, {**app.environment, **variables})


def _check_variable(key: str, prefix: str, value: Sensitive) -> None:
    name, hint = f"{prefix}{key}", "--file gives values as files"
    if not _VARIABLE.fullmatch(name):
        raise UsageError(f"{name!r} is no name of a variable", field=key, hint=hint)
    if _LOADING.fullmatch(name):
        what = f"{name} would change what is executed"
        raise UsageError(what, field=key, hint=f"pass --prefix, or {hint}")
    if b"\0" in value.reveal():
        raise UsageError("holds a NUL byte, which no variable can", field=key, hint=hint)


def _wait_for(
    command: Command, environment: Mapping[str, str], variables: Mapping[str, bytes]
) -> int:
    """Run the program, and return its exit code: on Windows no process can become another."""
    import subprocess  # noqa: PLC0415 (rare: cold start)

    texts = {name: value.decode(errors="surrogateescape") for name, value in variables.items()}
    try:
        # The user's own choice of a program, run without a shell.
        return subprocess.call(  # noqa: S603 (same)
            command.line, executable=command.program, env={**environment, **texts}
        )
    except OSError as error:
        raise _not_started(command, error) from error


def _become(command: Command, environment: Mapping[str, str | bytes]) -> NoReturn:
    before = {number: signal.signal(number, signal.SIG_DFL) for number in _IGNORED_HERE}
    try:
        os.execve(command.program, command.line, environment)  # noqa: S606 (no shell is wanted)
    except OSError as error:
        raise _not_started(command, error) from error
    finally:  # we are still here
        for number, handler in before.items():
            signal.signal(number, handler)


def _not_started(command: Command, error: OSError) -> SealkitError:
    hint = "--file has room for large values" if error.errno == errno.E2BIG else ""
    what = f"{command.line[0]!r} cannot be started: {reason_of(error)}"
    return SealkitError(what, hint=hint)


def _collected(
    opened: Sequence[Opened], elsewhere: Collection[str] = frozenset()
) -> dict[str, Sensitive]:
    """Return the values of all manifests by key; those in Vault may be `elsewhere`."""
    values: dict[str, Sensitive] = {}
    for one in opened:
        with one.found.located():
            for key in (*one.sealed.references, *one.made):
                if key not in elsewhere:
                    hint = "as a variable, set it yourself: that is then used"
                    raise UsageError("comes from Vault, it is not here", field=key, hint=hint)
            if twice := sorted(values.keys() & one.data.keys()):
                raise UsageError("is in another manifest too", field=twice[0])
            values |= {key: one.data[key] for key in one.data if key not in one.made}
    return values


def run_with_files(app: App, command: Command, opened: Sequence[Opened]) -> int:
    """Run the program with a folder of files that is gone when it ends; return its exit code.

    Signals that are sent to this process go to the program. What is typed at a terminal, such as
    Ctrl-C, the program gets from there.

    Raises:
        UsageError: this is not Linux, there is no folder in memory, or a value is not known here.
        SealkitError: the program cannot be started, the files cannot be written.
    """
    values = _collected(opened)
    place = _memory(app)
    with _signals_held() as mask, _private_folder(app, place) as folder:
        for key, value in values.items():
            write_atomically(folder / key, value.reveal(), mode=PRIVATE_MODE)
        environment = {**app.environment, FOLDER: str(folder)}
        try:
            process = os.posix_spawn(
                command.program,
                command.line,
                environment,
                setsigmask=mask,
                setsigdef=_IGNORED_HERE,
            )
        except OSError as error:
            raise _not_started(command, error) from error
        return _exit_code(process)


def _memory(app: App) -> Path:
    from sealkit.cli.scratch import folder_in_memory  # noqa: PLC0415 (rare: cold start)

    if not hasattr(signal, "sigtimedwait"):
        raise UsageError("--file needs Linux", hint="--env gives values as variables")
    try:
        return folder_in_memory(app.environment)
    except UsageError:
        hint = "--env gives values as variables"
        raise UsageError("there is no folder in memory for --file", hint=hint) from None


@contextmanager
def _signals_held() -> Iterator[Collection[int]]:
    """Let signals wait until they are asked for; yield the mask that was before."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    try:
        yield mask
    finally:
        while signal.sigtimedwait(_WATCHED, 0):  # came while the folder went, or meant both of us
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def _private_folder(app: App, place: Path) -> Iterator[Path]:
    import shutil  # noqa: PLC0415 (cold start)

    folder = place / f"sealkit-run-{os.urandom(8).hex()}"
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        what = f"no folder can be made there: {reason_of(error)}"
        raise SealkitError(what).located(file=str(place)) from error
    try:
        yield folder
    finally:
        try:
            shutil.rmtree(folder)
        except OSError as error:
            app.say(f"sealkit: note: {folder} cannot be removed: {reason_of(error)}")


def _exit_code(process: int) -> int:
    """Wait for the end of the program, and pass on the signals that come meanwhile."""
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        came = signal.sigtimedwait(_WATCHED, _POLL_SECONDS)
        # Only those that a process sent: one of the kernel is from the terminal, for both of us.
        if came and came.si_signo in _PASSED_ON and came.si_code <= 0:
            os.kill(process, came.si_signo)
