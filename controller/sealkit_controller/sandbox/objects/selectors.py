"""Label and field selectors, parsed once and then asked about each object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sealkit_controller.sandbox.objects.status import bad_request

_SET = re.compile(r"\s*(?P<key>[^\s!=,()]+)\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)\s*")
_EQUALITY = re.compile(r"\s*(?P<key>[^\s!=,()]+)\s*(?P<op>==|=|!=)\s*(?P<value>[^\s,()=!]*)\s*")
_EXISTS = re.compile(r"\s*(?P<no>!?)\s*(?P<key>[^\s!=,()]+)\s*")
_LABEL_KEY = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")

Test = Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True)
class Selector:
    """Which objects a list or watch is about; every part must hold."""

    labels: tuple[Test, ...] = ()
    fields: tuple[tuple[str, str, bool], ...] = ()

    def __bool__(self) -> bool:
        """Return whether anything is selected at all; an empty selector takes every object."""
        return bool(self.labels or self.fields)

    def matches(self, labels: Mapping[str, str], fields: Mapping[str, str]) -> bool:
        """Return whether an object with these labels and selectable fields is selected."""
        return all(test(labels) for test in self.labels) and all(
            (fields.get(name, "") == value) is wanted for name, value, wanted in self.fields
        )


def parse_selector(label_text: str, field_text: str, fields: frozenset[str]) -> Selector:
    """Return the selector of a request.

    Raises:
        StatusError: 400 for bad syntax or a field outside `fields`, which are the selectable ones.
    """
    return Selector(tuple(_labels(label_text)), tuple(_fields(field_text, fields)))


def _labels(text: str) -> list[Test]:
    tests: list[Test] = []
    position = 0
    while position < len(text):
        test, position = _label_test(text, position)
        tests.append(test)
        if position < len(text):
            if text[position] != ",":
                raise bad_request(f"found '{text[position]}', expected: ',' or 'end of string'")
            position += 1
    return tests


def _label_test(text: str, position: int) -> tuple[Test, int]:
    if match := _SET.match(text, position):
        values = frozenset(part.strip() for part in match["values"].split(","))
        return _in_set(_key(match["key"]), values, wanted=match["op"] == "in"), match.end()
    if match := _EQUALITY.match(text, position):
        values = frozenset({match["value"]})
        return _in_set(_key(match["key"]), values, wanted=match["op"] != "!="), match.end()
    if match := _EXISTS.match(text, position):
        return _exists(_key(match["key"]), wanted=not match["no"]), match.end()
    raise bad_request(_unparsable(text))


def _key(key: str) -> str:
    if not _LABEL_KEY.fullmatch(key):
        raise bad_request(f'unable to parse requirement: <nil>: Invalid value: "{key}"')
    return key


def _unparsable(text: str) -> str:
    return f"unable to parse requirement: found '{text}', expected: a label selector"


def _in_set(key: str, values: frozenset[str], *, wanted: bool) -> Test:
    if wanted:
        return lambda labels: labels.get(key) in values
    return lambda labels: labels.get(key) not in values


def _exists(key: str, *, wanted: bool) -> Test:
    return lambda labels: (key in labels) is wanted


def _fields(text: str, known: frozenset[str]) -> list[tuple[str, str, bool]]:
    found = []
    for term in filter(None, text.split(",")):
        match = re.fullmatch(r"\s*([^=!\s]+)\s*(==|=|!=)\s*(.*?)\s*", term)
        if not match:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{term}'")
        name, operator, value = match.groups()
        if name not in known:
            raise bad_request(f"field label not supported: {name}")
        found.append((name, value, operator != "!="))
    return found
