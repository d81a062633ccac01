"""The image's recipe, held against the repository; there is no engine here to build it with.

The script that puts the image's files together is run, though, and what it made is entered.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from sealkit import __version__
from sealkit_controller.settings import Settings
from tests.packaging.documents import CONTROLLER, MANIFESTS, parse, pod_spec

ROOT = CONTROLLER.parent
TEXT = (CONTROLLER / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
HEREDOC = re.compile(r'<<"EOF"\n(.*?)\nEOF\n', re.DOTALL)


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile; what it reads from a heredoc is left out."""

    word: str
    rest: str

    @property
    def words(self) -> list[str]:
        return self.rest.split()


def instructions() -> list[Instruction]:
    text = HEREDOC.sub("\n", TEXT).replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [Instruction(*line.split(maxsplit=1)) for line in lines]


def every(word: str) -> list[Instruction]:
    return [instruction for instruction in instructions() if instruction.word == word]


def last(word: str) -> str:
    return every(word)[-1].rest


def heredoc(start: str) -> str:
    """Return the heredoc of the RUN that starts so."""
    found = HEREDOC.search(TEXT, TEXT.index(start))
    assert found is not None
    return found[1]


def test_it_says_nothing_that_is_not_looked_at_here() -> None:
    known = {"ARG", "FROM", "RUN", "ENV", "WORKDIR", "COPY", "USER", "EXPOSE", "ENTRYPOINT"}
    assert {instruction.word for instruction in instructions()} == known


def test_bases_are_pinned_and_the_last_one_is_empty() -> None:
    bases = [instruction.words[0] for instruction in every("FROM")]
    assert bases == ["${PYTHON}", "scratch"]
    assert re.fullmatch(r"PYTHON=python:3\.11\.\d+-slim-bookworm", last("ARG"))


def test_only_what_exists_is_copied_and_never_the_whole_folder() -> None:
    sources = [
        source
        for instruction in every("COPY")
        if not instruction.rest.startswith("--from")
        for source in instruction.words[:-1]
    ]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert not {".", "./", "*"} & {*sources}


def test_the_last_stage_runs_nothing_and_takes_one_tree() -> None:
    stage = instructions()
    stage = stage[max(i for i, item in enumerate(stage) if item.word == "FROM") + 1 :]
    assert "RUN" not in {instruction.word for instruction in stage}
    assert [i.rest for i in stage if i.word == "COPY"] == ["--from=build /rootfs /"]


def test_the_user_is_the_pods() -> None:
    security = pod_spec(parse((MANIFESTS / "install.yaml").read_text()))["securityContext"]
    assert last("USER") == f"{security['runAsUser']}:{security['runAsGroup']}"


def test_the_ports_are_the_programs() -> None:
    settings = Settings()
    assert last("EXPOSE") == f"{settings.public_port} {settings.probe_port}"


def test_the_entry_point_is_in_the_wheel() -> None:
    assert last("ENTRYPOINT") == '["/opt/sealkit/bin/python", "-m", "sealkit_controller"]'
    folders = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    folder = next(Path(path) for path in folders if path.endswith("sealkit_controller"))
    assert (ROOT / folder / "__main__.py").is_file()


def test_dependencies_are_those_of_the_lock_file() -> None:
    run = next(i.rest for i in every("RUN") if i.rest.startswith("uv sync"))
    assert "--locked" in run
    assert "--no-default-groups" in run
    extra = re.search(r"--extra (\w+)", run)
    assert extra is not None
    assert extra[1] in PROJECT["project"]["optional-dependencies"]
    assert "UV_NO_BUILD=1" in TEXT


def test_the_installer_is_pinned_by_hash() -> None:
    assert "--require-hashes" in TEXT
    pinned = heredoc("RUN pip install")
    assert re.match(r"uv==\d+\.\d+\.\d+ ", pinned)
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", pinned)) == 2


def test_nothing_is_downloaded_but_by_the_two_installers() -> None:
    assert not re.search(r"\b(curl|wget|apt-get|git|http)\b", HEREDOC.sub("", TEXT))


@pytest.fixture(scope="module")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script makes of an environment with the program and its dependencies only."""
    if sys.version_info[:2] != (3, 11) or not sys.platform.startswith("linux"):
        pytest.skip("the image holds Python 3.11 on Linux, and this is another")
    folder = tmp_path_factory.mktemp("image")
    environment = folder / "venv"
    venv = [sys.executable, "-m", "venv", "--without-pip", str(environment)]
    subprocess.run(venv, check=True)
    packages = environment / "lib" / "python3.11" / "site-packages"
    for name in dependencies("sealkit", "controller"):
        copy_package(name, packages)
    for source in (ROOT / "sealkit", CONTROLLER / "sealkit_controller"):
        ignore = shutil.ignore_patterns("sandbox", "__pycache__")
        shutil.copytree(source, packages / source.name, ignore=ignore)
    script = folder / "rootfs.py"
    script.write_text(heredoc("RUN /opt/sealkit/bin/python - /rootfs"))
    python = environment / "bin" / "python"
    subprocess.run([python, str(script), str(folder / "rootfs")], check=True)
    return folder / "rootfs"


def dependencies(name: str, extra: str = "") -> set[str]:
    """Return what a package needs here, by name, without itself."""
    requirements = [Requirement(line) for line in distribution(name).requires or ()]
    needed = {
        requirement.name
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra})
    }
    return needed.union(*map(dependencies, needed))


def copy_package(name: str, packages: Path) -> None:
    """Copy an installed package's files."""
    package = distribution(name)
    for file in package.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            place = packages / str(file)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(package.locate_file(file)), place)


def test_the_image_has_no_shell_and_no_installer(rootfs: Path) -> None:
    names = {path.name for path in rootfs.rglob("*")}
    assert not names & {"sh", "bash", "dash", "busybox", "pip", "ensurepip", "uv", "apt", "dpkg"}
    outside = {path.name for path in rootfs.iterdir()}
    python = Path(sys.base_prefix).parts[1]
    assert outside <= {"etc", "lib", "lib64", "usr", "tmp", "opt", python, rootfs.parts[1]}


def test_nothing_in_the_image_runs_with_another_ones_rights(rootfs: Path) -> None:
    assert [path for path in rootfs.rglob("*") if path.lstat().st_mode & 0o6000] == []


def test_the_program_runs_in_the_image(rootfs: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may enter the image's files")
    chroot = shutil.which("chroot", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if chroot is None:
        pytest.skip("there is no chroot to enter the image's files with")
    python = rootfs.parent / "venv" / "bin" / "python"
    user = [chroot, "--userspec=65532:65532", str(rootfs), str(python), "-m"]
    done = subprocess.run(
        [*user, "sealkit_controller", "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, __version__), done.stderr


def test_everything_is_compiled_for_its_place_in_the_image(rootfs: Path) -> None:
    stdlib = Path(sysconfig.get_path("stdlib"))
    compiled = rootfs / stdlib.relative_to("/") / "json" / "__pycache__" / "decoder.cpython-311.pyc"
    content = compiled.read_bytes()
    assert content[4] == 0b01  # by hash, and not looked at again: the files cannot change
    assert str(stdlib / "json" / "decoder.py").encode() in content
