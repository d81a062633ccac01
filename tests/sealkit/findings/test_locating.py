"""From fields to lines."""

from __future__ import annotations

import pytest

from sealkit.findings.finding import Place
from sealkit.findings.locating import place_in
from sealkit.manifests.documents import iter_resources, read_documents

TEXT = """\
# head
a: 1
spec:
  data:
    tls: x
    tls.crt: y
  list:
  - one
  - name: two
"""


def place(field: str, text: str = TEXT, number: int = 0) -> Place:
    documents = read_documents(text, file="f")
    resources = [one for document in documents for one in iter_resources(document)]
    return place_in(resources[number], field, "shop/db")


@pytest.mark.parametrize(
    ("field", "line", "column"),
    [
        ("", 2, 1),
        ("a", 2, 1),
        ("a.b", 2, 1),
        ("spec.data", 4, 3),
        ("spec.data.tls", 5, 5),
        ("spec.data.tls.crt", 6, 5),
        ("spec.data.tls.key", 5, 5),
        ("spec.data.gone", 4, 3),
        ("spec.list[1]", 9, 5),
        ("spec.list[1].name", 9, 5),
        ("spec.list[7]", 7, 3),
        ("spec.list.x", 7, 3),
        ("metadata.name", 2, 1),
    ],
)
def test_a_field_or_what_is_around_it(field: str, line: int, column: int) -> None:
    assert place(field) == Place("f", 1, line, column, field, "shop/db")


def test_items_of_a_list_in_a_later_document() -> None:
    text = f"{TEXT}---\nkind: List\nitems:\n- {{a: 1}}\n- b:\n    c: 2\n"
    assert place("b.c", text, 2) == Place("f", 2, 15, 5, "items[1].b.c", "shop/db")
    assert place("", text, 2).field == "items[1]"
