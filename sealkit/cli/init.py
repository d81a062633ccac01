"""`sealkit init`: the files a repository needs, without touching what is there."""

from __future__ import annotations

import os
from typing import Final

import click

from sealkit.cli.app import App
from sealkit.config import API_VERSION, NAME, load_config
from sealkit.files import read_bytes

_CONFIG: Final = f"""\
# Who may read what in this repository. Paths are relative to this file; the first rule that
# matches a file decides. Without rules every manifest is sealed for all clusters.
apiVersion: {API_VERSION}
clusters: {{}}
# rules:
# - paths: ["apps/*/prod/**"]
#   clusters: [prod]
#   scopes: [strict]
"""
_ATTRIBUTES: Final = "*.sealed.yaml text eol=lf\n.sealkit/*.pub text eol=lf\n"


@click.command("init")
@click.option(
    "--demo-cluster",
    "kubeconfig",
    metavar="KUBECONFIG",
    default="",
    help="Pin the key of a running `sealkit sandbox` as cluster `sandbox`.",
)
@click.pass_obj
def init_command(app: App, kubeconfig: str) -> None:
    """Write .sealkit.yaml and .gitattributes into this folder."""
    for line in run(app):
        app.say(line)
    if kubeconfig:
        from sealkit.cli.clusters import AddRequest, add  # noqa: PLC0415 (rare: cold start)

        request = AddRequest(
            "sandbox", "", None, kubeconfig, "sealkit-system", "", None, replace=True
        )
        app.say(f"pinned cluster sandbox: key {add(request, app).key.kid}")


def run(app: App) -> list[str]:
    """Create what is missing and return a line for each file. Running it twice changes nothing.

    Raises:
        ConfigError: there is a configuration already, and it is wrong.
    """
    lines = []
    if os.path.exists(app.path(NAME)):
        load_config(app.path(NAME))
        lines.append(f"kept {NAME}")
    else:
        app.write(NAME, _CONFIG)
        lines.append(f"wrote {NAME}: next, sealkit clusters add NAME --context CTX")
    attributes = app.path(".gitattributes")
    # Its other lines may be in any encoding, and keep their bytes.
    present = (
        read_bytes(attributes).decode(errors="surrogateescape")
        if os.path.exists(attributes)
        else ""
    )
    missing = [line for line in _ATTRIBUTES.splitlines() if line not in present.splitlines()]
    if missing:
        start = present if not present or present.endswith("\n") else present + "\n"
        app.write(".gitattributes", start + "\n".join(missing) + "\n")
        lines.append("wrote .gitattributes")
    return lines
