"""Where a server may be, and what a client trusts."""

from __future__ import annotations

import ssl
import threading

import pytest

from sealkit.sensitive import Sensitive
from sealkit.vault import Reason, Server, Tls
from sealkit.vault.server import tls_context
from tests.fakes.vault_certificates import Authority
from tests.sealkit.vault.world import refused


@pytest.mark.parametrize(
    "address",
    [
        "https://vault", "http://127.0.0.1:8200", "https://[::1]:8200", "https://vault/behind/it",
        "https://vault.example:443/",
    ],
)  # fmt: skip
def test_addresses(address: str) -> None:
    assert Server(address).address == address


@pytest.mark.parametrize(
    "address",
    [
        "", "vault:8200", "ftp://vault", "https://", "https://user@vault", "https://u:p@vault",
        "https://vault?x=1", "https://vault#x", "https://vault:http", "https://vault:0",
        "https://vault:99999", "https://vault/..", "https://vault/a//b", "https://vault/%2e%2e",
        "https://va ult", "https://vault\n", "https://vault\\x", "unix:///run/vault.sock",
    ],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_address(address: str) -> None:
    with refused(Reason.INVALID_REFERENCE):
        Server(address)


@pytest.mark.parametrize("namespace", ["/team", "team/", "a//b", "..", "a\nb"], ids=ascii)
def test_what_is_no_namespace(namespace: str) -> None:
    with refused(Reason.INVALID_REFERENCE):
        Server("https://vault", namespace)


def test_tls_settings_are_not_for_http(authority: Authority) -> None:
    with refused(Reason.INVALID_REFERENCE):
        Server("http://vault", tls=Tls(authority.pem))


def test_chain_and_name_are_always_verified(authority: Authority) -> None:
    for tls in (Tls(), Tls(authority.pem)):
        context = tls_context(tls)
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_ca_replaces_the_systems(authority: Authority) -> None:
    assert tls_context(Tls(authority.pem)).cert_store_stats()["x509_ca"] == 1


def test_session_keys_go_nowhere(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path_factory.mktemp("keys") / "log"))
    assert tls_context(Tls(authority.pem)).keylog_filename is None


@pytest.mark.parametrize("ca", [b"nonsense", b"\xff", b"-----BEGIN CERTIFICATE-----\nAA=="])
def test_a_damaged_ca(ca: bytes) -> None:
    with refused(Reason.INVALID_REFERENCE) as errors:
        tls_context(Tls(ca))
    assert "CA" in str(errors[0])


def test_client_certificates_that_do_not_work(authority: Authority) -> None:
    one, other = authority.issue("one"), authority.issue("other")
    encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\npass-word\n"
    for certificate, key in [
        (one.certificate, other.key),
        (one.certificate, None),
        (one.certificate, b"pass-word"),
        (one.certificate, encrypted),
        (one.certificate, b"x" * 70_000),
        (b"", one.key),
    ]:
        with refused(Reason.INVALID_REFERENCE) as errors:
            tls_context(Tls(authority.pem, certificate, Sensitive(key) if key else None))
        assert errors[0].__cause__ is errors[0].__context__ is None


def test_a_key_is_not_shown(authority: Authority) -> None:
    pair = authority.issue("one")
    server = Server("https://vault", tls=Tls(authority.pem, pair.certificate, Sensitive(pair.key)))
    assert "PRIVATE" not in repr(server)


def test_contexts_can_be_made_at_once(authority: Authority) -> None:
    pair = authority.issue("one")
    made: list[ssl.SSLContext] = []

    def make() -> None:
        tls = Tls(authority.pem, pair.certificate, Sensitive(pair.key))
        made.extend(tls_context(tls) for _ in range(10))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 40
