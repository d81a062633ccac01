"""`sealkit scan` beside other scanners, on the corpus of its tests.

A planted file is found if a scanner says anything about it; a harmless or a sealed one is a false
alarm then. Scanners are run as they come; gitleaks is taken from PATH.
Run it: python -m tests.bench.scan_corpus [SEED]
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings

from sealkit.findings.finding import Severity
from sealkit.scanning.file import scan
from tests.bench.tables import Table
from tests.sealkit.scanning.harmless import BESIDE, harmless
from tests.sealkit.scanning.planted import planted
from tests.sealkit.scanning.sealed import sealed_files

SEED = 20261101
HEADINGS = ("Scanner", "Secrets found", "Others found", "False alarms", "On sealed", "Time")
Names = set[str]


class Corpus(NamedTuple):
    """Files by folder, each folder a file of the corpus with what is beside it; and their rules."""

    planted: Mapping[Path, str]
    harmless: tuple[Path, ...]
    sealed: tuple[Path, ...]

    @property
    def everything(self) -> list[Path]:
        return [*self.planted, *self.harmless, *self.sealed]


class Score(NamedTuple):
    """The files that one scanner says something about, and how fast it was."""

    found: frozenset[Path]
    seconds: float


@contextmanager
def corpus(seed: int) -> Iterator[Corpus]:
    """Write the files of a run into a folder that goes afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        rules: dict[Path, str] = {}
        for number, one in enumerate(planted(seed)):
            rules[_write(root / f"p{number}", one.path, one.raw, one.beside)] = one.rule
        clean = [
            _write(root / f"h{number}", path, raw, BESIDE)
            for number, (_, path, raw) in enumerate(harmless(seed))
        ]
        sealed = [
            _write(root / f"s{number}", name, text.encode(), {})
            for number, (name, text) in enumerate(sealed_files(Random(seed)))  # noqa: S311 (same files again)
        ]
        yield Corpus(rules, tuple(clean), tuple(sealed))


def _write(folder: Path, name: str, raw: bytes, beside: Mapping[str, bytes]) -> Path:
    for other, content in beside.items():
        (folder / other).parent.mkdir(parents=True, exist_ok=True)
        (folder / other).write_bytes(content)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return path


def ours(paths: Iterable[Path]) -> Names:
    """Return the files that `scan` would fail for: notes are left out."""
    return {str(path) for path in paths if _fails(path)}


def _fails(path: Path) -> bool:
    def beside(name: str) -> bytes | None:
        place = path.parent / name
        return place.read_bytes() if place.is_file() else None

    findings = scan(path.as_posix(), path.read_bytes(), beside).findings
    return any(finding.severity.reaches(Severity.WARNING) for finding in findings)


def detect_secrets(paths: Iterable[Path]) -> Names:
    """Return the files that detect-secrets says something about, as it comes."""
    secrets = SecretsCollection()
    with default_settings():
        for path in paths:
            secrets.scan_file(str(path))
    return {secret.filename for _, secret in secrets}


def gitleaks(paths: Iterable[Path]) -> Names:
    """Return the files that gitleaks says something about, as it comes."""
    root = os.path.commonpath(list(map(str, paths)))
    report = Path(root, "gitleaks.json")
    command = ["gitleaks", "dir", root, "--report-path", str(report), "--exit-code", "0"]
    subprocess.run(command, check=True, capture_output=True)
    return {finding["File"] for finding in json.loads(report.read_text())}


def score(scanner: Callable[[Iterable[Path]], Names], files: Corpus) -> Score:
    """Run one scanner over everything."""
    start = time.perf_counter()
    names = scanner(files.everything)
    seconds = time.perf_counter() - start
    return Score(frozenset(path for path in files.everything if str(path) in names), seconds)


def row(name: str, result: Score | None, files: Corpus) -> tuple[str, ...]:
    """Return a line of the table."""
    if result is None:
        return (name, *["not run"] * (len(HEADINGS) - 1))
    secrets = [path for path, rule in files.planted.items() if rule == "SK401"]
    others = [path for path in files.planted if path not in secrets]
    groups = (secrets, others, files.harmless, files.sealed)
    parts = [f"{len(result.found & set(group))}/{len(group)}" for group in groups]
    return (name, *parts, f"{result.seconds:.2f} s")


def main(arguments: list[str]) -> None:
    """Print the table; the seed may be given."""
    with corpus(int(arguments[0]) if arguments else SEED) as files:
        results = {
            "sealkit scan": score(ours, files),
            "detect-secrets": score(detect_secrets, files),
        }
        rows = [row(name, result, files) for name, result in results.items()]
        rows.append(
            row("gitleaks", score(gitleaks, files) if shutil.which("gitleaks") else None, files)
        )
        sys.stdout.write(f"{Table(HEADINGS, rows)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
