"""Edits, each as the text before and the text after."""

import pytest

from sealkit.errors import ManifestError
from sealkit.manifests import splice
from sealkit.manifests.documents import Document, Resource, iter_resources, read_documents
from sealkit.manifests.patches import Patch, applied
from sealkit.manifests.splice import (
    Edit,
    Remove,
    Replace,
    Set,
    Update,
    apply_edits,
    replace_resource,
    rewrite,
    update_resource,
)


def resources(text: str) -> list[Resource]:
    return [found for document in read_documents(text) for found in iter_resources(document)]


DATA = """\
# header
spec:
  # the password
  password: "x"   # keep
  user: |
    one

    two

  z: >-
    a
    b
  # end of spec
status: {}  # last
"""

CASES: dict[str, tuple[str, list[Edit], str]] = {
    "set a quoted value": (
        'a: "x"   # keep\nb: c\n',
        [Set(("a",), "new")],
        "a: new   # keep\nb: c\n",
    ),
    "set an equal value": ('a: "x"\n', [Set(("a",), "x")], 'a: "x"\n'),
    "set a plain value over lines": ("a: x\n  y\nb: c\n", [Set(("a",), "new")], "a: new\nb: c\n"),
    "set a value on its own line": ("a:\n  x # c\n", [Set(("a",), "new")], "a:\n  new # c\n"),
    "set an omitted value": ("a: # c\nb: c\n", [Set(("a",), "new")], "a: new # c\nb: c\n"),
    "set a literal": (
        "a: | # c\n  x\n\n\nb: c\n",
        [Set(("a",), "new")],
        "a: new\n\n\nb: c\n",
    ),
    "set a kept literal": ("a: |+\n  x\n\n# c\n", [Set(("a",), "new")], "a: new\n# c\n"),
    "set a literal at the end": ("a: |-\n  x", [Set(("a",), "new")], "a: new"),
    "set a block to a scalar": (
        "a: # c\n  b: c # d\n  # e\nf: g\n",
        [Set(path=("a",), value=True)],
        "a: true\n  # e\nf: g\n",
    ),
    "set a list to a scalar": ("a:\n- b\n- c\nf: g\n", [Set(("a",), "x")], "a: x\nf: g\n"),
    "set a scalar to a block": (
        "a: x # c\nb: c\n",
        [Set(("a",), {"k": {"l": "m"}})],
        "a: # c\n  k:\n    l: m\nb: c\n",
    ),
    "set a literal to a block": (
        "a: | # c\n  x\nb: c\n",
        [Set(("a",), {"k": "v"})],
        "a:\n  k: v\nb: c\n",
    ),
    "set a literal that ends in a strange space": (
        "a: |\n  x\u00a0\n",
        [Set(("a",), "new")],
        "a: new\n",
    ),
    "set an empty mapping to a block": (
        "a: {} # c\n",
        [Set(("a", "k"), "v")],
        "a: # c\n  k: v\n",
    ),
    "set into a mapping left out": ("a:\nb: c\n", [Set(("a", "k"), "v")], "a:\n  k: v\nb: c\n"),
    "set into a missing mapping": (
        "a: b\nz: c\n",
        [Set(("k", "l"), "v")],
        "a: b\nk:\n  l: v\nz: c\n",
    ),
    "set to an empty mapping": ("a:\n  b: c\n", [Set(("a",), {})], "a: {}\n"),
    "set a list": ("a: x\n", [Set(("a",), ["p", {"q": "r"}])], "a:\n- p\n- q: r\n"),
    "set a quoted key": ('"a b": x\n', [Set(("a b",), "w")], '"a b": w\n'),
    "set behind astral characters": ("'😀': é😀 # é\n", [Set(("😀",), "ü")], "'😀': \"ü\" # é\n"),
    "insert at the front below comments' parent": (
        DATA,
        [Set(("spec", "api"), "k")],
        DATA.replace("spec:\n", "spec:\n  api: k\n"),
    ),
    "insert in the middle": (
        DATA,
        [Set(("spec", "q"), "k")],
        DATA.replace("# keep\n", "# keep\n  q: k\n"),
    ),
    "insert behind a literal": (
        DATA,
        [Set(("spec", "v"), "k")],
        DATA.replace("    two\n", "    two\n  v: k\n"),
    ),
    "insert at the end": (
        DATA,
        [Set(("spec", "zz"), {"suite": "X1", "wraps": {"k": "AAA="}})],
        DATA.replace("    b\n", "    b\n  zz:\n    suite: X1\n    wraps:\n      k: AAA=\n"),
    ),
    "insert at the top": ("# c\nb: c\n", [Set(("a",), "x")], "# c\na: x\nb: c\n"),
    "insert with wide indentation": (
        "a:\n    b: c\n",
        [Set(("a", "d", "e"), "f")],
        "a:\n    b: c\n    d:\n        e: f\n",
    ),
    "insert without a last line end": (
        "# c\na: b",
        [Set(("c",), "d")],
        "# c\na: b\nc: d",
    ),
    "insert twice": ("b: b\n", [Set(("c",), "d"), Set(("a",), "d")], "a: d\nb: b\nc: d\n"),
    "remove in the middle": (
        DATA,
        [Remove(("spec", "user"))],
        DATA.replace("  user: |\n    one\n\n    two\n", ""),
    ),
    "remove the first": (
        DATA,
        [Remove(("spec", "password"))],
        DATA.replace('  password: "x"   # keep\n', ""),
    ),
    "remove behind a kept literal": (
        "a: |+\n  x\n\nb: |\n  c\n\n\nd: e\n",
        [Remove(("b",))],
        "a: |+\n  x\n\nd: e\n",
    ),
    "remove what is not there": (DATA, [Remove(("spec", "x", "w")), Remove(("x",))], DATA),
    "remove the last one": ("a:\n  b: c\nd: e\n", [Remove(("a", "b"))], "a: {}\nd: e\n"),
    "remove the only one": ("a: b # c\n", [Remove(("a",))], "{}\n"),
    "remove at the end without a line end": ("a: b\nc: d", [Remove(("c",))], "a: b"),
    "remove and set": (
        "a: b\nc: d\n",
        [Remove(("a",)), Set(("a", "x"), "w")],
        "a:\n  x: w\nc: d\n",
    ),
    "exchange all": (
        "k:\n  a: b # c\n",
        [Remove(("k", "a")), Set(("k", "b"), "c")],
        "k:\n  b: c\n",
    ),
    "yaml flow": (
        "a: {x: 1, w: z} # c\n",
        [Set(("a", "m"), "new"), Set(("a", "w"), "q"), Remove(("a", "x"))],
        'a: {"m": "new", w: "q"} # c\n',
    ),
    "yaml flow with omitted values": (
        "{a, b: , c: d}",
        [Set(("a",), "1"), Set(("b",), "2")],
        '{a: "1", b: "2", c: d}',
    ),
    "json on a line": (
        '{"b":{"c":[1]},"d":1}',
        [Set(("b", "x"), {"y": "z", "q": True}), Set(("a",), "é"), Remove(("d",))],
        '{"a":"é","b":{"c":[1],"x":{"y":"z","q":true}}}',
    ),
    "json on lines": (
        '{\n\t"b": {},\n\t"c": "d",\n\t"e": 1\n}\n',
        [Set(("b", "x"), "w"), Set(("d",), {"k": "v"}), Remove(("e",))],
        '{\n\t"b": {\n\t\t"x": "w"\n\t},\n\t"c": "d",\n\t"d": {\n\t\t"k": "v"\n\t}\n}\n',
    ),
    "json, remove first and last": (
        '{\n  "a": 1,\n  "b": 2,\n  "c": 3\n}',
        [Remove(("a",)), Remove(("c",))],
        '{\n  "b": 2\n}',
    ),
    "json, remove all": ('{ "a": {"b": 2} }', [Remove(("a", "b"))], '{ "a": {} }'),
}


