"""The Kubernetes objects of a text, with what commands need to read and to replace them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from sealkit.cli.app import STDIO, App
from sealkit.errors import ManifestError, ReferenceSyntaxError, SealkitError, TemplateError
from sealkit.manifests.documents import Document, Resource, iter_resources, read_documents
from sealkit.manifests.sealed import API_VERSION, KIND
from sealkit.manifests.tree import MappingNode, Node, SequenceNode, to_plain

SECRET: Final = ("v1", "Secret")
SEALED: Final = (API_VERSION, KIND)


class Found(NamedTuple):
    """One object: where it stands in the text, and its data."""

    resource: Resource
    raw: Mapping[str, object]
    kind_of_list: object = None

    @property
    def type(self) -> tuple[object, object]:
        """The pair of apiVersion and kind; items of a SecretList need not say it."""
        kind = self.raw.get("kind")
        if kind is None and self.kind_of_list == "SecretList":
            return SECRET
        return self.raw.get("apiVersion"), kind

    @property
    def document(self) -> int:
        """The number of its document, counted from 1."""
        return self.resource.document.number

    @property
    def name(self) -> str:
        """The name it says it has, unchecked."""
        metadata = self.raw.get("metadata")
        return str(metadata.get("name", "")) if isinstance(metadata, Mapping) else ""

    @contextmanager
    def located(self) -> Iterator[None]:
        """Fill the place of this object into every error that passes."""
        try:
            yield
        except (ManifestError, ReferenceSyntaxError, TemplateError) as error:
            self.resource.located(error)
            raise
        except SealkitError as error:
            if not error.file:  # else it is about another file
                error.located(file=self.resource.document.file, document=self.document)
            raise


def label_of(name: str) -> str:
    """Return what a file is called in messages."""
    return "stdin" if name == STDIO else name


def read_resources(app: App, name: str) -> tuple[str, list[Found]]:
    """Read a file or standard input: its whole text and the objects in it, in order.

    Raises:
        ManifestError: it is not YAML or JSON that is safe to read.
        SealkitError: it cannot be read.
    """
    return parse_resources(app.read(name), name)


def parse_resources(raw: bytes, name: str) -> tuple[str, list[Found]]:
    """Return the text and the objects of a file that was read already.

    Raises:
        ManifestError: it is not YAML or JSON that is safe to read.
    """
    documents = read_documents(raw, file=label_of(name))
    return (documents[0].text if documents else ""), resources_of(documents)


def resources_of(documents: Sequence[Document]) -> list[Found]:
    """Return the objects in all documents of a text, in order."""
    return [
        Found(resource, resource.to_dict(), _kind_of_list(resource))
        for document in documents
        for resource in iter_resources(document)
    ]


def _kind_of_list(resource: Resource) -> object:
    """Return the kind of the List that an object is in; `field` is its path, `items[0]`."""
    *lists, _ = resource.field.split(".")
    node = resource.document.root
    for step in lists:
        items = _entry(node, "items")
        index = int(step.removeprefix("items[").removesuffix("]"))
        node = items.items[index] if isinstance(items, SequenceNode) else None
    return to_plain(_entry(node, "kind")) if resource.field else None


def _entry(node: Node | None, name: str) -> Node | None:
    entry = node.entries.get(name) if isinstance(node, MappingNode) else None
    return entry.value if entry else None
