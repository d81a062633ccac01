"""How to reach the API server: kubeconfig (exec plugins included) or the pod's service account.

The one place that uses the official client, and only to load configuration.
"""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kubernetes import config
from kubernetes.client import Configuration
from kubernetes.config.config_exception import ConfigException

from sealkit.errors import ConfigError
from sealkit_controller.connection import Access

_NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def own_namespace() -> str:
    """Return the namespace of the pod this runs in, "" outside of a cluster."""
    try:
        return _NAMESPACE_FILE.read_text().strip()
    except OSError:
        return ""


def load_access(kubeconfig: str = "", context: str = "") -> Access:
    """Return how to reach the API server.

    With neither argument the pod's service account is used if there is one, else the kubeconfig
    that kubectl would use.

    Raises:
        ConfigError: there is no usable configuration, or it needs an HTTP proxy.
    """
    credentials = _Credentials(kubeconfig, context)
    loaded = credentials.configuration
    if loaded.proxy:
        raise ConfigError("kubeconfig: proxy-url is not supported")
    url = urlsplit(loaded.host)
    if not url.hostname or url.scheme not in {"http", "https"}:
        raise ConfigError("kubeconfig: the server is not an http or https URL")
    secure = url.scheme == "https"
    return Access(
        host=url.hostname,
        port=url.port or (443 if secure else 80),
        tls=_tls(loaded) if secure else None,
        base_path=url.path.rstrip("/"),
        server_name=loaded.tls_server_name or "",
        authorization=credentials.header,
    )


class _Credentials:
    """The token of the configuration, read again when the API server no longer takes it."""

    def __init__(self, kubeconfig: str, context: str) -> None:
        self._kubeconfig = kubeconfig
        self._context = context
        self._lock = threading.Lock()
        self.configuration = self._load()

    def header(self, renew: bool) -> str:  # noqa: FBT001  (the shape that Access wants)
        with self._lock:
            if renew:
                self.configuration = self._load()
            value = self.configuration.get_api_key_with_prefix("BearerToken", "authorization")
        return (value or "").strip()

    def _load(self) -> Configuration:
        loaded = Configuration()
        try:
            if not self._kubeconfig and not self._context and own_namespace():
                config.load_incluster_config(client_configuration=loaded)  # type: ignore[no-untyped-call]  # no types there
            else:
                config.load_kube_config(  # type: ignore[no-untyped-call]  # no types there
                    config_file=self._kubeconfig or None,
                    context=self._context or None,
                    client_configuration=loaded,
                    persist_config=False,
                )
        except (ConfigException, OSError) as error:
            raise ConfigError(f"no usable Kubernetes configuration: {error}") from None
        return loaded


def _tls(loaded: Configuration) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=loaded.ssl_ca_cert or None)
        if loaded.cert_file:
            context.load_cert_chain(loaded.cert_file, loaded.key_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"kubeconfig: a certificate cannot be read ({type(error).__name__})"
        ) from None
    if not loaded.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
