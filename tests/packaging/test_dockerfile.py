"""The image's recipe, held against the repository; there is no engine here to build it with.

The script that puts the image's files together is run, though, and what it made is entered.
"""

import re
import sys
import sysconfig
import tomllib
from dataclasses import dataclass
from pathlib import Path

from sealkit import __version__
from sealkit_controller.settings import Settings
from tests.packaging.documents import CONTROLLER, MANIFESTS, parse, pod_spec
from tests.packaging.image import HEREDOC, TEXT, Image, heredoc

ROOT = CONTROLLER.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


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


def test_the_image_has_no_shell_and_no_installer(image: Image) -> None:
    names = {path.name for path in image.rootfs.rglob("*")}
    assert not names & {"sh", "bash", "dash", "busybox", "pip", "ensurepip", "uv", "apt", "dpkg"}
    outside = {path.name for path in image.rootfs.iterdir()}
    python = Path(sys.base_prefix).parts[1]
    assert outside <= {"etc", "lib", "lib64", "usr", "tmp", "opt", python, image.rootfs.parts[1]}


def test_nothing_in_the_image_runs_with_another_ones_rights(image: Image) -> None:
    assert [path for path in image.rootfs.rglob("*") if path.lstat().st_mode & 0o6000] == []


def test_the_program_runs_in_the_image(image: Image) -> None:
    done = image.run("sealkit_controller", "--version")
    assert (done.returncode, done.stdout.strip()) == (0, __version__), done.stderr


def test_everything_is_compiled_for_its_place_in_the_image(image: Image) -> None:
    stdlib = Path(sysconfig.get_path("stdlib"))
    compiled = (
        image.rootfs / stdlib.relative_to("/") / "json" / "__pycache__" / "decoder.cpython-311.pyc"
    )
    content = compiled.read_bytes()
    assert content[4] == 0b01  # by hash, and not looked at again: the files cannot change
    assert str(stdlib / "json" / "decoder.py").encode() in content
