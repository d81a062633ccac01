"""`sealkit git merge-driver`: what Git runs to merge a file with sealed manifests in it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from sealkit.cli.app import App
from sealkit.errors import SealkitError
from sealkit.lines import printable
from sealkit.markers import BASE, OURS, THEIRS
from sealkit.weaving import Lines, Texts, weave

_LABELS: Final = tuple(part for label in (OURS, BASE, THEIRS) for part in ("-L", label))


class MergeRequest(NamedTuple):
    """The three files that Git wrote, the size of conflict markers, and the path it is about."""

    base: str
    ours: str
    theirs: str
    marker_size: int
    path: str


def run(request: MergeRequest, app: App) -> None:
    """Merge into the file of our side. Whatever goes wrong, Git takes it for a conflict.

    Raises:
        SealkitError: there are conflicts, which are in the file then; or a file cannot be read or
            written, or git not be started, and the file is as it was.
    """
    texts = Texts(*(app.read(name) for name in (request.base, request.ours, request.theirs)))
    merge = Merge(_git(app), app, request.marker_size)
    woven = weave(texts, merge.lines, request.marker_size)
    if woven.text != texts.ours:
        app.write(request.ours, woven.text)
    label = request.path or request.ours
    if not woven.clean:
        what = f"both sides changed {', '.join(woven.fields) or 'lines'}"
        if woven.problem:
            what = f"both sides together are no manifest: {printable(woven.problem)}"
        hint = "choose between the conflict markers, then: git add"
        raise SealkitError(what, hint=hint).located(file=label)
    for name in woven.uneven:
        app.say(
            f"sealkit: note: {label}: the values of {name} open in different clusters now, as one"
            " side changed the clusters and the other values: seal those values again"
        )


def _git(app: App) -> str:
    program = shutil.which("git", path=app.environment.get("PATH"))
    if program is None:
        raise SealkitError("git is not installed")
    return program


class Merge(NamedTuple):
    """`git merge-file`, the way Git merges what has no driver."""

    git: str
    app: App
    marker_size: int

    def lines(self, texts: Texts) -> Lines:
        """Merge lines; ours as it is, with a conflict, if one of the texts is binary.

        The texts are written where only this user can read them, as Git itself does.

        Raises:
            SealkitError: a temporary file cannot be written.
        """
        with tempfile.TemporaryDirectory(prefix="sealkit-") as folder:
            names = [str(Path(folder, label)) for label in (OURS, BASE, THEIRS)]
            for name, text in zip(names, (texts.ours, texts.base, texts.theirs), strict=True):
                self.app.write(name, text)
            done = subprocess.run(  # noqa: S603 (no shell, and the program is git)
                [self.git, "merge-file", "--stdout", "--quiet", *self._options, *names],
                cwd=self.app.folder,
                env=dict(self.app.environment),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        if 0 <= done.returncode < 128:  # the number of conflicts
            return Lines(done.stdout, clean=done.returncode == 0)
        return Lines(texts.ours, clean=False)

    @property
    def _options(self) -> tuple[str, ...]:
        return (f"--marker-size={self.marker_size}", *_LABELS)
