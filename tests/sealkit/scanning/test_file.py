"""What is found and what is not, at the edges; and texts made to stop the scanner."""

from __future__ import annotations

import base64
import json

import pytest

from sealkit.findings.finding import Finding
from sealkit.scanning.file import Skipped, scan
from sealkit.scanning.tree import MAX_DEPTH, MAX_NODES

VALUE = "kq8W9vb2-Lm4x"


def nothing(_: str) -> bytes | None:
    return None


def findings(text: str | bytes, path: str = "a.yaml") -> tuple[Finding, ...]:
    raw = text.encode() if isinstance(text, str) else text
    return scan(path, raw, nothing).findings


def rules(text: str | bytes, path: str = "a.yaml") -> list[str]:
    return [finding.rule.id for finding in findings(text, path)]


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def jwt(payload: object) -> str:
    parts = (json.dumps({"alg": "x"}), json.dumps(payload), "signature" * 4)
    return ".".join(base64.urlsafe_b64encode(one.encode()).decode().rstrip("=") for one in parts)


def secret(value: str, section: str = "stringData") -> str:
    return f"kind: Secret\n{section}:\n  a: {value}\n"


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (VALUE, "SK401"),
        ("app", "SK401"),
        ("5432", "SK401"),
        ('"!#%&/()="', "SK401"),
        ("sealed", "SK401"),
        ("vault:of gold", "SK401"),
        ("postgres://app:kq8W9@db", "SK401"),
        ("example-kq8W9vb2", "SK401"),
        ("'[\"kq8W9vb2\"]'", "SK401"),
        ("my$VAR", "SK401"),
        (f'"{VALUE}\\n{"-" * 90}"', "SK401"),
        ("changeme", "SK402"),
        ("Change-Me-Now", "SK402"),
        ("password123", "SK402"),
        ("P@ssw0rd", "SK402"),
        ("'12345678'", "SK402"),
        ("postgres://user:password@localhost:5432/db", "SK402"),
        ("", ""),
        ("''", ""),
        ("~", ""),
        ("'true'", ""),
        ("$VAR", ""),
        ("${VAR}", ""),
        ("$(VAR)", ""),
        ("a-${vault:kv/x#y}-b", ""),
        ("vault:kv/x#y", ""),
        ("'%VAR%'", ""),
        ("'@VAR@'", ""),
        ("__VAR__", ""),
        ("'{var}'", ""),
        ("<your password>", ""),
        ("xxxxxxxx", ""),
        ("'********'", ""),
        ("REPLACE_ME", ""),
        ("your-api-key-here", ""),
        ("DB_PASSWORD", ""),
        ("test", ""),
        ("example.com", ""),
        ("ref+vault://kv/x", ""),
        ("arn:aws:secretsmanager:eu-1:1:secret:x", ""),
        ("ENC[AES256_GCM,data:x]", ""),
        ("vault:v1:c2VjcmV0", ""),
        (b64("<your password>"), "SK401"),
    ],
)
def test_a_value_of_a_secret(value: str, rule: str) -> None:
    assert rules(secret(value)) == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (b64(VALUE), "SK401"),
        (base64.b64encode(bytes(range(256))).decode(), "SK401"),
        (b64("changeme"), "SK402"),
        ("changeme", "SK402"),
        (b64("${VAR}"), ""),
        ("<path:kv/x#y>", ""),
        ("not base64!", "SK401"),
        ("[a, b]", ""),
    ],
)
def test_a_value_under_data(value: str, rule: str) -> None:
    assert rules(secret(value, "data")) == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("size", "said"),
    [(1, "1 to 7"), (8, "8 to 15"), (255, "64 to 255"), (256, "256 characters or more")],
)
def test_the_length_is_said_roughly(size: int, said: str) -> None:
    (finding,) = findings(secret("k" * (size - 1) + "7") if size > 1 else secret("k"))
    assert said in finding.message


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (f"password: {VALUE}", "SK414"),
        (f"db_pwd: {VALUE}", "SK414"),
        (f"passWord2: {VALUE}", "SK414"),
        ("apiKey: kq8W9vb2Lm4x77aBcD", "SK414"),
        ("secretKeyBase: kq8W9vb2Lm4x77aBcD", "SK414"),
        (f"url: https://u:{VALUE}@h", "SK414"),
        (f"a: [[{{password: {VALUE}}}]]", "SK414"),
        ("token: my-token-secret", ""),
        ("apiKey: config", ""),
        ("secretName: kq8W9vb2Lm4x77aBcD", ""),
        ("existingSecret: kq8W9vb2Lm4x77aBcD", ""),
        ("password: /run/password9", ""),
        ("password: Please type your password 9", ""),
        ("password: changeme", ""),
        ("'': kq8W9vb2Lm4x77aBcD", ""),
        ("url: https://u:${PASSWORD}@h", ""),
        ("token: https://h/kq8W9vb2Lm4x77aBcD", ""),
        (f"kind: X\napiVersion: v1\npassword: {VALUE}", ""),
    ],
)
def test_a_line_of_values(line: str, rule: str) -> None:
    assert rules(line, "values.yaml") == ([rule] if rule else [])


