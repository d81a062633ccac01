"""PromQL, as far as a check of dashboards and rules needs it: words, brackets, metrics, labels.

Not a parser: it finds misspelt metrics, labels and functions, and what does not close.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_WORD: Final = re.compile(r"[A-Za-z_:][\w:]*")
_TOKEN: Final = re.compile(
    rf"""{_WORD.pattern}|"(?:[^"\\]|\\.)*"|\d[\w.]*|[()\[\]{{}}]|[=!<>]=|=~|!~|[-+*/%^=<>,]"""
)
_CLOSES: Final = {")": "(", "]": "[", "}": "{"}
_FUNCTIONS: Final = frozenset({"absent", "histogram_quantile", "increase", "rate", "time"})
_AGGREGATIONS: Final = frozenset({"max", "min", "sum"})
_GROUPINGS: Final = frozenset({"by", "without", "on", "ignoring"})
_SET_OPERATIONS: Final = frozenset({"and", "or", "unless"})

# What a scrape adds to every series.
TARGET_LABELS: Final = frozenset({"job", "instance", "namespace"})


@dataclass(frozen=True)
class Query:
    """What an expression names. `matched` are the pairs of metric and label in `{}`."""

    metrics: frozenset[str]
    matched: frozenset[tuple[str, str]]
    grouped: frozenset[str]

    def unknown(self, series: Mapping[str, frozenset[str]]) -> set[str]:
        """Return the metrics and labels that `series`, labels by metric, does not have."""
        labels = {
            f"{metric}{{{label}}}"
            for metric, label in self.matched
            if label not in series.get(metric, frozenset()) | TARGET_LABELS
        }
        known = TARGET_LABELS.union(*(series.get(metric, frozenset()) for metric in self.metrics))
        groupings = {f"by ({label})" for label in self.grouped - known}
        return labels | groupings | (self.metrics - series.keys())


def read(expression: str) -> Query:
    """Take an expression apart.

    Raises:
        ValueError: a character, a function or a bracket is wrong.
    """
    metrics: set[str] = set()
    matched: set[tuple[str, str]] = set()
    grouped: set[str] = set()
    metric = ""
    for word, opened, after in _words(_tokens(expression)):
        if opened == "{":
            matched.add((metric, word))
        elif opened in _GROUPINGS:
            grouped.add(word)
        elif after == "(":
            _check_function(word)
        elif word not in _AGGREGATIONS:  # of "sum by (…)"
            metric = word
            metrics.add(word)
    return Query(frozenset(metrics), frozenset(matched), frozenset(grouped))


def _check_function(word: str) -> None:
    if word not in _FUNCTIONS | _AGGREGATIONS:
        raise ValueError(f"{word} is not a function of these dashboards and rules")


def _words(tokens: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield each name with the bracket or grouping it stands in and the token that follows."""
    within = [""]
    for before, token, after in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False):
        if _WORD.fullmatch(token) and token not in _GROUPINGS | _SET_OPERATIONS:
            yield token, within[-1], after
        elif token in _CLOSES.values():
            within.append(before if before in _GROUPINGS else token)
        elif token in _CLOSES:
            _check_closed(token, within.pop())
    if within != [""]:
        raise ValueError(f"{within[-1]!r} is not closed")


def _check_closed(token: str, opened: str) -> None:
    if ("(" if opened in _GROUPINGS else opened) != _CLOSES[token]:
        raise ValueError(f"{token!r} closes {opened or 'nothing'!r}")


def _tokens(expression: str) -> list[str]:
    found: list[str] = []
    rest = expression.strip()
    while rest:
        match = _TOKEN.match(rest)
        if match is None:
            raise ValueError(f"cannot be read from here: {rest[:20]}")
        found.append(match[0])
        rest = rest[match.end() :].lstrip()
    return found
