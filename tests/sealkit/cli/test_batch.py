"""Many files in one call: finding them, working on them, telling of it."""

from __future__ import annotations

import io
import os
import signal
from pathlib import Path

import pytest

from sealkit.cli import batch
from sealkit.cli.app import App
from sealkit.errors import ManifestError, NoKeyError, PolicyError, SealkitError, UsageError
from tests.sealkit.cli.desk import TODAY


class Screen(io.StringIO):
    """Standard error that somebody looks at."""

    def isatty(self) -> bool:
        return True


def world(folder: Path, stderr: io.StringIO | None = None, **environment: str) -> App:
    return App(
        stdin=io.BytesIO(),
        stdout=io.BytesIO(),
        stderr=stderr or io.StringIO(),
        folder=str(folder),
        environment=environment,
        random=os.urandom,
        today=lambda: TODAY,
        ask=lambda _: "",
    )


def said(app: App) -> str:
    assert isinstance(app.stderr, io.StringIO)
    return app.stderr.getvalue()


def length(file: str) -> int:
    """Work that fails for some files."""
    if file.startswith("bad"):
        raise ManifestError("is bad", field="spec", hint="make it good").located(file=file)
    return len(file)


class TestFindingFiles:
    """Files, folders and globs."""

    @pytest.fixture
    def app(self, tmp_path: Path) -> App:
        for name in (
            *("b.yaml", "a.yml", "c.json", "notes.md", ".hidden.yaml", "apps/x/one.yaml"),
            *("apps/two.yaml", "apps/.git/three.yaml", ".github/four.yaml", "odd[1].txt"),
        ):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        return world(tmp_path)

    @pytest.mark.parametrize(
        ("paths", "files"),
        [
            (["."], ["a.yml", "b.yaml", "c.json", "apps/two.yaml", "apps/x/one.yaml"]),
            (["apps"], ["apps/two.yaml", "apps/x/one.yaml"]),
            (["apps/"], ["apps/two.yaml", "apps/x/one.yaml"]),
            (["notes.md", ".hidden.yaml"], ["notes.md", ".hidden.yaml"]),
            ([".github"], [".github/four.yaml"]),
            (["odd[1].txt"], ["odd[1].txt"]),
            (["*.y*ml"], ["a.yml", "b.yaml"]),
            (["ap*"], ["apps/two.yaml", "apps/x/one.yaml"]),
            (["**/*.yaml"], ["apps/two.yaml", "apps/x/one.yaml", "b.yaml"]),
            (["apps/**"], ["apps/two.yaml", "apps/x/one.yaml"]),
            (["b.yaml", "./b.yaml", "*.yaml"], ["b.yaml"]),
            (["-", "b.yaml"], ["-", "b.yaml"]),
        ],
        ids=str,
    )
    def test_what_arguments_name(self, app: App, paths: list[str], files: list[str]) -> None:
        assert batch.iter_files(app, paths) == files

    def test_absolute_paths_stay_absolute(self, app: App) -> None:
        files = batch.iter_files(app, [app.path("apps")])
        assert files == [app.path("apps/two.yaml"), app.path("apps/x/one.yaml")]

    def test_links_to_one_file_count_once_and_links_to_folders_not(self, app: App) -> None:
        Path(app.folder, "apps", "a.yaml").symlink_to("two.yaml")
        Path(app.folder, "apps", "round").symlink_to("..")
        assert batch.iter_files(app, ["apps"]) == ["apps/a.yaml", "apps/x/one.yaml"]

    @pytest.mark.parametrize(
        ("path", "what"),
        [
            ("none", "there is no such file or folder"),
            ("none/*", "matches no *.yaml, *.yml or *.json"),
            ("*.md", "matches no *.yaml, *.yml or *.json"),
        ],
    )
    def test_a_path_that_names_nothing(self, app: App, path: str, what: str) -> None:
        with pytest.raises(UsageError) as caught:
            batch.iter_files(app, [path])
        assert (caught.value.file, caught.value.problem) == (path, what)

    def test_a_folder_that_cannot_be_read_is_not_passed_over(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: object) -> object:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(os, "scandir", refuse)
        with pytest.raises(SealkitError, match="cannot be read: permission denied"):
            batch.iter_files(app, ["apps"])

    def test_what_may_hold_a_manifest(self) -> None:
        assert batch.may_hold_manifest(b'{"apiVersion": "sealkit.dev\\/v1alpha1"}')
        assert not batch.may_hold_manifest(b"kind: ConfigMap")


