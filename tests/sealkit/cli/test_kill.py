"""Killed, torn or refused at every step of every write: each file is the old one or the new one.

A driver runs a verb again and again, each time in a copy of one folder and in a process of its own,
and lets something happen to it at its first, second, third… step on the file system.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
import yaml

from sealkit.cli.scratch import PREFIX, folder_in_memory
from sealkit.crypto.recipient import Recipient
from sealkit.foreign.bitnami import open_bitnami
from tests.sealkit.cli.desk import CANARY, Chancy, Desk, key_of, secret_text
from tests.vectors.bitnami import CERTIFICATE, ring

DRIVER: Final = """\
import errno, json, os, shutil, signal, sys
from pathlib import Path
from sealkit.cli.app import App
from sealkit.cli.main import cli, run

how, template, runs, stdin, arguments = sys.argv[1:]
arguments = json.loads(arguments)
cli.get_command(None, arguments[0])  # loaded once, before the forks
STEPS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.link", "os.symlink"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
fsync = os.fsync

def arm(number, told):
    left = [number]

    def step(descriptor=None):
        if how == "tear" and descriptor is None:
            return
        left[0] -= 1
        if left[0]:
            return
        os.write(told, b"!")
        if how == "tear":
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
        if how == "fail":
            raise OSError(errno.ENOSPC, "No space left on device")
        os.kill(os.getpid(), signal.SIGKILL)

    def hook(event, args):
        if event in STEPS or (event == "open" and args[2] & WRITING):
            step()

    def synced(descriptor):
        step(descriptor)
        fsync(descriptor)

    os.fsync = synced
    sys.addaudithook(hook)

for number in range(1, 500):
    folder = Path(runs, str(number))
    shutil.copytree(template, folder, symlinks=True)
    said = Path(runs, f"{number}.err")
    happened, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        os.dup2(os.open(stdin, os.O_RDONLY), 0)
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT), 2)
        arm(number, told)
        os._exit(run(arguments))
    os.close(told)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(number, code, flush=True)
    if not os.read(happened, 1):
        break
    os.close(happened)
"""

SECRETS: Final = {"PASSWORD": f"{CANARY}-old", "USER": "app"}
NEW: Final = f"{CANARY}-new"
REAL: Final = "elsewhere/real.yaml"
EXTERNAL: Final = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: db, namespace: shop}
spec:
  secretStoreRef: {name: vault}
  data:
  - {secretKey: PASSWORD, remoteRef: {key: shop/db, property: password}}
"""


@pytest.fixture
def desk(desk: Desk) -> Desk:
    return Chancy(desk.folder, desk.keys_folder)


@dataclass(frozen=True)
class Deed:
    """A verb, and what it needs. `private` is the one file that is to hold plain values."""

    prepare: Callable[[Desk], object]
    arguments: Callable[[Desk], list[str | Path]]
    stdin: str = ""
    private: str = ""


def plain(desk: Desk) -> None:
    """A plaintext Secret, and another behind a link, with a mode of its own."""
    desk.write("apps/a.yaml", secret_text("a", **SECRETS))
    real = desk.write(REAL, secret_text("b", **SECRETS))
    real.chmod(0o640)
    (desk.folder / "apps" / "link.yaml").symlink_to(f"../{REAL}")


def sealed(desk: Desk) -> None:
    plain(desk)
    desk.ok("seal", "-i", "apps/a.yaml", "apps/link.yaml")


def changed(desk: Desk) -> None:
    """Manifests of two envelopes each."""
    sealed(desk)
    desk.ok("set", "-f", "apps", "USER", stdin="app")


def drifted(desk: Desk) -> None:
    desk.config(clusters={"prod": desk.entry("prod")})
    sealed(desk)
    desk.config()


def foreign(desk: Desk) -> None:
    desk.write("apps/a.yaml", EXTERNAL)
    desk.write(REAL, EXTERNAL).chmod(0o640)
    (desk.folder / "apps" / "link.yaml").symlink_to(f"../{REAL}")


