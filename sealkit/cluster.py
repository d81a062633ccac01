"""A live cluster as its user sees it: public keys and manifests, read with the user's own rights.

Nothing here reads a Secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from sealkit.errors import ConfigError, SealkitError

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, Configuration

PUBLIC_KEYS: Final = "sealkit-public-keys"  # the ConfigMap that the controller publishes
CURRENT: Final = "recipient"
ALL_KEYS: Final = "keys"
_PAGE_SIZE: Final = 500
_TIMEOUT_SECONDS: Final = 15
_ODD_SHAPES: Final = (LookupError, TypeError, AttributeError, ValueError)

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Which cluster: a context of a kubeconfig, both by default those that kubectl would use."""

    context: str | None = None
    kubeconfig: Path | None = None

    def __str__(self) -> str:
        """What it is called in messages."""
        return f"of context {self.context!r}" if self.context else "in use"


def public_keys(place: Place, namespace: str) -> Mapping[str, str]:
    """Return the entries of the ConfigMap `sealkit-public-keys` that a controller publishes.

    Raises:
        SealkitError: the cluster does not answer, or has no controller in `namespace`.
        ConfigError: the kubeconfig is not usable.
    """

    def read(api: ApiClient) -> Mapping[str, str]:
        from kubernetes.client import CoreV1Api  # noqa: PLC0415 (24 times the start-up of Python)

        published = CoreV1Api(api).read_namespaced_config_map(
            PUBLIC_KEYS, namespace, _request_timeout=_TIMEOUT_SECONDS
        )
        return published.data or {}

    return _asked(
        place,
        read,
        what=f"the cluster publishes no key in namespace {namespace}",
        hint="is the controller installed there? else pass --controller-namespace",
    )


def sealed_secrets(place: Place) -> list[Mapping[str, object]]:
    """Return every SealedSecret of a cluster, unchecked.

    Raises:
        SealkitError: the cluster does not answer, or does not let the user list them.
        ConfigError: the kubeconfig is not usable.
    """
    return _asked(
        place,
        lambda api: list(_pages(api)),
        what="the cluster does not list SealedSecrets",
        hint="it takes the right to list sealedsecrets in all namespaces; else name files",
    )


def _pages(api: ApiClient) -> Iterator[Mapping[str, object]]:
    from kubernetes.client import CustomObjectsApi  # noqa: PLC0415 (as above)

    token: str | None = None
    while True:
        page = CustomObjectsApi(api).list_cluster_custom_object(
            "sealkit.dev",
            "v1alpha1",
            "sealedsecrets",
            limit=_PAGE_SIZE,
            _continue=token,
            _request_timeout=_TIMEOUT_SECONDS,
        )
        assert isinstance(page, dict)  # noqa: S101  (untyped there, and an error otherwise)
        yield from page["items"]
        token = page["metadata"].get("continue")
        if not token:
            return


def _asked(place: Place, read: Callable[[ApiClient], T], *, what: str, hint: str) -> T:
    from kubernetes import client  # noqa: PLC0415 (as above)
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 (same)

    settings = _connection(place)
    try:
        with client.ApiClient(settings) as api:
            return read(api)
    except client.ApiException as error:
        # Not its own text, which holds the response body.
        raise SealkitError(f"{what} (HTTP {error.status})", hint=hint) from None
    except (HTTPError, OSError) as error:
        problem = f"the cluster {place} cannot be reached ({type(error).__name__})"
        raise SealkitError(problem) from error


def _connection(place: Place) -> Configuration:
    from kubernetes import client, config  # noqa: PLC0415 (as above)
    from yaml import YAMLError  # noqa: PLC0415 (same)

    settings = client.Configuration()
    path = str(place.kubeconfig) if place.kubeconfig else None
    try:
        config.load_kube_config(path, place.context, client_configuration=settings)  # type: ignore[no-untyped-call]  # has no annotations
    # The loader checks nothing: a field of the wrong shape ends in any of these.
    except (config.ConfigException, YAMLError, *_ODD_SHAPES, OSError) as error:
        what = f"the kubeconfig has no usable cluster {place} ({type(error).__name__})"
        raise ConfigError(what, hint="kubectl config get-contexts") from error
    return settings
