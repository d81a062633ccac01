"""`sealkit clusters`: fetch and pin the public keys that this repository seals for."""

from __future__ import annotations

import os
import posixpath
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

import click

from sealkit import fields
from sealkit.cli.app import STDIO, App
from sealkit.cli.options import cluster_options
from sealkit.cli.output import print_json
from sealkit.cluster import Place
from sealkit.config import NAME, Cluster, Config, add_cluster, find_config, remove_cluster
from sealkit.crypto.recipient import Recipient
from sealkit.errors import ConfigError, ManifestError, PolicyError, SealkitError, UsageError
from sealkit.fetching import fetch_from_context, fetch_from_url
from sealkit.files import make_folder, read_bytes, remove_file
from sealkit.keystore import (
    last_day,
    load_recipient,
    pinned_recipient,
    standing,
)

FOLDER: Final = ".sealkit"


@click.group("clusters")
def clusters_command() -> None:
    """Clusters that this repository seals for."""


@dataclass(frozen=True)
class AddRequest:
    """Which cluster to pin and where its public key comes from: exactly one source."""

    name: str
    source: str
    context: str | None
    kubeconfig: str | None
    controller_namespace: str
    kid: str
    not_after: date | None
    replace: bool


@clusters_command.command("add")
@click.argument("name")
@click.argument("source", default="", metavar="[FILE|URL]")
@cluster_options
@click.option("--kid", default="", metavar="KID", help="Refuse any key but the one with this id.")
@click.option(
    "--not-after",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Last day to seal for it.",
)
@click.option("--replace", is_flag=True, help="Pin a new key for a cluster that has one.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def add_command(
    app: App,
    name: str,
    source: str,
    context: str | None,
    kubeconfig: str | None,
    controller_namespace: str,
    kid: str,
    not_after: object,
    replace: bool,
    as_json: bool,
) -> None:
    """Fetch the public key of cluster NAME and pin it in .sealkit.yaml.

    The key comes from a FILE, a URL, or the cluster itself (--context). Compare the key id that is
    shown with the one that the cluster's operator sees: everything rests on it.
    """
    day = date.fromisoformat(str(not_after)[:10]) if not_after else None
    request = AddRequest(name, source, context, kubeconfig, controller_namespace, kid, day, replace)
    recipient = add(request, app)
    if as_json:
        last = recipient.not_after.isoformat() if recipient.not_after else ""
        print_json(app, {"name": name, "kid": recipient.key.kid, "not_after": last})
        return
    app.say(f"pinned cluster {name}: key {recipient.key.kid}")
    app.say("sealkit: note: compare this key id with the one the cluster's operator sees")


def add(request: AddRequest, app: App) -> Recipient:
    """Pin a cluster: write its recipient file and its entry in the configuration.

    Pinning the same key again is no error; it may bring a new last day.

    Raises:
        UsageError: no configuration, not exactly one source, a bad name, or the cluster is pinned
            to another key already.
        ConfigError: the key is not the one that --kid demands, or not usable.
    """
    config = _config(app)
    _check_name(request.name)
    fetched = _fetch(request, app)
    kid = fetched.key.kid
    if request.kid and kid != request.kid:
        raise ConfigError(f"the key found is {kid}, not {request.kid}")
    pinned = config.clusters.get(request.name)
    if pinned and pinned.kid != kid and not request.replace:
        what = f"cluster {request.name!r} is pinned to {pinned.kid}, the key found is {kid}"
        raise UsageError(what, hint="if the key was renewed: --replace")
    # Nobody can add days to what the cluster says itself.
    recipient = Recipient(request.name, fetched.key, last_day(fetched, request.not_after))
    _pin(app, config, recipient)
    return recipient


def _check_name(name: str) -> None:
    try:
        fields.object_name(name, "NAME")
    except ManifestError as error:
        raise UsageError(error.problem, field=error.field) from error


def _pin(app: App, config: Config, recipient: Recipient) -> None:
    path = f"{FOLDER}/{recipient.cluster}.pub"
    cluster = Cluster(recipient.cluster, recipient.key.kid, path, recipient.not_after)
    text = add_cluster(read_bytes(config.path), cluster)
    make_folder(os.path.join(config.folder, FOLDER))
    app.write(config.file_of(cluster), str(recipient))
    app.write(config.path, text)


