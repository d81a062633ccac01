import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealkit.errors import ManifestError
from sealkit.manifests.documents import Document, iter_resources, read_documents
from sealkit.manifests.tree import MappingNode, field_path, position, same_data


def plain(text: str | bytes) -> list[object]:
    return [document.to_plain() for document in read_documents(text)]


def one(text: str) -> Document:
    (document,) = read_documents(text)
    return document


MIXED = """\
# header
---
kind: Secret  # yaml
---
{"kind": "Secret", "deep": [1, {"a": "\\ud83d\\ude00\\/"}]}
{"kind": "ConfigMap"}
--- # nothing here
---
- a
...
"""


def test_mixed_documents_are_numbered_from_one() -> None:
    documents = read_documents(MIXED, file="all.yaml")

    assert [(d.number, d.format, d.is_empty) for d in documents] == [
        (1, "yaml", False),
        (2, "json", False),
        (3, "json", False),
        (4, "yaml", True),
        (5, "yaml", False),
    ]
    assert [d.to_plain() for d in documents] == [
        {"kind": "Secret"},
        {"kind": "Secret", "deep": [1, {"a": "😀/"}]},
        {"kind": "ConfigMap"},
        None,
        ["a"],
    ]


def test_spans_of_documents_cover_the_text_behind_the_header() -> None:
    documents = read_documents(MIXED)

    assert "".join(MIXED[d.start : d.end] for d in documents) == MIXED.removeprefix("# header\n")
    assert MIXED[documents[2].start : documents[2].end] == '\n{"kind": "ConfigMap"}\n'


@pytest.mark.parametrize(
    ("text", "data"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("\ufeff", [], id="bom alone"),
        pytest.param("# only a comment\n", [], id="comment"),
        pytest.param("---\n", [None], id="marker"),
        pytest.param("---\n---\n", [None, None], id="two markers"),
        pytest.param("a: b\n---\n", [{"a": "b"}, None], id="marker at the end"),
        pytest.param("\ufeff---\na: b\n", [{"a": "b"}], id="bom and marker"),
        pytest.param("a: b\r\n---\r\nc: d\r\n", [{"a": "b"}, {"c": "d"}], id="crlf"),
        pytest.param("a: |\n  ---\n  b\n", [{"a": "---\nb\n"}], id="marker inside a block"),
        pytest.param("a: x---\nb: --- y\n", [{"a": "x---", "b": "--- y"}], id="dashes"),
        pytest.param("---a: b\n", [{"---a": "b"}], id="no marker"),
        pytest.param("{a: b, 'c': [d]}", [{"a": "b", "c": ["d"]}], id="yaml flow"),
        pytest.param('# c\n{"a": 1} # d\n', [{"a": 1}], id="json with comments is yaml"),
        pytest.param('{}{}\n\n{"a":[]}', [{}, {}, {"a": []}], id="json stream"),
        pytest.param('--- {"a": 1}\n---\n[]', [{"a": 1}, []], id="json behind markers"),
        pytest.param('\ufeff\t{\t"a"\t:\t1\t}', [{"a": 1}], id="json with tabs and bom"),
        pytest.param('{"' + "k" * 2000 + '": 1}', [{"k" * 2000: 1}], id="json long key"),
        pytest.param("a: 'x'\n...\n# end\n---\nb: c\n", [{"a": "x"}, {"b": "c"}], id="dots"),
    ],
)
def test_reads(text: str, data: list[object]) -> None:
    assert plain(text) == data
    assert plain(text.encode()) == data


TRUE_WORDS = ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"]
FALSE_WORDS = ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        # Compared with sigs.k8s.io/yaml 1.6.0, which kubectl and the API server use.
        *((word, True) for word in TRUE_WORDS),
        *((word, False) for word in FALSE_WORDS),
        *((word, None) for word in ["~", "null", "Null", "NULL", ""]),
        *((word, word) for word in ["yEs", "tRUE", "oN", "nuLL", "nan", "NaN", "Inf", "=", "<<x"]),
        ("0", 0),
        ("-12", -12),
        ("+7", 7),
        ("0123", 83),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0b11", -3),
        ("1_000", 1000),
        ("089", 89.0),
        ("1.", 1.0),
        (".5", 0.5),
        (".5_5", 0.55),
        ("1e3", 1000.0),
        ("-1.5E-3", -0.0015),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        (".nan", float("nan")),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("1e999", "1e999"),
        ("12:30:45", "12:30:45"),
        ("2026-01-02", "2026-01-02"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("0x", "0x"),
        ("1.2.3", "1.2.3"),
        ("_1", "_1"),
        (".", "."),
        ('"yes"', "yes"),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("! 1", "1"),
        ("!!int 1", 1),
        ("!!float 1", 1.0),
        ("!!bool yes", True),
        ("!!null ~", None),
    ],
)
def test_scalars_resolve_as_in_kubernetes(source: str, value: object) -> None:
    assert same_data(one(f"a: {source}\n").to_plain(), {"a": value})


