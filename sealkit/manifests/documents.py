"""Text, as people have it in repositories, to documents: YAML, JSON and both in one file.

Safe on any input: whatever the text, the result is documents or a `ManifestError` that names file,
document, and field or line. Nothing is executed, resolved from elsewhere, or expanded: tags beyond
the core ones, anchors, aliases, merge keys and duplicate keys are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, TypeVar

from sealkit.errors import ManifestError, SealkitError
from sealkit.manifests.tree import MAX_DOCUMENTS, MappingNode, Node, Scalar, SequenceNode, to_plain
from sealkit.manifests.yaml_reader import read_yaml

MAX_TEXT_BYTES: Final = 16 * 2**20
BYTE_ORDER_MARK: Final = "\ufeff"

# Where libyaml sees the start of a document: at the start of a line, after any of its five line
# breaks. Nothing inside a YAML scalar, and nothing in JSON but a raw U+2028, can look like it.
_Error = TypeVar("_Error", bound=SealkitError)
_BREAKS: Final = "\n\r\x85\u2028\u2029"
_MARKER: Final = re.compile(f"---(?<![^{_BREAKS}\ufeff]---)(?=[ \t{_BREAKS}]|\\Z)")
_JSON: Final = re.compile(r"(?:---)?[ \t\r\n]*[{\[][ \t\r\n]*[\"{}\[\]]")


class Document(NamedTuple):
    """One document of a text.

    `text` is the whole text it came from, byte order mark included; `text[start:end]` is this
    document with its `---` line and the comments around it. `number` counts from 1.
    """

    number: int
    format: Literal["yaml", "json"]
    root: Node | None
    start: int
    end: int
    text: str
    file: str = "-"

    def __repr__(self) -> str:
        """Show where it is, and nothing of the text: there may be secrets in it."""
        return f"Document({self.number}, {self.file!r})"

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing but comments."""
        return self.root is None

    def to_plain(self) -> object:
        """Return the data as dict, list, str, int, float, bool and None, freshly made."""
        return to_plain(self.root)


class Resource(NamedTuple):
    """One Kubernetes object: a document, or an item of a `List`, with `field` its path there."""

    document: Document
    node: MappingNode
    field: str = ""

    def to_dict(self) -> dict[str, object]:
        """Return the object as JSON-like data, freshly made."""
        return {key: to_plain(entry.value) for key, entry in self.node.entries.items()}

    def located(self, error: _Error) -> _Error:
        """Fill file, document and the path of the list item into `error`, and return it."""
        if self.field and not error.field.startswith(self.field):
            error.field = f"{self.field}.{error.field}" if error.field else self.field
        error.located(file=self.document.file, document=self.document.number)
        return error


def read_documents(text: str | bytes, *, file: str = "-") -> tuple[Document, ...]:
    """Read every document of a YAML or JSON text: at most 16 MiB and 10,000 documents.

    Line ends and a byte order mark are kept in `Document.text`: hand in bytes, or text that was
    read without newline translation. A document that starts with `{` or `[` as only JSON does is
    read strictly as JSON; several may follow each other without `---`.

    Raises:
        ManifestError: with `file` and `document` filled in.
    """
    try:
        checked = _decoded(text)
    except ManifestError as error:
        error.located(file=file)
        raise
    return tuple(_documents(checked, file))


def iter_resources(document: Document) -> Iterator[Resource]:
    """Yield the objects in a document: itself, or each item of a `List`, also of nested ones.

    Empty documents, and those that are no mapping, yield nothing.
    """
    if isinstance(document.root, MappingNode):
        yield from _resources(document, document.root, "")


def _resources(document: Document, node: MappingNode, path: str) -> Iterator[Resource]:
    items = _items(node)
    if items is None:
        yield Resource(document, node, path)
        return
    prefix = f"{path}.items" if path else "items"
    for index, item in enumerate(items.items):
        if isinstance(item, MappingNode):
            yield from _resources(document, item, f"{prefix}[{index}]")


def _items(node: MappingNode) -> SequenceNode | None:
    kind, items = node.entries.get("kind"), node.entries.get("items")
    if kind is None or items is None or not isinstance(kind.value, Scalar):
        return None
    is_list = isinstance(kind.value.value, str) and kind.value.value.endswith("List")
    return items.value if is_list and isinstance(items.value, SequenceNode) else None


def _decoded(text: str | bytes) -> str:
    try:
        raw = text.encode() if isinstance(text, str) else text
        decoded = raw.decode() if isinstance(text, bytes) else text
    except UnicodeError as error:
        raise ManifestError("not UTF-8 text", hint="save the file as UTF-8") from error
    if len(raw) > MAX_TEXT_BYTES:
        raise ManifestError(f"longer than {MAX_TEXT_BYTES // 2**20} MiB")
    return decoded


def _documents(text: str, file: str) -> Iterator[Document]:
    index = 1
    for start, end in _chunks(text):
        try:
            roots = _chunk_roots(text, start, end)
        except ManifestError as error:
            error.located(file=file, document=index)
            raise
        for kind, root, begin, stop in roots:
            if index > MAX_DOCUMENTS:
                raise ManifestError(f"more than {MAX_DOCUMENTS:,} documents").located(file=file)
            yield Document(index, kind, root, begin, stop, text, file)
            index += 1


def _chunks(text: str) -> Iterator[tuple[int, int]]:
    """Split at the `---` lines; each belongs to the document it opens."""
    start = 1 if text.startswith(BYTE_ORDER_MARK) else 0
    for match in _MARKER.finditer(text, start):
        if match.start() > start:
            yield start, match.start()
        start = match.start()
    yield start, len(text)


_Root = tuple[Literal["yaml", "json"], Node | None, int, int]


def _chunk_roots(text: str, start: int, end: int) -> list[_Root]:
    match = _JSON.match(text, start, end)
    if match is None:
        found, root = read_yaml(text, start, end)
        return [("yaml", root, start, end)] if found else []
    opening = start + 3 if text.startswith("---", start) else start
    roots: list[_Root] = []
    from sealkit.manifests.json_reader import read_json  # noqa: PLC0415 (cold start: rare)

    nodes = read_json(text, opening, end)
    for position, node in enumerate(nodes):
        stop = node.end if position + 1 < len(nodes) else end
        roots.append(("json", node, start, stop))
        start = stop
    return roots
