"""`sealkit view`: values for a person to read, or one value byte for byte."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from sealkit.manifests.emit import emit_yaml
from sealkit.verifying import live
from sealkit_controller import objects
from tests.sealkit.cli.desk import CANARY, Desk, Result, only_sealed, secret_text
from tests.sealkit.loopback import kubeconfig, serving

FILE: Final = "db.yaml"
REFERENCE: Final = "vault:kv/shop/db#password"


class Screen(io.BytesIO):
    """Standard output with a person in front of it."""

    def isatty(self) -> bool:
        return True


class Raw(io.BytesIO):
    """Standard output for bytes that are no text, which a desk cannot show."""

    written = b""

    def write(self, content: Any) -> int:
        self.written += content
        return len(content)


def refused(result: Result, code: int, start: str) -> None:
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err


def sealed(desk: Desk, **values: bytes | str) -> Path:
    """Seal values and return the file with the key."""
    raw = {
        key: value.encode() if isinstance(value, str) else value for key, value in values.items()
    }
    data = {key: base64.b64encode(value).decode() for key, value in raw.items()}
    metadata = {"name": "db", "namespace": "shop"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
    desk.ok("seal", "-o", FILE, "--no-references", stdin=emit_yaml(secret))
    return desk.key_file("prod")


def with_template(desk: Desk, template: object) -> None:
    raw = yaml.safe_load(desk.read(FILE))
    raw["spec"]["template"] = template
    desk.write(FILE, emit_yaml(raw))


class TestAll:
    def test_every_value_by_name(self, desk: Desk) -> None:
        key = sealed(desk, USER="app", PASSWORD="hunter2")
        result = desk.ok("view", FILE, "--key", key)
        expected = ["# shop/db in db.yaml:1, type Opaque", "PASSWORD: hunter2", "USER: app"]
        assert result.out.splitlines() == expected
        assert result.err == ""

    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("", 'A: ""'),
            ("é ñ\tx", "A: é ñ\tx"),
            ("one\ntwo\n", "A: |\n  one\n  two"),
            ("one\n\n two", "A: |-\n  one\n  \n   two"),
            ("one\n", "A: |\n  one"),
            (" one", 'A: " one"'),
            ("one\n\n", 'A: "one\\n\\n"'),
            ("one\r\ntwo", 'A: "one\\r\\ntwo"'),
            ("\x1b[31m", 'A: "\\u001b[31m"'),
            ("a\u202eb", 'A: "a\\u202eb"'),
            (bytes(256), "A: <binary, 256 bytes>"),
            (b"\xff", "A: <binary, 1 byte>"),
        ],
    )
    def test_a_value(self, desk: Desk, value: bytes | str, shown: str) -> None:
        key = sealed(desk, A=value)
        assert desk.ok("view", FILE, "--key", key).out.split("\n", 1)[1] == f"{shown}\n"

    def test_several_manifests(self, desk: Desk) -> None:
        key = sealed(desk, A="one")
        other = desk.ok("seal", stdin=secret_text("other", A="two")).out
        desk.write(FILE, f"{desk.read(FILE)}---\n{other}")
        assert desk.ok("view", FILE, "--key", key).out == (
            "# shop/db in db.yaml:1, type Opaque\nA: one\n"
            "\n# shop/other in db.yaml:2, type Opaque\nA: two\n"
        )
        only = desk.ok("view", FILE, "--key", key, "--name", "other").out
        assert only == "# shop/other in db.yaml:2, type Opaque\nA: two\n"

    def test_standard_input_and_no_namespace(self, desk: Desk) -> None:
        text = desk.ok(
            "seal", "--scope", "cluster-wide", stdin=secret_text(namespace="", A="x")
        ).out
        result = desk.ok("view", "-", "--key", desk.key_file("staging"), stdin=text)
        assert result.out == "# db in stdin:1, type Opaque\nA: x\n"

    def test_what_is_made_of_values(self, desk: Desk) -> None:
        key = sealed(desk, A="one")
        template = {"type": "mine", "mergePolicy": "Replace", "data": {"url": "db:{{ .A }}"}}
        with_template(desk, template)
        out = desk.ok("view", FILE, "--key", key).out
        assert out == "# shop/db in db.yaml:1, type mine\nurl: db:one\n"

    def test_what_is_in_vault(self, desk: Desk) -> None:
        desk.ok("seal", "-o", FILE, stdin=secret_text(A="one", B=REFERENCE))
        with_template(desk, {"type": "Opaque", "data": {"A": "x{{ .A }}", "url": "{{ .B }}"}})
        assert desk.ok("view", FILE, "--key", desk.key_file("prod")).out.splitlines() == [
            "# shop/db in db.yaml:1, type Opaque",
            f'B: <refers to "{REFERENCE}">',
            "A: <made of values in Vault>",
            "url: <made of values in Vault>",
        ]


class TestOneValue:
    @pytest.mark.parametrize("value", [b"", b"hunter2", b"line\n", bytes(range(256))])
    def test_its_bytes_and_nothing_else(self, desk: Desk, value: bytes) -> None:
        key = sealed(desk, A=value, B="other")
        out = Raw()
        desk.ok("view", FILE, "A", "--key", key, stdout=out)
        assert out.written == value

    def test_several(self, desk: Desk) -> None:
        key = sealed(desk, A="one", B="two\n", C="three")
        assert desk.ok("view", FILE, "B", "A", "B", "--key", key).out == "B: |\n  two\nA: one\n"

    def test_of_one_manifest_in_many(self, desk: Desk) -> None:
        key = sealed(desk, A="one")
        other = desk.ok("seal", stdin=secret_text("other", A="two")).out
        desk.write(FILE, f"{desk.read(FILE)}---\n{other}")
        assert desk.ok("view", FILE, "A", "--key", key, "--name", "other").out == "two"
        refused(
            desk.run("view", FILE, "A", "--key", key), 2, "db.yaml: holds several: 'db', 'other'"
        )

    def test_a_terminal_gets_text_only(self, desk: Desk) -> None:
        key = sealed(desk, A="one\n", B="\x1b[31m", C=b"\xff")
        assert desk.run("view", FILE, "A", "--key", key, stdout=Screen()).out == "one\n"
        for name in ("B", "C"):
            result = desk.run("view", FILE, name, "--key", key, stdout=Screen())
            refused(result, 2, f"{name}: holds bytes that are no text for a terminal")

    def test_one_that_is_not_there(self, desk: Desk) -> None:
        key = sealed(desk, A="one", B="two")
        refused(
            desk.run("view", FILE, "C", "--key", key),
            2,
            "db.yaml:1: there is no value 'C', but A, B",
        )

    def test_one_that_is_in_vault(self, desk: Desk) -> None:
        desk.ok("seal", "-o", FILE, stdin=secret_text(B=REFERENCE))
        with_template(desk, {"type": "Opaque", "data": {"url": "{{ .B }}"}})
        for name in ("B", "url"):
            result = desk.run("view", FILE, name, "--key", desk.key_file("prod"))
            refused(result, 2, f"db.yaml:1: {name}: comes from Vault, it is not here")
        result = desk.run("view", FILE, "C", "--key", desk.key_file("prod"))
        refused(result, 2, "db.yaml:1: there is no value 'C', but none")


class TestMistakes:
    """Nothing of a value is told when something is wrong."""

    @pytest.fixture
    def key(self, desk: Desk) -> Path:
        return sealed(desk, PASSWORD=CANARY)

    @pytest.mark.usefixtures("key")
    def test_no_key_fits(self, desk: Desk) -> None:
        refused(desk.run("view", FILE, "--key", desk.key_file("lab")), 4, "db.yaml:1: no key here")

    def test_moved_by_hand(self, desk: Desk, key: Path) -> None:
        desk.write(FILE, desk.read(FILE).replace("name: db", "name: cache"))
        refused(desk.run("view", FILE, "--key", key), 5, "db.yaml:1: ")

    def test_one_bad_manifest_and_nothing_is_shown(self, desk: Desk, key: Path) -> None:
        text = desk.read(FILE)
        desk.write(FILE, f"{text}---\n{text.replace('name: db', 'name: cache')}")
        result = desk.run("view", FILE, "--key", key)
        refused(result, 5, "db.yaml:2: ")
        assert CANARY not in result.err

    def test_what_cannot_be_made_of_it(self, desk: Desk, key: Path) -> None:
        with_template(desk, {"type": "Opaque", "data": {"n": "{{ .PASSWORD | mustFromJson }}"}})
        result = desk.run("view", FILE, "--key", key)
        refused(result, 1, "db.yaml:1: ")
        assert CANARY not in result.err

    def test_nothing_sealed(self, desk: Desk, key: Path) -> None:
        refused(desk.run("view", key, "--key", key), 2, f"{key}: holds no SealedSecret")
        result = desk.run("view", FILE, "--key", key, "--name", "other")
        refused(result, 2, "db.yaml: holds no SealedSecret named 'other'")

    @pytest.mark.usefixtures("key")
    def test_no_key(self, desk: Desk) -> None:
        refused(desk.run("view", FILE), 2, "expected either --key or --context")

    def test_both_a_key_and_a_cluster(self, desk: Desk, key: Path) -> None:
        result = desk.run("view", FILE, "--key", key, "--context", "here")
        refused(result, 2, "expected either --key or --context")

    def test_standard_input_is_one_thing_only(self, desk: Desk) -> None:
        refused(desk.run("view", "-", "--key", "-"), 2, "standard input can be only one of them")


UID: Final = "8d3c6d3e-1111-4222-8333-444455556666"
OWNER: Final = {
    "apiVersion": "sealkit.dev/v1alpha1",
    "kind": "SealedSecret",
    "name": "db",
    "uid": UID,
    "controller": True,
}
MADE: Final = {"annotations": {"sealkit.dev/spec-hash": "1f"}}
RETAINED: Final = {
    "labels": {"sealkit.dev/managed": "true"},
    "annotations": {"sealkit.dev/spec-hash": "1f", "sealkit.dev/deletion-policy": "Retain"},
}
READY: Final = {"type": "Ready", "status": "True", "reason": "Synced", "message": "well"}
MANIFEST: Final = "/apis/sealkit.dev/v1alpha1/namespaces/shop/sealedsecrets/db"
SECRET: Final = "/api/v1/namespaces/shop/secrets/db"


class Cluster:
    """A cluster with the manifest of the file, applied and synced, and its Secret."""

    def __init__(self, desk: Desk, pages: dict[str, str]) -> None:
        self.desk = desk
        self.pages = pages
        self.manifest: dict[str, Any] = only_sealed(desk.read(FILE))
        self.manifest["metadata"] |= {"uid": UID, "generation": 2, "labels": {"a": "b"}}
        self.manifest["status"] = {"observedGeneration": 2, "conditions": [READY]}
        self.metadata: dict[str, Any] = {"name": "db", "ownerReferences": [OWNER], **MADE}
        self.data = {"PASSWORD": b"hunter2", "URL": b"made"}
        self.show()

    def show(self) -> None:
        data = {key: base64.b64encode(value).decode() for key, value in self.data.items()}
        secret = {"metadata": self.metadata, "type": "mine", "data": data}
        self.pages |= {MANIFEST: json.dumps(self.manifest), SECRET: json.dumps(secret)}

    def view(self, *arguments: str, here: str = "here") -> Result:
        return self.desk.run(
            "view", FILE, *arguments, "--context", here, "--kubeconfig", "kubeconfig"
        )


class TestOnline:
    """Read in the cluster, by somebody who may."""

    @pytest.fixture
    def cluster(self, desk: Desk) -> Iterator[Cluster]:
        desk.ok("seal", "-o", FILE, stdin=secret_text(PASSWORD="hunter2", URL=REFERENCE))
        pages: dict[str, str] = {}
        with serving(pages) as url:
            desk.write("kubeconfig", kubeconfig(url))
            yield Cluster(desk, pages)

    def test_every_value(self, cluster: Cluster) -> None:
        result = cluster.view()
        expected = ["# shop/db in db.yaml:1, type mine", "PASSWORD: hunter2", "URL: made"]
        assert result == Result(0, "\n".join(expected) + "\n", "")

    def test_one_value(self, cluster: Cluster) -> None:
        assert cluster.view("URL") == Result(0, "made", "")
        refused(cluster.view("NONE"), 2, "db.yaml:1: there is no value 'NONE', but PASSWORD, URL")

    def test_the_current_context(self, cluster: Cluster) -> None:
        result = cluster.desk.ok("view", FILE, "URL", "--kubeconfig", "kubeconfig")
        assert result.out == "made"

    def test_one_that_outlives_its_manifest(self, cluster: Cluster) -> None:
        cluster.metadata = {"name": "db", **RETAINED}
        cluster.show()
        assert cluster.view("URL") == Result(0, "made", "")
        del cluster.pages[MANIFEST]
        result = cluster.view("URL")
        assert (result.code, result.out) == (0, "made")
        note = "the cluster has the Secret, but not the manifest any more"
        assert result.err == f"sealkit: note: shop/db: {note}\n"

    def test_another_version_of_the_manifest(self, cluster: Cluster) -> None:
        cluster.desk.ok("set", FILE, "PASSWORD", stdin="hunter3")
        result = cluster.view("PASSWORD")
        assert (result.code, result.out) == (0, "hunter2")
        note = "the cluster has another version of the manifest, and of the Secret"
        assert result.err == f"sealkit: note: shop/db: {note}\n"

    def test_a_manifest_there_that_is_none(self, cluster: Cluster) -> None:
        cluster.manifest["spec"]["scope"] = "wide"
        cluster.show()
        assert "another version of the manifest" in cluster.view().err

    @pytest.mark.parametrize(
        ("status", "note"),
        [
            ({}, "the controller has not got to it yet"),
            ({"observedGeneration": 1, "conditions": [READY]}, "the controller has not got to it"),
            ({"observedGeneration": 2, "conditions": [1]}, "the controller has not got to it yet"),
            ({"observedGeneration": 2, "conditions": 1}, "the controller has not got to it yet"),
            (
                {
                    "observedGeneration": 2,
                    "conditions": [
                        READY | {"status": "False", "reason": "NoKey", "message": "\x1b"}
                    ],
                },
                "NoKey: \\x1b",
            ),
        ],
        ids=["none", "older", "odd", "odder", "failed"],
    )
    def test_not_synced(self, cluster: Cluster, status: dict[str, object], note: str) -> None:
        cluster.manifest["status"] = status
        cluster.show()
        result = cluster.view("PASSWORD")
        assert (result.code, result.out) == (0, "hunter2")
        start = "sealkit: note: shop/db: the Secret is not what the manifest says: "
        assert result.err.startswith(start + note), result.err

    def test_several_and_all_or_none(self, cluster: Cluster) -> None:
        desk = cluster.desk
        other = desk.ok("seal", stdin=secret_text("other", A="one")).out
        desk.write(FILE, f"{desk.read(FILE)}---\n{other}")
        refused(cluster.view(), 1, "db.yaml:2: the cluster has no Secret shop/other: not applied")
        assert cluster.view("--name", "db").code == 0
        for page in (MANIFEST, SECRET):
            cluster.pages[page.replace("/db", "/other")] = cluster.pages[page]
        assert cluster.view().out.count("PASSWORD: hunter2") == 2


class TestOnlineRefuses:
    """A Secret that does not belong to the manifest, and clusters that do not answer."""

    cluster = TestOnline.cluster

    @pytest.mark.parametrize(
        ("metadata", "reason"),
        [
            ({}, "was not made by sealkit"),
            (MADE, "was not made by sealkit"),
            ({"ownerReferences": [OWNER]}, "was not made by sealkit"),
            ({**RETAINED, "labels": {}}, "was not made by sealkit"),
            (RETAINED | {"annotations": {objects.RETAIN_ANNOTATION: "Retain"}}, "was not made"),
            ({**MADE, "labels": RETAINED["labels"]}, "was not made by sealkit"),
            (
                {"ownerReferences": [OWNER | {"controller": None}], **MADE},
                "was not made by sealkit",
            ),
            ({"ownerReferences": [OWNER | {"kind": "Rollout"}], **MADE}, "belongs to Rollout db"),
            (
                {"ownerReferences": [OWNER | {"apiVersion": "bitnami.com/v1alpha1"}], **MADE},
                "belongs to SealedSecret db",
            ),
            (
                {"ownerReferences": [OWNER | {"uid": "another"}], **MADE},
                "belongs to a manifest that was deleted",
            ),
        ],
    )
    def test_a_secret_of_somebody_else(
        self, cluster: Cluster, metadata: dict[str, object], reason: str
    ) -> None:
        cluster.metadata = {"name": "db", **metadata}
        cluster.data = {"PASSWORD": CANARY.encode()}
        cluster.show()
        for arguments in ((), ("PASSWORD",)):
            result = cluster.view(*arguments)
            refused(result, 6, f"db.yaml:1: the Secret shop/db in the cluster {reason}")
            assert "it is not shown" in result.err
            encoded = base64.b64encode(CANARY.encode()).decode()
            assert CANARY not in result.err
            assert encoded not in result.err

    def test_a_manifest_that_was_deleted(self, cluster: Cluster) -> None:
        del cluster.pages[MANIFEST]
        refused(cluster.view(), 6, "db.yaml:1: the Secret shop/db in the cluster belongs to a")

    def test_no_secret(self, cluster: Cluster) -> None:
        del cluster.pages[SECRET]
        cluster.manifest["status"] = {}
        cluster.pages[MANIFEST] = json.dumps(cluster.manifest)
        refused(cluster.view(), 1, "db.yaml:1: the cluster has no Secret shop/db: the controller")

    def test_no_namespace(self, cluster: Cluster) -> None:
        cluster.desk.write(FILE, cluster.desk.read(FILE).replace("  namespace: shop\n", ""))
        refused(cluster.view(), 2, "db.yaml:1: metadata.namespace: is missing")

    def test_no_cluster(self, cluster: Cluster) -> None:
        refused(cluster.view(here="gone"), 1, "the cluster of context 'gone' cannot be reached")
        refused(cluster.view(here="none"), 2, "the kubeconfig has no usable cluster of context")

    def test_forbidden(self, cluster: Cluster) -> None:
        with serving({}, (403, CANARY)) as url:
            cluster.desk.write("kubeconfig", kubeconfig(url))
            result = cluster.view()
        refused(result, 1, "the cluster does not let you get a SealedSecret or a Secret (HTTP 403)")
        assert "hint: it takes the right to get sealedsecrets and secrets" in result.err
        assert CANARY not in result.err

    def test_nothing_of_it_is_kept(self, cluster: Cluster) -> None:
        before = cluster.desk.files()
        cluster.view()
        assert cluster.desk.files() == before


def test_marks_are_those_of_the_controller() -> None:
    marks = (live._HASH, live._RETAIN, live._MANAGED)
    expected = (objects.HASH_ANNOTATION, objects.RETAIN_ANNOTATION, objects.MANAGED_LABEL)
    assert marks == expected


class TestJson:
    """`--json`: for programs, in base64, with nothing that is not known here."""

    def test_every_manifest(self, desk: Desk) -> None:
        key = sealed(desk, B=b"\xff\x00", A="text")
        data = {"A": "dGV4dA==", "B": "/wA="}
        (one,) = desk.ok("view", FILE, "--key", key, "--json").json
        assert one == {"namespace": "shop", "name": "db", "type": "Opaque", "data": data}

    def test_some_keys(self, desk: Desk) -> None:
        key = sealed(desk, B=b"\xff", A="text")
        (one,) = desk.ok("view", FILE, "A", "--key", key, "--json").json
        assert one["data"] == {"A": "dGV4dA=="}
        refused(
            desk.run("view", FILE, "C", "--key", key, "--json"),
            2,
            "db.yaml:1: there is no value 'C'",
        )

    def test_references_are_left_out(self, desk: Desk) -> None:
        desk.ok("seal", "-o", FILE, stdin=secret_text(A="text", B=REFERENCE))
        key = desk.key_file("prod")
        (one,) = desk.ok("view", FILE, "--key", key, "--json").json
        assert one["data"] == {"A": "dGV4dA=="}
        refused(desk.run("view", FILE, "B", "--key", key, "--json"), 2, f"{FILE}:1: B: comes from")
