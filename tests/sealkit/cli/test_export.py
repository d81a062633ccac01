"""`sealkit export`: what Bitnami's controller makes of the result, the report, every refusal."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
import yaml

from sealkit.assembly import assemble
from sealkit.foreign.bitnami import open_bitnami
from sealkit.manifests.emit import emit_yaml
from tests.sealkit.cli.desk import CANARY, TODAY, Desk, Result, secret_text
from tests.vectors import bitnami as theirs
from tests.vectors.bitnami.keys import certificate, elliptic, key

FILE: Final = "db.yaml"
OTHER: Final = "kind: ConfigMap   # plain\napiVersion: v1\n"
MADE_NOW: Final = "is made now, and sealed as a value"


@pytest.fixture
def sealed(desk: Desk) -> Desk:
    desk.ok("seal", "-o", FILE, stdin=secret_text())
    return desk


def arguments(desk: Desk, *more: str, name: str = "prod") -> list[str]:
    keys = str(desk.key_file(name))
    return ["export", "--to", "bitnami", "--cert", str(theirs.CERTIFICATE), "--key", keys, *more]


def export(desk: Desk, *more: str, **world: Any) -> Result:
    return desk.ok(*arguments(desk, *more), **world)


def refused(result: Result, code: int, start: str) -> None:
    assert (result.code, result.out) == (code, ""), result.err
    assert result.err.startswith(f"sealkit: error: {start}"), result.err


def with_spec(desk: Desk, text: str, **spec: object) -> None:
    """Seal a Secret and add to the spec of the manifest."""
    raw = yaml.safe_load(desk.ok("seal", stdin=text).out)
    raw["spec"] |= spec
    desk.write(FILE, emit_yaml(raw))


def with_template(desk: Desk, text: str, **template: object) -> None:
    with_spec(desk, text, template={"type": "Opaque", **template})


def data(raw: Mapping[str, Any]) -> dict[str, bytes]:
    """What the Secret holds that comes of a SealedSecret of theirs."""
    opened = open_bitnami(raw, theirs.ring())
    secret = assemble(opened.sealed, opened.values)
    return {name: value.reveal() for name, value in secret.data.items()}


def encrypted(text: str) -> set[str]:
    return set(yaml.safe_load(text)["spec"]["encryptedData"])


class TestWhatComesOut:
    """The manifest for Bitnami's controller."""

    def test_all_of_it(self, desk: Desk) -> None:
        metadata = {
            "name": "db",
            "namespace": "shop",
            "labels": {"app": "db", "helm.sh/chart": "x"},
            "annotations": {"note": "kept", "argocd.argoproj.io/sync-wave": "1"},
        }
        raw = yaml.safe_load(secret_text()) | {"metadata": metadata, "immutable": True}
        result = export(desk, stdin=desk.ok("seal", stdin=emit_yaml(raw)).out)
        made = yaml.safe_load(result.out)
        assert data(made) == {"PASSWORD": b"hunter2", "USER": b"app"}
        assert encrypted(result.out) == {"PASSWORD", "USER"}
        del made["spec"]["encryptedData"]
        assert made == {
            "apiVersion": "bitnami.com/v1alpha1",
            "kind": "SealedSecret",
            "metadata": {
                "name": "db",
                "namespace": "shop",
                "labels": {"helm.sh/chart": "x"},
                "annotations": {"argocd.argoproj.io/sync-wave": "1"},
            },
            "spec": {
                "template": {
                    "type": "Opaque",
                    "immutable": True,
                    "metadata": {
                        "name": "db",
                        "namespace": "shop",
                        "labels": {"app": "db"},
                        "annotations": {"note": "kept"},
                    },
                }
            },
        }
        assert result.err == "exported shop/db: 2 values (strict)\n"

    @pytest.mark.parametrize(
        ("scope", "annotations"),
        [
            ("strict", {}),
            ("namespace-wide", {"sealedsecrets.bitnami.com/namespace-wide": "true"}),
            ("cluster-wide", {"sealedsecrets.bitnami.com/cluster-wide": "true"}),
        ],
    )
    def test_scopes(self, desk: Desk, scope: str, annotations: dict[str, str]) -> None:
        text = desk.ok("seal", "--scope", scope, stdin=secret_text()).out
        # What such an annotation says counts for nothing here, and must not count there.
        wrong = "  annotations: {sealedsecrets.bitnami.com/cluster-wide: 'true'}\nspec:\n"
        made = yaml.safe_load(export(desk, stdin=text.replace("spec:\n", wrong)).out)
        assert made["metadata"].get("annotations", {}) == annotations
        assert data(made)["USER"] == b"app"

    def test_without_a_namespace(self, desk: Desk) -> None:
        text = secret_text(namespace="")
        out = export(desk, stdin=desk.ok("seal", "--scope", "cluster-wide", stdin=text).out).out
        made = yaml.safe_load(out)
        assert "namespace" not in {**made["metadata"], **made["spec"]["template"]["metadata"]}
        assert data(made)["USER"] == b"app"

    def test_any_bytes(self, desk: Desk) -> None:
        values = {"binary": bytes(range(256)), "empty": b""}
        encoded = {name: base64.b64encode(value).decode() for name, value in values.items()}
        raw = yaml.safe_load(secret_text()) | {"data": encoded, "stringData": {}}
        out = export(desk, stdin=desk.ok("seal", stdin=json.dumps(raw)).out).out
        assert data(json.loads(out)) == values

    def test_types_with_rules(self, desk: Desk) -> None:
        config = {".dockerconfigjson": "{}"}
        text = secret_text(**config) + "type: kubernetes.io/dockerconfigjson\n"
        made = yaml.safe_load(export(desk, stdin=desk.ok("seal", stdin=text).out).out)
        assert made["spec"]["template"]["type"] == "kubernetes.io/dockerconfigjson"

    def test_every_document_in_its_place(self, desk: Desk) -> None:
        text = desk.ok("seal", stdin=f"# a\n{secret_text('a')}---\n{OTHER}---\n").out
        out = export(desk, stdin=f"{text}{secret_text('b')}# end\n").out
        kinds = [raw["kind"] for raw in yaml.safe_load_all(out)]
        assert kinds == ["SealedSecret", "ConfigMap", "Secret"]
        assert out.startswith("# a\napiVersion: bitnami.com/")
        assert f"---\n{OTHER}---\n{secret_text('b')}# end\n" in out

    def test_a_list(self, desk: Desk) -> None:
        item = yaml.safe_load(desk.ok("seal", stdin=secret_text()).out)
        raw = {"apiVersion": "v1", "kind": "List", "items": [{"kind": "Other"}, item]}
        out = json.loads(export(desk, stdin=json.dumps(raw)).out)
        assert data(out["items"][1])["USER"] == b"app"


