"""Files: whole or not at all, and never more readable than asked for."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sealkit.errors import SealkitError
from sealkit.files import MAX_BYTES, PRIVATE_MODE, make_folder, read_bytes, write_atomically

# Writes NEW over a file; what it is told to do there happens just before the rename.
WRITER = """\
import os, resource, signal, sys
from pathlib import Path
from sealkit.files import write_atomically
moment, limit = sys.argv[2], int(sys.argv[3])
def replace(temporary, target):
    os.kill(os.getpid(), getattr(signal, moment))
os.replace = replace
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
write_atomically(Path(sys.argv[1]), b"NEW" * 1000)
"""


def permissions(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_file_follows_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new", b"x")
    finally:
        os.umask(old)
    assert permissions(tmp_path / "new") == 0o640


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_an_old_file_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_atomically(path, b"new")
    assert (path.read_bytes(), permissions(path)) == (b"new", mode)


@pytest.mark.parametrize("mode", [0o644, 0o777, 0o400])
def test_a_private_write_takes_permissions_away(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_atomically(path, b"new", mode=PRIVATE_MODE)
    assert permissions(path) == mode & 0o600


def test_a_new_private_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "new", b"x", mode=PRIVATE_MODE)
    assert permissions(tmp_path / "new") == 0o600


def test_a_link_keeps_pointing_at_its_target(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link"
    link.symlink_to("folder/target")
    for content in (b"created", b"replaced"):
        write_atomically(link, content)
        assert link.is_symlink()
        assert (tmp_path / "folder" / "target").read_bytes() == content


def test_a_ring_of_links_is_an_error_like_others(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(SealkitError, match="cannot be written"):
        write_atomically(tmp_path / "a", b"x")


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    seen: list[bytes] = []
    reader = threading.Thread(target=lambda: seen.append(pipe.read_bytes()))
    reader.start()
    write_atomically(pipe, b"x")
    reader.join()
    assert (seen, pipe.is_fifo()) == ([b"x"], True)


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write_atomically(path, b"x")
    assert path.read_bytes() == b"x"


@pytest.mark.parametrize("name", ["none/file", ".", "file/below"])
def test_where_nothing_can_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(SealkitError, match="cannot be written") as caught:
        write_atomically(tmp_path / name, b"x")
    assert caught.value.file == str(tmp_path / name)
    assert names(tmp_path) == {"file"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SealkitError, match="permission denied"):
        write_atomically(tmp_path / "file", b"x")


def writer(path: Path, moment: str, bytes_allowed: int = resource.RLIM_INFINITY) -> int:
    """Write over a file in another process, which something happens to."""
    command = [sys.executable, "-B", "-c", WRITER, str(path), moment, str(bytes_allowed)]
    return subprocess.run(command, capture_output=True, check=False).returncode


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_killed_before_the_rename_the_old_content_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o640)
    assert writer(path, "SIGKILL") == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    (left,) = names(tmp_path) - {"file"}
    assert left.startswith(".sealkit-")
    assert left.endswith(".tmp")
    assert permissions(tmp_path / left) == 0o640
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


def test_interrupted_before_the_rename_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    assert writer(path, "SIGINT") != 0
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == {"file"}


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    assert writer(path, "SIGWINCH", bytes_allowed=100) == 1
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == {"file"}


def test_reading_stops_at_16_mib(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES)
    assert len(read_bytes(path)) == MAX_BYTES
    os.truncate(path, MAX_BYTES + 1)
    with pytest.raises(SealkitError, match="is larger than 16 MiB"):
        read_bytes(path)


@pytest.mark.parametrize(("name", "why"), [("none", "no such file"), (".", "is a directory")])
def test_what_cannot_be_read(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(SealkitError, match=f"cannot be read: {why}") as caught:
        read_bytes(tmp_path / name)
    assert caught.value.file == str(tmp_path / name)


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    for _ in range(2):
        make_folder(tmp_path / "a")
    assert (tmp_path / "a").is_dir()
    with pytest.raises(SealkitError, match="cannot be created"):
        make_folder(tmp_path / "b" / "c")