def merging(desk: Desk) -> None:
    """Two changes of one manifest."""
    sealed(desk)
    for name in ("base", "theirs"):
        shutil.copy(desk.folder / REAL, desk.folder / name)
    desk.ok("set", "theirs", "PASSWORD", stdin=NEW)
    desk.ok("set", REAL, "USER", stdin="root")


def unconfigured(desk: Desk) -> None:
    sealed(desk)
    for name in (".sealkit.yaml", ".gitattributes"):
        (desk.folder / name).unlink(missing_ok=True)


def lab(desk: Desk) -> None:
    sealed(desk)
    desk.write("lab.pub", str(Recipient("lab", key_of("lab").public, None)))


def editor(desk: Desk) -> None:
    sealed(desk)
    program = desk.keys_folder / "editor"
    program.write_text(f"#!/bin/sh\nsed -i 's|^  PASSWORD: .*|  PASSWORD: {NEW}|' \"$1\"\n")
    program.chmod(0o700)
    desk.environment |= {
        "SEALKIT_EDITOR": str(program),
        "TMPDIR": str(desk.keys_folder),
        "PATH": os.environ["PATH"],
    }


def with_key(*arguments: str) -> Callable[[Desk], list[str | Path]]:
    return lambda desk: [*arguments, "--key", desk.key_file("prod")]


def always(*arguments: str) -> Callable[[Desk], list[str | Path]]:
    return lambda _: list(arguments)


DEEDS: Final = {
    "seal": Deed(plain, always("seal", "-i", "apps/a.yaml", "apps/link.yaml")),
    "set": Deed(sealed, always("set", "-f", "apps", "PASSWORD"), NEW),
    "set-one": Deed(sealed, always("set", "apps/link.yaml", "PASSWORD"), NEW),
    "unset": Deed(sealed, always("unset", "-f", "apps", "USER")),
    "rewrap": Deed(drifted, with_key("rewrap", "apps")),
    "reseal": Deed(sealed, with_key("reseal", "apps")),
    "init": Deed(unconfigured, always("init")),
    "unseal": Deed(
        sealed, with_key("unseal", "apps/a.yaml", "-o", "plain.yaml"), private="plain.yaml"
    ),
    "export": Deed(
        sealed, with_key("export", "--to", "bitnami", "--cert", str(CERTIFICATE), "-i", "apps")
    ),
    "compact": Deed(changed, with_key("compact", "apps")),
    "merge": Deed(merging, always("git", "merge-driver", "base", REAL, "theirs")),
    "clusters": Deed(lab, always("clusters", "add", "lab", "lab.pub")),
    "import": Deed(foreign, always("import", "-i", "apps")),
    "edit": Deed(editor, always("edit", "--allow-disk", "apps/link.yaml")),
    "create": Deed(
        sealed,
        always("create", "c", "-n", "shop", "--from-literal-stdin", "P", "-o", "c.yaml"),
        NEW,
    ),
}


@dataclass(frozen=True)
class Runs:
    """What became of all runs: the desk of each, its exit code and what it said."""

    desk: Desk
    folder: Path
    codes: dict[int, int]
    private: str = ""

    @property
    def final(self) -> Desk:
        """The one that nothing happened to."""
        return self.of(max(self.codes))

    def of(self, number: int) -> Desk:
        return replace(self.desk, folder=self.folder / str(number), asked=[])

    def said(self, number: int) -> str:
        return (self.folder / f"{number}.err").read_text()