class TestTexts:
    """Text templates, where both sides make the same of them; else what comes of them."""

    def test_it_stays_a_template(self, desk: Desk) -> None:
        texts = {"url": "pg://{{ .USER }}:{{ .PASSWORD | urlquery }}@db", "plain": "keys, values"}
        with_template(desk, secret_text(), data=texts)
        result = export(desk, FILE, "--strict")
        made = yaml.safe_load(result.out)
        assert made["spec"]["template"]["data"] == texts
        assert encrypted(result.out) == {"PASSWORD", "USER"}
        assert data(made)["url"] == b"pg://app:hunter2@db"

    @pytest.mark.parametrize(
        ("template", "made"),
        [
            ({"data": {"A": "{{ toYaml .USER }}"}}, {"A": b"app"}),
            ({"data": {"A": "{{ toJson . }}"}}, {"A": b'{"PASSWORD":"hunter2","USER":"app"}'}),
            ({"data": {"USER": "{{ .PASSWORD }}2"}}, {"USER": b"hunter22"}),
            ({"data": {"A": "[[ .USER ]]"}, "delimiters": ["[[", "]]"]}, {"A": b"app"}),
            ({"build": {"basicAuth": {"username": "USER", "password": "PASSWORD"}}}, {}),
        ],
        ids=["function", "everything", "collision", "delimiters", "builder"],
    )
    def test_it_is_made_now(
        self, desk: Desk, template: dict[str, Any], made: dict[str, bytes]
    ) -> None:
        with_template(desk, secret_text(), **template)
        result = export(desk, FILE)
        raw = yaml.safe_load(result.out)
        assert "data" not in raw["spec"]["template"]
        built = {"username": b"app", "password": b"hunter2"} if "build" in template else {}
        assert data(raw) == {"PASSWORD": b"hunter2", "USER": b"app", **made, **built}
        (name,) = template.get("data", ["basicAuth"])
        where = f"spec.template.{'build' if built else 'data'}.{name}"
        assert f"sealkit: note: db.yaml:1: {where}: {MADE_NOW}" in result.err

    def test_a_text_of_what_is_made_now_is_made_now(self, desk: Desk) -> None:
        """There it would see the value that was made, here it sees the one that was there."""
        with_template(desk, secret_text(), data={"USER": "{{ .USER }}2", "A": "{{ .USER }}"})
        raw = yaml.safe_load(export(desk, FILE).out)
        assert "data" not in raw["spec"]["template"]
        assert data(raw) == {"PASSWORD": b"hunter2", "USER": b"app2", "A": b"app"}

    def test_values_that_go_do_not_come_along(self, desk: Desk) -> None:
        with_template(desk, secret_text(), data={"A": "{{ .USER }}"}, mergePolicy="Replace")
        out = export(desk, FILE).out
        assert encrypted(out) == {"A"}
        assert data(yaml.safe_load(out)) == {"A": b"app"}

    def test_what_cannot_be_made_is_located(self, desk: Desk) -> None:
        with_template(desk, secret_text(), data={"A": "{{ index .USER 99 }}"})
        refused(desk.run(*arguments(desk, FILE)), 1, "db.yaml:1: ")

    def test_salts(self, desk: Desk) -> None:
        users = {"htpasswd": {"users": [{"username": "USER", "password": "PASSWORD"}]}}
        with_template(desk, secret_text(), build=users)
        assert data(yaml.safe_load(export(desk, FILE).out))["auth"].startswith(b"app:$2y$10$")


