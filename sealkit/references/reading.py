"""From a response of Vault to the value of one reference.

The caller says which version of the key-value engine answered: a response is never asked for it,
since a secret may have any shape.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from sealkit.references.escapes import split
from sealkit.references.failures import ABSENT, Failed, Failure, Outcome
from sealkit.references.jsontree import Tree, child, has
from sealkit.references.modifiers import apply, from_base64, from_base64url, from_tree
from sealkit.references.reference import Decode, Reference
from sealkit.sensitive import Sensitive

# The secret in a response: names to values.
Data: TypeAlias = Mapping[str, Tree]

_ESCAPE: Final = re.compile(r"\\([.\\])")
_NOT_FOUND: Final = Failed(Failure.PATH_NOT_FOUND, "there is nothing")


def kv2_data(response: Tree) -> Data | Failed:
    """Return the secret of a response of KV version 2, the body of a 404 being one as well.

    Failures: VersionDestroyed; VersionDeleted, which can be undone; PathNotFound otherwise.
    """
    outer = _field(response, "data")
    data = _field(outer, "data")
    if isinstance(data, dict):
        return data
    metadata = _field(outer, "metadata")
    if _field(metadata, "destroyed") is True:
        return Failed(Failure.VERSION_DESTROYED, "the version is destroyed")
    when = _field(metadata, "deletion_time")
    if isinstance(when, str) and when:  # one to come leaves the data in place
        return Failed(Failure.VERSION_DELETED, "the version is deleted")
    return _NOT_FOUND


def _field(tree: Tree, name: str) -> Tree:
    return tree.get(name) if isinstance(tree, dict) else None


def pick(data: Data, key: str) -> Outcome:
    r"""Return the value under `key`, the whole secret as JSON where `key` is empty.

    A name that is literally there comes first, then the dotted path: `a.b.0`, `\.` for a dot in a
    name and `\\` for a backslash before one; digits are an index where there is a list. Strings
    are their bytes, anything else is JSON text with its numbers as they were written.

    Failures: KeyNotFound; NullValue; TemplateError where a string is no text.
    """
    if not key:
        return _sensitive(dict(data))
    if key in data:
        return _sensitive(data[key])
    tree: Tree = dict(data)
    for segment in split(key, "."):
        name = _ESCAPE.sub(r"\1", segment)
        if not has(tree, name):
            return Failed(Failure.KEY_NOT_FOUND, "the secret has no such key")
        tree = child(tree, name)
    return _sensitive(tree)


def _sensitive(tree: Tree) -> Outcome:
    raw = from_tree(tree)
    return raw if isinstance(raw, Failed) else Sensitive(raw)


def finish(reference: Reference, picked: Outcome) -> Outcome | None:
    """Decode and modify what was picked; or stand in for it, if it is absent and may be.

    Return None for an optional reference that is absent. Absent is also what a jsonPath does not
    find; a deleted version is not: see `failures.ABSENT`.
    """
    outcome = picked if isinstance(picked, Failed) else _modified(reference, picked)
    if isinstance(outcome, Failed) and outcome.reason in ABSENT:
        if reference.default is not None:
            return Sensitive(reference.default.encode())
        if reference.optional:
            return None
    return outcome


def _modified(reference: Reference, value: Sensitive) -> Outcome:
    decoded = decode(reference.decode, value)
    return decoded if isinstance(decoded, Failed) else apply(reference.modifiers, decoded)


def decode(how: Decode, value: Sensitive) -> Outcome:
    """Undo an encoding.

    Failures: TemplateError where the value is not so encoded; never for AUTO, which then leaves
    the value as it is.
    """
    if how is Decode.NONE:
        return value
    raw = value.reveal()
    standard, url_safe = from_base64(raw), from_base64url(raw)
    if how is Decode.AUTO:
        decodings: tuple[bytes | Failed, ...] = (standard, url_safe, raw)
        return Sensitive(next(one for one in decodings if isinstance(one, bytes)))
    decoded = standard if how is Decode.BASE64 else url_safe
    return decoded if isinstance(decoded, Failed) else Sensitive(decoded)