@pytest.mark.parametrize(
    "text",
    [
        jwt({"iss": "https://example.com"}),
        jwt([]),
        "eyJhbGciOiJ4In0.eyJub3QganNvbg-no-json-at-all.c2lnbmF0dXJl0000",
        "eyJ" + "x" * 60,
        "a = this.hvs.kq8W9vb2Lm4x77aBcDkq8W9vb2Lm4x77aBcD",
        "this.s.kq8W9vb2Lm4x77aBcDkq8W9v()",
        "s.aLongNameOfSomeMethod1234(secret)",
        "AGE-SECRET-KEY-1" + "Q" * 58,
        "-----BEGIN PRIVATE KEY-----\n" + "A" * 64 + "\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----",
        "LS0tLS1CRUdJT" + "A" * 80,
    ],
)
def test_what_only_looks_like_a_token_or_a_key(text: str) -> None:
    assert rules(text, "a.txt") == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("auths: {h: x, i: {auth: '{{ .Values.x }}'}}", ""),
        ("auths: []", ""),
        ("auths: {h: {auth: not base64}}", ""),
        ("kind: Secret\ntype: sealkit.dev/key\ndata: {kid: ''}\n", ""),
        ("kind: Secret\ntype: sealkit.dev/key\ndata: {a: [b]}\n", ""),
        ("kind: Secret\nmetadata: x\ndata: x\n", ""),
        ("kind: Secret\ndata: {.dockerconfigjson: 'no json'}", "SK407"),
        ("kind: Config\nusers: [x, {user: x}, {user: {token: '{{ x }}'}}]", ""),
        ("kind: Config\nusers: {x: {token: kq8W9vb2}}", ""),
        ("kind: ConfigMap\ndata: {password: {a: b}}", ""),
        ("kind: ConfigMap\ndata: [password]", ""),
        ("kind: Pod\nenv: [{name: [a], value: password}, {name: PASSWORD, value: {a: b}}]", ""),
        ("kind: SecretList\nitems: x", ""),
        (f"kind: SecretList\nitems: [x, {{kind: Secret, stringData: {{a: {VALUE}}}}}]", "SK401"),
        ("secretGenerator: [x, {literals: {a: b}}, {literals: [[a], 'a=b c']}]", "SK405"),
        ("secretGenerator: {a: b}", ""),
        (f"{{{{ x }}}}: {VALUE}\nkind: Secret\nstringData: {{a: '{{{{ b }}}}'}}", ""),
        (f"kind: Secret\nstringData: *unknown\nother: {VALUE}", ""),
        (f"kind: Secret\nstringData: {{<<: [text], [a]: b, c: {VALUE}}}", "SK401"),
        ("patch: [{op: add, path: /stringData/a, value: {b: c}}]", ""),
        ("# secret\n\n", ""),
        ("kty: EC\nd: [secret]", ""),
        ("kty: EC\nd: secret", ""),
        ("services: {a: {environment: [[PASSWORD], {PASSWORD: a}], args: [[--password]]}}", ""),
        ("services: {a: {environment: {PASSWORD: [a]}, command: --password=a}}", ""),
        ("kind: SealedSecret\nspec: {template: {data: [password]}}", ""),
        ("kind: SealedSecret\nspec: {template: {data: {password: [a]}, type: password}}", ""),
        ("kind: ExternalSecret\nspec: {target: [password]}", ""),
        ("spec: {providers: [{aescbc: {keys: [secret, {secret: [a]}]}}, {aesgcm: {keys: a}}]}", ""),
        (f"target: {{kind: Secret}}\npatch: [{{path: /data, value: {{a: [{VALUE}]}}}}]", ""),
        (f"target: {{kind: Secret}}\npatch: [{{path: /data, value: {VALUE}}}]", ""),
        (f"patch: [{{path: /stringData, value: {{a: {VALUE}}}}}]", "SK401"),
        (f"patch: [{{path: /data/a, value: {b64(VALUE)}}}]", ""),
    ],
)
def test_shapes_that_are_not_as_expected(text: str, rule: str) -> None:
    assert rules(text) == ([rule] if rule else [])


