"""A walk through the documents of a text, and through the texts inside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sealkit.scanning import rules
from sealkit.scanning.decoding import is_long_base64, may_break_rules, text_in_base64
from sealkit.scanning.generators import Neighbour, look_at_generators
from sealkit.scanning.hit import Excerpt, Hit, Hits, View, inside
from sealkit.scanning.leftovers import (
    look_at_config_map,
    look_at_environment,
    look_at_kubeconfig,
    look_at_store_keys,
    look_at_values,
    look_at_variable,
    look_at_web_key,
)
from sealkit.scanning.lines import look_at_comments, look_at_lines
from sealkit.scanning.masking import masked
from sealkit.scanning.patterns import look_at_text
from sealkit.scanning.programs import look_at_arguments
from sealkit.scanning.registries import AUTHS, look_at_registries
from sealkit.scanning.secrets import (
    VALUE_FIELDS,
    look_at_patch,
    look_at_secret,
    look_at_template,
    subject_of,
)
from sealkit.scanning.tree import Map, Node, Seq, Text, read

_MAX_INSIDE: Final = 4  # texts in texts
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_DOCUMENT: Final = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_CONTENT: Final = re.compile(r"^[ \t]*[^\s#]", re.MULTILINE)
# Where values of a chart are, or what is put into manifests: by Flux, by Argo CD.
_VALUES: Final = (
    *(
        ("spec", "values"),
        ("helm", "valuesObject"),
        ("helm", "values"),
        ("postBuild", "substitute"),
    ),
    *(("spec", "valuesContent"), ("spec", "set")),  # HelmChart and HelmChartConfig of K3s
)
_INLINE: Final = "valuesInline"  # in helmCharts of kustomize
_OBJECTS: Final = ("Secret", "Config", "ConfigMap")
_MAKERS: Final = ("SealedSecret", "ExternalSecret", "ClusterExternalSecret")
_PROVIDERS: Final = (("aescbc",), ("aesgcm",), ("secretbox",))  # of an EncryptionConfiguration


class Walk:
    """One walk; each node is looked at once, however many aliases lead to it."""

    def __init__(self, neighbour: Neighbour) -> None:
        self._neighbour = neighbour
        self._seen: dict[int, Node] = {}  # holds the nodes, so that no other gets the same id

    def text(self, view: View) -> Hits:
        """Yield what is wrong in every document of a text."""
        document = 0
        for start, end in _documents(view.excerpt.original):
            excerpt = _part(view.excerpt, start, end)
            content = excerpt.original
            document += bool(content.startswith("---") or _CONTENT.search(content))
            if may_break_rules(content):
                for hit in self._document(view._replace(excerpt=excerpt)):
                    yield hit._replace(document=document)

    def _document(self, view: View) -> Hits:
        text = masked(view.excerpt.original)
        view = view._replace(excerpt=view.excerpt._replace(text=text))
        roots = read(text)
        if roots is None:
            yield from look_at_lines(view)
            return
        yield from look_at_comments(view)
        for root in roots:
            yield from self._node(root, view)

    def _node(self, node: Node, view: View) -> Hits:
        if isinstance(node, Text):
            yield from self._inside(node, view)
            return
        if id(node) in self._seen:
            return
        self._seen[id(node)] = node
        if isinstance(node, Seq):
            for index, item in enumerate(node.items):
                yield from self._node(item, view.below(f"[{index}]"))
            return
        yield from self._map(node, view)

    def _map(self, node: Map, view: View) -> Hits:
        kind = node.text("kind")
        view = _view_of(node, kind, view)
        yield from self._look(node, kind, view)
        is_secret = kind == "Secret" or (view.of_secret and not kind)
        for key, value in node.pairs:
            if not (is_secret and key.value in VALUE_FIELDS):
                yield from self._entry(kind, key, value, view.below(key.value))

    def _entry(self, kind: str, key: Text, value: Node, view: View) -> Hits:
        if view.path[-2:] in _VALUES or key.value == _INLINE:
            view = view._replace(in_values=True)
        if key.value == _LAST_APPLIED and isinstance(value, Text):
            yield from self._last_applied(key, value, view)
        elif kind == "SecretList" and key.value == "items":
            yield from self._secrets(value, view)
        else:
            yield from self._node(value, view)

    def _look(self, node: Map, kind: str, view: View) -> Hits:
        yield from _look_at_object(node, kind, view)
        if view.in_values and kind not in _OBJECTS:
            yield from look_at_values(node, view)
        if node.get(AUTHS):
            yield from look_at_registries(node, view)
        if node.get("kty"):
            yield from look_at_web_key(node, view)
        yield from look_at_generators(node, view, self._neighbour)
        yield from _look_at_container(node, view)
        if node.get("value"):
            yield from look_at_variable(node, view)
            yield from look_at_patch(node, view)

    def _secrets(self, items: Node, view: View) -> Hits:
        """Yield what is in the items of a SecretList, which need not say what they are."""
        for index, item in enumerate(items.items if isinstance(items, Seq) else ()):
            at = view.below(f"[{index}]")
            if isinstance(item, Map) and not item.get("kind"):
                yield from look_at_secret(item, at._replace(subject=subject_of(item)))
            else:
                yield from self._node(item, at)

    def _inside(self, node: Text, view: View) -> Hits:
        """Yield what is in a text that is a manifest itself, or base64 of one."""
        if view.depth >= _MAX_INSIDE or len(node.value) < 40:
            return
        text: str | None = node.value
        if is_long_base64(node.value):
            text = text_in_base64(node.value)
        elif "\n" not in node.value.strip() and node.value.lstrip()[:1] not in ("{", "["):
            return
        if text and (may_break_rules(text) or is_long_base64(text)):
            excerpt = inside(view.excerpt, node, text)
            deeper = view._replace(excerpt=excerpt, depth=view.depth + 1)
            yield from self.text(deeper)
            if text != node.value:
                yield from look_at_text(deeper)

    def _last_applied(self, key: Text, value: Text, view: View) -> Hits:
        for hit in self._inside(value, view):
            if hit.rule in (rules.PLAINTEXT, rules.DOCKER):
                line, column = view.excerpt.locate(key.start)
                yield _of_kubectl(hit._replace(line=line, column=column))


def _view_of(node: Map, kind: str, view: View) -> View:
    """Return the view that everything in a mapping has."""
    if kind:
        view = view._replace(subject=subject_of(node) or view.subject)
    if kind and node.get("apiVersion"):
        view = view._replace(in_values=False)
    is_patch = node.text("target", "kind") == "Secret"
    return view._replace(of_secret=True) if is_patch else view


def _look_at_object(node: Map, kind: str, view: View) -> Hits:
    if kind == "Secret" or (view.of_secret and not kind):
        yield from look_at_secret(node, view)
    elif kind == "Config":
        yield from look_at_kubeconfig(node, view)
    elif kind == "ConfigMap":
        yield from look_at_config_map(node, view)
    elif kind in _MAKERS:
        yield from _look_at_maker(node, view)
    elif view.path[-1:] in _PROVIDERS:
        yield from look_at_store_keys(node, view)


def _look_at_maker(node: Map, view: View) -> Hits:
    """Yield what is in the template of what becomes a Secret."""
    for path in (("spec", "template"), ("spec", "target", "template")):
        found: Node | None = node
        for name in path:
            found = found.get(name) if isinstance(found, Map) else None
        if isinstance(found, Map):
            yield from look_at_template(found, view.below(*path))


def _look_at_container(node: Map, view: View) -> Hits:
    environment = node.get("environment")
    if environment:
        yield from look_at_environment(environment, view.below("environment"))
    for name in ("args", "command"):
        found = node.get(name)
        if isinstance(found, Seq):
            items = [item for item in found.items if isinstance(item, Text)]
            yield from look_at_arguments(items, view.below(name))


def _of_kubectl(hit: Hit) -> Hit:
    hint = "remove the annotation, which kubectl apply wrote; then change the value"
    return hit._replace(rule=rules.LAST_APPLIED, hint=hint)


def _documents(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _DOCUMENT.finditer(text):
        if match.start() > start:
            yield start, match.start()
        start = match.start()
    yield start, len(text)


def _part(whole: Excerpt, start: int, end: int) -> Excerpt:
    text = whole.original[start:end]
    return Excerpt(text, text, lambda index: whole.locate(index + start))
