"""`sealkit vault`: references to Vault, tried and made at the desk."""

from __future__ import annotations

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.audience import Choice
from sealkit.cli.options import output_option, store_options
from sealkit.cli.output import print_json, print_report
from sealkit.cli.terms import Wish, store_asked_for
from sealkit.manifests.scope import Scope


@click.group("vault")
def vault_command() -> None:
    """References to Vault: whether they resolve, and values moved there."""


@vault_command.command("check", short_help="Try references, showing no value.")
@click.argument("files", nargs=-1)
@click.option(
    "--store-file",
    default="",
    metavar="FILE",
    help="Stores whose addresses may have your token; VAULT_ADDR comes second.",
)
@click.option(
    "-n", "--namespace", default="", metavar="NAME", help="Namespace of manifests that name none."
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="FILE",
    help="Private keys as for `sealkit unseal`, to make Secrets that have sealed values as well.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def check_command(
    app: App,
    files: tuple[str, ...],
    store_file: str,
    namespace: str,
    keys: tuple[str, ...],
    as_json: bool,
) -> None:
    """Resolve every reference in FILES (standard input by default) and show no value.

    Vault is asked with your own token: VAULT_ADDR, VAULT_TOKEN or ~/.vault-token, VAULT_NAMESPACE
    and VAULT_CACERT, or the same with BAO_. Stores in FILES say which Vault namespace is meant and
    which paths are allowed; where it is they say only in --store-file. Credentials that were made
    for this are revoked at the end.
    """
    from sealkit.cli.vault_check import CheckRequest, run  # noqa: PLC0415 (cold start)
    from sealkit.cli.vault_report import judge  # noqa: PLC0415 (same)

    request = CheckRequest(tuple(dict.fromkeys(files)) or (STDIO,), store_file, namespace, keys)
    report = run(request, app)
    if as_json:
        print_json(app, report.to_dict())
    else:
        app.write(STDIO, "".join(f"{line}\n" for line in report.lines()))
        app.say(report.summary)
    judge(report)


@vault_command.command("push", short_help="Move the values of a Secret to Vault.")
@click.argument("file", default=STDIO)
@click.option(
    "--to",
    required=True,
    metavar="PATH",
    help="Where in Vault: mount and path of a key-value secret, such as kv/shop/db.",
)
@output_option
@click.option("-i", "--in-place", is_flag=True, help="Replace FILE by its sealed form.")
@click.option(
    "--replace", "replaces", is_flag=True, help="Remove keys in Vault that the Secret has not."
)
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    help="Scope of the manifest; the rule's first, or strict.",
)
@click.option(
    "-n", "--namespace", default="", metavar="NAME", help="Namespace of a Secret that names none."
)
@store_options
@click.option("--dry-run", is_flag=True, help="Only say which keys would be written.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON; needs -o, -i or --dry-run.")
@click.pass_obj
def push_command(
    app: App,
    file: str,
    to: str,
    output: str,
    in_place: bool,
    replaces: bool,
    scope: str | None,
    namespace: str,
    store: str,
    cluster_store: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write the values of the Secret in FILE to Vault, and print a manifest that refers to them.

    Vault is asked with your own token, as by `sealkit vault check`. Other keys at the path stay.
    Nothing is written that is there already, nor over what somebody else writes meanwhile (which
    key-value mounts of version 1 cannot tell).
    """
    from sealkit.cli.vault_push import PushRequest, check, run  # noqa: PLC0415 (cold start)

    wish = Wish(Choice(), Scope(scope) if scope else None, store_asked_for(store, cluster_store))
    request = PushRequest(file, to, output, in_place, replaces, wish, namespace, dry_run)
    check(request, as_json=as_json)
    print_report(app, [run(request, app)], as_json=as_json)