class TestNotes:
    """What is not carried over is told."""

    @pytest.mark.parametrize(
        ("spec", "note"),
        [
            ({"suspend": True}, "spec.suspend (true): Bitnami's controller makes the Secret"),
            ({"recreate": True}, "spec.recreate (true): delete the Secret by hand"),
            ({"deletionPolicy": "Retain"}, "spec.deletionPolicy (Retain): the Secret is deleted"),
            (
                {
                    "rolloutRestart": [
                        {"kind": "Deployment", "name": "web"},
                        {"kind": "StatefulSet", "matchLabels": {"app": "db"}},
                    ]
                },
                "spec.rolloutRestart (Deployment web, StatefulSet app=db): nothing restarts",
            ),
        ],
        ids=lambda one: next(iter(one)) if isinstance(one, dict) else "",
    )
    def test_behaviour(self, desk: Desk, spec: dict[str, Any], note: str) -> None:
        with_spec(desk, secret_text(), **spec)
        result = export(desk, FILE)
        assert f"sealkit: note: db.yaml:1: {note}" in result.err
        assert data(yaml.safe_load(result.out))["USER"] == b"app"

    def test_what_is_ours(self, sealed: Desk) -> None:
        ours = "  labels: {sealkit.dev/a: b}\n  annotations: {sealkit.dev/refresh: now}\nspec:\n"
        sealed.write(FILE, sealed.read(FILE).replace("spec:\n", ours))
        result = export(sealed, FILE)
        assert "sealkit.dev" not in result.out
        for name in ("labels.sealkit.dev/a", "annotations.sealkit.dev/refresh"):
            assert f"sealkit: note: db.yaml:1: metadata.{name}: means nothing" in result.err

    def test_a_manifest_with_values_in_vault_stays(self, desk: Desk) -> None:
        text = secret_text(A="vault:kv/shop/db#password", B="plain")
        desk.ok("seal", "-o", FILE, stdin=text)
        result = export(desk, FILE, "-i")
        assert result.err.startswith("left shop/db as it is\nsealkit: note: db.yaml:1: ")
        assert "spec.references (A): are in Vault" in result.err
        assert "sealkit.dev/v1alpha1" in desk.read(FILE)

    def test_strict_writes_nothing_if_there_is_one(self, desk: Desk) -> None:
        with_spec(desk, secret_text(), suspend=True)
        before = desk.files()
        result = desk.run(*arguments(desk, FILE, "-i", "--strict"))
        assert result.code == 1
        assert "sealkit: note: db.yaml:1: spec.suspend" in result.err
        assert result.err.endswith("nothing is written: --strict, and there is 1 note\n")
        assert desk.files() == before

    @pytest.mark.parametrize("text", [OTHER, secret_text()], ids=["other", "plain"])
    def test_nothing_to_export(self, desk: Desk, text: str) -> None:
        result = export(desk, stdin=text)
        assert result.out == text
        assert result.err == "sealkit: note: there is no SealedSecret of sealkit in stdin\n"

    def test_what_is_exported_is_exported_once(self, sealed: Desk) -> None:
        out = export(sealed, FILE).out
        assert export(sealed, stdin=out).out == out