def _config(app: App) -> Config:
    config = find_config(app.folder)
    if config is None:
        raise UsageError(f"there is no {NAME} here or above", hint="sealkit init")
    return config


def _fetch(request: AddRequest, app: App) -> Recipient:
    online = request.context is not None or request.kubeconfig is not None
    if bool(request.source) == online:
        raise UsageError("expected exactly one of FILE, URL or --context")
    if online:
        kubeconfig = app.path(request.kubeconfig) if request.kubeconfig else None
        place = Place(request.context, kubeconfig)
        return fetch_from_context(place, request.controller_namespace)
    if request.source.startswith(("https://", "http://")):
        return fetch_from_url(request.source)
    return load_recipient(app.path(request.source))


@clusters_command.command("remove")
@click.argument("name")
@click.pass_obj
def remove_command(app: App, name: str) -> None:
    """Take cluster NAME out of .sealkit.yaml; manifests follow with `sealkit rewrap`.

    Its recipient file goes too. A rule that names the cluster is for you to change first.
    """
    cluster = remove(name, app)
    app.say(f"removed cluster {name}: key {cluster.kid}")
    app.say(
        "sealkit: note: its key opens all manifests until sealkit rewrap, and for ever what Git's"
        " history holds: change the values that it is not to know"
    )


def remove(name: str, app: App) -> Cluster:
    """Take a cluster out of the configuration, and its recipient file away.

    Raises:
        UsageError: no configuration, or no such cluster in it.
        PolicyError: a rule names it.
    """
    config = _config(app)
    cluster = config.clusters.get(name)
    if cluster is None:
        known = ", ".join(config.clusters) or "none"
        raise UsageError(f"there is no cluster {name!r} in {NAME}, expected {known}")
    for number, rule in enumerate(config.rules):
        if name in rule.clusters:
            what, hint = f"names cluster {name!r}", "change the rule first"
            error = PolicyError(what, field=f"rules[{number}].clusters", hint=hint)
            raise error.located(file=config.path)
    app.write(config.path, remove_cluster(read_bytes(config.path), name))
    others = {one.recipient for one in config.clusters.values() if one.name != name}
    if cluster.recipient not in others and posixpath.dirname(cluster.recipient) == FOLDER:
        remove_file(config.file_of(cluster))
    return cluster


@dataclass(frozen=True)
class Row:
    """One pinned cluster: `state` is usable, expired, mismatched or unreadable."""

    name: str
    kid: str
    not_after: str
    state: str
    problem: str = ""


@clusters_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_command(app: App, as_json: bool) -> None:
    """List the pinned clusters and whether they can be sealed for."""
    config = _config(app)
    rows = [_row(app, config, cluster) for cluster in config.clusters.values()]
    if as_json:
        print_json(app, [asdict(row) for row in rows])
    else:
        _print_table(app, rows)


def _print_table(app: App, rows: list[Row]) -> None:
    if not rows:
        app.say("there is no cluster yet: sealkit clusters add NAME --context CTX")
    width = max((len(row.name) for row in rows), default=0)
    lines = (
        f"{row.name:{width}}  {row.kid}  {row.not_after or 'no end':10}  {row.state}\n"
        for row in rows
    )
    app.write(STDIO, "".join(lines))
    for row in rows:
        if row.problem:
            app.say(f"sealkit: note: {row.name}: {row.problem}")


def _row(app: App, config: Config, cluster: Cluster) -> Row:
    path = config.file_of(cluster)
    state, problem, last = "unreadable", "", cluster.not_after
    try:
        recipient = load_recipient(path)
        last = last_day(recipient, cluster.not_after)
        state = standing(recipient, cluster.kid, cluster.not_after, app.today()).value
        pinned_recipient(path, cluster.kid, cluster.not_after, app.today())
    except SealkitError as error:
        problem = f"{app.shown(path)} {error.problem}"
    return Row(cluster.name, cluster.kid, last.isoformat() if last else "", state, problem)
