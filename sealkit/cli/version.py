"""`sealkit version`: what runs here, for bug reports."""

from __future__ import annotations

import platform

import click
import cryptography
from cryptography.hazmat.bindings._rust import openssl

from sealkit import __version__
from sealkit.cli.app import STDIO, App
from sealkit.cli.output import print_json


@click.command("version")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def version_command(app: App, as_json: bool) -> None:
    """Show the versions of sealkit and of what it builds on."""
    versions = run()
    if as_json:
        print_json(app, versions)
    else:
        app.write(STDIO, "".join(f"{name}: {value}\n" for name, value in versions.items()))


def run() -> dict[str, str]:
    """Return the versions by name."""
    return {
        "sealkit": __version__,
        "python": platform.python_version(),
        "cryptography": cryptography.__version__,
        "openssl": openssl.openssl_version_text(),
        "suites": "X1",
    }