class TestWork:
    """One outcome a file, in order, whatever happens to the others."""

    @pytest.mark.parametrize("jobs", [1, 2, None])
    @pytest.mark.parametrize("number", [0, 1, 100])
    def test_every_file_has_its_outcome(self, tmp_path: Path, jobs: int, number: int) -> None:
        files = [f"{'bad' if index % 7 == 3 else 'good'}{index}" for index in range(number)]
        found = batch.run_all(world(tmp_path), files, length, jobs=jobs, doing="measuring")
        assert [outcome.file for outcome in found] == files
        for outcome in found:
            if outcome.file.startswith("bad"):
                assert isinstance(outcome.error, ManifestError)
                assert outcome.error.hint == "make it good"
                assert str(outcome.error) == f"{outcome.file}: spec: is bad"
            else:
                assert outcome == (outcome.file, len(outcome.file), None)

    def test_work_is_shared_out_among_processes(self, tmp_path: Path) -> None:
        files = [str(index) for index in range(100)]
        found = batch.run_all(world(tmp_path), files, lambda _: os.getpid(), jobs=2, doing="")
        assert os.getpid() not in {outcome.value for outcome in found}

    def test_where_forking_is_not_safe_this_process_does_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.platform", "darwin")
        files = [str(index) for index in range(100)]
        found = batch.run_all(world(tmp_path), files, lambda _: os.getpid(), jobs=None, doing="")
        assert {outcome.value for outcome in found} == {os.getpid()}

    def test_a_process_that_is_killed_is_an_error(self, tmp_path: Path) -> None:
        files = [str(index) for index in range(100)]
        with pytest.raises(SealkitError, match="was ended from outside"):
            batch.run_all(world(tmp_path), files, lambda _: os._exit(9), jobs=2, doing="")

    def test_a_process_leaves_interruptions_to_its_parent(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        try:
            batch._begin(length)
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            assert batch._in_process("good").value == 4
        finally:
            signal.signal(signal.SIGINT, before)
            batch._inherited.clear()

    def test_a_bug_ends_everything(self, tmp_path: Path) -> None:
        with pytest.raises(ZeroDivisionError):
            batch.run_all(world(tmp_path), ["a"], lambda _: 1 // 0, jobs=1, doing="")

    def test_stopping_early(self, tmp_path: Path) -> None:
        files = [str(index) for index in range(500)]
        running = batch.each(world(tmp_path), files, length, jobs=2, doing="")
        assert next(running).file == "0"
        running.close()  # type: ignore[attr-defined]  # it is a generator


class TestProgress:
    """One line of a terminal, which is gone at the end."""

    def test_a_terminal_shows_it(self, tmp_path: Path) -> None:
        app = world(tmp_path, Screen())
        batch.run_all(app, ["a", "b"], length, jobs=1, doing="measuring")
        assert said(app) == f"\rmeasuring 1/2\rmeasuring 2/2\r{' ' * 13}\r"

    def test_a_large_number_is_not_shown_one_by_one(self, tmp_path: Path) -> None:
        app = world(tmp_path, Screen(), NO_COLOR="1")
        files = ["a"] * 1050
        batch.run_all(app, files, length, jobs=1, doing="measuring")
        assert said(app).count("measuring") == 105
        assert "\rmeasuring 1,050/1,050\r" in said(app)
        assert "\x1b" not in said(app)

    def test_it_goes_when_the_work_breaks_off(self, tmp_path: Path) -> None:
        app = world(tmp_path, Screen())
        with pytest.raises(ZeroDivisionError):
            batch.run_all(app, ["a", "b"], lambda _: 1 // 0, jobs=1, doing="x")
        assert said(app) == "\r     \r"

    def test_a_file_or_a_dumb_terminal_shows_nothing(self, tmp_path: Path) -> None:
        apps = (world(tmp_path), world(tmp_path, Screen(), TERM="dumb"))
        for app in apps:
            batch.run_all(app, ["a", "b"], length, jobs=1, doing="measuring")
            assert said(app) == ""


class TestTelling:
    """Errors, each once, and the exit code."""

    def test_errors_are_told_with_their_hints(self, tmp_path: Path) -> None:
        app = world(tmp_path)
        file = str(tmp_path / "a\x1b.yaml")
        first = ManifestError("is bad", hint="mend it").located(file=file, document=2)
        nowhere = SealkitError("is bad everywhere")
        batch.say_errors(app, [batch.Outcome("a", error=e) for e in (first, nowhere, nowhere)])
        assert said(app).splitlines() == [
            "sealkit: error: a\\x1b.yaml:2: is bad",
            "sealkit: hint: mend it",
            "sealkit: error: is bad everywhere",
        ]

    def test_the_worst_decides(self) -> None:
        errors = (PolicyError("a"), NoKeyError("b"), None)
        assert batch.worst_code([batch.Outcome("x", error=error) for error in errors]) == 6
        assert batch.worst_code([batch.Outcome("x", 1)]) == 0