class TestFiles:
    """Where it comes from and where it goes."""

    def test_to_a_file(self, sealed: Desk) -> None:
        before = sealed.read(FILE)
        assert export(sealed, FILE, "-o", "new.yaml").out == ""
        assert data(yaml.safe_load(sealed.read("new.yaml")))["USER"] == b"app"
        assert sealed.read(FILE) == before

    def test_check_writes_nothing(self, sealed: Desk) -> None:
        before = sealed.files()
        result = sealed.run(*arguments(sealed, "--check", "."))
        assert (result.code, sealed.files()) == (10, before)
        assert result.out == "would have exported shop/db: 2 values (strict)\n"
        report = sealed.run(*arguments(sealed, "--check", FILE, "--json"))
        assert (report.code, report.json[0]["result"], sealed.files()) == (10, "converted", before)
        export(sealed, "-i", FILE)
        assert sealed.run(*arguments(sealed, "--check", FILE)).code == 0

    @pytest.mark.parametrize("jobs", ["1", "2"])
    def test_many_files_at_once(self, sealed: Desk, jobs: str) -> None:
        text = sealed.read(FILE)
        for number in range(40):
            sealed.write(f"apps/{number}.yaml", text)
        result = export(sealed, "-i", "apps", "--jobs", jobs)
        assert result.err.endswith("\nexported 40 manifests in 40 files\n")
        assert all(
            data(yaml.safe_load(sealed.read(f"apps/{number}.yaml")))["USER"] == b"app"
            for number in range(40)
        )

    def test_everything_that_is_wrong_is_told_and_nothing_written(self, sealed: Desk) -> None:
        for name in ("y.yaml", "z.yaml"):
            sealed.write(name, sealed.read(FILE).replace("name: db", "name: other"))
        before = sealed.files()
        result = sealed.run(*arguments(sealed, "-i", "."))
        assert (result.code, sealed.files()) == (5, before)
        errors = [line for line in result.err.splitlines() if ": error: " in line]
        assert [line.split(": ")[2] for line in errors] == ["y.yaml:1", "z.yaml:1"]

    def test_a_folder_in_place(self, desk: Desk) -> None:
        for name in ("apps/a.yaml", "apps/deep/b.yaml"):
            desk.write(name, "")
            desk.ok("seal", "-o", name, stdin=secret_text())
        chart = desk.write("apps/chart.yaml", "{{ not yaml")
        result = export(desk, "-i", "apps")
        for name in ("apps/a.yaml", "apps/deep/b.yaml"):
            assert data(yaml.safe_load(desk.read(name)))["USER"] == b"app"
        assert chart.read_text() == "{{ not yaml"
        assert result.err == (
            "exported shop/db: 2 values (strict)\n" * 2 + "exported 2 manifests in 2 files\n"
        )

    def test_one_bad_manifest_leaves_all_as_they_were(self, sealed: Desk) -> None:
        sealed.write("z.yaml", sealed.read(FILE).replace("name: db", "name: cache"))
        before = sealed.files()
        refused(sealed.run(*arguments(sealed, "-i", FILE, "z.yaml")), 5, "z.yaml:1: ")
        assert sealed.files() == before

    def test_the_report_for_programs(self, desk: Desk) -> None:
        with_spec(desk, secret_text(), suspend=True)
        desk.ok("seal", "-o", "v.yaml", stdin=secret_text("v", A="vault:kv/a#b"))
        report = export(desk, "-i", FILE, "v.yaml", "--json").json
        assert report[0] == {
            "file": FILE,
            "document": 1,
            "item": "",
            "namespace": "shop",
            "name": "db",
            "scope": "strict",
            "result": "converted",
            "values": 2,
            "notes": [
                {"field": "spec.suspend", "found": "true", "todo": report[0]["notes"][0]["todo"]}
            ],
        }
        assert (report[1]["result"], report[1]["values"]) == ("unchanged", 0)

    def test_the_certificate_may_come_from_standard_input(self, sealed: Desk) -> None:
        keys = sealed.key_file("prod")
        command = ("export", FILE, "--to", "bitnami", "--cert", "-", "--key", keys)
        result = sealed.ok(*command, stdin=theirs.CERTIFICATE.read_bytes())
        assert data(yaml.safe_load(result.out))["USER"] == b"app"

    @pytest.mark.parametrize(
        ("more", "problem"),
        [
            (["-i"], "--in-place goes with files"),
            (["-i", FILE, "-o", "b"], "--in-place goes with files"),
            ([FILE, "z.yaml"], "several files need --in-place"),
            (["--json"], "--json needs -o FILE or --in-place"),
            (["--key", "-"], "standard input can be only one of them"),
            (["none.yaml"], "none.yaml: there is no such file"),
        ],
        ids=lambda one: "-".join(one) if isinstance(one, list) else "",
    )
    def test_misuse(self, sealed: Desk, more: list[str], problem: str) -> None:
        sealed.write("z.yaml", OTHER)
        refused(sealed.run(*arguments(sealed, *more)), 2, problem)

    @pytest.mark.parametrize("option", ["--to", "--cert", "--key"])
    def test_what_is_required(self, sealed: Desk, option: str) -> None:
        given = arguments(sealed, FILE)
        del given[given.index(option) : given.index(option) + 2]
        refused(sealed.run(*given), 2, f"missing option '{option}'")


