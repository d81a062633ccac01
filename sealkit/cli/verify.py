"""`sealkit verify`: check sealed manifests, offline and, unless one is given, without any key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import click

from sealkit import __version__
from sealkit.cli.app import STDIO, App
from sealkit.cli.batch import each, end, iter_files, say_errors, worst_code
from sealkit.cli.options import controller_namespace_option, jobs_option, kubeconfig_option
from sealkit.cli.verify_look import Looked, look, look_at_recipients, world_of
from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.errors import UsageError
from sealkit.findings import rules
from sealkit.findings.allowing import divided
from sealkit.findings.finding import Severity
from sealkit.findings.rendering import FORMATS, render
from sealkit.findings.report import Report, cleaned, in_order
from sealkit.findings.text import summary
from sealkit.verifying.repository import check_kustomizations, check_stores, check_targets

if TYPE_CHECKING:
    from sealkit.cli.verify_cluster import Cluster

F = TypeVar("F", bound=Callable[..., object])

FINDINGS: Final = 3


class Presentation(NamedTuple):
    """How findings are shown, and how bad one must be for the command to fail."""

    format: str
    output: str
    shows_allowed: bool
    threshold: Severity


class Online(NamedTuple):
    """A live cluster to compare with: a kubectl context, "" for the current one."""

    context: str
    kubeconfig: str | None
    controller_namespace: str


class VerifyRequest(NamedTuple):
    """What to look at, the files with keys that are to open it, the cluster to compare it with."""

    paths: tuple[str, ...]
    key_files: tuple[str, ...]
    jobs: int | None
    online: Online | None = None


def findings_options(command: F) -> F:
    """Add the options that make a `Presentation`."""
    for option in (
        click.option(
            "--fail-on",
            type=click.Choice([severity.value for severity in Severity]),
            default=Severity.WARNING.value,
            show_default=True,
            help="Exit with 3 if there is a finding as bad as this, or worse.",
        ),
        click.option("--show-allowed", is_flag=True, help="Show findings that comments allow."),
        click.option(
            "-o",
            "--output",
            default=STDIO,
            metavar="FILE",
            help="Write the findings to this file; - is standard output.",
        ),
        click.option(
            "--format",
            "format_",
            type=click.Choice(FORMATS),
            default="text",
            show_default=True,
            help="How findings are written.",
        ),
    ):
        command = option(command)
    return command


@click.command("verify")
@click.argument("paths", nargs=-1)
@click.option(
    "--with-key",
    "key_files",
    multiple=True,
    metavar="FILE",
    help="Open every value with the private keys in this file, and show none; repeatable.",
)
@click.option(
    "--history",
    "commits",
    is_flag=False,
    flag_value="0",
    type=click.IntRange(min=0),
    default=None,
    metavar="[N]",
    help="Tell which of the last N commits, or of all, can still be rolled back to.",
)
@click.option(
    "--cluster",
    "context",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[CTX]",
    help="Compare with the cluster of this kubectl context, or of the current one.",
)
@kubeconfig_option
@controller_namespace_option
@findings_options
@jobs_option
@click.pass_obj
def verify_command(
    app: App,
    paths: tuple[str, ...],
    key_files: tuple[str, ...],
    commits: int | None,
    context: str | None,
    kubeconfig: str | None,
    controller_namespace: str,
    format_: str,
    output: str,
    show_allowed: bool,
    fail_on: str,
    jobs: int | None,
) -> None:
    """Check the sealed manifests in PATHS: files, folders, globs; this folder by default.

    Needs neither a cluster nor a key. A comment `# sealkit:allow SK105 reason`, above a line or
    above a document, allows a finding there. Ends with 3 if there are findings.

    With --history a commit is told from the next by its first parent: those are the states that
    the branch has had, and a cluster may be rolled back to. Each manifest in them has to open with
    the keys that the configuration pins today, or with those of --with-key; with --cluster also
    with older keys that the cluster still has.

    With --cluster the pins are compared with the keys that the cluster publishes, and manifests
    that are for it with those that it has. It takes the right to read them, and sends nothing.
    """
    shown = Presentation(format_, output, show_allowed, Severity(fail_on))
    if (*paths, *key_files).count(STDIO) > 1:
        raise UsageError("standard input can be only one of them: PATH or one --with-key")
    online = Online(context, kubeconfig, controller_namespace) if context is not None else None
    if kubeconfig and not online:
        raise UsageError("--kubeconfig is of no use without --cluster")
    request = VerifyRequest(paths or (".",), key_files, jobs, online)
    if commits is not None:
        end(_history(request, app, shown, commits))
        return
    end(show(app, shown, *run(request, app, shows_allowed=show_allowed)))


def _history(request: VerifyRequest, app: App, shown: Presentation, count: int) -> int:
    from sealkit.cli import verify_history, verify_history_report  # noqa: PLC0415 (cold start)

    cluster = _cluster(request, app)
    states = cluster.states if cluster else {}
    asked = verify_history.HistoryRequest(
        request.paths, count, _keys(request, app), tuple(states), request.jobs
    )
    return verify_history_report.show(app, shown, verify_history.run(asked, app))


def show(app: App, shown: Presentation, report: Report, code: int) -> int:
    """Write a report and say its summary; return the exit code, `code` if that is not 0."""
    app.write(shown.output, render(report, shown.format))
    app.say(f"sealkit: {summary(report)}")
    return code or (FINDINGS if report.fails(shown.threshold) else 0)


def run(request: VerifyRequest, app: App, *, shows_allowed: bool = False) -> tuple[Report, int]:
    """Return what is wrong in all files, and the exit code of files that cannot be read.

    Raises:
        UsageError: a path is not there.
        ConfigError: the configuration of a file is wrong, or a key file holds no key.
        SealkitError: the cluster does not answer, or refuses.
    """
    keys = _keys(request, app)
    cluster = _cluster(request, app)
    files = iter_files(app, request.paths)
    world = world_of(app, (*request.paths, *files), keys)._replace(compares=cluster is not None)
    outcomes = list(
        each(app, files, lambda file: look(world, file), jobs=request.jobs, doing="verifying")
    )
    say_errors(app, outcomes)
    looked = [outcome.value for outcome in outcomes if outcome.value]
    looked += look_at_recipients(world)
    if cluster:
        from sealkit.cli.verify_cluster import look_at_cluster  # noqa: PLC0415 (cold start)

        looked += look_at_cluster(world, cluster, looked)
    return _report(looked, shows_allowed=shows_allowed), worst_code(outcomes)


def _keys(request: VerifyRequest, app: App) -> Mapping[Kid, PrivateKey]:
    if not request.key_files:
        return {}
    from sealkit.cli.unseal import read_keys  # noqa: PLC0415 (rare: cold start)

    return read_keys(app, request.key_files)


def _cluster(request: VerifyRequest, app: App) -> Cluster | None:
    if request.online is None:
        return None
    from sealkit.cli.verify_cluster import reach  # noqa: PLC0415 (cold start)
    from sealkit.cluster import Place  # noqa: PLC0415 (same)

    context, kubeconfig, namespace = request.online
    place = Place(context or None, app.path(kubeconfig) if kubeconfig else None)
    return reach(place, namespace)


def _report(looked: list[Looked], *, shows_allowed: bool) -> Report:
    targets = [target for one in looked for target in one.targets]
    stores = [store for one in looked for store in one.stores]
    found = [finding for one in looked for finding in one.findings]
    found += check_targets(targets)
    found += check_stores(targets, stores)
    found += check_kustomizations(
        targets, [one.kustomization for one in looked if one.kustomization]
    )
    comments = {one.file: one.comments for one in looked if one.comments}
    kept, allowed = divided(found, comments)
    return Report(
        verb="verify",
        version=__version__,
        rules=rules.VERIFY,
        findings=in_order(kept),
        allowed=in_order(allowed),
        subjects=tuple(cleaned(place) for one in looked for place in one.subjects),
        shows_allowed=shows_allowed,
    )
