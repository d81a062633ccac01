"""`sealkit rewrap`: manifests open for the clusters of the configuration, and for no others."""

from __future__ import annotations

import click

from sealkit.cli.app import App
from sealkit.cli.audience import Audience
from sealkit.cli.rewriting import Make, Rewritten, Verb, check_scope
from sealkit.cli.rewriting_tree import Request, carry_out, rewriting_options
from sealkit.manifests.sealed import SealedSecret
from sealkit.rewrapping import opens_for, rewrap


@click.command("rewrap")
@rewriting_options
@click.pass_obj
def rewrap_command(
    app: App,
    paths: tuple[str, ...],
    keys: tuple[str, ...],
    check: bool,
    jobs: int | None,
    report: str,
    resume: str,
    as_json: bool,
) -> None:
    """Let the manifests in PATHS open in exactly the clusters of the configuration.

    For clusters that were added, removed or renewed. PATHS are files, folders and globs. Values
    keep their bytes and are not decrypted: who could open a manifest still knows its values. A
    private key that opens it now is needed only to let a cluster in.
    """
    request = Request(paths, keys, check, jobs, report, resume, as_json)
    carry_out(app, REWRAP, request)


def _plan(sealed: SealedSecret, audience: Audience) -> Make | None:
    check_scope(audience, sealed.scope)
    recipients = audience.keys if sealed.envelopes else ()
    if opens_for(sealed, {key.kid for key in recipients}):
        return None
    return lambda keys, _: rewrap(sealed, recipients, keys)


def _says(line: Rewritten) -> str:
    parts = [f"for {name}" for name in line.added] + [f"not for {name}" for name in line.losers]
    return ", ".join(parts)


REWRAP = Verb("rewrap", "rewrapping", "rewrapped", _plan, _says)
