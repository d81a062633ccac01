"""`sealkit verify --cluster`: pins and manifests of files compared with a live cluster.

Read with the user's own rights; nothing of the files is sent. No Secret is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sealkit.cli.app import App
from sealkit.cli.verify_look import Looked, World, configuration_of
from sealkit.cluster import Place, sealed_secrets_in
from sealkit.config import Config
from sealkit.fetching import listed_keys
from sealkit.findings.finding import Finding
from sealkit.findings.locating import place_in
from sealkit.verifying.live import Filed, Pinned, check_applied, check_keys


class Cluster(NamedTuple):
    """A live cluster: how it is reached, and the states of its keys by id, the newest first."""

    place: Place
    states: dict[str, str]


def reach(place: Place, namespace: str) -> Cluster:
    """Return a cluster, whose controller publishes its keys in `namespace`.

    Raises:
        SealkitError: it does not answer, refuses, or has no controller there.
        ConfigError: the kubeconfig is not usable.
    """
    return Cluster(place, {key.kid: key.state for key in listed_keys(place, namespace)})


def look_at_cluster(world: World, cluster: Cluster, looked: Iterable[Looked]) -> list[Looked]:
    """Return how configurations and files differ from a cluster.

    Manifests for other clusters, and those that do not say their namespace, are passed over.

    Raises:
        SealkitError: the cluster does not list its manifests, or a configuration cannot be read.
    """
    configs = world.configs.found
    found = [_pins(world.app, config, cluster) for config in configs]
    names = _names(configs, cluster)
    filed = [one for file in looked for one in file.filed]
    wanted = [one for one in filed if one.namespace and one.clusters & names]
    return [*found, Looked("", tuple(_applied(cluster, wanted)))]


def _names(configs: Iterable[Config], cluster: Cluster) -> frozenset[str]:
    """Return the names that a cluster goes by: those to which one of its keys is pinned."""
    pinned = (one for config in configs for one in config.clusters.values())
    return frozenset(one.name for one in pinned if one.kid in cluster.states)


def _applied(cluster: Cluster, filed: Sequence[Filed]) -> Iterator[Finding]:
    if filed:
        raws = sealed_secrets_in(cluster.place, {one.namespace for one in filed})
        yield from check_applied(filed, raws)


def _pins(app: App, config: Config, cluster: Cluster) -> Looked:
    resource, comments = configuration_of(app, config)
    label = app.shown(config.path)
    pinned = [
        Pinned(one.name, one.kid, place_in(resource, f"clusters.{one.name}", one.name))
        for one in config.clusters.values()
    ]
    findings = check_keys(pinned, cluster.states, place_in(resource))
    return Looked(label, tuple(findings), comments)
