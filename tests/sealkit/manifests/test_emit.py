import json
from collections.abc import Mapping

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from sealkit.errors import ManifestError
from sealkit.manifests.documents import read_documents
from sealkit.manifests.emit import emit_json, emit_yaml, yaml_string
from sealkit.manifests.tree import same_data

# Characters and words with which parsers go astray, often enough to be drawn.
WORDS = [
    "yes",
    "null",
    "1",
    "0x",
    "e3",
    ".",
    "_",
    "-",
    ":",
    " ",
    "#",
    "~",
    "\n",
    "\t",
    "'",
    '"',
    "x",
]
STRINGS = st.text() | st.lists(st.sampled_from(WORDS), max_size=5).map("".join)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | STRINGS
DATA = st.dictionaries(
    STRINGS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STRINGS, inner, max_size=3),
    ),
    max_size=4,
)


def read(text: str) -> Mapping[str, object]:
    (document,) = read_documents(text)
    data = document.to_plain()
    assert isinstance(data, dict)
    return data


@given(DATA)
@example({"a": "\x85\u2028\ufeff\u202e\x7f\x00😀", "b": float("inf"), "c": -0.0, "d": 1e16})
@example({"a": [[[], {}], [{"b": [1]}], {"c": {"d": []}}]})
def test_yaml_is_read_back_as_the_same_data(data: dict[str, object]) -> None:
    text = emit_yaml(data)

    assert same_data(read(text), data)
    assert emit_yaml(read(text)) == text
    assert same_data(yaml.load(text, Loader=yaml.CSafeLoader), data)
    assert same_data(yaml.load(text, Loader=yaml.SafeLoader), data)


@given(DATA, st.sampled_from([None, 0, 2, 3]))
def test_json_is_read_back_as_the_same_data(data: dict[str, object], indent: int | None) -> None:
    try:
        text = emit_json(data, indent)
    except ManifestError:
        assert "Infinity" in json.dumps(data)
        return

    assert same_data(json.loads(text), data)
    assert same_data(read(text), data)
    assert same_data(yaml.load(text, Loader=yaml.CSafeLoader), data)
    assert emit_json(read(text), indent) == text


@given(DATA)
@example({"a\x85": ["\u2028", "\u2029", "\x0b\x0c\x1c", "\ufeff\u202e\u200b"]})
def test_every_line_of_yaml_is_printable_and_unfolded(data: dict[str, object]) -> None:
    text = emit_yaml(data)

    assert text.endswith("\n")
    assert len(text.splitlines()) == text.count("\n")
    assert not set(text) & set("\t\ufeff\u202e\u200b")


# Taken for something else than a string by some parser of YAML 1.1 or 1.2, or not taken at all.
AMBIGUOUS = [
    "", " ", " a", "a ", "~", "null", "Null", "NULL", "true", "True", "yes", "Yes", "NO", "on",
    "Off", "y", "N", "0", "-1", "+1", "0123", "0o17", "0x1F", "0b1", "1_000", "1,000", "1e3", "1E5",
    "1.", ".5", "1.5e-3", ".inf", "-.INF", ".nan", "inf", "NaN", "12:30", "190:20:30.15", "1:2",
    "2026-01-02",
    "2026-01-02T03:04:05Z", "2026-1-2 3:4:5", "=", "<<", "-", "- a", "?", "? a", ":", "a:", "a: b",
    "a :b", "a #b", "#a", "@a", "`a", "&a", "*a", "!a", "|", ">", "%a", "'a'", '"a"', "[a",
    "]", "{a", "}", ",a", "---", "--- a", "...", "a\nb", "a\tb", "a\\b", "\x7f", "é",
    "1 2", "0 ", "12e", "1f",
]  # fmt: skip


@pytest.mark.parametrize("value", AMBIGUOUS)
def test_ambiguous_strings_are_quoted(value: str) -> None:
    assert yaml_string(value).startswith('"')
    assert read(emit_yaml({value: value})) == {value: value}


@pytest.mark.parametrize(
    "value",
    [
        "a",
        "a b",
        "sealed:00010203-0405-0607-0809-0a0b0c0d0e0f.AAA+/=",
        "00010203-0405-0607-0809-0a0b0c0d0e0f",
        "1f010203-0405-0607-0809-0a0b0c0d0e0f",
        "A+/9==",
        "9kZ/+=",
        "sealkit.dev/v1alpha1",
        "http://a/b",
        "kubernetes.io/tls",
        "a-b_c",
        "nobody",
        "yesterday",
        "10.0.0.1s",
        "/etc/x",
        "_x",
        "a@b.c, d",
    ],
)
def test_plain_strings_stay_plain(value: str) -> None:
    assert yaml_string(value) == value


def test_layout_is_fixed() -> None:
    data = {
        "kind": "SealedSecret",
        "spec": {"b": {}, "a": {"x": ["p", {"q": 1, "r": [True]}, ["s", "t"], []]}},
        "text": "two\nlines\u202e",
        "none": None,
    }

    assert emit_yaml(data) == (
        "kind: SealedSecret\n"
        "spec:\n"
        "  b: {}\n"
        "  a:\n"
        "    x:\n"
        "    - p\n"
        "    - q: 1\n"
        "      r:\n"
        "      - true\n"
        "    - - s\n"
        "      - t\n"
        "    - []\n"
        'text: "two\\nlines\\u202e"\n'
        "none: null\n"
    )
    assert emit_yaml({}) == "{}\n"
    assert emit_json({"a": [1, {}], "b": "é"}, None) == '{"a": [1, {}], "b": "é"}\n'
    assert emit_json({"a": [1, {}]}) == '{\n  "a": [\n    1,\n    {}\n  ]\n}\n'


def test_long_values_are_not_folded() -> None:
    assert emit_yaml({"a": "x y " * 5_000 + "x"}).count("\n") == 1


@pytest.mark.parametrize("data", [{"a": "\ud800"}, {"\udfff": "a"}, {"k" * 1001: "a"}])
def test_what_no_parser_reads_back_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ManifestError):
        emit_yaml(data)
    with pytest.raises(ManifestError):
        emit_json(data)


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_json_has_no_infinity(number: float) -> None:
    with pytest.raises(ManifestError):
        emit_json({"a": number})


@pytest.mark.parametrize("value", [b"a", object(), {1}])
def test_other_types_are_a_mistake_of_the_caller(value: object) -> None:
    with pytest.raises(TypeError):
        emit_yaml({"a": value})
