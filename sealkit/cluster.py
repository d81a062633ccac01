"""A live cluster as its user sees it: public keys, manifests, Secrets.

All is done with the user's own rights. Secrets are read by `live`, by name, and by `key_secrets`;
nothing is written but Secrets that hold keys.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from sealkit.encoding import from_base64
from sealkit.errors import ConfigError, SealkitError
from sealkit.keypair import LABEL
from sealkit.sensitive import Sensitive

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, Configuration

PUBLIC_KEYS: Final = "sealkit-public-keys"  # the ConfigMap that the controller publishes
CURRENT: Final = "recipient"
ALL_KEYS: Final = "keys"
_SEALED_SECRETS: Final = ("sealkit.dev", "v1alpha1", "sealedsecrets")
_PAGE_SIZE: Final = 500
_TIMEOUT_SECONDS: Final = 15
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_ODD_SHAPES: Final = (LookupError, TypeError, AttributeError, ValueError)

T = TypeVar("T")


class LiveSecret(NamedTuple):
    """A Secret with what tells whose it is. Other labels and annotations may quote its values."""

    type: str
    data: Mapping[str, Sensitive]
    owners: tuple[Mapping[str, object], ...] = ()
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}


class Live(NamedTuple):
    """A SealedSecret, unchecked, and the Secret of its name; None for what is not there."""

    manifest: Mapping[str, object] | None
    secret: LiveSecret | None


@dataclass(frozen=True)
class Place:
    """Which cluster: a context of a kubeconfig, both by default those that kubectl would use.

    In a pod without a kubeconfig it is the pod's own cluster, with the rights of its account.
    """

    context: str | None = None
    kubeconfig: str | None = None

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


def sealed_secrets_in(place: Place, namespaces: Iterable[str]) -> list[Mapping[str, object]]:
    """Return every SealedSecret of some namespaces, unchecked.

    Raises:
        SealkitError: the cluster does not answer, or does not let the user list them.
        ConfigError: the kubeconfig is not usable.
    """
    wanted = sorted(set(namespaces))
    return _asked(
        place,
        lambda api: [one for namespace in wanted for one in _pages(api, namespace)],
        what="the cluster does not list SealedSecrets",
        hint="it takes the right to list sealedsecrets in the namespaces of the manifests",
    )


def _pages(api: ApiClient, namespace: str = "") -> Iterator[Mapping[str, object]]:
    from kubernetes.client import CustomObjectsApi  # noqa: PLC0415 (as above)

    group, version, plural = _SEALED_SECRETS
    objects = CustomObjectsApi(api)
    read = partial(objects.list_cluster_custom_object, group, version, plural)
    if namespace:
        read = partial(objects.list_namespaced_custom_object, group, version, namespace, plural)
    token: str | None = None
    while True:
        page = read(limit=_PAGE_SIZE, _continue=token, _request_timeout=_TIMEOUT_SECONDS)
        assert isinstance(page, dict)  # noqa: S101  (untyped there, and an error otherwise)
        yield from page["items"]
        token = page["metadata"].get("continue")
        if not token:
            return


def live(place: Place, names: Sequence[tuple[str, str]]) -> list[Live]:
    """Return SealedSecrets and Secrets by namespace and name, over one connection.

    Raises:
        SealkitError: the cluster does not answer, or does not let the user get one of them.
        ConfigError: the kubeconfig is not usable.
    """
    return _asked(
        place,
        lambda api: [_live(api, *one) for one in names],
        what="the cluster does not let you get a SealedSecret or a Secret",
        hint="it takes the right to get sealedsecrets and secrets in the namespace",
    )


def _live(api: ApiClient, namespace: str, name: str) -> Live:
    from kubernetes.client import CoreV1Api, CustomObjectsApi  # noqa: PLC0415 (as above)

    group, version, plural = _SEALED_SECRETS
    get = CustomObjectsApi(api).get_namespaced_custom_object
    manifest = _found(partial(get, group, version, namespace, plural, name))
    secret = _found(partial(CoreV1Api(api).read_namespaced_secret, name, namespace))
    return Live(manifest, _live_secret(secret) if secret else None)


def _found(get: Callable[..., Any]) -> Any:
    from kubernetes.client import ApiException  # noqa: PLC0415 (as above)

    try:
        return get(_request_timeout=_TIMEOUT_SECONDS)
    except ApiException as error:
        if error.status == _NOT_FOUND:
            return None
        raise


def _live_secret(secret: Any) -> LiveSecret:
    metadata = secret.metadata
    return LiveSecret(
        type=secret.type or "",
        data={key: Sensitive(from_base64(text)) for key, text in (secret.data or {}).items()},
        owners=tuple(map(_owner, metadata.owner_references or ())),
        labels=_ours(metadata.labels),
        annotations=_ours(metadata.annotations),
    )


def _owner(owner: Any) -> dict[str, object]:
    names = ("api_version", "kind", "name", "uid", "controller")
    return {name: getattr(owner, name) for name in names}


def _ours(entries: Mapping[str, str] | None) -> dict[str, str]:
    found = entries or {}
    return {key: found[key] for key in found if key.startswith("sealkit.dev/")}


def key_secrets(place: Place, namespace: str) -> list[Mapping[str, object]]:
    """Return the Secrets that hold a controller's keys, unchecked: private keys are in them.

    Raises:
        SealkitError: the cluster does not answer, or does not let the user list them.
        ConfigError: the kubeconfig is not usable.
    """

    def read(api: ApiClient) -> list[Mapping[str, object]]:
        from kubernetes.client import CoreV1Api  # noqa: PLC0415 (as above)

        answer: Any = CoreV1Api(api).list_namespaced_secret(
            namespace,
            label_selector=LABEL,
            _preload_content=False,  # the client's models of Secrets print what is in them
            _request_timeout=_TIMEOUT_SECONDS,
        )
        kind = {"apiVersion": "v1", "kind": "Secret"}  # items of a List come without
        return [{**kind, **item} for item in json.loads(answer.data)["items"]]

    return _asked(
        place,
        read,
        what=f"the cluster does not list the key Secrets of namespace {namespace}",
        hint="it takes the right to list secrets in the namespace of the controller",
    )


def create_key_secret(place: Place, secret: Any) -> bool:
    """Create the Secret of a key, as `KeyPair.to_secret` makes it; False if its name is taken.

    Raises:
        SealkitError: the cluster does not answer, has no such namespace, or does not let the user.
        ConfigError: the kubeconfig is not usable.
    """
    namespace = secret["metadata"]["namespace"]

    def write(api: ApiClient) -> bool:
        from kubernetes.client import ApiException, CoreV1Api  # noqa: PLC0415 (as above)

        try:
            CoreV1Api(api).create_namespaced_secret(
                namespace,
                secret,
                _preload_content=False,
                _request_timeout=_TIMEOUT_SECONDS,
            )
        except ApiException as error:
            if error.status == _CONFLICT:
                return False
            raise
        return True

    return _asked(
        place,
        write,
        what=f"the cluster does not create a Secret in namespace {namespace}",
        hint="it takes the namespace of the controller, and the right to create secrets in it",
    )


def label_key_secret(place: Place, namespace: str, name: str, state: str) -> None:
    """Give a key another state, by its label.

    Raises:
        SealkitError: the cluster does not answer, or does not let the user.
        ConfigError: the kubeconfig is not usable.
    """

    def write(api: ApiClient) -> None:
        from kubernetes.client import CoreV1Api  # noqa: PLC0415 (as above)

        CoreV1Api(api).patch_namespaced_secret(
            name,
            namespace,
            {"metadata": {"labels": {LABEL: state}}},
            _preload_content=False,
            _request_timeout=_TIMEOUT_SECONDS,
        )

    _asked(
        place,
        write,
        what=f"the cluster does not label Secret {namespace}/{name}",
        hint="it takes the right to patch secrets in the namespace of the controller",
    )


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
    try:
        try:
            config.load_kube_config(place.kubeconfig, place.context, client_configuration=settings)  # type: ignore[no-untyped-call]  # has no annotations
        except config.ConfigException:
            if place != Place():
                raise
            config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]  # the same
    # The loader checks nothing: a field of the wrong shape ends in any of these.
    except (config.ConfigException, YAMLError, *_ODD_SHAPES, OSError) as error:
        what = f"the kubeconfig has no usable cluster {place} ({type(error).__name__})"
        raise ConfigError(what, hint="kubectl config get-contexts") from error
    return settings
