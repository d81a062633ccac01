"""Kustomize's secretGenerator: Secrets in plain text, made of what is in the repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from sealkit.scanning import rules
from sealkit.scanning.decoding import decoded
from sealkit.scanning.env_file import literals_in
from sealkit.scanning.hit import Hits, View
from sealkit.scanning.judging import Verdict, judge, length_class
from sealkit.scanning.tree import Map, Node, Seq, Text

GENERATOR: Final = "secretGenerator"
_ALONE: Final = "SecretGenerator"  # the same as an object of its own, named under `generators`
_HINT: Final = "list a sealed manifest under resources in its place"

# What a file holds that is named relative to the one that is scanned; None if it is not there, or
# is not in the repository.
Neighbour = Callable[[str], bytes | None]


def look_at_generators(node: Map, view: View, neighbour: Neighbour) -> Hits:
    """Yield the literals and the plaintext files that Secrets are generated of."""
    if node.text("kind") == _ALONE:
        yield from _literals(node, view)
        yield from _files(node, view, neighbour)
    generators = node.get(GENERATOR)
    for index, generator in enumerate(generators.items if isinstance(generators, Seq) else ()):
        if isinstance(generator, Map):
            at = view.below(GENERATOR, f"[{index}]")._replace(subject=generator.text("name"))
            yield from _literals(generator, at)
            yield from _files(generator, at, neighbour)


def _literals(generator: Map, view: View) -> Hits:
    for field, item in _items(generator, "literals", view):
        name, sign, value = item.value.partition("=")
        if judge(value.strip("\"'") if sign else name) is Verdict.LITERAL:
            length = len(value if sign else name)
            at = field.below(name) if sign else field
            yield at.plain(rules.GENERATOR_LITERAL, item, length, _HINT)


def _files(generator: Map, view: View, neighbour: Neighbour) -> Hits:
    for kind in ("files", "envs", "env"):
        for field, item in _items(generator, kind, view):
            raw = neighbour(item.value.partition("=")[2] or item.value)
            length = _plain_length(raw, is_env=kind != "files") if raw else 0
            if length:
                message = f"takes a plaintext file of {length_class(length)}"
                yield field.hit(rules.GENERATOR_FILE, item, message, _HINT)


def _items(generator: Map, kind: str, view: View) -> Iterator[tuple[View, Text]]:
    node: Node | None = generator.get(kind)
    if isinstance(node, Text):
        yield view.below(kind), node
    for index, item in enumerate(node.items if isinstance(node, Seq) else ()):
        if isinstance(item, Text):
            yield view.below(kind, f"[{index}]"), item


def _plain_length(raw: bytes, *, is_env: bool) -> int:
    """Return how much of a file is secret, 0 if nothing: encrypted, public, or placeholders."""
    text = decoded(raw)
    if text is None:
        return 0 if raw.startswith(b"\0GITCRYPT\0") else len(raw)
    if is_env:
        return max((len(value) for _, value, _ in literals_in(text)), default=0)
    return len(text) if judge(text) is Verdict.LITERAL else 0
