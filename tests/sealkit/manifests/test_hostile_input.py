"""Whatever the text: documents or a ManifestError with its place, and the process lives."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sealkit.errors import ManifestError
from sealkit.manifests.documents import (
    MAX_TEXT_BYTES,
    Document,
    Resource,
    iter_resources,
    read_documents,
)
from sealkit.manifests.splice import Edit, Remove, Set, apply_edits, replace_resource
from sealkit.manifests.tree import MAX_DEPTH, MAX_DOCUMENTS, MAX_NODES

# Inputs that crash, hang or exhaust careless parsers, made in the child so that they stay small.
DEEP = {
    "flow sequences": "'[' * 40_000",
    "flow sequences closed": "'[' * 40_000 + ']' * 40_000",
    "flow sequences on lines": "'[\\n' * 40_000",
    "flow sequences as yaml": "'# c\\n' + '[' * 40_000",
    "flow mappings": "'{' * 40_000",
    "flow mappings as yaml": "'# c\\n' + '{a: ' * 40_000",
    "pairs in sequences": "'[a: ' * 40_000",
    "block sequences": "'- ' * 40_000",
    "block keys": "'? ' * 40_000",
    "block mappings": "''.join(' ' * n + 'a:\\n' for n in range(2_000))",
    "json mappings": "'{\"a\":' * 40_000",
    "json sequences": "'{\"a\":' + '[' * 400_000",
    "billion laughs": "'a: &a [x]\\n' + 'b: &b [*a, *a]\\n' * 20_000",
    "merge keys": "'a: &a {x: y}\\nb:\\n  <<: [' + '*a, ' * 5_000 + ']'",
    "many nodes": "'a: [' + '[],' * 2_000_000 + ']'",
    "many json nodes": "'{\"a\": [' + '[],' * 2_000_000 + '[]]}'",
    "many documents": "'---\\n' * 4_000_000",
    "many json documents": "'{}' * 400_000",
    "huge number": "'a: ' + '9' * 1_000_000",
    "huge octal": "'a: 0' + '7' * 1_000_000",
    "huge json number": "'{\"a\": ' + '9' * 1_000_000 + '}'",
    "huge json float": "'{\"a\": 1e' + '9' * 100_000 + '}'",
    "long key": "'k' * 1_000_000 + ': v'",
    "escapes": "'{\"a\": \"' + '\\\\\\\\' * 1_000_000",
    "anchors": "'&a ' * 100_000",
    "tags": "'! ' * 100_000",
    "too long": "'#' * (17 * 2**20)",
    "too long in bytes": "b'#' * (17 * 2**20)",
    "too long in utf-8": "'é' * (9 * 2**20)",
}
CHILD = """
import sys, threading
from sealkit.errors import ManifestError
from sealkit.manifests.documents import read_documents
def read():
    try:
        read_documents(text, file="f")
    except ManifestError as error:
        sys.exit(f"refused {error}")
threading.stack_size(256 * 1024)  # as small as the stack of a thread on musl, and then some
text = eval(sys.argv[1])
done = []
def run():
    try:
        read()
    except SystemExit as exit:
        done.append(str(exit))
