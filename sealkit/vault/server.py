"""Where a Vault server is and how far it is trusted. Nothing is taken from the environment."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from sealkit.errors import VaultError
from sealkit.sensitive import Sensitive
from sealkit.vault.paths import quoted
from sealkit.vault.reason import Reason

_MAX_PEM_BYTES: Final = 1 << 15  # half of what a pipe holds unread


@dataclass(frozen=True, slots=True)
class Tls:
    """How to know the server, and how to be known. There is no way to skip verification.

    `ca` is PEM and replaces the trust of the system. `certificate` with its chain, and its
    unencrypted `key`, are PEM. `server_name` is the name in the server's certificate where that
    differs from the host.
    """

    ca: bytes = b""
    certificate: bytes = b""
    key: Sensitive | None = None
    server_name: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost.

    `connect_seconds` is for the connection with its handshake, `read_seconds` for each wait,
    `total_seconds` for the whole answer. `body_bytes` bounds a body; a Secret ends at 1 MiB.
    `connections` is how many idle ones are kept.
    """

    connect_seconds: float = 3.0
    read_seconds: float = 10.0
    total_seconds: float = 30.0
    body_bytes: int = 4 << 20
    connections: int = 32


@dataclass(frozen=True, slots=True)
class Server:
    """A Vault or OpenBao server and the namespace to read in, "" for the root.

    `address` is `http[s]://host[:port][/path]`. Must come from configuration, never from a
    manifest: whoever names the address receives the credentials.

    Raises:
        VaultError: InvalidReference, when created with another kind of address or namespace.
    """

    address: str
    namespace: str = ""
    tls: Tls = Tls()

    def __post_init__(self) -> None:
        place = _split(self.address)
        if place.scheme == "http" and self.tls != Tls():
            raise _invalid("has TLS settings but is not https")
        for path in (place.path.strip("/"), self.namespace):
            if path:
                quoted(path)


def _split(address: str) -> SplitResult:
    try:
        place = urlsplit(address)
        is_address = place.scheme in {"http", "https"} and place.hostname and place.port != 0
    except ValueError:  # a port that is no number
        is_address = False
    if not is_address or not address.isprintable() or set(address) & set("@?#\\ "):
        raise _invalid("is not http[s]://host[:port][/path]")
    return place


def tls_context(tls: Tls) -> ssl.SSLContext:
    """Return what connections are made with.

    Made by hand: the usual `create_default_context` also writes session keys to where the
    environment says.

    Raises:
        VaultError: InvalidReference, when a certificate or key is damaged, or they do not fit.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies chain and name
    problem = "holds a CA that is not PEM"
    try:
        if tls.ca:
            context.load_verify_locations(cadata=tls.ca.decode("ascii"))
        else:
            context.load_default_certs()
        problem = "holds a client certificate without a fitting, unencrypted key"
        if tls.certificate or tls.key:
            _load_pair(context, tls.certificate, tls.key.reveal() if tls.key else b"")
    except (ValueError, OSError):  # ssl.SSLError is an OSError
        failed = True
    else:
        failed = False
    if failed:  # outside of the handler: what the parser saw is not kept with the error
        raise _invalid(problem)
    return context


def _load_pair(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Load through pipes, because ssl reads only files and a key must not lie in one."""
    with _readable(certificate) as certificate_path, _readable(key) as key_path:
        # Without a password OpenSSL would ask for one at the terminal.
        context.load_cert_chain(certificate_path, key_path, password=lambda: b"")


@contextmanager
def _readable(content: bytes) -> Iterator[str]:
    if len(content) > _MAX_PEM_BYTES:
        raise ValueError("too long")
    reader, writer = os.pipe()
    try:
        try:
            os.write(writer, content)
        finally:
            os.close(writer)
        yield f"/dev/fd/{reader}"
    finally:
        os.close(reader)


def _invalid(problem: str) -> VaultError:
    return VaultError(f"the Vault server {problem}", Reason.INVALID_REFERENCE)
