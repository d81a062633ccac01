"""Who may read what through a store that namespaces share. Pure.

Nothing is allowed unless a rule says so. Paths are matched as Vault's own policies match them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sealkit import fields
from sealkit.errors import ManifestError
from sealkit.references.store import READING, Method

NAMESPACE: Final = "{{namespace}}"
MAX_RULES: Final = 64
MAX_PATTERNS: Final = 64

_NAMESPACES: Final = re.compile(r"\*|[a-z0-9][-a-z0-9]*\*?")


@dataclass(frozen=True)
class Rule:
    """Namespaces and the paths that manifests in them may ask for.

    A namespace may end in `*` and then stands for all that begin so. In a path `{{namespace}}` is
    the namespace of the manifest, `+` any one segment, and `*` at the end anything from there on.
    Unless it is said, only the methods that read are meant.
    """

    namespaces: tuple[str, ...]
    paths: tuple[str, ...]
    methods: tuple[Method, ...] = READING

    def allows(self, namespace: str, path: str, method: Method = Method.GET) -> bool:
        """Tell whether a manifest of `namespace` may ask for `path`, which is canonical."""
        return (
            method in self.methods
            and any(_is_match(one, namespace) for one in self.namespaces)
            and any(_is_path(pattern, namespace, path) for pattern in self.paths)
        )


def _is_match(pattern: str, text: str) -> bool:
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def _is_path(pattern: str, namespace: str, path: str) -> bool:
    wanted, segments = pattern.split("/"), path.split("/")
    if not pattern.endswith("*") and len(wanted) != len(segments):
        return False
    if len(wanted) > len(segments):
        return False
    *head, last = (namespace if one == NAMESPACE else one for one in wanted)
    rest = "/".join(segments[len(head) :])
    return all(one in {"+", found} for one, found in zip(head, segments, strict=False)) and (
        last == "+" or _is_match(last, rest)
    )


def parse_rules(raw: object, path: str) -> tuple[Rule, ...]:
    """Parse the rules of a store.

    Raises:
        ManifestError: an unknown or missing field, too many rules or patterns, or a pattern that
            could not be meant: a `*` that is not at the end, `{{namespace}}` in a part of a
            segment, an empty segment.
    """
    if not isinstance(raw, list):
        raise ManifestError("is not a list", field=path)
    if len(raw) > MAX_RULES:
        raise ManifestError(f"has more than {MAX_RULES} entries", field=path)
    return tuple(_rule(one, f"{path}[{number}]") for number, one in enumerate(raw))


def _rule(raw: object, path: str) -> Rule:
    given = fields.mapping(raw, path)
    fields.only(given, ("namespaces", "paths", "methods"), path)
    namespaces = _texts(given.get("namespaces", []), f"{path}.namespaces")
    for number, one in enumerate(namespaces):
        if not _NAMESPACES.fullmatch(one):
            what = "is not a namespace, with or without * at the end"
            raise ManifestError(what, field=f"{path}.namespaces[{number}]")
    paths = _texts(given.get("paths", []), f"{path}.paths")
    for number, one in enumerate(paths):
        _check_pattern(one, f"{path}.paths[{number}]")
    return Rule(namespaces, paths, _methods(given, f"{path}.methods"))


def _methods(given: Mapping[str, object], path: str) -> tuple[Method, ...]:
    if "methods" not in given:
        return READING
    found = [fields.one_of(Method, one, path) for one in _texts(given["methods"], path)]
    return tuple(method for method in Method if method in found)


def _texts(raw: object, path: str) -> tuple[str, ...]:
    if not isinstance(raw, list) or not 0 < len(raw) <= MAX_PATTERNS:
        raise ManifestError(f"is not a list of 1 to {MAX_PATTERNS} entries", field=path)
    return tuple(fields.text(one, path) for one in raw)


def _check_pattern(pattern: str, path: str) -> None:
    if "*" in pattern[:-1]:
        raise ManifestError("has a * that is not at the end", field=path)
    for segment in pattern.split("/"):
        if not segment:
            raise ManifestError("has an empty segment", field=path)
        if segment != NAMESPACE and ("{{" in segment or "}}" in segment):
            hint = "a prefix of one namespace would fit others too"
            raise ManifestError(f"has {NAMESPACE} in a part of a segment", field=path, hint=hint)
        if segment != "+" and "+" in segment:
            raise ManifestError("has a + that is not a whole segment", field=path)
