"""Resolving on the real server: KV of both versions, engines, namespaces."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sealkit.references import template
from sealkit.references.bank_vaults import BankVaults
from sealkit.references.failures import Failure
from sealkit.references.modifiers import Plain
from sealkit.references.reference import Decode, JsonObject, Kv, Method, Reference
from sealkit.sensitive import Sensitive
from sealkit.vault import Ask, TokenLogin, renewed
from tests.fakes.vault_admin import Admin
from tests.fakes.vault_server import OpenBao
from tests.sealkit.vault.world import Connect, Stores

BINARY = bytes(range(256))
SECRET = {
    "key": "value",
    "a.b": "literal",
    "a": {"b": "nested", "c": {"d": ["zero", "one"]}},
    "none": None,
    "empty": "",
    "binary": base64.b64encode(BINARY).decode(),
    "schlüssel 🔑": "unicode 🔒",
    "true": True,
}


@pytest.fixture(scope="session")
def engines(bao: OpenBao) -> Admin:
    """The shared server, with secrets and engines for these tests alone."""
    admin = bao.admin
    for mount, version in (("r1", "1"), ("r2", "2"), ("team/kv", "2"), ("team/old", "1")):
        admin.mount(mount, "kv", version=version)
    admin.do("POST", "r1/shop/db", SECRET)
    admin.do("POST", "r1/data/db", {"key": "a path called data"})
    for path in ("r2/data/shop/db", "team/kv/data/shop/db"):
        admin.do("POST", path, {"data": SECRET})
    admin.do("POST", "r2/data/data/db", {"data": {"key": "a path called data"}})
    admin.do("POST", "team/old/a", {"key": "old"})
    admin.mount("rtransit", "transit")
    admin.do("POST", "rtransit/keys/app", {})
    _furnish_pki(admin)
    return admin


def _furnish_pki(admin: Admin) -> None:
    admin.mount("rpki", "pki")
    admin.do("POST", "rpki/root/generate/internal", {"common_name": "root", "key_type": "ec"})
    role = {"allow_any_name": True, "key_type": "ec", "max_ttl": "1h"}
    admin.do("POST", "rpki/roles/web", role)
    admin.do("POST", "rpki/roles/leased", {**role, "generate_lease": True})


@pytest.fixture
def stores(engines: Admin, connect: Connect) -> Stores:
    return Stores({None: connect(engines.address)})


@pytest.fixture(params=["r1/shop/db", "r2/shop/db", "r2/data/shop/db", "team/kv/shop/db"])
def path(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_a_key(stores: Stores, path: str) -> None:
    assert stores.value(path, "key") == b"value"


def test_a_literal_key_before_a_nested_path(stores: Stores, path: str) -> None:
    assert stores.value(path, "a.b") == b"literal"
    assert stores.value(path, "a.c.d.1") == b"one"


def test_bytes(stores: Stores, path: str) -> None:
    assert stores.value(path, "binary", decode=Decode.BASE64) == BINARY
    assert stores.value(path, "binary", modifiers=(Plain.BASE64_DECODE,)) == BINARY


def test_unicode(stores: Stores, path: str) -> None:
    assert stores.value(path, "schlüssel 🔑") == "unicode 🔒".encode()


def test_the_whole_secret(stores: Stores, path: str) -> None:
    assert json.loads(stores.value(path)) == SECRET


def test_what_is_empty_is_there_and_null_is_not(stores: Stores, path: str) -> None:
    assert stores.value(path, "empty") == b""
    assert stores.value(path, "true") == b"true"
    assert stores.failure(path, "none") is Failure.NULL_VALUE


def test_what_is_missing(stores: Stores, path: str) -> None:
    assert stores.failure(path, "missing") is Failure.KEY_NOT_FOUND
    assert stores.failure(f"{path}/missing", "key") is Failure.PATH_NOT_FOUND


@pytest.mark.parametrize("mount", ["r1", "r2", "team/kv"])
def test_the_mount_may_be_said(stores: Stores, mount: str) -> None:
    assert stores.value("shop/db", "key", mount=mount) == b"value"


def test_a_path_called_data(stores: Stores) -> None:
    for given in (
        Reference("r1/data/db", "key"),
        Reference("data/db", "key", mount="r1"),
        Reference("data/db", "key", mount="r2"),
        Reference("r2/data/data/db", "key"),
    ):
        found = stores.resolve(given).outcomes[given]
        assert found == Sensitive(b"a path called data")


@pytest.mark.parametrize(
    ("path", "kv"),
    [("r1/shop/db", Kv.V1), ("r2/shop/db", Kv.V2), ("team/kv/data/shop/db", Kv.V2)],
)
def test_the_version_of_the_engine_may_be_said(stores: Stores, path: str, kv: Kv) -> None:
    assert stores.value(path, "key", kv=kv) == b"value"


def test_a_raw_answer_is_not_unwrapped(stores: Stores) -> None:
    assert stores.value("r2/data/shop/db", "data.key", kv=Kv.RAW) == b"value"
    assert stores.failure("r2/data/shop/db", "key", kv=Kv.RAW) is Failure.KEY_NOT_FOUND


def test_numbers_are_as_the_server_has_them(
    engines: Admin, stores: Stores, connect: Connect
) -> None:
    body = '{"a":1.10,"b":1e6,"c":123456789012345678901234567890}'
    connect(engines.address).ask(Ask("r1/numbers", "PUT", body))
    found = [stores.value("r1/numbers", key) for key in "abc"]
    assert found == [b"1.10", b"1e6", b"123456789012345678901234567890"]


def test_versions(engines: Admin, stores: Stores) -> None:
    for value in ("one", "two", "three", "four"):
        engines.do("POST", "r2/data/versions", {"data": {"key": value}})
    engines.do("POST", "r2/delete/versions", {"versions": [2]})
    engines.do("PUT", "r2/destroy/versions", {"versions": [3]})
    assert stores.value("r2/versions", "key") == b"four"
    assert stores.value("r2/versions", "key", version=1) == b"one"
    assert stores.failure("r2/versions", "key", version=2) is Failure.VERSION_DELETED
    assert stores.failure("r2/versions", "key", version=3) is Failure.VERSION_DESTROYED
    assert stores.failure("r2/versions", "key", version=9) is Failure.PATH_NOT_FOUND


def test_what_was_deleted_has_no_stand_in(engines: Admin, stores: Stores) -> None:
    engines.do("POST", "r2/data/deleted", {"data": {"key": "value"}})
    engines.do("DELETE", "r2/data/deleted")
    assert stores.failure("r2/deleted", "key", default="x") is Failure.VERSION_DELETED


def test_version_1_has_no_versions(stores: Stores) -> None:
    assert stores.failure("r1/shop/db", "key", version=1) is Failure.INVALID_REFERENCE


def test_custom_metadata_is_no_part_of_a_secret(engines: Admin, stores: Stores) -> None:
    engines.do("POST", "r2/data/described", {"data": {"key": "value"}})
    metadata = {"custom_metadata": {"key": "described", "owner": "shop"}}
    engines.do("POST", "r2/metadata/described", metadata)
    assert stores.value("r2/described") == b'{"key":"value"}'


def test_names_are_listed(stores: Stores) -> None:
    assert stores.value("r2/metadata/shop", "keys", method=Method.LIST) == b'["db"]'
    assert stores.value("team/old", "keys.0", method=Method.LIST) == b"a"


@pytest.mark.parametrize(
    "path",
    ["sys/mounts", "auth/token/lookup-self", "identity/entity/id", "sys/internal/ui/mounts/r1"],
)
def test_the_server_itself_is_not_read(stores: Stores, path: str) -> None:
    for method in Method:
        assert stores.failure(path, method=method) is Failure.PATH_NOT_ALLOWED


@pytest.fixture(scope="session")
def below(bao: OpenBao) -> str:
    """A namespace with a mount."""
    bao.admin.do("POST", "sys/namespaces/below", {})
    bao.admin.mount("kv", "kv", within="below", version="2")
    bao.admin.do("POST", "kv/data/a", {"data": {"key": "below"}}, within="below")
    bao.admin.enable("users", "userpass", within="below")
    return "below"


@pytest.mark.parametrize("rest", ["sys/mounts", "auth/token/a", "auth/users/a", "cubbyhole/a"])
def test_nor_is_that_of_a_namespace(stores: Stores, below: str, rest: str) -> None:
    for kv in (Kv.AUTO, Kv.V1, Kv.V2, Kv.RAW):
        assert stores.failure(f"{below}/{rest}", kv=kv) is Failure.PATH_NOT_ALLOWED


def test_a_namespace_of_a_reference(stores: Stores, below: str) -> None:
    assert stores.value("kv/a", "key", namespace=below) == b"below"
    assert stores.failure("kv/a", "key") is Failure.PATH_NOT_FOUND


def test_what_a_policy_does_not_allow(engines: Admin, connect: Connect) -> None:
    engines.policy("narrow", {"r2/data/shop/*": "read"})
    login = TokenLogin(Sensitive(engines.token("narrow").encode()))
    stores = Stores({None: connect(engines.address, login)})
    assert stores.value("r2/shop/db", "key") == b"value"
    assert stores.failure("r2/other", "key") is Failure.PERMISSION_DENIED
    assert stores.failure("r1/shop/db", "key") is Failure.PERMISSION_DENIED


def test_a_ciphertext_in_a_value(engines: Admin, stores: Stores) -> None:
    plaintext = base64.b64encode(BINARY).decode()
    sealed = engines.do("POST", "rtransit/encrypt/app", {"plaintext": plaintext})
    spelling = BankVaults("app", "rtransit")
    for form in ("{}", "${{{}}}"):
        found = template.parse(form.format(sealed["data"]["ciphertext"]), (spelling,))
        assert found
        assert found.render(stores.resolve(*found.references).outcomes) == Sensitive(BINARY)


def test_a_ciphertext_of_something_else(stores: Stores) -> None:
    body = JsonObject('{"ciphertext":"vault:v1:AAAA"}')
    for method in (Method.PUT, Method.POST):
        failure = stores.failure("rtransit/decrypt/app", "plaintext", method=method, body=body)
        assert failure is Failure.INVALID_REFERENCE


BODY = JsonObject('{"common_name":"shop.example"}')


def pair(role: str) -> tuple[Reference, Reference]:
    """References to a certificate and its key."""
    path = f"rpki/issue/{role}"
    return (
        Reference(path, "certificate", method=Method.PUT, body=BODY),
        Reference(path, "private_key", method=Method.PUT, body=BODY),
    )


@pytest.fixture
def serials(engines: Admin) -> set[str]:
    """The certificates before the test."""
    return issued(engines)


def issued(admin: Admin) -> set[str]:
    return set(admin.do("LIST", "rpki/certs")["data"]["keys"])


@pytest.mark.parametrize("role", ["web", "leased"])
def test_a_certificate_and_its_key_are_of_one_answer(
    engines: Admin, stores: Stores, serials: set[str], role: str
) -> None:
    references = pair(role)
    first = stores.resolve(*references, now=datetime.now(UTC))
    certificate, key = (first.outcomes[reference] for reference in references)
    assert isinstance(certificate, Sensitive)
    assert isinstance(key, Sensitive)
    public = x509.load_pem_x509_certificate(certificate.reveal()).public_key()
    assert load_pem_private_key(key.reveal(), None).public_key() == public
    assert len(issued(engines) - serials) == 1


@pytest.mark.parametrize("role", ["web", "leased"])
def test_a_certificate_is_held(
    engines: Admin, stores: Stores, serials: set[str], role: str
) -> None:
    now = datetime.now(UTC)
    first = stores.resolve(*pair(role), now=now)
    (held,) = first.held.values()
    assert now < held.term.renew_at < held.term.ends_at
    assert bool(held.term.lease_id) is (role == "leased")
    again = stores.resolve(*pair(role), now=now, held=dict(first.held))
    assert again.outcomes == first.outcomes
    late = stores.resolve(*pair(role), now=held.term.renew_at, held=dict(again.held))
    assert late.outcomes != first.outcomes
    assert len(issued(engines) - serials) == 2


def test_the_lease_of_a_certificate_can_be_revoked_and_not_renewed(
    engines: Admin, stores: Stores, connect: Connect
) -> None:
    now = datetime.now(UTC)
    (held,) = stores.resolve(*pair("leased"), now=now).held.values()
    vault = connect(engines.address)
    assert renewed(vault, held, now) is None
    vault.revoke_lease(held.term.lease_id)
    said = engines.ask("PUT", "sys/leases/lookup", {"lease_id": held.term.lease_id})
    assert said.status == 400
