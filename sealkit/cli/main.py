"""The root command: loads verbs on demand and turns errors into text and exit codes, here only."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Final

import click

from sealkit import __version__
from sealkit.cli.app import App
from sealkit.errors import SealkitError, UsageError
from sealkit.files import reason_of
from sealkit.lines import printable

INTERRUPTED: Final = 130
# Verb to the module that holds it; a module is imported when its verb runs, and only then.
_MODULES: Final = {
    "clusters": "clusters",
    "compact": "compact",
    "completion": "completion",
    "config": "config",
    "create": "create",
    "demo": "demo",
    "diff": "diff",
    "doctor": "doctor",
    "edit": "edit",
    "export": "export",
    "git": "git",
    "import": "import_",
    "init": "init",
    "inspect": "inspect",
    "keys": "keys",
    "policy": "policy",
    "recover": "recover",
    "reseal": "reseal",
    "rewrap": "rewrap",
    "run": "run",
    "sandbox": "sandbox",
    "scan": "scan",
    "seal": "seal",
    "set": "change",
    "unseal": "unseal",
    "unset": "change",
    "vault": "vault",
    "view": "view",
    "verify": "verify",
    "version": "version",
}
_HELP: Final = {
    "clusters": "Clusters that this repository seals for.",
    "completion": "Print the script that lets a shell complete.",
    "config": "Check and explain .sealkit.yaml.",
    "compact": "Make manifests smaller that many changes have left their traces in.",
    "create": "Build a new Secret and seal it in one step.",
    "demo": "Show the whole journey on this machine, without a cluster.",
    "doctor": "Find what usually goes wrong here, and say how to mend it.",
    "diff": "Show what changed in sealed manifests, without any key.",
    "edit": "Edit the values of a manifest in an editor.",
    "export": "Turn manifests into SealedSecrets of Bitnami.",
    "git": "Readable diffs and merges value by value, without any key.",
    "import": "Convert documents and Secrets of other tools, for whole repositories.",
    "init": "Start using sealkit in a repository.",
    "inspect": "Show who can open a manifest and what it holds, without any key.",
    "keys": "Keys that a cluster has: their state, their backup, and what depends on them.",
    "policy": "Print admission policies: only sealed manifests make Secrets.",
    "recover": "Write the manifests of a cluster to files, when the repository is gone.",
    "reseal": "Encrypt all values anew, with new data keys or another scope.",
    "rewrap": "Let manifests open in the clusters of the configuration.",
    "run": "Give the values of manifests to a local program.",
    "sandbox": "Run a small API server and the controller for development.",
    "scan": "Find plaintext Secrets in files, in the index and in the history of Git.",
    "seal": "Turn Secrets into SealedSecrets that may be committed.",
    "set": "Add or change values of a manifest without any private key.",
    "unseal": "Turn SealedSecrets back into Secrets with a private key.",
    "unset": "Remove values from a manifest.",
    "vault": "Try references to Vault, and move values there.",
    "verify": "Check sealed manifests without a cluster and without a key.",
    "view": "Show the values inside a manifest, with a private key or from the cluster.",
    "version": "Show the versions of sealkit and of what it builds on.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported on first use; its help needs none of them."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names of all verbs, sorted."""
        return sorted(_MODULES)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Import the module of a verb and return its command."""
        if name not in _MODULES:
            return None
        module = importlib.import_module(f"sealkit.cli.{_MODULES[name]}")
        command: click.Command = getattr(module, f"{name}_command")
        return command

    def summaries(self) -> dict[str, str]:
        """Return what each verb does, in a line, without importing any."""
        return dict(sorted(_HELP.items()))

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_HELP.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sealkit", message="%(prog)s %(version)s")
def cli() -> None:
    """Keep Kubernetes Secrets in Git: sealed to your clusters, opened only inside them."""


def run(arguments: Sequence[str], app: App | None = None) -> int:
    """Run one command and return its exit code; `app` is the world it works in."""
    try:
        app = app or App.of_process()
    except SealkitError as error:
        if sys.stderr:
            sys.stderr.write(f"sealkit: error: {error}\n")
        return error.exit_code
    try:
        return _run(arguments, app)
    except BrokenPipeError:  # the reader of our output or of our talk went away
        return SealkitError.exit_code


def _run(arguments: Sequence[str], app: App) -> int:
    try:
        with cli.make_context("sealkit", list(arguments), obj=app) as context:
            cli.invoke(context)
    except click.exceptions.Exit as end:  # --help and --version
        return end.exit_code
    except BrokenPipeError:
        raise
    except (KeyboardInterrupt, EOFError, click.Abort):  # Ctrl-C, or Ctrl-D at a question
        app.say("sealkit: interrupted")
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        app.say(error.format_message())
        return UsageError.exit_code
    except Exception as error:  # noqa: BLE001 (the root: nothing may end in a traceback)
        return _report(app, _explained(error))
    return 0


def _explained(error: Exception) -> SealkitError:
    """Return an error as one that users can act on."""
    if isinstance(error, SealkitError):
        return error
    if isinstance(error, click.ClickException):
        return _misuse(error)
    if isinstance(error, OSError):
        return SealkitError(reason_of(error)).located(file=str(error.filename or ""))
    return _bug(error)


def _misuse(error: click.ClickException) -> UsageError:
    message = error.format_message()
    context = getattr(error, "ctx", None)
    hint = f"{context.command_path if context else 'sealkit'} --help"
    return UsageError(message[:1].lower() + message[1:].rstrip("."), hint=hint)


def _bug(error: Exception) -> SealkitError:
    """Say where a bug showed, but not what the exception says: it may quote a value."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "nowhere"
    return SealkitError(
        f"internal error: {type(error).__name__} at {place}",
        hint="this is a bug in sealkit: report this line with the output of `sealkit version`",
    )


def _report(app: App, error: SealkitError) -> int:
    # Both may come from a stranger's manifest: no escape sequences, no forged lines.
    error.file = printable(app.shown(error.file)) if error.file else ""
    error.field = printable(error.field)
    app.say(f"sealkit: error: {error}")
    if error.hint:
        app.say(f"sealkit: hint: {error.hint}")
    return error.exit_code
