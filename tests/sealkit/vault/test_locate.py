"""Where a path leads: what is said, what the server says, what the path says, in this order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sealkit.errors import VaultError
from sealkit.references.reference import JsonObject, Kv, Method, Reference, Store
from sealkit.vault import Mount, Question, Reason
from sealkit.vault.locate import locate
from tests.sealkit.vault.world import refused

V1, V2, PKI = Mount("kv", "kv", 1), Mount("kv", "kv", 2), Mount("pki", "pki", None)
TEAM = Mount("team/kv", "kv", 2)
UNSEEN = None


def told(mount: Mount | None) -> Callable[[str], Mount]:
    """Return what a server says of any path; None: the identity may see no mount."""

    def mount_of(_: str) -> Mount:
        if mount is None:
            raise VaultError("is refused", Reason.PERMISSION_DENIED, status=403)
        return mount

    return mount_of


def case(name: str, mount: Mount | None, given: dict[str, Any], path: str, canonical: str) -> Any:
    return pytest.param(mount, given, path, canonical, id=name)


VERSIONED = [
    case("seen", V2, {"path": "kv/a/b"}, "kv/data/a/b", "kv/a/b"),
    case("data in the path", V2, {"path": "kv/data/a/b"}, "kv/data/a/b", "kv/a/b"),
    case("data twice", V2, {"path": "kv/data/data/b"}, "kv/data/data/b", "kv/data/b"),
    case("a secret called data", V2, {"path": "kv/data"}, "kv/data/data", "kv/data"),
    case("mount", V2, {"mount": "kv", "path": "a/b"}, "kv/data/a/b", "kv/a/b"),
    case("literal", V2, {"mount": "kv", "path": "data/b"}, "kv/data/data/b", "kv/data/b"),
    case("slashes", TEAM, {"path": "team/kv/a"}, "team/kv/data/a", "team/kv/a"),
    case("slashes, data", TEAM, {"path": "team/kv/data/a"}, "team/kv/data/a", "team/kv/a"),
    case("version", V2, {"path": "kv/a", "version": 3}, "kv/data/a", "kv/a"),
    case("said", V1, {"path": "kv/a", "kv": Kv.V2}, "kv/data/a", "kv/a"),
    case("unseen, data", UNSEEN, {"path": "kv/data/a"}, "kv/data/a", "kv/a"),
    case("unseen, said", UNSEEN, {"path": "kv/a", "kv": Kv.V2}, "kv/data/a", "kv/a"),
    case(
        "unseen, said with mount",
        UNSEEN,
        {"mount": "team/kv", "path": "a", "kv": Kv.V2},
        "team/kv/data/a",
        "team/kv/a",
    ),
    case(
        "unseen, auth in it",
        UNSEEN,
        {"path": "kv/auth/a", "kv": Kv.V2},
        "kv/data/auth/a",
        "kv/auth/a",
    ),
]


@pytest.mark.parametrize(("mount", "given", "path", "canonical"), VERSIONED)
def test_kv_version_2(
    mount: Mount | None, given: dict[str, Any], path: str, canonical: str
) -> None:
    located = locate(Reference(**given), told(mount))
    question = located.question
    assert (question.kv, question.path, located.canonical) == (Kv.V2, path, canonical)
    assert f"{question.mount}/data/{question.secret}" == path
    assert question.version == given.get("version")


AS_WRITTEN = [
    case("version 1", V1, {"path": "kv/a/b"}, "kv/a/b", "kv/a/b"),
    case("data in version 1", V1, {"path": "kv/data/b"}, "kv/data/b", "kv/data/b"),
    case("mount", V1, {"mount": "kv", "path": "a"}, "kv/a", "kv/a"),
    case("an engine", PKI, {"path": "pki/data/ca"}, "pki/data/ca", "pki/data/ca"),
    case("raw", V2, {"path": "kv/data/b", "kv": Kv.RAW}, "kv/data/b", "kv/b"),
    case("version 1 said", V2, {"path": "kv/metadata/b", "kv": Kv.V1}, "kv/metadata/b", "kv/b"),
    case("part alone", V2, {"path": "kv/config", "kv": Kv.RAW}, "kv/config", "kv/config"),
    case("other part", V2, {"path": "kv/x/b", "kv": Kv.RAW}, "kv/x/b", "kv/x/b"),
    case(
        "list", V2, {"path": "kv/metadata/a/b", "method": Method.LIST}, "kv/metadata/a/b", "kv/a/b"
    ),
    case("unseen", UNSEEN, {"path": "kv/a"}, "kv/a", "kv/a"),
    case("unseen, data at the end", UNSEEN, {"path": "kv/data"}, "kv/data", "kv/data"),
    case("unseen, data, raw", UNSEEN, {"path": "kv/data/a", "kv": Kv.RAW}, "kv/data/a", "kv/a"),
    case("unseen, literal", UNSEEN, {"mount": "kv", "path": "data/a"}, "kv/data/a", "kv/a"),
]


@pytest.mark.parametrize("method", [Method.POST, Method.PUT])
@pytest.mark.parametrize("mount", [V1, V2])
def test_what_would_write_a_secret_is_refused(mount: Mount, method: Method) -> None:
    with pytest.raises(VaultError) as caught:
        locate(Reference("kv/data/a", key="k", method=method), lambda _: mount)
    assert caught.value.reason == Reason.INVALID_REFERENCE


@pytest.mark.parametrize(("mount", "given", "path", "canonical"), AS_WRITTEN)
def test_as_it_is_written(
    mount: Mount | None, given: dict[str, Any], path: str, canonical: str
) -> None:
    located = locate(Reference(**given), told(mount))
    question = located.question
    assert (question.path, question.mount, located.canonical) == (path, "", canonical)
    assert question.kv is (Kv.V1 if mount is V1 else given.get("kv", Kv.RAW))


def test_all_that_distinguishes_a_request_goes_into_its_question() -> None:
    body = JsonObject('{"a":1}')
    written = Reference("pki/issue/web", "", "", Store("s"), "ns", method=Method.POST, body=body)
    assert locate(written, told(PKI)).question == Question(
        "pki/issue/web", Store("s"), "ns", method=Method.POST, body=body
    )


@pytest.mark.parametrize("path", ["sys/mounts", "auth/token/lookup-self", "identity/entity/id/a"])
def test_the_server_itself_is_not_even_asked(path: str) -> None:
    def never(_: str) -> Mount:
        raise AssertionError

    mount, _, rest = path.partition("/")
    for reference in (Reference(path), Reference(rest, mount=mount)):
        with refused(Reason.PATH_NOT_ALLOWED):
            locate(reference, never)


@pytest.mark.parametrize(
    "mount",
    [
        Mount("team/sys", "ns_system", None),
        Mount("team/identity", "ns_identity", None),
        Mount("team/cubbyhole", "ns_cubbyhole", None),
        Mount("team", "cubbyhole", None),
        Mount("team/auth/token", "ns_token", None),
        Mount("team/auth/users", "auth", None),
        Mount("elsewhere", "kv", 2),
        Mount("", "kv", 2),
    ],
    ids=str,
)
@pytest.mark.parametrize("kv", [Kv.AUTO, Kv.V2, Kv.RAW])
def test_a_mount_that_is_no_secrets_engine(mount: Mount, kv: Kv) -> None:
    below = mount.path if mount.path.startswith("team") else "team"
    with refused(Reason.PATH_NOT_ALLOWED):
        locate(Reference(f"{below}/a", kv=kv), told(mount))


@pytest.mark.parametrize("segment", ["sys", "auth", "identity", "cubbyhole"])
@pytest.mark.parametrize("method", [Method.GET, Method.POST])
def test_where_no_mount_is_seen_a_segment_may_be_a_namespace(segment: str, method: Method) -> None:
    with refused(Reason.PATH_NOT_ALLOWED):
        locate(Reference(f"team/{segment}/a", method=method), told(UNSEEN))


@pytest.mark.parametrize("mount", [V1, PKI, UNSEEN], ids=["version 1", "engine", "unseen"])
def test_only_version_2_has_versions(mount: Mount | None) -> None:
    path = f"{mount.path if mount else 'kv'}/a"
    with refused(Reason.INVALID_REFERENCE):
        locate(Reference(path, version=1), told(mount))


@pytest.mark.parametrize("given", [{"path": "kv"}, {"path": "team/kv"}], ids=str)
def test_a_mount_is_no_secret(given: dict[str, Any]) -> None:
    mount = TEAM if "team" in given["path"] else V2
    with refused(Reason.INVALID_REFERENCE):
        locate(Reference(**given), told(mount))


def test_a_mount_that_is_said_wrongly() -> None:
    with refused(Reason.INVALID_REFERENCE) as errors:
        locate(Reference("kv/a", mount="team"), told(TEAM))
    assert "team/kv" in str(errors[0])


@pytest.mark.parametrize(
    "reason", [Reason.VAULT_UNAVAILABLE, Reason.AUTH_FAILED, Reason.RATE_LIMITED]
)
def test_an_outage_is_no_answer(reason: Reason) -> None:
    def down(_: str) -> Mount:
        raise VaultError("is down", reason)

    with refused(reason):
        locate(Reference("kv/data/a"), down)
