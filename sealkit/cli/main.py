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

INTERRUPTED: Final = 130
# Verb to the module that holds it; a module is imported when its verb runs, and only then.
_MODULES: Final = {
    "clusters": "clusters",
    "demo": "demo",
    "init": "init",
    "inspect": "inspect",
    "sandbox": "sandbox",
    "seal": "seal",
    "set": "change",
    "unseal": "unseal",
    "unset": "change",
    "version": "version",
}
_HELP: Final = {
    "clusters": "Clusters that this repository seals for.",
    "demo": "Show the whole journey on this machine, without a cluster.",
    "init": "Start using sealkit in a repository.",
    "inspect": "Show who can open a manifest and what it holds, without any key.",
    "sandbox": "Run a small API server and the controller for development.",
    "seal": "Turn Secrets into SealedSecrets that may be committed.",
    "set": "Add or change values of a manifest without any private key.",
    "unseal": "Turn SealedSecrets back into Secrets with a private key.",
    "unset": "Remove values from a manifest.",
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
    app = app or App.of_process()
    try:
        result = cli.main(list(arguments), "sealkit", standalone_mode=False, obj=app)
    except click.ClickException as error:
        return _report(app, _misuse(error))
    except SealkitError as error:
        return _report(app, error)
    except (click.Abort, KeyboardInterrupt):
        app.say("sealkit: interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        sys.stderr.close()
        return 1
    return result if isinstance(result, int) else 0


def _misuse(error: click.ClickException) -> UsageError:
    message = error.format_message()
    context = getattr(error, "ctx", None)
    hint = f"{context.command_path if context else 'sealkit'} --help"
    return UsageError(message[:1].lower() + message[1:].rstrip("."), hint=hint)


def _report(app: App, error: SealkitError) -> int:
    app.say(f"sealkit: error: {error}")
    if error.hint:
        app.say(f"sealkit: hint: {error.hint}")
    return error.exit_code
