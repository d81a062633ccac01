"""How a test reaches a Kubernetes API server, real or sandbox."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml


@dataclass(frozen=True)
class ApiServer:
    """The address of an API server and what a client needs to use it as an administrator."""

    url: str
    token: str
    ca_file: Path

    @property
    def host(self) -> str:
        """The host part of `url`."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port part of `url`, which always names one."""
        port = urlsplit(self.url).port
        assert port is not None, f"no port in {self.url}"
        return port

    def ssl_context(self) -> ssl.SSLContext:
        """Return a client context that trusts this server's authority and no other."""
        return ssl.create_default_context(cafile=self.ca_file)

    def kubeconfig(self) -> str:
        """Return a kubeconfig whose one context is this server, namespace `default`."""
        cluster = {"server": self.url, "certificate-authority": str(self.ca_file.absolute())}
        context = {"cluster": "test", "user": "test", "namespace": "default"}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": self.token}}],
            "contexts": [{"name": "test", "context": context}],
            "current-context": "test",
        }
        return yaml.safe_dump(document, sort_keys=False)

    def write_kubeconfig(self, path: Path) -> Path:
        """Write `kubeconfig()` to `path`, readable by its owner only, and return `path`."""
        path.touch(mode=0o600)
        path.write_text(self.kubeconfig())
        return path
