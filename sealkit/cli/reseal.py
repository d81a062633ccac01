"""`sealkit reseal`: new data keys and fresh encryption for the clusters of the configuration."""

from __future__ import annotations

import click

from sealkit.cli.app import App
from sealkit.cli.audience import Audience
from sealkit.cli.output import counted
from sealkit.cli.rewriting import Make, Plan, Rewritten, Verb, check_scope
from sealkit.cli.rewriting_tree import Request, carry_out, check_key_given, rewriting_options
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedSecret
from sealkit.rewrapping import reseal


@click.command("reseal")
@rewriting_options
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    help="How far the sealed values may move from now on and still open; as before by default.",
)
@click.pass_obj
def reseal_command(
    app: App,
    paths: tuple[str, ...],
    keys: tuple[str, ...],
    check: bool,
    jobs: int | None,
    report: str,
    resume: str,
    scope: str | None,
    as_json: bool,
) -> None:
    """Encrypt all values in PATHS anew, with a new data key for each manifest.

    After a compromise, or to change the scope. PATHS are files, folders and globs. The result is
    for the clusters of the configuration; references, template and all else stay. A value that
    somebody knew before is not a secret from them now: change it too.
    """
    request = Request(paths, keys, check, jobs, report, resume, as_json)
    check_key_given(request)
    verb = Verb(
        "reseal", "resealing", "resealed", _plan_for(Scope(scope) if scope else None), _says
    )
    carry_out(app, verb, request)


def _plan_for(wanted: Scope | None) -> Plan:
    def plan(sealed: SealedSecret, audience: Audience) -> Make | None:
        scope = wanted or sealed.scope
        check_scope(audience, scope)
        recipients = audience.keys if sealed.envelopes else ()
        if not sealed.envelopes and scope == sealed.scope:
            return None
        return lambda keys, random: reseal(sealed, recipients, keys, random, scope)

    return plan


def _says(line: Rewritten) -> str:
    for_whom = f" for {', '.join(line.clusters)}" if line.clusters else ""
    return f"{counted(line.values, 'value')}{for_whom} ({line.scope})"
