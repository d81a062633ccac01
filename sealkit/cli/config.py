"""`sealkit config`: whether `.sealkit.yaml` is right, what it says of a file, and its schema."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.output import counted, print_json, print_report
from sealkit.config import NAME, Config, Rule, find_config, load_config
from sealkit.errors import ConfigError, SealkitError, UsageError
from sealkit.files import inside, is_file, slashed
from sealkit.keystore import last_day, pinned_recipient
from sealkit.lines import printable
from sealkit.manifests.scope import Scope

SOON: Final = timedelta(days=30)


class Level(StrEnum):
    """How bad it is: an error stops those who seal, a warning is worth a look."""

    ERROR = "error"
    WARNING = "warning"


class Finding(NamedTuple):
    """One thing that is wrong with a configuration, and what to do about it."""

    level: Level
    file: str
    document: int
    field: str
    problem: str
    hint: str

    def __str__(self) -> str:
        """Return the lines for people, in the form of every error."""
        place = f"{self.file}:{self.document}" if self.document else self.file
        said = ": ".join(part for part in (place, self.field, self.problem) if part)
        lines = [f"sealkit: {self.level}: {said}"]
        if self.hint:
            lines.append(f"sealkit: hint: {self.hint}")
        return "\n".join(printable(line) for line in lines)


@click.group("config")
def config_command() -> None:
    """Check and explain .sealkit.yaml."""


@config_command.command("check")
@click.argument("file", default="", metavar="[FILE]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def check_command(app: App, file: str, as_json: bool) -> None:
    """Check a configuration, its recipient files and its rules; without FILE, the nearest one.

    Globs that match no file and rules that never decide are warnings. Ends with 2 if sealing would
    fail.
    """
    path = app.path(file) if file else str(nearest(app))
    found = check(app, path)
    print_report(app, found, as_json=as_json)
    errors = sum(one.level is Level.ERROR for one in found)
    warnings = counted(len(found) - errors, "warning")
    if not as_json:
        app.say(f"checked {app.shown(path)}: {counted(errors, 'error')}, {warnings}")
    if errors:
        raise click.exceptions.Exit(ConfigError.exit_code)


@config_command.command("explain")
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def explain_command(app: App, file: str, as_json: bool) -> None:
    """Show which rule decides for FILE and why, and what it allows. FILE need not exist."""
    found = explain(app, file)
    if as_json:
        print_json(app, asdict(found))
    else:
        app.write(STDIO, "".join(f"{line}\n" for line in found.lines()))


@config_command.command("schema")
@click.pass_obj
def schema_command(app: App) -> None:
    """Print the JSON Schema of .sealkit.yaml, for editors: docs/config.schema.json."""
    from sealkit.cli.config_schema import schema  # noqa: PLC0415 (rare)

    print_json(app, schema())


def nearest(app: App) -> Path:
    """Return the path of the nearest configuration, right or wrong.

    Raises:
        UsageError: there is none.
    """
    here = Path(app.folder)
    for folder in (here, *here.parents):
        if is_file(folder / NAME):
            return folder / NAME
    raise UsageError(f"there is no {NAME} here or above", hint="sealkit init")


def check(app: App, path: str) -> list[Finding]:
    """Return what is wrong with a configuration: its text, else its recipient files and rules."""
    try:
        config = load_config(path)
    except SealkitError as error:
        file = app.shown(error.file)
        return [Finding(Level.ERROR, file, error.document, error.field, error.problem, error.hint)]
    recipients = recipient_findings(app, config, app.shown(path))
    return [*recipients, *_rule_findings(config, app.shown(path))]


def recipient_findings(app: App, config: Config, file: str) -> Iterator[Finding]:
    """Yield what is wrong with recipient files: missing, of another key, expired or soon so."""
    for cluster in config.clusters.values():
        field = f"clusters.{cluster.name}.recipient"
        path = config.file_of(cluster)
        try:
            found = pinned_recipient(path, cluster.kid, cluster.not_after, app.today())
        except SealkitError as error:
            said = ": ".join((app.shown(path), str(error).removeprefix(f"{error.file}: ")))
            hint = error.hint or f"sealkit clusters add {cluster.name} … --replace"
            yield Finding(Level.ERROR, file, 0, field, said, hint)
            continue
        last = last_day(found, cluster.not_after)
        if last and last - app.today() <= SOON:
            yield _expiring(cluster.name, last, Finding(Level.WARNING, file, 0, field, "", ""))


def _expiring(name: str, last: date, finding: Finding) -> Finding:
    hint = f"fetch the next key in time: sealkit clusters add {name} … --replace"
    return finding._replace(problem=f"the key may be sealed for until {last} only", hint=hint)


def _rule_findings(config: Config, file: str) -> Iterator[Finding]:
    """Yield the globs that match nothing, and the rules that others leave nothing to decide."""
    left = paths = list(ruled_files(config.folder)) if config.rules else []
    for number, rule in enumerate(config.rules):
        field = f"rules[{number}]"
        for glob in rule.paths:
            if not any(rule._replace(paths=(glob,)).matches(path) for path in paths):
                what = f"{glob!r} matches no file"
                hint = f"check the spelling; paths are relative to the folder of {NAME}"
                yield Finding(Level.WARNING, file, 0, f"{field}.paths", what, hint)
        rest = [path for path in left if not rule.matches(path)]
        if len(rest) == len(left) and any(rule.matches(path) for path in paths):
            what = "never decides: the rules before it cover every file that it matches"
            yield Finding(Level.WARNING, file, 0, field, what, "the first match wins: move it up")
        left = rest


def ruled_files(folder: str) -> Iterator[str]:
    """Yield the files that the configuration of a folder rules: not those of one further down."""
    for where, folders, names in os.walk(folder):
        folders[:] = [
            one
            for one in folders
            if one != ".git" and not os.path.isfile(os.path.join(where, one, NAME))
        ]
        yield from (slashed(os.path.relpath(os.path.join(where, name), folder)) for name in names)


@dataclass(frozen=True)
class Explanation:
    """What decides for a file. `rule` counts from 0 and is None where no rule decides.

    `later` are the rules that match as well; `refused` tells that there are rules, and none does.
    """

    file: str
    config: str
    path: str
    rule: int | None = None
    glob: str = ""
    clusters: tuple[str, ...] = ()
    scopes: tuple[Scope, ...] = ()
    later: tuple[int, ...] = ()
    refused: bool = False

    def lines(self) -> list[str]:
        """Return the lines for people."""
        lines = [f"{self.file}: {self._verdict()}"]
        if not self.refused:
            lines.append(f"  clusters: {', '.join(self.clusters) or 'none yet'}")
            lines.append(f"  scopes: {', '.join(self.scopes)}")
        lines += [f"  rules[{number}] matches as well, but comes later" for number in self.later]
        return [printable(line) for line in lines]

    def _verdict(self) -> str:
        if self.rule is not None:
            why = f"its {self.glob!r} is the first to match {self.path!r}"
            return f"rules[{self.rule}] of {self.config} decides, {why}"
        if self.refused:
            return f"no rule of {self.config} matches {self.path!r}, so that sealing is refused"
        return f"{self.config} has no rules, so that every cluster may open it"


def explain(app: App, file: str) -> Explanation:
    """Return what the nearest configuration, from the file upwards, says about it.

    Raises:
        UsageError: there is none.
        ConfigError: it is wrong.
    """
    target = app.place(file)
    config = find_config(os.path.dirname(target))
    path = inside(target, config.folder) if config else None
    if config is None or path is None:
        what = f"there is no {NAME} beside it or above"
        raise UsageError(what, hint="sealkit init").located(file=file)
    unruled = Explanation(file, app.shown(config.path), path, refused=bool(config.rules))
    if not config.rules:
        return replace(unruled, clusters=tuple(config.clusters), scopes=tuple(Scope))
    matching = [number for number, rule in enumerate(config.rules) if rule.matches(path)]
    return _ruled(unruled, config, matching, path) if matching else unruled


def _ruled(unruled: Explanation, config: Config, matching: list[int], path: str) -> Explanation:
    rule = config.rules[matching[0]]
    return replace(
        unruled,
        rule=matching[0],
        glob=_glob_of(rule, path),
        clusters=rule.clusters,
        scopes=rule.scopes,
        later=tuple(matching[1:]),
        refused=False,
    )


def _glob_of(rule: Rule, path: str) -> str:
    return next(glob for glob in rule.paths if rule._replace(paths=(glob,)).matches(path))
