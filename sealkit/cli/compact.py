"""`sealkit compact`: the envelopes that many changes left behind become one."""

from __future__ import annotations

import click

from sealkit.cli.app import App
from sealkit.cli.audience import Audience
from sealkit.cli.rewriting import Make, Rewritten, Verb, check_fits, check_scope
from sealkit.cli.rewriting_tree import Request, carry_out, check_key_given, rewriting_options
from sealkit.manifests.sealed import SealedSecret
from sealkit.rewrapping import reseal


@click.command("compact")
@rewriting_options
@click.pass_obj
def compact_command(
    app: App,
    paths: tuple[str, ...],
    keys: tuple[str, ...],
    check: bool,
    jobs: int | None,
    report: str,
    resume: str,
    as_json: bool,
) -> None:
    """Make the manifests in PATHS smaller: one envelope each instead of several.

    Each `sealkit set` adds an envelope, which is large. PATHS are files, folders and globs. The
    values are encrypted anew for the same clusters.
    """
    request = Request(paths, keys, check, jobs, report, resume, as_json)
    check_key_given(request)
    carry_out(app, COMPACT, request)


def _plan(sealed: SealedSecret, audience: Audience) -> Make | None:
    if len(sealed.envelopes) < 2:
        check_scope(audience, sealed.scope)
        return None
    recipients = audience.keys
    check_fits(audience, sealed)
    return lambda keys, random: reseal(sealed, recipients, keys, random)


def _says(line: Rewritten) -> str:
    return f"{line.envelopes} envelopes become one"


COMPACT = Verb("compact", "compacting", "compacted", _plan, _says)
