"""Text templates of others: Go's text/template in the dialect of each. Pure.

What our engine cannot read is dropped with a note, never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sealkit.errors import TemplateError
from sealkit.foreign.source import Source
from sealkit.manifests.secret import check_data_key
from sealkit.templates import template

_ACTION: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_QUOTED_OR_FIELD: Final = re.compile(
    r"""("(?:[^"\\]|\\.)*"|`[^`]*`)|(?<![\w)\].])(\$?)\.(Secrets|Metadata|Annotations|Labels)\b(\.?)"""
)


@dataclass(frozen=True)
class Texts:
    """Templates by data key, the values they name, and whether they may use any others.

    `source` is where they stood, for notes; `replaces` says that only what they make is kept.
    """

    source: Source
    by_key: Mapping[str, str]
    used: frozenset[str] = frozenset()
    everything: bool = False
    replaces: bool = False

    def only(self, values: Collection[str]) -> dict[str, str]:
        """Return those that can be made of `values`; the others are noted."""
        kept = {}
        for key, text in self.by_key.items():
            if missing := sorted(template.parse(text).fields_used - set(values)):
                todo = f"needs {', '.join(missing)}, which the document does not name"
                self.source.note(key, "a template", f"{todo}: write it anew")
            else:
                kept[key] = text
        return kept


def checked(source: Source, texts: Mapping[str, str], *, replaces: bool = False) -> Texts:
    """Return the templates that our engine can read; the others are noted as fields of `source`.

    Raises:
        ManifestError: one is for what is no data key.
    """
    kept: dict[str, str] = {}
    used: set[str] = set()
    everything = False
    for key, text in texts.items():
        check_data_key(key, source.path)
        try:
            usage = template.parse(text).usage
        except TemplateError as error:
            source.note(key, "a template", f"{error.problem}: write it anew")
            continue
        kept[key] = text
        used |= usage.names
        everything |= usage.everything
    return Texts(source, kept, frozenset(used), everything, replaces)


def without_secrets_map(text: str) -> str | None:
    """Return a template with `.Secrets.name` as `.name`; None if it uses what is not the secret."""
    foreign = False

    def field(match: re.Match[str]) -> str:
        nonlocal foreign
        if match[1]:
            return match[1]
        foreign |= match[3] != "Secrets"
        return f"{match[2]}{match[4]}" if match[2] else "."

    made = _ACTION.sub(lambda action: _QUOTED_OR_FIELD.sub(field, action[0]), text)
    return None if foreign else made
