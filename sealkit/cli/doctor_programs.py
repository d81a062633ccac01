"""Checks of the programs beside us: git, kubectl, the editor, and another sealkit on PATH."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from sealkit import __version__
from sealkit.cli.app import App
from sealkit.cli.doctor import Check, State
from sealkit.errors import SealkitError, UsageError
from sealkit.git import Git

_TIMEOUT_SECONDS: Final = 30
_INSTALL: Final = "sealkit git install"
_NOTES: Final = "refs/notes/textconv/sealkit"
# The attribute of a file, the setting that it needs, and the id of the check.
_DRIVERS: Final = (
    ("diff=sealkit", "diff.sealkit.textconv", "git-diff"),
    ("merge=sealkit", "merge.sealkit.driver", "git-merge"),
)
# Editors that come back at once and go on elsewhere, unless they are told to wait.
_FORKING: Final = frozenset({"code", "codium", "cursor", "subl", "zed", "atom", "mate"})
_WAITING: Final = frozenset({"-w", "--wait"})


def check_git(app: App, git: Git | None) -> Iterator[Check]:
    """Check what git does with sealed manifests: how it shows and how it merges them."""
    if git is None:
        yield Check("git", State.OK, "this folder is in no git repository")
        return
    named = attributes_of(app, Path(git.folder))
    for attribute, setting, name in _DRIVERS:
        command = _setting(git, setting)
        if command:
            yield _judged(app, name, setting, command)
        elif attribute in named:
            what = f".gitattributes says {attribute}, but {setting} is not set in this clone"
            yield Check(name, State.WARN, what, _INSTALL)
        else:
            yield Check(name, State.OK, f".gitattributes does not say {attribute}")
    yield from _cached(git)


def attributes_of(app: App, root: Path) -> set[str]:
    """Return the attributes that apply to any file here, from this folder up to the root."""
    here = Path(app.folder).resolve()
    folders = [one for one in (here, *here.parents) if one.is_relative_to(root.resolve())]
    files = [folder / ".gitattributes" for folder in folders]
    words: set[str] = set()
    for path in files:
        with suppress(OSError):
            lines = path.read_text(errors="replace").splitlines()
            words |= {word for line in lines if line[:1] != "#" for word in line.split()[1:]}
    return words


def _setting(git: Git, name: str, *form: str) -> str:
    with suppress(SealkitError):  # not set
        return git.run("config", *form, "--get", name).decode(errors="replace").strip()
    return ""


def _cached(git: Git) -> Iterator[Check]:
    """Yield what git keeps of its output: in clear, for whoever fetches the notes."""
    setting = "diff.sealkit.cachetextconv"
    if _setting(git, setting, "--type=bool") == "true":
        what = f"{setting} is set: git would store decrypted values as objects"
        yield Check("git-cache", State.FAIL, what, f"git config --unset {setting}")
    if git.find_commit(_NOTES):
        what = f"{_NOTES} is there: git has stored what was shown, maybe decrypted"
        hint = f"git update-ref -d {_NOTES} && git gc --prune=now"
        yield Check("git-cache", State.FAIL, what, hint)


def _judged(app: App, name: str, setting: str, command: str) -> Check:
    """Judge the command that git was told to run."""
    program = _sealkit_in(command)
    if not program:
        return Check(name, State.WARN, f"{setting} does not run sealkit: {command!r}", _INSTALL)
    version = version_of(app, program)
    if not version:
        what = f"{setting} runs {program[0]!r}, which does not work here"
        return Check(name, State.FAIL, what, _INSTALL)
    if version != __version__:
        what = f"{setting} runs sealkit {version}, this one is {__version__}"
        return Check(name, State.WARN, what, _INSTALL)
    return Check(name, State.OK, f"{setting} runs this version")


def _sealkit_in(command: str) -> list[str]:
    """Return the beginning of a command that starts sealkit, also as `python -m sealkit`."""
    with suppress(ValueError):
        words = shlex.split(command)
        for number, word in enumerate(words, start=1):
            if Path(word).stem == "sealkit":
                return words[:number]
    return []


def version_of(app: App, command: Sequence[str]) -> str:
    """Return the version that another sealkit says it is, "" if it does not run."""
    program = shutil.which(command[0], path=app.environment.get("PATH"))
    if program is None:
        return ""
    # The user's own setting, asked for its version without a shell.
    with suppress(OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        done = subprocess.run(  # noqa: S603 (same)
            [program, *command[1:], "version", "--json"],
            cwd=app.folder,
            env=dict(app.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            check=True,
        )
        return str(json.loads(done.stdout)["sealkit"])
    return ""


def check_path(app: App) -> Check:
    """Check that hooks and other people's scripts get this version."""
    found = shutil.which("sealkit", path=app.environment.get("PATH"))
    if found is None:
        hint = "add its folder to PATH: hooks of git and kubectl look there"
        return Check("path", State.WARN, "sealkit is not on PATH", hint)
    version = version_of(app, [found])
    if version == __version__:
        return Check("path", State.OK, f"sealkit on PATH is this version, {version}")
    other = f"version {version}" if version else "does not run"
    what = f"sealkit on PATH, {found}, is {other}; this one is {__version__}"
    hint = "install both alike, or put the folder of this one first on PATH"
    return Check("path", State.WARN, what, hint)


def check_kubectl(app: App) -> Check:
    """Check that `kubectl sealkit` is found, where there is a kubectl."""
    path = app.environment.get("PATH")
    if shutil.which("kubectl", path=path) is None:
        return Check("kubectl", State.OK, "kubectl is not on PATH, sealkit does without")
    if shutil.which("kubectl-sealkit", path=path):
        return Check("kubectl", State.OK, "kubectl sealkit works")
    hint = "kubectl-sealkit is installed beside sealkit: add that folder to PATH"
    return Check("kubectl", State.WARN, "kubectl does not find its plugin sealkit", hint)


def check_editor(app: App) -> Check:
    """Check that there is an editor for `sealkit edit`, and that it waits."""
    from sealkit.cli.scratch import editor_of  # noqa: PLC0415 (not on every system)

    hint = "export SEALKIT_EDITOR=nano, or whatever you like"
    try:
        command = editor_of(app.environment)
    except UsageError as error:
        return Check("editor", State.WARN, str(error), hint)
    if shutil.which(command[0], path=app.environment.get("PATH")) is None:
        return Check("editor", State.WARN, f"there is no editor {command[0]!r} on PATH", hint)
    if Path(command[0]).stem in _FORKING and not _WAITING & set(command):
        what = f"{command[0]} comes back before you have edited anything"
        return Check("editor", State.WARN, what, f"export SEALKIT_EDITOR='{command[0]} --wait'")
    return Check("editor", State.OK, f"sealkit edit opens {command[0]}")
