"""`sealkit completion`: scripts for shells, and the candidates that they ask for.

The answer is in the form of Cobra's programs, which kubectl expects: a line for each candidate,
with a tab before what it means, and a last line `:0` if files fit as well, `:4` if not. Completing
reads the configuration for the names of clusters and nothing else, and never talks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import click

from sealkit.cli import completion_scripts as scripts
from sealkit.cli.app import STDIO, App
from sealkit.cli.main import LazyGroup, cli
from sealkit.config import find_config
from sealkit.errors import SealkitError

FILES: Final = ":0"  # ShellCompDirectiveDefault of Cobra
NO_FILES: Final = ":4"  # ShellCompDirectiveNoFileComp

# What the placeholders of options and arguments say if a path is expected.
_PATHS: Final = re.compile(r"FILE|PATH|FOLDER|DIR|SOURCE|KUBECONFIG")
_OF_CLUSTERS: Final = ("cluster", "clusters")


class Candidate(NamedTuple):
    """One way to go on: the whole word, and what it means."""

    value: str
    meaning: str = ""


class Answer(NamedTuple):
    """What may follow; `files` tells whether a path may."""

    candidates: tuple[Candidate, ...] = ()
    files: bool = False

    def __str__(self) -> str:
        """Return the lines for scripts."""
        lines = ["\t".join(part for part in one if part) for one in self.candidates]
        return "".join(f"{line}\n" for line in (*lines, FILES if self.files else NO_FILES))


@click.group("completion")
def completion_command() -> None:
    """Print the script that lets a shell complete verbs, options, clusters and files."""


@completion_command.command("bash")
@click.pass_obj
def bash_command(app: App) -> None:
    """Print the script for bash: put `source <(sealkit completion bash)` into ~/.bashrc."""
    app.write(STDIO, scripts.BASH)


@completion_command.command("zsh")
@click.pass_obj
def zsh_command(app: App) -> None:
    """Print the script for zsh: `source <(sealkit completion zsh)` after compinit in ~/.zshrc."""
    app.write(STDIO, scripts.ZSH)


@completion_command.command("fish")
@click.pass_obj
def fish_command(app: App) -> None:
    """Print the script for fish: write it to ~/.config/fish/completions/sealkit.fish."""
    app.write(STDIO, scripts.FISH)


@completion_command.command("powershell")
@click.pass_obj
def powershell_command(app: App) -> None:
    """Print the script for PowerShell.

    Put `sealkit completion powershell | Out-String | Invoke-Expression` into your $PROFILE.
    """
    app.write(STDIO, scripts.POWERSHELL)


@completion_command.command("kubectl")
@click.pass_obj
def kubectl_command(app: App) -> None:
    """Print the program that completes `kubectl sealkit`.

    Write it to a file `kubectl_complete-sealkit` in a folder on PATH and make it executable; the
    completion of kubectl itself (1.26 and later) does the rest.
    """
    app.write(STDIO, scripts.KUBECTL)


@completion_command.command("candidates", hidden=True)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.option("--last", default=None, metavar="WORD", help="The word to complete, if not in WORDS.")
@click.pass_obj
def candidates_command(app: App, words: tuple[str, ...], last: str | None) -> None:
    """Print what the last of WORDS may become; the scripts ask this."""
    *before, current = (*words, last) if last is not None else (words or ("",))
    app.write(STDIO, str(answer(app, before, current)))


@dataclass
class _Typed:
    """What the words before the cursor come to."""

    context: click.Context
    options: set[str] = field(default_factory=set)
    arguments: int = 0
    pending: click.Option | None = None
    ended: bool = False  # by `--`: there are no options any more

    @property
    def command(self) -> click.Command:
        return self.context.command


def answer(app: App, words: Sequence[str], current: str) -> Answer:
    """Return what the word under the cursor may become, after the words before it."""
    typed = _Typed(click.Context(cli, info_name="sealkit"))
    for word in words:
        _take(typed, word)
    if typed.pending:
        return _chosen(_values(app, typed.context, typed.pending), current)
    if current.startswith("-") and not typed.ended:
        return _option(app, typed, current)
    if isinstance(typed.command, click.Group):
        return _chosen(Answer(tuple(_verbs(typed.context, typed.command))), current)
    parameter = _argument(typed)
    return _chosen(_values(app, typed.context, parameter) if parameter else Answer(), current)


def _take(typed: _Typed, word: str) -> None:
    """Move on by one word."""
    if typed.pending:
        typed.pending = None
    elif word == "--" and not typed.ended:
        typed.ended = True
    elif word.startswith("-") and word != STDIO and not typed.ended:
        name, joined, _ = word.partition("=")
        typed.options.add(name)
        option = _options(typed.context).get(name)
        typed.pending = option if option and not joined and _takes_value(option) else None
    elif isinstance(typed.command, click.Group):
        command = typed.command.get_command(typed.context, word)
        command = command or click.Command(word)  # of which nothing is known
        typed.context = click.Context(command, info_name=word, parent=typed.context)
    else:
        typed.arguments += 1


def _options(context: click.Context) -> dict[str, click.Option]:
    return {
        name: parameter
        for parameter in context.command.get_params(context)
        if isinstance(parameter, click.Option) and not parameter.hidden
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


def _takes_value(option: click.Option) -> bool:
    return not (option.is_flag or option.count)


def _option(app: App, typed: _Typed, current: str) -> Answer:
    """Complete the name of an option, or the value that is joined to it."""
    options = _options(typed.context)
    name, joined, value = current.partition("=")
    if joined:
        option = options.get(name)
        found = _values(app, typed.context, option) if option else Answer()
        found = _chosen(found, value)
        return found._replace(
            candidates=tuple(one._replace(value=f"{name}={one.value}") for one in found.candidates)
        )
    open_ones = (
        Candidate(name, _sentence(option.help or ""))
        for name, option in options.items()
        if option.multiple or not typed.options & {*option.opts, *option.secondary_opts}
    )
    return _chosen(Answer(tuple(open_ones)), current)


def _argument(typed: _Typed) -> click.Argument | None:
    """Return the argument that comes next."""
    position = typed.arguments
    for parameter in typed.command.params:
        if isinstance(parameter, click.Argument):
            if parameter.nargs < 0 or position < parameter.nargs:
                return parameter
            position -= parameter.nargs
    return None


def _verbs(context: click.Context, group: click.Group) -> Iterator[Candidate]:
    if isinstance(group, LazyGroup):
        yield from (Candidate(*pair) for pair in group.summaries().items())
        return
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command and not command.hidden:
            yield Candidate(name, _sentence(command.help or ""))


def _values(app: App, context: click.Context, parameter: click.Parameter) -> Answer:
    """Return what an option or argument may be."""
    if isinstance(parameter.type, click.Choice):
        return Answer(tuple(Candidate(str(choice)) for choice in parameter.type.choices))
    if parameter.name in _OF_CLUSTERS or _names_a_cluster(context, parameter):
        return Answer(tuple(_clusters(app)))
    said = parameter.metavar or parameter.name or ""
    return Answer(files=_PATHS.search(said.upper()) is not None)


def _names_a_cluster(context: click.Context, parameter: click.Parameter) -> bool:
    """Tell whether it is the NAME of `sealkit clusters …`."""
    group = context.parent.info_name if context.parent else ""
    return group == "clusters" and parameter.name == "name"


def _clusters(app: App) -> Iterable[Candidate]:
    with suppress(SealkitError):
        config = find_config(app.folder)
        clusters = config.clusters.values() if config else ()
        return [Candidate(cluster.name, f"key {cluster.kid}") for cluster in clusters]
    return []


def _chosen(found: Answer, current: str) -> Answer:
    """Keep the candidates that the word under the cursor can become."""
    fitting = tuple(one for one in found.candidates if one.value.startswith(current))
    return found._replace(candidates=fitting)


def _sentence(text: str) -> str:
    """Return the first sentence of a help text, in one line."""
    line = " ".join(text.partition("\n\n")[0].split())
    return line.partition(". ")[0].partition("; ")[0].removesuffix(".")