@pytest.mark.parametrize(("before", "edits", "after"), CASES.values(), ids=CASES.keys())
def test_edit(before: str, edits: list[Edit], after: str) -> None:
    assert apply_edits(resources(before)[0], edits) == after


@pytest.mark.parametrize(("before", "edits", "after"), CASES.values(), ids=CASES.keys())
def test_edit_with_windows_line_ends_and_mark(before: str, edits: list[Edit], after: str) -> None:
    before, after = (f"\ufeff{text}".replace("\n", "\r\n") for text in (before, after))

    assert apply_edits(resources(before)[0], edits) == after


@pytest.mark.parametrize(("before", "edits", "after"), CASES.values(), ids=CASES.keys())
def test_edit_among_other_documents(before: str, edits: list[Edit], after: str) -> None:
    around = "# top\n---\nkind: A # a\n---\n{}\n---\n# about\n%s\n...\n# end\n---\nkind: B"

    assert apply_edits(resources(around % before)[2], edits) == around % after


@pytest.mark.parametrize(
    ("before", "edits", "after"),
    [case for case in CASES.values() if "\t" not in case[0]],
    ids=[name for name, case in CASES.items() if "\t" not in case[0]],
)
def test_edit_in_a_list(before: str, edits: list[Edit], after: str) -> None:
    def listed(text: str) -> str:
        hung = "".join(
            f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True)
        )
        return f"kind: List\nitems:\n  -\n    # item\n{hung}\n  - kind: B\n"

    assert apply_edits(resources(listed(before))[0], edits) == listed(after)


