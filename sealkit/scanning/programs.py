"""Secrets that programs make: Terraform's resources, and kubectl on a command line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sealkit.findings.finding import Rule
from sealkit.scanning import rules
from sealkit.scanning.hit import Hits, View
from sealkit.scanning.judging import Verdict, judge, names_secret
from sealkit.scanning.tree import Text

_FAR: Final = 8_000  # characters of one resource, or of one command with its continued lines
_RESOURCE: Final = re.compile(
    r'^[ \t]*resource[ \t]+"kubernetes_secret(?:_v1)?(?:_data)?"|^[ \t]*kind[ \t]*=[ \t]*"Secret"',
    re.MULTILINE,
)
_NEXT: Final = re.compile(
    r"^(?:resource|data|module|variable|output|locals|provider)\b", re.MULTILINE
)
_ASSIGNED: Final = re.compile(
    r'^[ \t]*"?(?P<section>data|stringData)"?[ \t]*=[ \t]*\{(?P<pairs>[^{}]*)\}', re.MULTILINE
)
_PAIR: Final = re.compile(
    r'(?P<key>[-.\w]{1,253})"?[ \t]*[=:][ \t]*(?:base64encode\()?"(?P<value>(?:[^"\\\n]|\\.)*)"'
)
_COMMAND: Final = re.compile(r"\bcreate[ \t]+secret[ \t]+(?:generic|docker-registry)\b")
_LINE: Final = re.compile(r"(?:[^\n\\]|\\[^\n]|\\\r?\n)*")
_OPTION: Final = re.compile(
    r"""--(?:from-literal[= \t]+["']?(?P<key>[-.\w]{1,253})=|docker-(?P<docker>password)[=\ ])
    (?:"(?P<double>[^"\n]*)"|'(?P<single>[^'\n]*)'|(?P<bare>[^\s"']+))""",
    re.VERBOSE,
)
_SEAL: Final = "let sealkit make it: sealkit create NAME …"


def look_at_programs(view: View) -> Hits:
    """Yield the values of Secrets that Terraform or kubectl is told as they are."""
    yield from _resources(view)
    yield from _commands(view)


def _resources(view: View) -> Hits:
    text = view.excerpt.original
    for start, limit in _places(_RESOURCE, text):
        following = _NEXT.search(text, start, limit)
        for section in _ASSIGNED.finditer(text, start, following.start() if following else limit):
            for pair in _PAIR.finditer(text, *section.span("pairs")):
                at = view.below(section["section"], pair["key"])
                yield from _literal(at, pair["value"], pair.span(), rules.PLAINTEXT)


def _commands(view: View) -> Hits:
    text = view.excerpt.original
    for start, limit in _places(_COMMAND, text):
        line = _LINE.match(text, start, limit)
        for option in _OPTION.finditer(text, start, line.end() if line else start):
            given = (option[name] for name in ("double", "single", "bare"))
            value = next(one for one in given if one is not None)
            rule = rules.DOCKER if option["docker"] else rules.PLAINTEXT
            at = view.below(option["key"] or "docker-password")
            yield from _literal(at, value.rstrip("\"'"), option.span(), rule)


def _places(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield where a match ends, and how far what it begins may go: never into the next one."""
    found = [match.span() for match in pattern.finditer(text)]
    for number, (_, end) in enumerate(found, start=1):
        limit = found[number][0] if number < len(found) else len(text)
        yield end, min(end + _FAR, limit)


def _literal(view: View, value: str, span: tuple[int, int], rule: Rule) -> Hits:
    if value[:1] not in ("$", "`") and judge(value) is Verdict.LITERAL and view.counts(value):
        yield view.plain(rule, Text("", *span, ""), len(value), _SEAL)


def look_at_arguments(items: list[Text], view: View) -> Hits:
    """Yield the arguments of a program whose name promises a secret: `--password=…`."""
    for name, value, item in _options(items):
        if names_secret(name, value) is Verdict.LITERAL and view.counts(value):
            hint = "give it in the environment, from a sealed Secret"
            yield view.plain(rules.IN_CONFIGURATION, item, len(value), hint)


def _options(items: list[Text]) -> Iterator[tuple[str, str, Text]]:
    for number, item in enumerate(items, start=1):
        following = items[number].value if number < len(items) else "-"
        name, sign, value = item.value.partition("=")
        if sign and name.startswith("-"):
            yield name, value, item
        elif name.startswith("--") and not following.startswith("-"):
            yield name, following, item
