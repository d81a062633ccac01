"""`sealkit import` of Bitnami's SealedSecrets: all that was recorded, and every mistake."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from sealkit.crypto.bitnami import label, seal
from sealkit.manifests.emit import emit_yaml
from sealkit.manifests.sealed import SealedSecret
from sealkit.sealing import unseal
from sealkit.sensitive import Sensitive
from tests.sealkit.cli.desk import CANARY, Desk, Result, key_of, only_sealed
from tests.vectors import bitnami as theirs
from tests.vectors.bitnami.keys import PKCS8, certificate, elliptic, key, pem

FILE: Final = "db.yaml"
STAYS: Final = ("tmpl-bad",)
CONVERTED: Final = tuple(sorted({*theirs.NAMES} - {*theirs.REFUSED, *STAYS}))
PREFIX: Final = "sealedsecrets.bitnami.com/"


def item(value: str, place: bytes = b"shop/db") -> str:
    return seal(Sensitive(value.encode()), key().public_key(), place, os.urandom)


def manifest(
    *, values: dict[str, str] | None = None, metadata: dict[str, Any] | None = None, **spec: Any
) -> str:
    """A SealedSecret as kubeseal makes it, for our small key."""
    values = {"USER": "app"} if values is None else values
    items = {name: item(value) for name, value in values.items()}
    return emit_yaml(
        {
            "apiVersion": "bitnami.com/v1alpha1",
            "kind": "SealedSecret",
            "metadata": {"name": "db", "namespace": "shop", **(metadata or {})},
            "spec": {"encryptedData": items, **spec},
        }
    )


def key_file(desk: Desk, content: bytes = b"") -> Path:
    path = desk.keys_folder / "bitnami"
    path.write_bytes(content or pem(key()))
    return path


def key_secret(content: bytes, **more: object) -> dict[str, object]:
    data = {"tls.key": base64.b64encode(content).decode()}
    metadata = {"name": "sealed-secrets-key", "namespace": "kube-system"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data, **more}


def imported(desk: Desk, text: str, *more: str) -> Result:
    return desk.ok("import", "--bitnami-key", key_file(desk), *more, stdin=text)


def refused(result: Result, code: int, start: str) -> None:
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err


class TestTheirs:
    """What kubeseal sealed becomes the Secret that their controller made of it."""

    @pytest.mark.parametrize("name", CONVERTED)
    def test_the_same_secret(self, desk: Desk, name: str) -> None:
        wanted = theirs.expected(name)
        wanted["annotations"] = {
            k: v for k, v in wanted["annotations"].items() if not k.startswith(PREFIX)
        }
        text = theirs.text_of(name)
        result = desk.ok("import", "--strict", "--bitnami-key", theirs.KEY_SECRET, stdin=text)
        made = only_sealed(result.out)
        secret = unseal(SealedSecret.from_dict(made), {key_of("prod").kid: key_of("prod")})
        raw = secret.to_dict()
        metadata: Any = raw["metadata"]
        assert (metadata["name"], metadata["namespace"]) == (name, "fixtures")
        assert {
            "annotations": metadata.get("annotations", {}),
            "data": raw["data"],
            "immutable": raw.get("immutable", False),
            "labels": metadata.get("labels", {}),
            "type": raw["type"],
        } == wanted
        assert desk.opens_in(result.out) == {"prod", "staging"}
        scope = name if name.endswith("-wide") else "strict"
        assert made["spec"]["scope"] == scope

    @pytest.mark.parametrize("name", STAYS)
    def test_what_has_a_function_that_nobody_knows_stays(self, desk: Desk, name: str) -> None:
        text = theirs.text_of(name)
        result = desk.ok("import", "--bitnami-key", theirs.KEY_SECRET, stdin=text)
        assert result.out == text
        assert "note: stdin:1: spec.template.data.bad: " in result.err
        assert "calls a function that does not exist here, so it stays as it is" in result.err

    @pytest.mark.parametrize(
        ("name", "code", "entry"),
        [
            ("err-base64", 1, "user: is not base64"),
            ("err-corrupt-item", 5, "user: a value could not be opened"),
            ("err-renamed", 5, "host: a value could not be opened"),
        ],
    )
    def test_what_their_controller_refuses(
        self, desk: Desk, name: str, code: int, entry: str
    ) -> None:
        text = theirs.text_of(name)
        result = desk.run("import", "--bitnami-key", theirs.KEY_SECRET, stdin=text)
        refused(result, code, f"stdin:1: spec.encryptedData.{entry}")

    def test_a_whole_tree_or_nothing(self, desk: Desk) -> None:
        for name in theirs.NAMES:
            desk.write(f"apps/{name}.yaml", theirs.text_of(name))
        before = desk.files()
        arguments = ("import", "-i", "apps", "--bitnami-key", theirs.KEY_SECRET)
        result = desk.run(*arguments)
        assert (result.code, desk.files()) == (5, before)
        for name in theirs.REFUSED:
            assert f"apps/{name}.yaml:1: " in result.err
            (desk.folder / f"apps/{name}.yaml").unlink()
        desk.ok(*arguments)
        found = [path for path, raw in desk.files().items() if b"sealkit.dev/v1alpha1" in raw]
        assert len(found) == len(CONVERTED)


class TestWhatComesOfIt:
    """Fields, one by one."""

    def test_everything_around_keeps_its_bytes(self, desk: Desk) -> None:
        other = "kind: ConfigMap   # plain\n"
        result = imported(desk, f"# a\n{manifest()}---\n{other}---\n{manifest()}# end\n")
        assert result.out.startswith("# a\napiVersion: sealkit.dev/")
        assert f"---\n{other}---\napiVersion: sealkit.dev/" in result.out
        assert result.out.endswith("# end\n")
        assert result.err.startswith("imported SealedSecret shop/db: SealedSecret shop/db\n")

    def test_labels_and_annotations(self, desk: Desk) -> None:
        own = {"labels": {"a": "own"}, "annotations": {"argocd.argoproj.io/sync-wave": "1"}}
        applied = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
        inner = {"name": "other", "labels": {"a": "b"}, "annotations": {"c": "d", **applied}}
        template = {"metadata": {**inner, "creationTimestamp": None}, "immutable": True}
        text = manifest(metadata=own, template=template) + "status: {}\n"
        made = only_sealed(imported(desk, text, "--strict").out)
        assert made["metadata"] == {"name": "db", "namespace": "shop", **own}
        assert made["spec"]["template"] == {
            "type": "Opaque",
            "immutable": True,
            "metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}},
        }

    def test_old_manifests_have_nulls(self, desk: Desk) -> None:
        for template in ({"metadata": None, "data": None, "type": ""}, None):
            out = imported(desk, manifest(template=template), "--strict").out
            assert desk.values(out) == {"USER": b"app"}

    @pytest.mark.parametrize(
        ("annotations", "scope"),
        [
            ({"cluster-wide": "true", "namespace-wide": "true"}, "cluster-wide"),
            ({"cluster-wide": "false", "namespace-wide": "true"}, "namespace-wide"),
            ({"cluster-wide": "TRUE", "namespace-wide": ""}, "strict"),
        ],
        ids=["cluster", "namespace", "strict"],
    )
    def test_the_scope_is_what_their_own_metadata_says(
        self, desk: Desk, annotations: dict[str, str], scope: str
    ) -> None:
        place = {"cluster-wide": ("", ""), "namespace-wide": ("shop", "")}.get(scope)
        raw = yaml.safe_load(manifest(template={"metadata": {"annotations": {}}}))
        raw["metadata"]["annotations"] = {f"{PREFIX}{k}": v for k, v in annotations.items()}
        raw["spec"]["template"]["metadata"]["annotations"] = {f"{PREFIX}cluster-wide": "true"}
        raw["spec"]["encryptedData"] = {"USER": item("app", label(*(place or ("shop", "db"))))}
        made = only_sealed(imported(desk, emit_yaml(raw), "--strict").out)
        assert made["spec"]["scope"] == scope
        assert "annotations" not in made["metadata"]
        assert "metadata" not in made["spec"]["template"]

    def test_a_scope_that_is_not_allowed_here(self, desk: Desk) -> None:
        rule = {"paths": ["apps/**"], "clusters": ["staging"], "scopes": ["strict"]}
        desk.config(rules=[rule])
        desk.write("apps/db.yaml", theirs.text_of("cluster-wide"))
        result = desk.ok("import", "-i", "apps", "--bitnami-key", theirs.KEY_SECRET)
        note = "scope (cluster-wide): is not allowed here: it is sealed strict\n"
        assert f"sealkit: note: apps/db.yaml:1: {note}" in result.err
        assert only_sealed(desk.read("apps/db.yaml"))["spec"]["scope"] == "strict"
        assert desk.opens_in(desk.read("apps/db.yaml")) == {"staging"}

    def test_no_rule_covers_the_file(self, desk: Desk) -> None:
        desk.config(rules=[{"paths": ["apps/**"], "clusters": ["staging"]}])
        desk.write(FILE, manifest())
        result = desk.run("import", "-i", FILE, "--bitnami-key", key_file(desk))
        refused(result, 6, "db.yaml: no rule in .sealkit.yaml covers it")

    def test_without_a_cluster_to_seal_for(self, bare: Desk) -> None:
        result = bare.run("import", "--bitnami-key", key_file(bare), stdin=manifest())
        refused(result, 2, "stdin:1: there is no .sealkit.yaml")

    @pytest.mark.parametrize(
        ("name", "todo"),
        [("managed", "an existing Secret is taken over only"), ("patch", "is made whole")],
    )
    def test_annotations_that_mean_something_there(self, desk: Desk, name: str, todo: str) -> None:
        annotations = {f"{PREFIX}{name}": "true", "a": "b"}
        result = imported(desk, manifest(template={"metadata": {"annotations": annotations}}))
        where = f"spec.template.metadata.annotations.{PREFIX}{name} (true)"
        assert f"sealkit: note: stdin:1: {where}: " in result.err
        assert todo in result.err
        template = only_sealed(result.out)["spec"]["template"]
        assert template["metadata"]["annotations"] == {"a": "b"}

    def test_a_secret_that_is_to_stay(self, desk: Desk) -> None:
        annotations = {f"{PREFIX}skip-set-owner-references": "true"}
        text = manifest(template={"metadata": {"annotations": annotations}})
        made = only_sealed(imported(desk, text, "--strict").out)
        assert made["spec"]["deletionPolicy"] == "Retain"

    def test_texts(self, desk: Desk) -> None:
        result = imported(
            desk, manifest(template={"data": {"A": "x {{ .USER }}", "USER": "y", "B": None}})
        )
        assert only_sealed(result.out)["spec"]["template"]["data"] == {
            "A": "x {{ .USER }}",
            "USER": "y",
        }
        assert desk.values(result.out) == {"A": b"x app", "USER": b"y"}
        assert "spec.template.data.B (null): the value stays in the Secret" in result.err
        assert "spec.template.data.USER: is encrypted as well: the text wins" in result.err

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("{{ .NONE }}", "names what is no value of this manifest"),
            (
                "{{ index .USER 99 }}",
                "spec.template: 1:4: index has a position that does not exist",
            ),
        ],
        ids=["parsed", "made"],
    )
    def test_a_text_that_cannot_be_made_here(self, desk: Desk, text: str, problem: str) -> None:
        before = manifest(template={"data": {"A": text}})
        result = imported(desk, before)
        assert result.out == before
        assert problem in result.err
        assert "so it stays as it is" in result.err

    def test_what_is_not_carried_over(self, desk: Desk) -> None:
        template = {"metadata": {"finalizers": ["a/b"]}, "x": 1}
        result = imported(desk, manifest(template=template))
        for note in (
            "spec.template.metadata.finalizers (list of 1): are not put on the Secret",
            "spec.template.x (1): is not a field that sealkit knows",
        ):
            assert f"sealkit: note: stdin:1: {note}" in result.err

    def test_no_values(self, desk: Desk) -> None:
        out = imported(desk, manifest(values={}, template={"data": {"A": "b"}})).out
        assert desk.values(out) == {"A": b"b"}

    def test_what_is_imported_is_imported_once(self, desk: Desk) -> None:
        out = imported(desk, manifest()).out
        assert imported(desk, out).out == out

    def test_there_and_back(self, desk: Desk) -> None:
        text = imported(desk, theirs_again := manifest(template={"data": {"A": "{{ .USER }}"}})).out
        cert = desk.write("cert.pem", certificate(key()))
        more = ("--to", "bitnami", "--cert", cert, "--key", desk.key_file("prod"))
        back = desk.ok("export", *more, "--strict", stdin=text).out
        assert desk.values(imported(desk, back).out) == desk.values(text)
        assert yaml.safe_load(back)["metadata"] == yaml.safe_load(theirs_again)["metadata"]


class TestTheFirstForm:
    """A whole Secret in `spec.data`."""

    SECRET: Final = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "labels": {"a": "b"}, "creationTimestamp": None},
        "type": "kubernetes.io/basic-auth",
        "data": {"username": "YXBw"},
    }

    def test_it_is_read(self, desk: Desk) -> None:
        text = manifest(values={}, data=item(json.dumps(self.SECRET)))
        out = imported(desk, text).out
        assert desk.values(out) == {"username": b"app"}
        assert only_sealed(out)["spec"]["template"] == {
            "type": "kubernetes.io/basic-auth",
            "metadata": {"labels": {"a": "b"}},
        }

    @pytest.mark.parametrize("value", [CANARY, "[]", '{"data": {"a": "-"}}', "[" * 100_000])
    def test_something_else_is_in_it(self, desk: Desk, value: str) -> None:
        text = manifest(values={}, data=item(value))
        result = desk.run("import", "--bitnami-key", key_file(desk), stdin=text)
        refused(result, 1, "stdin:1: spec.data: does not hold a Secret\n")

    def test_an_empty_one(self, desk: Desk) -> None:
        text = manifest(values={}, data="")
        result = desk.run("import", "--bitnami-key", key_file(desk), stdin=text)
        refused(result, 5, "stdin:1: spec.data: a value could not be opened")

    def test_both_forms_at_once(self, desk: Desk) -> None:
        text = manifest(data=item(json.dumps(self.SECRET)))
        result = desk.run("import", "--bitnami-key", key_file(desk), stdin=text)
        refused(result, 1, "stdin:1: spec.data: is there beside encryptedData")


class TestKeys:
    """The sealing keys of their controller, in every form that people keep them in."""

    @pytest.mark.parametrize(
        "content",
        [
            pem(key()),
            b"\n" + certificate(key()) + pem(key("other")) + pem(key(), PKCS8),
            emit_yaml(key_secret(pem(key()))).encode(),
            json.dumps(
                {
                    "kind": "List",
                    "items": [
                        {"kind": "ConfigMap", "data": {"tls.key": "x"}},
                        {"kind": "Secret", "data": {"a": "YQ=="}},
                        {"kind": "Secret"},
                        key_secret(pem(key("other")), type="kubernetes.io/tls"),
                        key_secret(pem(key())),
                    ],
                }
            ).encode(),
        ],
        ids=["pem", "bundle", "secret", "list"],
    )
    def test_forms(self, desk: Desk, content: bytes) -> None:
        path = key_file(desk, content)
        out = desk.ok("import", "--bitnami-key", path, stdin=manifest()).out
        assert desk.values(out) == {"USER": b"app"}

    def test_from_standard_input(self, desk: Desk) -> None:
        desk.write(FILE, manifest())
        desk.ok("import", "-i", FILE, "--bitnami-key", "-", stdin=pem(key()))
        assert desk.values(desk.read(FILE)) == {"USER": b"app"}

    def test_standard_input_is_one_thing_only(self, desk: Desk) -> None:
        result = desk.run("import", "--bitnami-key", "-", stdin=manifest())
        refused(result, 2, "standard input can be only one of them")

    def test_several(self, desk: Desk) -> None:
        path = desk.keys_folder / "other"
        path.write_bytes(pem(key("other")))
        imported(desk, manifest(), "--bitnami-key", str(path))

    def test_without_any_it_stays(self, desk: Desk) -> None:
        result = desk.ok("import", stdin=manifest())
        assert "apiVersion: bitnami.com/" in result.out
        assert "left SealedSecret shop/db as it is\n" in result.err
        assert "sealkit: note: stdin:1: needs a key that it was sealed to" in result.err
        assert desk.run("import", "--strict", stdin=manifest()).code == 1

    def test_another_one(self, desk: Desk) -> None:
        path = key_file(desk, pem(key("other")))
        result = desk.run("import", "--bitnami-key", path, stdin=manifest())
        refused(result, 5, "stdin:1: spec.encryptedData.USER: a value could not be opened")
        assert "sealkit: hint: it takes the key that it was sealed to" in result.err

    @pytest.mark.parametrize(
        ("content", "code", "problem"),
        [
            (b"kind: ConfigMap", 2, "bitnami: holds no sealing key of Bitnami\n"),
            (certificate(key()), 2, "bitnami: holds no private key in PEM\n"),
            (pem(elliptic()), 2, "bitnami: holds a private key that is not RSA\n"),
            (b"a: [", 1, "bitnami:1: "),
            (
                emit_yaml({"kind": "List", "items": [key_secret(pem(elliptic()))]}).encode(),
                2,
                "bitnami:1: items[0].data.tls.key: holds a private key that is not RSA\n",
            ),
            (
                emit_yaml(key_secret(b"") | {"data": {"tls.key": CANARY}}).encode(),
                1,
                "bitnami:1: data.tls.key: is not base64\n",
            ),
        ],
        ids=["none", "certificate", "ec", "not-yaml", "ec-in-a-list", "not-base64"],
    )
    def test_bad_ones(self, desk: Desk, content: bytes, code: int, problem: str) -> None:
        path = key_file(desk, content)
        result = desk.run("import", "--bitnami-key", path, stdin=manifest())
        refused(result, code, f"{desk.keys_folder}/{problem}")
        assert CANARY not in result.err


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"metadata": {"namespace": None}}, "metadata.namespace: is missing, and scope strict"),
        ({"metadata": {"name": "A b"}}, "metadata.name: is not a name"),
        ({"encryptedData": {"USER": 1}}, "spec.encryptedData.USER: is not a string"),
        ({"template": {"data": {"A": 1}}}, "spec.template.data.A: is not a string"),
        ({"template": {"metadata": {"labels": {"a": "b c"}}}}, "spec.template.metadata.labels.a: "),
    ],
    ids=["namespace", "name", "item", "text", "label"],
)
def test_a_field_that_is_wrong_in_itself(desk: Desk, change: dict[str, Any], problem: str) -> None:
    result = desk.run("import", "--bitnami-key", key_file(desk), stdin=manifest(**change))
    refused(result, 1, f"stdin:1: {problem}")


def test_values_show_nowhere(desk: Desk) -> None:
    """Neither in what is said nor in what is written, in fair weather and foul."""
    values = {"PASSWORD": CANARY}
    spellings = [CANARY, base64.b64encode(CANARY.encode()).decode()]
    texts: tuple[dict[str, Any], ...] = (
        {},
        {"template": {"data": {"A": "{{ .PASSWORD }}", "B": "{{ index .PASSWORD 99 }}"}}},
        {"template": {"type": "kubernetes.io/tls"}},
        {"metadata": {"name": "other"}},
        {"values": {}, "data": item(json.dumps({"stringData": values, "kind": 1}))},
    )
    runs = []
    for number, text in enumerate(texts):
        desk.write(f"{number}.yaml", manifest(**{"values": values, **text}))
        more = ("-o", f"{number}.new.yaml", "--json")
        runs.append(desk.run("import", f"{number}.yaml", "--bitnami-key", key_file(desk), *more))
    assert [run.code for run in runs] == [0, 0, 0, 5, 1]
    shown = [*(run.out + run.err for run in runs), *(raw.decode() for raw in desk.files().values())]
    assert not [spelling for spelling in spellings for text in shown if spelling in text]
