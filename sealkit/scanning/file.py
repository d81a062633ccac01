"""One file: what kind it is by its name, and what is wrong in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import chain
from typing import Final, NamedTuple

from sealkit.findings.allowing import Comments
from sealkit.findings.finding import Finding
from sealkit.scanning import rules
from sealkit.scanning.decoding import decoded, may_break_rules
from sealkit.scanning.env_file import is_env_file, look_at_variables
from sealkit.scanning.generators import Neighbour
from sealkit.scanning.hit import Excerpt, Hit, Hits, Locate, View, lines_of
from sealkit.scanning.lines import look_at_lines
from sealkit.scanning.patterns import look_at_text
from sealkit.scanning.programs import look_at_programs
from sealkit.scanning.walking import Walk

MAX_BYTES: Final = 16 * 2**20

_MANIFEST: Final = re.compile(
    r"\.(?:ya?ml|json|jsonl|tpl|gotmpl|tmpl|j2|jinja2?)(?:\.|\Z)|\A[^.]+\Z"
)
_DOTTED: Final = re.compile(r"\.?docker(?:config|cfg)(?:json)?|config")
_VALUES: Final = re.compile(
    r"(?:\A|.*[-._])values(?:[-._].*)?\.(?:ya?ml|json)(?:\..*)?|.*/values/[^/]+\.ya?ml"
    r"|helmfile[^/]*\.ya?ml(?:\..*)?"
)
_TEXT: Final = re.compile(r"\.(?:md|markdown|mdx|rst|adoc|txt)\Z", re.IGNORECASE)
_FENCE: Final = re.compile(r"(?P<lead>[ \t>]{0,40})(?P<fence>```+|~~~+)(?P<rest>[^\n]*)")
_TOKENS: Final = frozenset(
    (rules.PRIVATE_KEY, rules.ENCRYPTED_KEY, rules.AGE_KEY, rules.VAULT_TOKEN)
) | {rules.SERVICE_ACCOUNT}


class Skipped(Enum):
    """Why nothing was looked for in a file."""

    BINARY = "binary"
    LARGE = "larger than 16 MiB"


class Scanned(NamedTuple):
    """What one file holds."""

    file: str
    findings: tuple[Finding, ...] = ()
    comments: Comments | None = None
    skipped: Skipped | None = None


def scan(path: str, raw: bytes, neighbour: Neighbour, *, label: str = "") -> Scanned:
    """Return what is wrong in a file; `path` says what kind it is, `label` what it is called."""
    label = label or path
    text = decoded(raw)
    if text is None:
        return Scanned(label, skipped=Skipped.BINARY)
    if not may_break_rules(text):
        return Scanned(label)
    view = View(Excerpt(text, text, lines_of(text)))
    in_prose = view._replace(in_prose=bool(_TEXT.search(path)))
    patterns = chain(look_at_programs(in_prose), look_at_text(view))
    hits = _distinct(_by_kind(path, view, neighbour), patterns)
    findings = tuple(hit.in_file(label) for hit in hits)
    return Scanned(label, findings, Comments.read(text))


def _by_kind(path: str, view: View, neighbour: Neighbour) -> Hits:
    name = path.rsplit("/", 1)[-1]
    if is_env_file(name):
        yield from look_at_variables(view, rules.IN_ENV_FILE)
    elif _TEXT.search(name):
        yield from _in_fences(view, neighbour)
    elif _MANIFEST.search(name) or _DOTTED.fullmatch(name):
        is_values = bool(_VALUES.fullmatch(name) or _VALUES.fullmatch(path))
        yield from Walk(neighbour).text(view._replace(in_values=is_values))
    else:
        yield from look_at_lines(view)


def _in_fences(view: View, neighbour: Neighbour) -> Hits:
    """Yield what is in the code blocks of a document; well-known words are examples there."""
    for start, lead, body in _fenced(view.excerpt.text):
        excerpt = Excerpt(body, body, _shifted(view.excerpt, start, body, lead))
        hits = Walk(neighbour).text(view._replace(excerpt=excerpt, in_prose=True))
        yield from (hit._replace(document=0) for hit in hits if hit.rule is not rules.DEFAULT)


def _fenced(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the code blocks of Markdown: where one begins, how far it is indented, and its text."""
    opening: re.Match[str] | None = None
    start, at = 0, 0
    lines: list[str] = []
    for line in text.split("\n"):
        at += len(line) + 1
        match = _FENCE.match(line)
        if opening is None:
            opening, start, lines = match, at, []
        elif match and match["fence"] == opening["fence"] and not match["rest"].strip():
            yield start, len(opening["lead"]), "\n".join(lines)
            opening = None
        else:  # a block may stand in a list or in a quotation
            lines.append(line.removeprefix(opening["lead"]))


def _shifted(outer: Excerpt, start: int, body: str, lead: int) -> Locate:
    first, _ = outer.locate(start)
    inner = lines_of(body)

    def locate(index: int) -> tuple[int, int]:
        line, column = inner(index)
        return first + line - 1, column + lead

    return locate


def _distinct(structured: Iterable[Hit], patterns: Iterable[Hit]) -> Iterator[Hit]:
    """Yield all hits, a key or a token only if it is not the value that another hit is about."""
    covered: list[tuple[int, int]] = []
    seen: set[tuple[object, ...]] = set()
    for hit in structured:
        if hit.rule not in _TOKENS:
            covered.append((hit.line, hit.last_line))
        yield from _once(hit, seen)
    for hit in patterns:
        if not any(first <= hit.line <= last for first, last in covered):
            yield from _once(hit, seen)


def _once(hit: Hit, seen: set[tuple[object, ...]]) -> Iterator[Hit]:
    key = (hit.rule, hit.line, hit.column, hit.field)
    if key not in seen:
        seen.add(key)
        yield hit