def runs_of(desk: Desk, deed: Deed, how: str, tmp_path: Path) -> Runs:
    deed.prepare(desk)
    given = desk.keys_folder / "stdin"
    given.write_text(deed.stdin)
    folder = tmp_path / "runs"
    folder.mkdir()
    words = json.dumps([str(word) for word in deed.arguments(desk)])
    command = [sys.executable, "-B", "-c", DRIVER, how, str(desk.folder), str(folder), str(given)]
    done = subprocess.run(
        [*command, words],
        env={**os.environ, **desk.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    pairs = (line.split() for line in done.stdout.splitlines())
    codes = {int(number): int(code) for number, code in pairs}
    return Runs(desk, folder, codes, deed.private)


def meaning(desk: Desk, content: bytes) -> object:
    """What a file says, whatever random values it holds: its text, and its values opened."""
    text = content.decode()
    if "kind: SealedSecret" not in text or "encryptedData" not in text:
        return text
    raw = yaml.safe_load(text)
    for eid in raw["spec"].get("envelopes", ()):
        text = text.replace(eid, "ID")
    shown = re.sub(r"[A-Za-z0-9+/]{40,}=*", "…", text)
    if "envelopes" in raw["spec"]:
        return shown, desk.values(content.decode())
    return shown, {name: one.reveal() for name, one in open_bitnami(raw, ring()).values.items()}


def check_whole(runs: Runs, number: int) -> None:
    """Every file is the old one or the new one; nothing plain is where it was not."""
    before, after = runs.desk.files(), runs.final.files()
    for name, content in runs.of(number).files().items():
        if Path(name).name.startswith(".sealkit-"):
            check_private(runs, number, name, content)
            continue
        if content != before.get(name):
            assert meaning(runs.desk, content) == meaning(runs.desk, after[name]), name
            check_private(runs, number, name, content)
    link = runs.of(number).folder / "apps" / "link.yaml"
    assert link.is_symlink()
    assert (link.stat().st_mode & 0o777) == 0o640
    assert before.keys() <= runs.of(number).files().keys()


def check_private(runs: Runs, number: int, name: str, content: bytes) -> None:
    """What is plain is only where it was asked for, and for nobody else to read."""
    if CANARY.encode() in content:
        assert runs.private, name
        assert ((runs.of(number).folder / name).stat().st_mode & 0o777) == 0o600, name


def check_again(runs: Runs, deed: Deed, number: int) -> None:
    """A second run ends the work, whatever the first left behind."""
    desk = runs.of(number)
    desk.ok(*deed.arguments(runs.desk), stdin=deed.stdin)
    after = {name: meaning(desk, content) for name, content in runs.final.files().items()}
    for name, content in desk.files().items():
        if not Path(name).name.startswith(".sealkit-"):
            assert meaning(desk, content) == after[name], name


@pytest.mark.parametrize("how", ["kill", "tear"])
@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS.keys())
def test_killed_at_every_step(desk: Desk, deed: Deed, how: str, tmp_path: Path) -> None:
    runs = runs_of(desk, deed, how, tmp_path)
    *killed, last = runs.codes
    assert [runs.codes[number] for number in killed] == [-signal.SIGKILL] * len(killed)
    assert (runs.codes[last], len(killed) >= 1) == (0, True), runs.said(last)
    assert len(killed) >= 4 or how == "tear"
    for number in runs.codes:
        check_whole(runs, number)
    for number in killed:
        check_again(runs, deed, number)
    check_memory(desk)


def check_memory(desk: Desk) -> None:
    """What a killed editor left in memory, the next one has removed."""
    place = folder_in_memory(desk.environment, allow_disk=True)
    left = [path for path in place.glob(f"{PREFIX}*/*") if NEW in path.read_text()]
    assert left == []


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS.keys())
def test_a_disk_that_is_full_at_every_step(desk: Desk, deed: Deed, tmp_path: Path) -> None:
    runs = runs_of(desk, deed, "fail", tmp_path)
    *failed, last = runs.codes
    assert runs.codes[last] == 0
    for number in failed:
        said = runs.said(number)
        assert "Traceback" not in said
        assert CANARY not in said
        check_whole(runs, number)
        left = [name for name in runs.of(number).files() if Path(name).name.startswith(".sealkit-")]
        assert left == [], said
    assert any(runs.codes[number] == 1 for number in failed)
    for number in failed:
        if runs.codes[number]:
            assert "sealkit: error: " in runs.said(number)
            assert "no space left on device" in runs.said(number)