HUNG = "kind: List\nitems:\n- a: 1 # one\n  # about b\n  b: 2\n  c: 3\n- {d: e}\n"


@pytest.mark.parametrize(
    ("edits", "after"),
    [
        ([Set(("A",), "x")], "- A: x\n  a: 1 # one\n  # about b\n  b: 2\n  c: 3\n"),
        ([Remove(("a",))], "- # about b\n  b: 2\n  c: 3\n"),
        ([Remove(("a",)), Remove(("b",))], "- c: 3\n"),
        ([Remove(("a",)), Set(("A",), "x")], "- A: x\n  # about b\n  b: 2\n  c: 3\n"),
        ([Remove(("b",)), Set(("bb",), "x")], "- a: 1 # one\n  bb: x\n  # about b\n  c: 3\n"),
        ([Remove((key,)) for key in "abc"], "- {}\n"),
    ],
)
def test_edit_of_an_item_that_shares_its_line_with_the_dash(edits: list[Edit], after: str) -> None:
    expected = f"kind: List\nitems:\n{after}- {{d: e}}\n"

    assert apply_edits(resources(HUNG)[0], edits).replace("# about b\n  A: x", "A: x") == expected


SEALED = {"kind": "S", "spec": {"a": "b"}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "# header\nkind: Secret # x\ndata:\n# y\n  a: hunter2 # z\n  # b: old\n\n # c: old\n"
            "\n# footer\n",
            "# header\nkind: S\nspec:\n  a: b\n\n# footer\n",
            id="comments inside go",
        ),
        pytest.param(
            "--- # one\nkind: x\n...\n--- # two\n- x\n",
            "--- # one\nkind: S\nspec:\n  a: b\n...\n--- # two\n- x\n",
            id="markers",
        ),
        pytest.param("  kind: x\n  b: c\n", "  kind: S\n  spec:\n    a: b\n", id="indented"),
        pytest.param("# c\nkind: x", "# c\nkind: S\nspec:\n  a: b", id="no last line end"),
        pytest.param("a: |+\n  x\n\n# c\n", "kind: S\nspec:\n  a: b\n# c\n", id="kept literal"),
        pytest.param('{"a":1}', '{"kind":"S","spec":{"a":"b"}}', id="compact json"),
        pytest.param(
            '{\n    "a": 1}\n',
            '{\n    "kind": "S",\n    "spec": {\n        "a": "b"\n    }\n}\n',
            id="json on lines",
        ),
        pytest.param("{}\n", '{"kind": "S", "spec": {"a": "b"}}\n', id="empty"),
        pytest.param(
            "kind: List\nitems:\n- a: b\n  # old\n  c: d # e\n  # f\n# g\n- b\n",
            "kind: List\nitems:\n- kind: S\n  spec:\n    a: b\n# g\n- b\n",
            id="list item",
        ),
        pytest.param(
            'kind: List\nitems: [{"a": 1}, {\n  b: c\n  }]\n',
            'kind: List\nitems: [{"kind": "S", "spec": {"a": "b"}}, {\n  b: c\n  }]\n',
            id="flow item",
        ),
    ],
)
def test_replace(before: str, after: str) -> None:
    assert replace_resource(resources(before)[0], SEALED) == after
    crlf = before.replace("\n", "\r\n")
    assert replace_resource(resources(crlf)[0], SEALED) == after.replace("\n", "\r\n")


