"""Templates of Helm and Jinja in YAML: covered with characters, so that the rest can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

MASK: Final = "\ue000"  # for private use: what somebody writes himself is read as a template

_TEMPLATE: Final = re.compile(
    # Up to the next one that begins, or many that never end would take time without end.
    r"\{\{(?:[^{}]|\}(?!\})|\{(?!\{))*\}\}|\{%(?:[^%{]|%(?!\})|\{(?!%))*%\}"
)
_LINE: Final = re.compile(rf"^[ \t]*{MASK}[{MASK} \t\r]*$", re.MULTILINE)
_KEPT: Final = re.compile(r"[^\r\n]")
# The one thing in a template that may be a secret: a text that it would encode, or fall back to.
_WRITTEN: Final = re.compile(
    r"""default\s+(?:"([^"]*)"|'([^']*)'|`([^`]*)`)
    | (?:\{\{-?|\()\s*(?:"([^"]*)"|`([^`]*)`)\s*\|\s*(?:b64enc|quote)
    | b64enc\s+(?:"([^"]*)"|`([^`]*)`)""",
    re.VERBOSE,
)


def masked(text: str) -> str:
    """Return a text of the same length and lines, without templates."""
    if "{{" not in text and "{%" not in text:
        return text
    covered = _TEMPLATE.sub(lambda match: _KEPT.sub(MASK, match[0]), text)
    return _LINE.sub(lambda match: _KEPT.sub(" ", match[0]), covered)


def written_in(template: str) -> Iterator[str]:
    """Yield the texts that a template would encode or fall back to."""
    for match in _WRITTEN.finditer(template):
        yield next(group for group in match.groups() if group is not None)
