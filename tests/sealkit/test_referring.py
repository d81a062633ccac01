"""A Secret divided: what is to be sealed, what refers to Vault."""

from __future__ import annotations

import base64
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.errors import ManifestError, ReferenceSyntaxError, SealkitError
from sealkit.manifests.secret import Secret
from sealkit.references.modifiers import Plain
from sealkit.references.reference import Kv, Reference
from sealkit.references.template import Template
from sealkit.referring import divide
from sealkit.sensitive import Sensitive

CANARY = "canary-never-shown"
ONE = Template((Reference("kv/a", "b"),))
AVP = "avp.kubernetes.io/"


def raw(**fields: Any) -> dict[str, Any]:
    metadata = {"name": "db", "namespace": "shop", "annotations": fields.pop("annotations", {})}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **fields}


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def test_without_references_it_is_the_secret() -> None:
    given = raw(data={"A": encoded("a")}, stringData={"B": "b"}, annotations={AVP + "path": "kv"})
    divided = divide(given)
    assert divided.references == {}
    assert divided.secret == Secret.from_dict(given)
    assert divided.partly_public == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"stringData": {"A": "vault:kv/a#b"}},
        {"stringData": {"A": "<path:kv/a#b>"}},
        {"data": {"A": encoded("vault:kv/a#b")}},
        {"data": {"A": encoded("<path:kv/a#b>") + "\n"}},
        {"data": {"A": "<path:kv/a#b | base64encode>"}},
    ],
    ids=["vault", "path", "base64", "base64-path", "encoded"],
)
def test_one_reference_in_each_place(fields: dict[str, Any]) -> None:
    divided = divide(raw(**fields))
    assert divided.references == {"A": ONE}
    assert divided.secret.data == {}


def test_a_mixture_is_sorted() -> None:
    texts = {"d": "plain", "b": "${vault:kv/a#b} text", "c": "vault:kv/a#b"}
    divided = divide(raw(data={"a": "<path:kv/a#b>", "e": encoded("x")}, stringData=texts))
    assert list(divided.references) == ["a", "b", "c"]
    assert divided.references["a"] == Template(
        (Reference("kv/a", "b", modifiers=(Plain.BASE64_DECODE,)),)
    )
    assert {key: one.reveal() for key, one in divided.secret.data.items()} == {
        "d": b"plain",
        "e": b"x",
    }
    assert divided.partly_public == ("b",)


@pytest.mark.parametrize("wins", ["vault:kv/a#b", "plain"])
@pytest.mark.parametrize("loses", ["vault:kv/c#d", "other"])
def test_string_data_wins_over_data(wins: str, loses: str) -> None:
    divided = divide(raw(data={"A": encoded(loses)}, stringData={"A": wins}))
    assert divided.references == ({"A": ONE} if wins.startswith("vault:") else {})
    assert ("A" in divided.secret.data) is (wins == "plain")


def test_annotations_say_how_to_read_and_go() -> None:
    annotations = {AVP + "path": "kv/a", AVP + "kv-version": "2", "team": "shop"}
    annotations["vault.security.banzaicloud.io/vault-addr"] = "https://vault"
    divided = divide(raw(stringData={"A": "<b>"}, annotations=annotations))
    assert divided.references == {"A": Template((Reference("kv/a", "b", kv=Kv.V2),))}
    assert divided.secret.annotations == {"team": "shop"}


def test_what_may_be_ignored_is() -> None:
    annotations = {AVP + "ignore": "true"}
    divided = divide(raw(stringData={"A": "<path:kv/a#b>"}, annotations=annotations))
    assert divided.references == {}
    assert divided.secret.annotations == annotations


def test_the_rest_of_the_secret_stays() -> None:
    given = raw(stringData={"A": "vault:kv/a#b"}, type="example.com/x", immutable=True)
    given["metadata"]["labels"] = {"app": "db"}
    secret = divide(given).secret
    assert (secret.name, secret.namespace, secret.type) == ("db", "shop", "example.com/x")
    assert secret.immutable
    assert secret.labels == {"app": "db"}


def test_both_count_for_the_type() -> None:
    given = raw(type="kubernetes.io/tls", stringData={"tls.crt": "c", "tls.key": "vault:kv/a#b"})
    assert divide(given).references == {"tls.key": ONE}
    del given["stringData"]["tls.crt"]
    with pytest.raises(ManifestError) as refusal:
        divide(given)
    assert refusal.value.field == "data.tls.crt"


@pytest.mark.parametrize("text", ["vault:kv/a#b", "plain"])
def test_contents_are_looked_at_where_they_are(text: str) -> None:
    given = raw(type="kubernetes.io/dockercfg", data={".dockercfg": encoded(text)})
    if text == "plain":
        with pytest.raises(ManifestError, match="is not a JSON object"):
            divide(given)
    else:
        assert divide(given).references == {".dockercfg": ONE}


def test_bytes_that_are_no_text_hold_no_reference() -> None:
    given = raw(data={"A": encoded(b"vault:kv/a#b\xff")})
    assert divide(given).secret.data["A"] == Sensitive(b"vault:kv/a#b\xff")


@pytest.mark.parametrize(
    ("fields", "family", "field"),
    [
        ({"stringData": {"A": f"vault:{CANARY}"}}, ReferenceSyntaxError, "stringData.A.key"),
        ({"data": {"A": encoded(f"vault:{CANARY}")}}, ReferenceSyntaxError, "data.A.key"),
        ({"data": {"A": f"<path:{CANARY}"}}, ReferenceSyntaxError, "data.A"),
        ({"data": {"A": f"x<path:{CANARY}#a>"}}, ReferenceSyntaxError, "data.A"),
        ({"data": {"A": f"?{CANARY}"}}, ManifestError, "data.A"),
        ({"data": {"A": [CANARY]}}, ManifestError, "data.A"),
        ({"data": [CANARY]}, ManifestError, "data"),
        ({"stringData": {"A": f"{CANARY}\ud800"}}, ManifestError, "stringData.A"),
        ({"stringData": {"A": 5}}, ManifestError, "stringData.A"),
        ({"stringData": {"a b": "vault:kv/a#b"}}, ManifestError, "data.a b"),
        (
            {"stringData": {"A": "x"}, "annotations": {AVP + "kv-version": CANARY}},
            ReferenceSyntaxError,
            f"metadata.annotations.{AVP}kv-version",
        ),
        ({"annotations": [CANARY]}, ManifestError, "metadata.annotations"),
        ({"metadata": CANARY}, ManifestError, "metadata"),
    ],
)
def test_what_is_wrong_is_located_and_not_quoted(
    fields: dict[str, Any], family: type[SealkitError], field: str
) -> None:
    metadata = fields.pop("metadata", None)
    given = raw(**fields) | ({"metadata": metadata} if metadata else {})
    with pytest.raises(family) as refusal:
        divide(given)
    assert refusal.value.field == field
    assert CANARY not in "".join(traceback.format_exception(refusal.value))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_a_text_is_the_same_in_both_fields(text: str) -> None:
    found: list[object] = []
    for fields in ({"stringData": {"A": text}}, {"data": {"A": encoded(text)}}):
        try:
            divided = divide(raw(**fields))
            found.append((divided.references, divided.secret.data))
        except ReferenceSyntaxError as error:
            found.append((error.problem, error.field.partition(".")[2]))
    assert found[0] == found[1]