def test_marks_find_keys_and_values() -> None:
    text = "\ufeff# é😀\r\n'k': |-\r\n  x\r\nm: {\"n\": o}\r\n"
    root = one(text).root
    assert isinstance(root, MappingNode)
    block, outer = root.entries["k"], root.entries["m"].value
    assert isinstance(outer, MappingNode)
    flow = outer.entries["n"]

    assert text[block.key.start : block.key.end] == "'k'"
    assert text[block.value.start : block.value.end].startswith("|-\r\n  x")
    assert text[flow.key.start : flow.key.end] == '"n"'
    assert text[flow.value.start : flow.value.end] == "o"
    assert position(text, flow.value.start) == (4, 10)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
DATA = st.recursive(
    SCALARS.filter(lambda value: value not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(DATA, st.sampled_from([None, 0, 1, 4, "\t"]), st.booleans())
def test_json_reads_as_the_standard_library_reads_it(
    data: object, indent: int | str | None, ascii_only: object
) -> None:
    text = json.dumps({"": data}, indent=indent, ensure_ascii=bool(ascii_only))

    document = one(text)

    assert document.format == "json"
    assert same_data(document.to_plain(), json.loads(text))


@given(st.text('{}[]:,"\\/ua0d8-.e1 \n', max_size=30).map(lambda text: '{"a":' + text))
def test_what_the_standard_library_refuses_as_json_is_refused(text: str) -> None:
    try:
        expected = json.loads(text)
    except json.JSONDecodeError:
        expected = None
    try:
        documents = read_documents(text)
    except ManifestError:
        return  # stricter: duplicate keys, surrogates, huge numbers

    if len(documents) == 1:
        assert same_data(documents[0].to_plain(), expected)


LISTS = """kind: List
items:
- kind: Secret
- {kind: List, items: [{kind: A}, 1, {kind: B}]}
- kind: List
  metadata: {}
---
kind: NetworkPolicyList
items: []
---
- kind: Secret
---
text
---
kind: Menu
items: [{kind: C}]
"""


def test_resources_are_documents_or_items_of_lists() -> None:
    found = [
        (document.number, resource.field, resource.to_dict()["kind"])
        for document in read_documents(LISTS)
        for resource in iter_resources(document)
    ]

    assert found == [
        (1, "items[0]", "Secret"),
        (1, "items[1].items[0]", "A"),
        (1, "items[1].items[2]", "B"),
        (1, "items[2]", "List"),
        (5, "", "Menu"),
    ]


def test_resource_places_errors() -> None:
    resource = list(iter_resources(read_documents(LISTS, file="f")[0]))[1]

    error = resource.located(ManifestError("is bad", field="data.x"))

    assert str(error) == "f:1: items[1].items[0].data.x: is bad"
    assert resource.located(error) is error
    assert error.field == "items[1].items[0].data.x"


def test_to_plain_is_fresh() -> None:
    document = one("a: [b]")

    assert document.to_plain() is not document.to_plain()


def test_field_paths_show_odd_keys_quoted() -> None:
    parts = ["spec", "tls.crt", "[3]", "a b", "\x1b[31m", "[x]"]

    assert field_path(parts) == "spec.tls.crt[3].'a b'.'\\x1b[31m'.'[x]'"


@pytest.mark.parametrize(
    ("left", "right"),
    [(1, True), (1, 1.0), (0.0, -0.0), ("1", 1), ([1], [1, 2]), ({"a": 1}, {"a": True}), ([], {})],
)
def test_same_data_tells_types_apart(left: object, right: object) -> None:
    assert not same_data(left, right)
    assert same_data(left, left)
    assert same_data([left, {"k": right}], [left, {"k": right}])
