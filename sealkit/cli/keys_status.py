"""`sealkit keys status`: the keys of a cluster as everybody may see them, and who pins them."""

from __future__ import annotations

from typing import NamedTuple

from sealkit.cli.app import STDIO, App
from sealkit.cluster import Place
from sealkit.config import find_config
from sealkit.fetching import fetch_from_context, listed_keys
from sealkit.keypair import KeyState
from sealkit.lines import printable


class KeyStatus(NamedTuple):
    """One key. `seals` says that the cluster hands it out; `pinned_by` are names in the config."""

    kid: str
    state: str
    since: str
    seals: bool
    pinned_by: tuple[str, ...]


def status(app: App, place: Place, namespace: str) -> list[KeyStatus]:
    """Return every key of a cluster, the newest first, with what this repository pins.

    Raises:
        SealkitError: the cluster does not answer.
        ConfigError: what it publishes, the kubeconfig or the configuration here is wrong.
    """
    config = find_config(app.folder)
    clusters = config.clusters if config else {}
    keys = listed_keys(place, namespace)
    current = fetch_from_context(place, namespace).key.kid
    return [
        KeyStatus(
            *key,
            seals=key.kid == current,
            pinned_by=tuple(name for name, pin in clusters.items() if pin.kid == key.kid),
        )
        for key in keys
    ]


def print_status(app: App, keys: list[KeyStatus]) -> None:
    """Print a table, and a note for each pin that is not the key that seals."""
    lines = [f"{'KEY':26}  {'STATE':11}  {'SINCE':20}  SEALS  PINNED BY"]
    lines += [
        f"{key.kid:26}  {key.state:11}  {key.since:20}  {'yes' if key.seals else 'no':5}"
        f"  {', '.join(key.pinned_by)}".rstrip()
        for key in keys
    ]
    app.write(STDIO, "".join(f"{printable(line)}\n" for line in lines))
    for key in keys:
        for name in key.pinned_by:
            if not key.seals:
                old = "older" if key.state == KeyState.ACTIVE.value else key.state
                app.say(f"sealkit: note: {name} pins a key that is {old}")
                app.say(f"sealkit: hint: sealkit clusters add {name} … --replace")
