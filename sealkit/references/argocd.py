"""The spellings of the Argo CD Vault Plugin: `<path:…>`, and `<key>` where an annotation says so.

    <path:<path>#<key>[#<version>][ | <modifier>]…>        <<key>[ | <modifier>]…>

Source: argoproj-labs/argocd-vault-plugin `pkg/kube/util.go`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sealkit.errors import ReferenceSyntaxError
from sealkit.references.escapes import split, unescape
from sealkit.references.modifiers import Modifier, parse_modifier
from sealkit.references.reference import Kv, Reference
from sealkit.references.structured import parse_version

_PREFIX: Final = "<path:"
_INLINE: Final = re.compile(r"<path:((?:[^\\>]|\\.)*+)>", re.DOTALL)
# Text that is no placeholder: no end in its line, or another begin first. A backslash may not take
# a "<" along, or a text of many begins would be read through from each of them.
_GENERIC: Final = re.compile(r"<(?!path:)((?:[^\\<>\r\n]|\\[^<\r\n])++)>")


@dataclass(frozen=True)
class PathPlaceholder:
    """`<path:kv/data/shop/db#password#3 | base64decode>`, anywhere in text, any number of times.

    `kv` is what an annotation says of all paths in the document; `optional` that what is absent
    shall be left out.
    """

    kv: Kv = Kv.AUTO
    optional: bool = False

    @property
    def opener(self) -> str:
        """`<path:` alone: what begins so and does not end is a mistake, not text."""
        return _PREFIX

    def read(self, text: str, at: int) -> tuple[Reference, int]:
        """Read one placeholder.

        Raises:
            ReferenceSyntaxError: no `>` at the end, not two or three parts between `#`, or a part
                or modifier that is wrong.
        """
        match = _INLINE.match(text, at)
        if not match:
            raise ReferenceSyntaxError("has no '>' where it should end")
        head, modifiers = _head_and_modifiers(match[1])
        parts = [unescape(part) for part in split(head, "#")]
        if not 2 <= len(parts) <= 3:
            what = "has not the form <path:path#key> or <path:path#key#version>"
            raise ReferenceSyntaxError(what)
        reference = Reference(
            parts[0],
            _key(parts[1]),
            kv=self.kv,
            version=parse_version(parts[2]) if parts[2:] else None,
            modifiers=modifiers,
            optional=self.optional,
        )
        return reference, match.end()


@dataclass(frozen=True)
class KeyPlaceholder:
    """`<password | base64decode>`: a key of the one path that an annotation names."""

    path: str
    kv: Kv = Kv.AUTO
    version: int | None = None
    optional: bool = False

    @property
    def opener(self) -> str:
        """A whole placeholder; a `<` without its `>` in the same line is text."""
        return _GENERIC.pattern

    def read(self, text: str, at: int) -> tuple[Reference, int]:
        """Read one placeholder.

        Raises:
            ReferenceSyntaxError: the key or a modifier is wrong, or the path of the annotation.
        """
        match = _GENERIC.match(text, at)
        if not match:
            raise ReferenceSyntaxError("has no '>' where it should end")
        head, modifiers = _head_and_modifiers(match[1])
        reference = Reference(
            self.path,
            _key(unescape(head)),
            kv=self.kv,
            version=self.version,
            modifiers=modifiers,
            optional=self.optional,
        )
        return reference, match.end()


def _head_and_modifiers(text: str) -> tuple[str, tuple[Modifier, ...]]:
    head, *rest = split(text, "|")
    return head, tuple(parse_modifier(unescape(one)) for one in rest)


def _key(text: str) -> str:
    if not text:
        raise ReferenceSyntaxError("is empty", field="key")
    return text
