"""`sealkit unseal`: open manifests at the desk, with private keys in files."""

from __future__ import annotations

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.resources import SEALED, label_of, read_resources
from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.errors import UsageError
from sealkit.files import PRIVATE_MODE
from sealkit.keystore import parse_private_keys
from sealkit.manifests.sealed import KIND, SealedSecret
from sealkit.manifests.splice import Replace, rewrite
from sealkit.sealing import unseal


@click.command("unseal")
@click.argument("file", default=STDIO)
@click.option(
    "--key",
    "keys",
    multiple=True,
    required=True,
    metavar="FILE",
    help="Key Secrets of the controller, as `kubectl get -o yaml` prints them; - is standard"
    " input; repeatable.",
)
@click.option(
    "-o",
    "--output",
    default=STDIO,
    metavar="FILE",
    help="Write to this file, readable by you only.",
)
@click.pass_obj
def unseal_command(app: App, file: str, keys: tuple[str, ...], output: str) -> None:
    """Print the Secrets inside the sealed manifests of FILE (standard input by default).

    Other documents, their order and comments stay as they are. The result is plaintext: do not
    commit it.
    """
    app.write(output, run(app, file, keys), mode=PRIVATE_MODE)


def run(app: App, file: str, key_files: tuple[str, ...]) -> str:
    """Return the text with every SealedSecret replaced by its Secret; all of them or none.

    Raises:
        NoKeyError: no key fits some manifest.
        UnsealError: a manifest cannot be opened.
        UsageError: there is no SealedSecret.
    """
    if (file, *key_files).count(STDIO) > 1:
        raise UsageError("standard input can be only one of them: FILE or one --key")
    keys: dict[Kid, PrivateKey] = {}
    for name in key_files:
        keys |= parse_private_keys(app.read(name), label_of(name))
    text, found = read_resources(app, file)
    sealed = [entry for entry in found if entry.type == SEALED]
    if not sealed:
        raise UsageError(f"holds no {KIND}").located(file=label_of(file))
    changes = []
    for entry in sealed:
        with entry.located():
            secret = unseal(SealedSecret.from_dict(entry.raw), keys)
        changes.append(Replace(entry.resource, secret.to_dict()))
    return rewrite(text, changes)
