"""`sealkit git install` and `uninstall`: Git's configuration and `.gitattributes`.

Git never takes commands from a repository: the attributes are committed, the commands that they
name are set by each user.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from sealkit.cli.app import App
from sealkit.cli.output import counted
from sealkit.config import find_config
from sealkit.errors import UsageError
from sealkit.files import inside, read_bytes
from sealkit.git import Git, GitError

ATTRIBUTES: Final = ".gitattributes"

# Git quotes what it puts in the place of %P. "--": a path may begin with a dash.
_SETTINGS: Final = {
    "diff.sealkit.textconv": "sealkit git textconv --",
    "diff.sealkit.cachetextconv": "false",
    "merge.sealkit.name": "sealed manifests, merged value by value",
    "merge.sealkit.driver": "sealkit git merge-driver -- %O %A %B %L %P",
    "merge.sealkit.recursive": "binary",  # no markers of ours inside an ancestor that Git makes up
}
_SUFFIXES: Final = (".yaml", ".yml", ".json")
_ASSIGNED: Final = "diff=sealkit merge=sealkit"
_LINE: Final = re.compile(rf"(?:\"(?:[^\"\\]|\\.)*\"|[^\s\"]\S*)[ \t]+{_ASSIGNED}[ \t]*\r?\n?")


class Place(NamedTuple):
    """Where to set up: for one repository or for all of this user's; None: we are in none."""

    git: Git
    is_global: bool
    root: Path | None

    @property
    def scope(self) -> str:
        """The option of `git config`."""
        return "--global" if self.is_global else "--local"

    @property
    def whose(self) -> str:
        """Whose configuration it is, for people."""
        return "your own configuration" if self.is_global else "the configuration of this clone"

    @classmethod
    def of(cls, app: App, *, is_global: bool) -> Place:
        """Find the repository.

        Raises:
            UsageError: there is none, and one is needed.
            SealkitError: git cannot be started.
        """
        git = Git(app.folder, app.environment)
        try:
            return cls(git, is_global, git.root())
        except UsageError as error:
            if is_global:
                return cls(git, is_global, None)
            error.hint = "go to one, or set it up for all of yours: sealkit git install --global"
            raise


def install(app: App, *, is_global: bool) -> Iterator[str]:
    """Set up Git and yield a line for each thing done. Running it twice changes nothing.

    Raises:
        SealkitError: see `Place.of`; git refuses, or `.gitattributes` cannot be written.
        ConfigError: `.sealkit.yaml` is wrong, which says where manifests are.
    """
    place = Place.of(app, is_global=is_global)
    lines = [f"{pattern} {_ASSIGNED}" for pattern in _patterns(app, place.root)]
    present = _read(place.root)
    missing = [line for line in lines if line not in present.splitlines()]
    changed = {name: value for name, value in _SETTINGS.items() if _get(place, name) != value}
    for name, value in changed.items():
        place.git.run("config", place.scope, name, value)
    yield f"{'set' if changed else 'kept'} diff and merge in {place.whose}"
    if place.root is None:
        yield f"in a repository, run it again: {ATTRIBUTES} there says which files are meant"
    elif missing:
        _write(app, place.root, _with_lines(present, missing))
        yield f"added {counted(len(missing), 'line')} to {ATTRIBUTES}: commit it"
    else:
        yield f"kept {ATTRIBUTES}"
    if shutil.which("sealkit", path=app.environment.get("PATH")) is None:
        yield "sealkit: note: Git will not find sealkit: put it on your PATH"


def uninstall(app: App, *, is_global: bool) -> Iterator[str]:
    """Take away what `install` set and wrote, and nothing else; yield a line for each thing done.

    Raises:
        SealkitError: as `install`.
    """
    place = Place.of(app, is_global=is_global)
    present = _read(place.root)
    kept = [line for line in present.splitlines(keepends=True) if not _LINE.fullmatch(line)]
    names = [name for name in _SETTINGS if _get(place, name) is not None]
    for name in names:
        place.git.run("config", place.scope, "--unset-all", name)
    yield f"removed diff and merge from {place.whose}" if names else "nothing was set"
    number = len(present.splitlines()) - len(kept)
    if place.root and number:
        _write(app, place.root, "".join(kept))
        yield f"removed {counted(number, 'line')} from {ATTRIBUTES}"


def _get(place: Place, name: str) -> str | None:
    try:
        return place.git.run("config", place.scope, "--get", name).decode().removesuffix("\n")
    except GitError:
        return None


def _patterns(app: App, root: Path | None) -> Iterator[str]:
    """Yield what `.gitattributes` calls the files that may hold manifests."""
    yield from (f"*.sealed{suffix}" for suffix in _SUFFIXES)
    config = find_config(app.folder) if root else None
    if config is None or root is None or (folder := inside(config.folder, str(root))) is None:
        return
    prefix = "" if folder == "." else f"/{folder}"
    globs = dict.fromkeys(glob for rule in config.rules for glob in rule.paths)
    yield from (_quoted(f"{prefix}/{one}") for glob in globs for one in _in_files(glob))


def _in_files(glob: str) -> tuple[str, ...]:
    """Return the globs for the YAML and JSON files that a glob of a rule matches.

    What is under `prod/**` may be a picture, of which a text makes no sense.
    """
    if glob.endswith(_SUFFIXES):
        return (glob,)
    if glob == "**" or glob.endswith("/**"):
        return tuple(f"{glob}/*{suffix}" for suffix in _SUFFIXES)
    return ()


def _quoted(pattern: str) -> str:
    if not re.search(r'[\s"]', pattern):
        return pattern
    return '"' + pattern.replace('"', '\\"') + '"'


def _read(root: Path | None) -> str:
    if root is None or not (root / ATTRIBUTES).exists():
        return ""
    # Its other lines may be in any encoding, and keep their bytes.
    return read_bytes(root / ATTRIBUTES).decode(errors="surrogateescape")


def _with_lines(present: str, lines: list[str]) -> str:
    end = "\r\n" if "\r\n" in present else "\n"
    start = present if not present or present.endswith("\n") else present + end
    return start + "".join(line + end for line in lines)


def _write(app: App, root: Path, text: str) -> None:
    """Write `.gitattributes`; an empty one goes."""
    path = root / ATTRIBUTES
    if text:
        app.write(str(path), text)
    else:
        path.unlink()
