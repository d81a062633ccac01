"""Line ends, byte order mark and last line: every writing verb leaves them as they are."""

from __future__ import annotations

import codecs
import itertools
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Final

import pytest
import yaml

from sealkit.manifests.emit import emit_yaml
from tests.sealkit.cli.desk import Chancy, Desk, secret_text

FILE: Final = "db.yaml"
SECRET: Final = f"# whose: the shop\n{secret_text(PASSWORD='hunter2', USER='app', NOTE='x')}"
REFERENCE: Final = "vault:kv/shop/db#password"
EXTERNAL: Final = """\
apiVersion: v1
kind: ConfigMap   # stays
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: db, namespace: shop}
spec:
  secretStoreRef: {name: vault}
  data:
  - {secretKey: PASSWORD, remoteRef: {key: shop/db, property: password}}
"""

Style = tuple[str, bool, bool]
"""The line end, whether there is a byte order mark, and whether the last line has an end."""
STYLES: Final[dict[str, Style]] = {
    f"{kind}{'-bom' * bom}{'-open' * (not closed)}": (end, bom, closed)
    for (kind, end), bom, closed in itertools.product(
        (("lf", "\n"), ("crlf", "\r\n")), (False, True), (True, False)
    )
}


@pytest.fixture
def desk(desk: Desk) -> Desk:
    return Chancy(desk.folder, desk.keys_folder)


def styled(text: str, style: Style) -> bytes:
    end, bom, closed = style
    text = text.replace("\r\n", "\n")
    text = text if closed else text.rstrip("\n")
    return codecs.BOM_UTF8 * bom + text.replace("\n", end).encode()


def style_of(content: bytes) -> Style:
    """The style that all of a file is in."""
    lines = set(re.findall(rb"\r?\n", content))
    assert len(lines) == 1, "line ends of both kinds"
    assert codecs.BOM_UTF8 not in content[3:]
    return lines.pop().decode(), content.startswith(codecs.BOM_UTF8), content.endswith(b"\n")


def sealed(desk: Desk, style: Style) -> None:
    desk.write(FILE, styled(desk.ok("seal", stdin=SECRET).out, style))


def last(desk: Desk, style: Style) -> None:
    """A manifest whose values stand at its end."""
    raw = yaml.safe_load(desk.ok("seal", stdin=SECRET).out)
    spec = {name: raw["spec"].pop(name) for name in ("envelopes", "encryptedData")}
    desk.write(FILE, styled(emit_yaml(raw | {"spec": raw["spec"] | spec}), style))


def plain(desk: Desk, style: Style) -> None:
    desk.write(FILE, styled(SECRET, style))


def foreign(desk: Desk, style: Style) -> None:
    desk.write(FILE, styled(EXTERNAL, style))


def drifted(desk: Desk, style: Style) -> None:
    desk.config(clusters={"prod": desk.entry("prod")})
    sealed(desk, style)
    desk.config()


def with_envelopes(desk: Desk, style: Style) -> None:
    sealed(desk, style)
    desk.ok("set", FILE, "USER", stdin="app")


def editing(desk: Desk, style: Style) -> None:
    sealed(desk, style)
    program = desk.keys_folder / "editor"
    program.write_text("#!/bin/sh\nsed -i 's|^  USER: .*|  USER: root\\n  MORE: more|' \"$1\"\n")
    program.chmod(0o700)
    desk.environment |= {"SEALKIT_EDITOR": str(program), "PATH": os.environ["PATH"]}


def merging(desk: Desk, style: Style) -> None:
    sealed(desk, style)
    for name in ("base", "theirs"):
        shutil.copy(desk.folder / FILE, desk.folder / name)
    desk.ok("unset", "theirs", "NOTE")
    desk.ok("set", FILE, "USER", stdin="root")


Prepare = Callable[[Desk, Style], None]
VERBS: Final[dict[str, tuple[Prepare, tuple[str, ...]]]] = {
    "seal": (plain, ("seal", "-i", FILE)),
    "set": (sealed, ("set", FILE, "USER")),
    "set-new": (sealed, ("set", FILE, "ZZZ")),
    "set-last": (last, ("set", FILE, "USER")),
    "set-end": (last, ("set", FILE, "ZZZ")),
    "unset-last": (last, ("unset", FILE, "USER")),
    "reseal-last": (last, ("reseal", FILE, "--key")),
    "set-reference": (sealed, ("set", FILE, "--reference", f"USER={REFERENCE}")),
    "set-many": (sealed, ("set", "-f", ".", "--add", "NEW", "--reference", f"R={REFERENCE}")),
    "unset": (sealed, ("unset", FILE, "USER")),
    "unset-all": (sealed, ("unset", "-f", FILE, "NOTE", "PASSWORD", "USER")),
    "rewrap": (drifted, ("rewrap", FILE, "--key")),
    "reseal": (sealed, ("reseal", FILE, "--key")),
    "compact": (with_envelopes, ("compact", FILE, "--key")),
    "edit": (editing, ("edit", FILE, "--allow-disk")),
    "merge": (merging, ("git", "merge-driver", "base", FILE, "theirs")),
    "import": (foreign, ("import", "-i", FILE)),
    "import-secrets": (plain, ("import", "-i", "--secrets", FILE)),
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES.keys())
@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())
def test_a_file_keeps_its_style(
    desk: Desk, verb: tuple[Prepare, tuple[str, ...]], style: Style
) -> None:
    prepare, arguments = verb
    prepare(desk, style)
    before = (desk.folder / FILE).read_bytes()
    key = [desk.key_file("prod")] if arguments[-1] == "--key" else []
    result = desk.ok(*arguments, *key, stdin="new")
    after = (desk.folder / FILE).read_bytes()
    assert after != before, result.err
    assert style_of(after) == style


def test_a_comment_and_a_line_of_another_kind_stay(desk: Desk) -> None:
    """A file of both kinds of line ends: only the lines that change may change."""
    sealed(desk, ("\r\n", False, True))
    text = desk.read(FILE).replace("# whose: the shop\r\n", "# whose: the shop\n", 1)
    desk.write(FILE, text)
    desk.ok("set", FILE, "USER", stdin="new")
    before, after = text.splitlines(keepends=True), desk.read(FILE).splitlines(keepends=True)
    gone = [line for line in before if line not in after]
    assert [line.split(":")[0].strip() for line in gone] == ["USER"]


def test_configuration_keeps_its_style(desk: Desk) -> None:
    path = desk.folder / ".sealkit.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    desk.ok("clusters", "add", "lab", desk.recipient("lab"))
    assert style_of(path.read_bytes()) == ("\r\n", False, True)


def test_attributes_keep_theirs(desk: Desk) -> None:
    subprocess.run(["git", "init", "-q", str(desk.folder)], check=True)
    desk.environment |= {"PATH": os.environ["PATH"], "HOME": str(desk.keys_folder)}
    attributes = desk.write(".gitattributes", b"* text=auto\r\n")
    desk.ok("git", "install")
    assert style_of(attributes.read_bytes()) == ("\r\n", False, True)
    assert b"*.sealed.yaml diff=sealkit merge=sealkit\r\n" in attributes.read_bytes()
