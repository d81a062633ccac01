"""Keys at the desk: pinned recipients, private keys in files, public keys fetched.

A recipient counts only if its file holds the key that the config pins; a fetched key is shown with
its whole id and never replaces a pinned one silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from sealkit.crypto.recipient import Recipient
from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.errors import ConfigError, ManifestError, SealkitError
from sealkit.files import read_bytes
from sealkit.keypair import KeyPair
from sealkit.manifests.documents import iter_resources, read_documents

PUBLIC_KEYS: Final = "sealkit-public-keys"  # the ConfigMap that the controller publishes
CURRENT: Final = "recipient"
_TIMEOUT_SECONDS: Final = 15


def load_recipient(path: Path) -> Recipient:
    """Read a recipient file.

    Raises:
        ConfigError: it is not one.
        SealkitError: it cannot be read.
    """
    return parse_recipient(read_bytes(path), str(path))


def parse_recipient(raw: bytes, source: str) -> Recipient:
    """Parse the text of a recipient file; `source` is named in errors.

    Raises:
        ConfigError: it is not one.
    """
    try:
        return Recipient.parse(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise ConfigError("is not a recipient file").located(file=source) from None
    except ConfigError as error:
        error.located(file=source)
        raise


def pinned_recipient(path: Path, kid: str, not_after: date | None, today: date) -> Recipient:
    """Return the recipient in a file if it holds the pinned key and may be sealed for today.

    `not_after` is the last day that the config allows; the file may name an earlier one.

    Raises:
        ConfigError: the file is missing, holds another key than `kid`, or is expired.
    """
    recipient = load_recipient(path)
    if recipient.key.kid != kid:
        raise ConfigError(
            f"holds key {recipient.key.kid}, but the configuration pins {kid}",
            hint="if the key was renewed: sealkit clusters add NAME … --replace",
        ).located(file=str(path))
    last_day = min(day for day in (not_after, recipient.not_after, date.max) if day)
    if today > last_day:
        raise ConfigError(
            f"the key expired on {last_day.isoformat()}",
            hint="fetch the current one: sealkit clusters add NAME … --replace",
        ).located(file=str(path))
    return recipient


def load_private_keys(paths: Iterable[Path]) -> Mapping[Kid, PrivateKey]:
    """Read private keys: the controller's key Secrets as `kubectl get -o yaml` gives them.

    Raises:
        ConfigError: a file holds no key, or a damaged one.
        SealkitError: a file cannot be read.
    """
    keys: dict[Kid, PrivateKey] = {}
    for path in paths:
        found = [pair.key for pair in _key_pairs(path)]
        if not found:
            hint = "kubectl get secret -n sealkit-system -l sealkit.dev/key -o yaml > keys.yaml"
            raise ConfigError("holds no key of sealkit", hint=hint).located(file=str(path))
        keys.update((key.kid, key) for key in found)
    return keys


def _key_pairs(path: Path) -> Iterable[KeyPair]:
    for document in read_documents(read_bytes(path), file=str(path)):
        for resource in iter_resources(document):
            raw = resource.to_dict()
            try:
                if raw.get("kind") == "Secret":
                    yield KeyPair.from_secret(raw)
            except (ConfigError, ManifestError) as error:
                error.located(file=str(path), document=document.index)
                raise


def fetch_from_context(context: str | None, kubeconfig: Path | None, namespace: str) -> Recipient:
    """Return the key a cluster seals with now, from its `sealkit-public-keys` ConfigMap.

    `context` and `kubeconfig` default as in kubectl. Reads with the caller's own rights.

    Raises:
        SealkitError: the cluster does not answer, or has no controller in `namespace`.
        ConfigError: what it published is not a recipient.
    """
    from kubernetes import client, config  # noqa: PLC0415 (24 times the start-up of Python)
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 (same)

    file = str(kubeconfig) if kubeconfig else None
    try:
        settings = client.Configuration()
        config.load_kube_config(  # type: ignore[no-untyped-call]  # has no annotations
            file, context, client_configuration=settings
        )
        with client.ApiClient(settings) as api:
            published = client.CoreV1Api(api).read_namespaced_config_map(
                PUBLIC_KEYS, namespace, _request_timeout=_TIMEOUT_SECONDS
            )
    except client.ApiException as error:
        raise SealkitError(
            f"the cluster publishes no key in namespace {namespace} (HTTP {error.status})",
            hint="is the controller installed there? else pass --controller-namespace",
        ) from None  # the exception's own text holds the response body
    except (config.ConfigException, HTTPError, OSError) as error:
        what = f"the cluster of context {context or 'in use'} cannot be reached"
        raise SealkitError(f"{what} ({type(error).__name__})") from error
    text = (published.data or {}).get(CURRENT, "")
    return parse_recipient(text.encode(), f"{namespace}/{PUBLIC_KEYS}")


def fetch_from_url(url: str) -> Recipient:
    """Return the recipient served at an address, such as the controller's `/v1/recipient`.

    Raises:
        SealkitError: nothing answers there within 15 s, or not with 200.
        ConfigError: what it serves is not a recipient.
    """
    from urllib.error import URLError  # noqa: PLC0415 (rare: cold start)
    from urllib.request import urlopen  # noqa: PLC0415 (rare: cold start)

    try:
        with urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 (checked by the caller)
            raw: bytes = response.read(64 * 1024)
    except (URLError, OSError) as error:
        raise SealkitError(f"cannot be fetched ({type(error).__name__})").located(
            file=url
        ) from error
    return parse_recipient(raw, url)