thread = threading.Thread(target=run)
thread.start()
thread.join()
print(*done)
"""


@pytest.mark.parametrize("source", DEEP.values(), ids=DEEP.keys())
def test_hostile_text_is_refused_and_the_process_lives(source: str) -> None:
    child = subprocess.run(
        [sys.executable, "-c", CHILD, source],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (child.returncode, child.stderr) == (0, "")
    assert child.stdout.startswith("refused f:")
    assert len(child.stdout) < 2_000


def fails(text: str | bytes) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        read_documents(text, file="f")
    assert caught.value.file == "f"
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    return caught.value


@pytest.mark.parametrize(
    ("text", "field", "place"),
    [
        pytest.param("a: &x 1", "a", (1, 4), id="anchor"),
        pytest.param("a: *x", "a", (1, 4), id="alias"),
        pytest.param("*x : b", "", (1, 1), id="alias as a key"),
        pytest.param("&x a: b", "", (1, 1), id="anchor at a key"),
        pytest.param("a: &x {}", "a", (1, 4), id="anchor at a mapping"),
        pytest.param("a: &x\n  - b", "a", (1, 4), id="anchor at a sequence"),
        pytest.param("a:\n  <<: {b: c}", "a", (2, 3), id="merge key"),
        pytest.param("a:\n  b: 1\n  b: 2", "a.b", (3, 3), id="duplicate"),
        pytest.param("b: 1\n'b': 2", "b", (2, 1), id="duplicate in single quotes"),
        pytest.param('b: 1\n"\\x62": 2', "b", (2, 1), id="duplicate by an escape"),
        pytest.param("{b: 1, b: 2}", "b", (1, 8), id="duplicate in flow"),
        pytest.param('{"b": 1,\n "\\u0062": 2}', "b", (2, 2), id="duplicate in json"),
        pytest.param("1: a", "", (1, 1), id="number as a key"),
        pytest.param("data: {y: a}", "data", (1, 8), id="boolean as a key"),
        pytest.param("~: a", "", (1, 1), id="null as a key"),
        pytest.param(": a", "", (1, 1), id="no key"),
        pytest.param("[a]: b", "", (1, 1), id="sequence as a key"),
        pytest.param("? {a: b}\n: c", "", (1, 3), id="mapping as a key"),
        pytest.param("a: !!binary eA==", "a", (1, 4), id="binary"),
        pytest.param("a: !!timestamp 2026-01-01", "a", (1, 4), id="timestamp"),
        pytest.param("a: !!set {b}", "a", (1, 4), id="set"),
        pytest.param("a: !!python/object/apply:os.system [x]", "a", (1, 4), id="python"),
        pytest.param("a: !vault\n- b", "a", (1, 4), id="own tag"),
        pytest.param("a: !!int hunter2", "a", (1, 4), id="tag that lies"),
        pytest.param("a: !!int '1'", "a", (1, 4), id="tag at a quoted number"),
        pytest.param("a: !!str\n  b: c", "a", (1, 4), id="string tag at a mapping"),
        pytest.param("a: 'hunter2", "a", None, id="unclosed quote"),
        pytest.param("a: {hunter2", "a", None, id="unclosed brace"),
        pytest.param("a: b: hunter2", "", (1, 5), id="colon"),
        pytest.param("a: b\n\thunter2: c", "a", None, id="tab"),
        pytest.param("a:\n  b: c\n d: hunter2", None, (3, 2), id="indentation"),
        pytest.param("a: b\n...\nc: d", "", (3, 1), id="document without a marker"),
        pytest.param("%YAML 1.2\n---\na: b", "", None, id="directive"),
        pytest.param("%TAG ! tag:x,2002:\n---\na: !b c", "", None, id="tag directive"),
        pytest.param("a: !x!y b", "a", None, id="tag handle"),
        pytest.param("a: \x00", None, None, id="nul"),
        pytest.param("a: \x1b[31m", None, None, id="escape"),
        pytest.param("a: \ufffe", None, None, id="no character"),
        pytest.param("@a: b", "", None, id="reserved"),
        pytest.param('{"a": 1,}', "", (1, 9), id="json trailing comma"),
        pytest.param('{"a": hunter2}', "a", (1, 7), id="json word"),
        pytest.param('{"a": NaN}', "a", (1, 7), id="json nan"),
        pytest.param('{"a": -Infinity}', "a", (1, 7), id="json infinity"),
        pytest.param('{"a": 01}', "", (1, 8), id="json octal"),
        pytest.param('{"a": "x\ty"}', "a", (1, 7), id="json raw tab in a string"),
        pytest.param('{"a": "\\x"}', "a", (1, 7), id="json bad escape"),
        pytest.param('{"a": "\\u12"}', "a", (1, 7), id="json short escape"),
        pytest.param('{"a": "\\ud83d"}', "a", (1, 7), id="json half a pair"),
        pytest.param('{"a": "\\udE00\\ud83d"}', "a", (1, 7), id="json pair turned round"),
        pytest.param('{"a": 1} # c', "", (1, 10), id="json comment"),
        pytest.param('{"a": 1} b', "", (1, 10), id="json and more"),
        pytest.param('{"a" 1}', "", (1, 6), id="json no colon"),
        pytest.param('{"a": [1 2]}', "a", (1, 10), id="json no comma"),
        pytest.param('{"a": [1}', "a", (1, 9), id="json wrong bracket"),
        pytest.param('{"a": ', "a", (1, 7), id="json cut off"),
        pytest.param("a: " + "9" * 1001, "a", (1, 4), id="long number"),
        pytest.param('{"a": 1' + "0" * 1000 + "}", "a", (1, 1008), id="long json number"),
        pytest.param("{{ .Values.x }}", "", (1, 2), id="template"),
    ],
)
def test_refusal_names_field_and_place(
    text: str, field: str | None, place: tuple[int, int] | None
) -> None:
    error = fails(text)

    assert error.document >= 1
    assert field is None or error.field == field
    assert place is None or error.problem.endswith("(line {}, column {})".format(*place))


def test_refusal_names_the_document() -> None:
    assert fails('a: b\n---\n\n---\n{"a":1}{"b":2}\n---\nc: *x').document == 5


def test_second_bad_json_value_keeps_the_number_of_its_chunk() -> None:
    assert fails('a: b\n---\n{"a":1}\n{"b"').document == 2


@pytest.mark.parametrize("text", [b"\xff\xfea\x00", b"a: \xff", b"a: \xed\xa0\x80", "a: \ud800"])
def test_text_that_is_not_utf_8_is_refused(text: str | bytes) -> None:
    assert "UTF-8" in fails(text).problem


def test_limits_are_exact() -> None:
    deep = "a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    many = "[" + "a," * (MAX_NODES - 1) + "]"
    long = "#" * MAX_TEXT_BYTES

    assert read_documents(deep)
    assert read_documents(many)
    assert not read_documents(long)
    assert "deeper" in fails(deep.replace("[]", "[[]]")).problem
    assert "more than" in fails(many.replace("]", "a]")).problem
    assert "longer" in fails(long + "#").problem
    assert len(read_documents("---\n" * MAX_DOCUMENTS)) == MAX_DOCUMENTS
    assert "documents" in fails("---\n" * (MAX_DOCUMENTS + 1)).problem
    assert "documents" in fails("{}" * (MAX_DOCUMENTS + 1)).problem
    assert read_documents('{"a":' + deep[3:] + "}")
    assert "more than" in fails('{"a": [' + "1," * MAX_NODES + "1]}").problem
    assert len(read_documents('{"a": [' + "1," * (MAX_NODES - 3) + "1]} {}")) == 2
    assert "deeper" in fails('{"a":' + deep[3:].replace("[]", "[[]]") + "}").problem


CHARACTERS = "{}[]:,-?&*!|>'\"%@`#\n\r\t \\~=<.abé😀\x85\u2028\x00\ufeff\ud800"
MARKS = ["---", "...", "- ", ": ", " #", "\n  ", "\r\n", "---\n", "...\n", "? ", "? ? "]
WORDS = ["!!str", "&x", "*x", "<<", '{"', "kind", "List", "items", "0x", "1e9", "|+", ">-", "\\u"]
PIECES = st.sampled_from([*CHARACTERS, *MARKS, *WORDS, "\\ud83d", "%YAML 1.1", "a: ", "\nb: "])
TEXTS = st.text() | st.lists(PIECES, max_size=40).map("".join)


@given(TEXTS)
@example("a: b\n\ufeff---\nc: d")
@example("? a")
@example("a: |\n\ufeff")
def test_any_text_is_read_or_refused(text: str) -> None:
    documents: Sequence[Document] = ()
    with suppress(ManifestError):
        documents = read_documents(text)
    for resource in (r for document in documents for r in iter_resources(document)):
        for edits in ([Set(("a", "b"), "x")], [Remove(("a",))], [Set(("zz",), {"k": "v"})]):
            try_edit(resource, edits)


def try_edit(resource: Resource, edits: Sequence[Edit]) -> None:
    """An edit keeps what was not meant, which it checks itself, or it is refused."""
    with suppress(ManifestError):
        apply_edits(resource, edits)
    with suppress(ManifestError):
        replace_resource(resource, {"kind": "x"})


@given(st.binary())
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(ManifestError):
        read_documents(raw)