def test_update_puts_new_fields_where_the_target_has_them() -> None:
    text = "spec:\n  scope: strict\n  envelopes:\n    e: f\n  template: {}\n"
    target = {
        "spec": {"scope": "strict", "envelopes": {"e": "f"}, "data": {"x": "w"}, "template": {}}
    }

    assert update_resource(resources(text)[0], target) == text.replace(
        "  template", "  data:\n    x: w\n  template"
    )


def test_many_resources_at_once() -> None:
    text = 'a: 1 # x\n---\nkind: List\nitems:\n- b: 2\n- c: 3\n---\n{"d": 4}\n'
    found = resources(text)

    edited = rewrite(
        text,
        [
            Replace(found[3], {"z": True}),
            Update(found[0], {"a": 1, "b": 2}),
            Replace(found[1], {"z": [1]}),
            Update(found[2], {"c": "4"}),
        ],
    )

    assert edited == (
        'a: 1 # x\nb: 2\n---\nkind: List\nitems:\n- z:\n  - 1\n- c: "4"\n---\n{"z": true}\n'
    )
    assert rewrite(text, []) == text


@pytest.mark.parametrize(
    ("text", "edits"),
    [
        pytest.param("? a\n: b\nc: d\n", [Remove(("a",))], id="explicit key"),
        pytest.param("? a\n", [Set(("a",), "b")], id="explicit key without a value"),
        pytest.param("a: [b: c]\nd: |\n  x", [Set(("e",), "b")], id="literal without a line end"),
        pytest.param("a: b\x85c: d\n", [Remove(("a",))], id="line end of yaml 1.1"),
    ],
)
def test_unsafe_layouts_are_refused(text: str, edits: list[Edit]) -> None:
    (document,) = read_documents(text, file="f")
    with pytest.raises(ManifestError) as caught:
        apply_edits(next(iter_resources(document)), edits)

    assert str(caught.value).startswith("f:1: the layout")
    assert caught.value.hint


def test_patches_that_overlap_are_refused() -> None:
    with pytest.raises(ManifestError):
        applied("abc", [Patch(1, 3, "x"), Patch(0, 2, "y")])


def test_path_through_a_value_is_refused() -> None:
    text = "kind: List\nitems:\n- a: {b: c}\n"
    with pytest.raises(ManifestError) as caught:
        apply_edits(resources(text)[0], [Set(("a", "b", "c"), "d")])

    assert caught.value.field == "items[0].a.b"


def test_resource_of_another_text_is_refused() -> None:
    with pytest.raises(ValueError, match="another text"):
        rewrite("a: c\n", [Update(resources("a: b\n")[0], {})])


def test_documents_of_another_text_are_refused() -> None:
    text = "a: b\n"
    change = Update(resources(text)[0], {"a": "c"})
    with pytest.raises(ValueError, match="another text"):
        rewrite(text, [change], read_documents("a: d\n"))


def test_documents_at_hand_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: b\n---\nc: d\n---\n"
    documents = read_documents(text)
    change = Update(next(iter(iter_resources(documents[0]))), {"a": "c"})
    seen: list[str] = []

    def read(given: str) -> tuple[Document, ...]:
        seen.append(given)
        return read_documents(given)

    monkeypatch.setattr(splice, "read_documents", read)
    assert rewrite(text, [change], documents) == "a: c\n---\nc: d\n---\n"
    assert seen == ["a: c\n---\nc: d\n---\n"]
    with pytest.raises(ManifestError):  # not all of them
        rewrite(text, [change], documents[:1])
