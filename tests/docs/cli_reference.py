"""The reference of all verbs in docs/cli.md, made from the command line itself.

`python -m tests.docs.cli_reference` writes it anew. Everything above the marker is written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from sealkit.cli.main import cli

COMMAND: Final = "python -m tests.docs.cli_reference"
PAGE: Final = Path(__file__).parents[2] / "docs" / "cli.md"
MARKER: Final = f"<!-- From here on: written by `{COMMAND}`, from the help texts. -->\n"


def page(current: str) -> str:
    """Return the page as it should be, given the page as it is.

    Raises:
        ValueError: the marker is not there exactly once.
    """
    if current.count(MARKER) != 1:
        raise ValueError(f"{PAGE.name} needs one line: {MARKER}")
    by_hand = current[: current.index(MARKER)]
    return f"{by_hand}{MARKER}\n## Verbs\n{''.join(_section(each) for each in contexts())}"


def contexts() -> Iterator[click.Context]:
    """Yield every verb, those of groups after their group, in alphabetic order."""
    with click.Context(cli, info_name="sealkit") as root:
        yield from _below(root)


def _below(parent: click.Context) -> Iterator[click.Context]:
    group = parent.command
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        if command is not None:
            context = click.Context(command, info_name=name, parent=parent)
            yield context
            yield from _below(context)


def _section(context: click.Context) -> str:
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    paragraphs = (command.help or "").split("\n\n")
    parts = [f"### {context.command_path}", f"```\n{usage}\n```"]
    parts += [" ".join(paragraph.split()) for paragraph in paragraphs]
    rows = [_row(context, option) for option in options(command)]
    if rows:
        parts.append("\n".join(["| Option | |", "| --- | --- |", *rows]))
    return "\n" + "\n\n".join(parts) + "\n"


def options(command: click.Command) -> list[click.Option]:
    """Return the options of a verb, without --help."""
    return [each for each in command.params if isinstance(each, click.Option)]


def _row(context: click.Context, option: click.Option) -> str:
    record = option.get_help_record(context)
    names, meaning = record or ("", "")
    names, meaning = (" ".join(part.replace("|", "\\|").split()) for part in (names, meaning))
    return f"| `{names}` | {meaning} |"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
