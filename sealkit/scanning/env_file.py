"""Files of environment variables, and properties: `NAME=value` line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sealkit.findings.finding import Rule
from sealkit.scanning.hit import Hits, View
from sealkit.scanning.judging import Verdict, judge, names_secret
from sealkit.scanning.tree import Text

_LINE: Final = re.compile(
    r"^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][-.\w]*)[ \t]*[=:][ \t]*(?P<value>[^\r\n]*)",
    re.MULTILINE,
)
_QUOTED: Final = re.compile(r"""(?P<quote>["'])(?P<inside>.*?)(?P=quote)""")
_EXAMPLES: Final = ("example", "sample", "template", "dist", "tmpl", "defaults")
_HINT: Final = "keep it out of Git, or seal it: sealkit create NAME --from-env-file FILE"


def is_env_file(name: str) -> bool:
    """Tell whether a file holds variables, and not examples of them."""
    parts = name.split(".")
    is_env = name.startswith(".env") or name.endswith((".env", ".envrc"))
    return is_env and not any(part in _EXAMPLES for part in parts)


def literals_in(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield name, value and index of every variable whose value stands there as it is."""
    for match in _LINE.finditer(text):
        value = _unquoted(match["value"])
        if judge(value) is Verdict.LITERAL:
            yield match["name"], value, match.start("name")


def look_at_variables(view: View, rule: Rule) -> Hits:
    """Yield the variables whose name promises a secret and whose value is one."""
    for name, value, start in literals_in(view.excerpt.text):
        if names_secret(name, value) is Verdict.LITERAL:
            yield view.below(name).plain(rule, Text(name, start, start, ""), len(value), _HINT)


def _unquoted(text: str) -> str:
    quoted = _QUOTED.match(text)
    return quoted["inside"] if quoted else text.partition(" #")[0].strip()
