"""The controller's client on an API server of the tests, real or sandbox."""

from sealkit.crypto.x1 import PrivateKey
from sealkit_controller.cluster import ApiError, Cluster
from sealkit_controller.connection import Access
from sealkit_controller.objects import SECRETS, Resource
from tests.apiserver import ApiServer
from tests.controller.world import NAMESPACE, key_secret, pair

__all__ = ["NAMESPACE", "access", "create_key", "create_namespace"]

NAMESPACES = Resource("", "v1", "namespaces", "Namespace")


def access(server: ApiServer) -> Access:
    """Return how to reach a server as its administrator."""
    header = f"Bearer {server.token}"
    return Access(server.host, server.port, server.ssl_context(), authorization=lambda _: header)


def create_namespace(cluster: Cluster, name: str) -> None:
    """Create a namespace unless it is there."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    try:
        cluster.create(NAMESPACES, "", body)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise


def create_key(cluster: Cluster, key: PrivateKey, name: str = "sealkit-key-1") -> None:
    """Create a key Secret, as a restored backup does."""
    cluster.create(SECRETS, NAMESPACE, key_secret(pair(key), name))
