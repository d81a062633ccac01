"""Secrets of Kubernetes in plain text."""

from __future__ import annotations

from typing import Final

from sealkit.findings.finding import Rule
from sealkit.scanning import rules
from sealkit.scanning.decoding import text_in_base64
from sealkit.scanning.hit import Hits, View
from sealkit.scanning.judging import Verdict, judge, judge_encoded, length_class, names_secret
from sealkit.scanning.masking import MASK, written_in
from sealkit.scanning.registries import holds_credentials
from sealkit.scanning.tree import Map, Text, read

VALUE_FIELDS: Final = ("data", "stringData")
KEY_MARKS: Final = ("sealkit.dev/key", "sealedsecrets.bitnami.com/sealed-secrets-key")

SEAL: Final = "seal it: sealkit seal FILE --in-place"
_BESIDE: Final = "seal it, and name it in the template"
_DEFAULT: Final = "if it is in use, change it and seal it; else write <password>"
_ROTATE: Final = "keep it out of Git, and renew the key: everything sealed for it can be read"
_DOCKER: Final = (".dockerconfigjson", ".dockercfg")


def subject_of(node: Map) -> str:
    """Return `namespace/name` of an object, without what a template will fill in."""
    name, namespace = node.text("metadata", "name"), node.text("metadata", "namespace")
    return "/".join(one for one in (namespace, name) if one and MASK not in one)


def look_at_secret(node: Map, view: View) -> Hits:
    """Yield the values of a Secret that are in plain text."""
    if _is_cluster_key(node):
        yield from _cluster_key(node, view)
        return
    for section, values in node.pairs:
        if section.value in VALUE_FIELDS and isinstance(values, Map):
            is_encoded = section.value == "data"
            for key, value in values.pairs:
                if isinstance(value, Text):
                    at = view.below(section.value, key.value)
                    yield from look_at_value(key, value, at, is_encoded=is_encoded)


def look_at_value(key: Text, value: Text, view: View, *, is_encoded: bool) -> Hits:
    """Yield one value of a Secret if it is in plain text; the place is that of its key."""
    if not value.style and value.value in ("null", "~", ""):
        return
    if MASK in value.value:
        yield from _in_template(key, value, view)
        return
    verdict, length = (
        judge_encoded(value.value) if is_encoded else (judge(value.value), len(value.value))
    )
    if key.value in _DOCKER and not _has_login(value.value):
        return
    if not view.counts((is_encoded and text_in_base64(value.value)) or value.value):
        return
    rule = _rule(key.value, verdict)
    where = key._replace(end=value.end)
    if rule is rules.DEFAULT:
        message = f"a well-known word of {length_class(length)}"
        yield view.hit(rule, where, message, _DEFAULT)
    elif rule:
        yield view.plain(rule, where, length, SEAL)


def _in_template(key: Text, value: Text, view: View) -> Hits:
    for text in written_in(view.source(value)):
        if judge(text) is Verdict.LITERAL:
            hint = "let the value be given, and sealed, where the chart is installed"
            yield view.plain(rules.PLAINTEXT, key._replace(end=value.end), len(text), hint)


def _rule(key: str, verdict: Verdict) -> Rule | None:
    if verdict is Verdict.NOTHING:
        return None
    if verdict is Verdict.DEFAULT:
        return rules.DEFAULT
    return rules.DOCKER if key in _DOCKER else rules.PLAINTEXT


def _has_login(value: str) -> bool:
    """Tell whether a Docker configuration holds a login, or is nothing that can be read."""
    roots = read(text_in_base64(value) or value)
    mappings = [root for root in roots or () if isinstance(root, Map)]
    return any(holds_credentials(root) for root in mappings) if mappings else True


def _is_cluster_key(node: Map) -> bool:
    labels = node.get("metadata")
    labels = labels.get("labels") if isinstance(labels, Map) else None
    marks = [key.value for key, _ in labels.pairs] if isinstance(labels, Map) else []
    return any(mark in (*marks, node.text("type")) for mark in KEY_MARKS)


def _cluster_key(node: Map, view: View) -> Hits:
    """Yield the longest value that is no certificate: beside the key there are names of it."""
    found: list[tuple[int, Text, Text, str]] = []
    for section, values in node.pairs:
        if section.value in VALUE_FIELDS and isinstance(values, Map):
            for key, value in values.pairs:
                verdict, length = judge_encoded(value.value) if isinstance(value, Text) else _NONE
                if verdict is Verdict.LITERAL and isinstance(value, Text):
                    found.append((length, key, value, section.value))
    if found:
        length, key, value, section_name = max(found)
        at = view.below(section_name, key.value)
        message = f"a value of {length_class(length)} in plain text"
        yield at.hit(rules.CLUSTER_KEY, key._replace(end=value.end), message, _ROTATE)


_NONE: Final = (Verdict.NOTHING, 0)


def look_at_patch(node: Map, view: View) -> Hits:
    """Yield the values that a JSON patch would put into a Secret."""
    section, _, name = node.text("path").removeprefix("/").partition("/")
    if section not in VALUE_FIELDS or not (section == "stringData" or view.of_secret):
        return
    value = node.get("value")
    name = name.replace("~1", "/").replace("~0", "~")
    at, is_encoded = view.below("value"), section == "data"
    if isinstance(value, Text) and name:
        key = Text(name, value.start, value.end, value.style)
        yield from look_at_value(key, value, at, is_encoded=is_encoded)
    for key, one in value.pairs if isinstance(value, Map) and not name else ():
        if isinstance(one, Text):
            yield from look_at_value(key, one, at.below(key.value), is_encoded=is_encoded)


def look_at_template(node: Map, view: View) -> Hits:
    """Yield what a sealed or an external Secret would hold besides: only names say what it is."""
    for section, values in node.pairs:
        for key, value in values.pairs if isinstance(values, Map) else ():
            if section.value in VALUE_FIELDS and isinstance(value, Text):
                texts = written_in(view.source(value)) if MASK in value.value else (value.value,)
                if any(names_secret(key.value, text) is Verdict.LITERAL for text in texts):
                    at = view.below(section.value, key.value)
                    where = key._replace(end=value.end)
                    yield at.plain(rules.PLAINTEXT, where, len(value.value), _BESIDE)