class TestCertificates:
    """Everything that no good certificate is is refused before a key is read."""

    def run(self, desk: Desk, pem: bytes, **world: Any) -> Result:
        path = desk.write("cert.pem", pem)
        before = desk.files()
        result = desk.run(*arguments(desk, FILE, "-i", "--cert", str(path)), **world)
        assert desk.files() == before
        assert "sealkit: hint: kubeseal --fetch-cert prints the one to seal with" in result.err
        return result

    def test_expired(self, sealed: Desk) -> None:
        later = TODAY.replace(year=2040)
        result = self.run(sealed, theirs.CERTIFICATE.read_bytes(), today=later)
        refused(result, 2, "cert.pem: the certificate expired on 2036-11-20")

    def test_short(self, sealed: Desk) -> None:
        result = self.run(sealed, certificate(key("small", 1024)))
        refused(result, 2, "cert.pem: has an RSA key of 1024 bits, expected at least 2048")

    def test_of_another_kind(self, sealed: Desk) -> None:
        refused(self.run(sealed, certificate(elliptic())), 2, "cert.pem: has a key that is not RSA")

    def test_none(self, sealed: Desk) -> None:
        refused(self.run(sealed, b"x"), 2, "cert.pem: holds no certificate")


def test_another_private_key(sealed: Desk) -> None:
    result = sealed.run(*arguments(sealed, FILE, name="lab"))
    refused(result, 4, "db.yaml:1: no key here for kid ")


def test_values_show_nowhere(desk: Desk) -> None:
    """Neither in what is said nor in what is written, in fair weather and foul."""
    texts = {"A": "{{ .PASSWORD }}", "B": "{{ toYaml .PASSWORD }}"}
    with_template(desk, secret_text(PASSWORD=CANARY), data=texts)
    spellings = [CANARY, base64.b64encode(CANARY.encode()).decode()]
    foul = {"A": "{{ index .PASSWORD 99 }}"}
    runs = [
        desk.run(*arguments(desk, FILE)),
        desk.run(*arguments(desk, FILE, "-o", "new.yaml", "--json")),
        desk.run(*arguments(desk, FILE, "--strict")),
        desk.run(*arguments(desk, FILE, name="lab")),
    ]
    with_template(desk, secret_text(PASSWORD=CANARY), data=foul)
    runs.append(desk.run(*arguments(desk, FILE)))
    assert [run.code for run in runs] == [0, 0, 1, 4, 1]
    shown = [*(run.out + run.err for run in runs), *(raw.decode() for raw in desk.files().values())]
    assert not [spelling for spelling in spellings for text in shown if spelling in text]