def test_a_key_inside_a_secret_is_one_finding() -> None:
    body = b64(VALUE * 9)
    text = f"-----BEGIN PRIVATE KEY-----\n    {body}\n    -----END PRIVATE KEY-----"
    assert rules(secret(f"|\n    {text}")) == ["SK401"]


def test_documents_are_counted() -> None:
    text = f"# only a comment\n---\na: b\n---\n{secret(VALUE)}---\n---\n{secret(VALUE)}"
    assert [finding.place.document for finding in findings(text)] == [2, 4]


def test_the_object_is_named() -> None:
    text = f"kind: Secret\nmetadata: {{name: db, namespace: shop}}\nstringData: {{a: {VALUE}}}\n"
    (finding,) = findings(text)
    assert (finding.place.subject, finding.place.field) == ("shop/db", "stringData.a")


def test_texts_inside_texts_are_read_four_deep() -> None:
    def wrapped(text: str, times: int) -> str:
        for _ in range(times):
            text = f"a: {json.dumps(text)}\nb: some more text, so that it is long enough\n"
        return text

    assert rules(wrapped(secret(VALUE), 4)) == ["SK401"]
    assert rules(wrapped(secret(VALUE), 5)) == []


def test_a_fence_that_never_ends_and_one_inside_another() -> None:
    inner = secret("kq8W9vb2Lm4x77aB")
    assert rules(f"````\n```\n{inner}```\n````\n", "a.md") == ["SK401"]
    assert rules(f"```\n{inner}", "a.md") == []


def test_binary_files_are_passed_over() -> None:
    assert scan("a", b"\0\1\2secret", nothing).skipped is Skipped.BINARY
    assert scan("a", b"ab\0", nothing).skipped is Skipped.BINARY


HOSTILE = {
    "deep": "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1) + " # secret",
    "wide": "secret: [" + "a," * MAX_NODES + "]",
    "laughs": "secret: &a0 [x]\n" + "".join(f"a{n}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(60)),
    "merges": "secret: &a0 {x: y}\n"
    + "".join(f"a{n}: &a{n + 1} {{<<: [*a{n}, *a{n}]}}\n" for n in range(60)),
    "templates": "secret: " + "{{" * 100_000,
    "statements": "secret: " + "{%" * 100_000,
    "spaces": " " * 200_000 + "kind: Secret\n",
    "quotes": '"kind": "Secret"' + '"' * 100_000,
    "braces": '{"kind": "Secret", ' * 300,
    "kinds": "a: ]\n" + "kind: Secret\n" * 20_000,
    "starts": "-----BEGIN PRIVATE KEY-----" * 20_000,
    "tokens": "eyJ" * 100_000,
    "fences": "```secret\n" * 20_000,
    "resources": 'kind = "Secret"\n' * 20_000,
    "sections": 'kind = "Secret"\n' + "data = {\n" * 20_000,
    "commands": "kubectl create secret generic " * 20_000,
    "literals": "create secret generic x " + "--from-literal=a=" * 20_000,
    "continued": "create secret generic x " + "\\\n" * 100_000,
    "twice base64": f"a: {b64(b64(b64(b64(b64('kind: Secret' * 99)))))} # secret",
    "schemes": "password: " + "a" * 200_000,
    "controls": "secret: \x07\x1b[31m",
    "surrogates": '{"kind": "Secret", "stringData": {"a": "\\ud800"}}',
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("path", ["values.yaml", "a.md", "a.sh", ".env", "a.json"])
def test_a_hostile_text_is_read_to_its_end(name: str, path: str) -> None:
    assert scan(path, HOSTILE[name].encode(), nothing).skipped is None
