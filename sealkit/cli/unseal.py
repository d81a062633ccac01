"""`sealkit unseal`: open manifests at the desk, with private keys in files."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.making import making
from sealkit.cli.options import key_option
from sealkit.cli.resources import SEALED, Found, label_of, read_resources
from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.errors import ReferenceSyntaxError, UsageError
from sealkit.files import PRIVATE_MODE
from sealkit.keystore import parse_private_keys
from sealkit.manifests.sealed import KIND, SealedSecret
from sealkit.manifests.secret import DEFAULT_TYPE
from sealkit.manifests.splice import Replace, rewrite
from sealkit.manifests.vault import DEFAULT_STORE
from sealkit.referring import divide
from sealkit.sealing import unseal

_ELSEWHERE = "sealkit vault check FILE resolves it without showing a value"


@click.command("unseal")
@click.argument("file", default=STDIO)
@key_option(required=True)
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

    Other documents, their order and comments stay as they are. References to Vault come out as
    references. The result is plaintext: do not commit it.
    """
    app.write(output, run(app, file, keys), mode=PRIVATE_MODE)


def run(app: App, file: str, key_files: tuple[str, ...]) -> str:
    """Return the text with every SealedSecret replaced by its Secret; all of them or none.

    Raises:
        NoKeyError: no key fits some manifest.
        UnsealError: a manifest cannot be opened.
        UsageError: there is no SealedSecret, or one whose references no Secret can hold.
    """
    if (file, *key_files).count(STDIO) > 1:
        raise UsageError("standard input can be only one of them: FILE or one --key")
    keys = read_keys(app, key_files)
    text, found = read_resources(app, file)
    sealed = [entry for entry in found if entry.type == SEALED]
    if not sealed:
        raise UsageError(f"holds no {KIND}").located(file=label_of(file))
    changes = []
    for entry in sealed:
        with entry.located():
            raw = _opened(app, SealedSecret.from_dict(entry.raw), keys)
            _say_what_changes(app, entry, raw)
        changes.append(Replace(entry.resource, raw))
    return rewrite(text, changes)


def read_keys(app: App, key_files: tuple[str, ...]) -> dict[Kid, PrivateKey]:
    """Read private keys.

    Raises:
        ConfigError: a file holds no key.
    """
    keys: dict[Kid, PrivateKey] = {}
    for name in key_files:
        keys |= parse_private_keys(app.read(name), label_of(name))
    return keys


def _opened(app: App, sealed: SealedSecret, keys: Mapping[Kid, PrivateKey]) -> Mapping[str, object]:
    """Return the Secret of a manifest, with references for what is in Vault."""
    if sealed.references:
        return _with_references(sealed, keys)
    with making(app.random) as salt:
        return unseal(sealed, keys, salt=salt).to_dict()


def _with_references(sealed: SealedSecret, keys: Mapping[Kid, PrivateKey]) -> Mapping[str, object]:
    if sealed.template.makes:
        what = "makes something of values that are in Vault"
        raise UsageError(what, field="spec.template", hint=_ELSEWHERE)
    texts = {}
    for key, template in sealed.references.items():
        text = template.to_raw()
        if not isinstance(text, str):
            what = "is more than text in a Secret can say"
            raise UsageError(what, field=f"spec.references.{key}", hint=_ELSEWHERE)
        texts[key] = text
    secret = unseal(_of_sealed_values(sealed), keys)
    return {**secret._replace(type=sealed.template.type).to_dict(), "stringData": texts}


def _of_sealed_values(sealed: SealedSecret) -> SealedSecret:
    """Return the manifest without references, and without a type that may need what they are."""
    return sealed._replace(references={}, template=sealed.template._replace(type=DEFAULT_TYPE))


def _say_what_changes(app: App, entry: Found, raw: Mapping[str, object]) -> None:
    """Tell what would be another manifest when the Secret is sealed again."""
    sealed = SealedSecret.from_dict(entry.raw)
    place = f"{entry.resource.document.file}:{entry.document}"
    if sealed.references and sealed.vault.store != DEFAULT_STORE:
        option = f"--{'' if sealed.vault.store.kind == 'VaultStore' else 'cluster-'}store"
        app.say(
            f"sealkit: note: {place}: a Secret names no store, seal it again with"
            f" {option} {sealed.vault.store.name}"
        )
    if not _keeps(sealed, raw):
        app.say(
            f"sealkit: note: {place}: a sealed value reads as a reference, seal it again with"
            " --no-references"
        )


def _keeps(sealed: SealedSecret, raw: Mapping[str, object]) -> bool:
    """Tell whether sealing the Secret finds the same references as before."""
    with suppress(ReferenceSyntaxError):
        return divide(raw).references == sealed.references
    return False
