"""The table of functions a template may call, with what each takes.

Only functions whose result follows from their arguments: nothing here reads a clock, a random
number, the environment, a file, the network, a cluster or a key, and nothing makes keys. That a
name is not here is the protection (three advisories of other operators came from a function too
many), so a test holds the table against a list of names that must never be in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sealkit.templates import (
    access_functions,
    choice_functions,
    comparison,
    json_text,
    list_functions,
    map_functions,
    number_functions,
    printing,
    runes,
    text_functions,
)
from sealkit.templates.limits import Fault
from sealkit.templates.values import Kind, Value, is_true

_ANY, _TEXT, _FLAG, _WHOLE, _LIST, _MAP = (
    Kind.ANY,
    Kind.TEXT,
    Kind.FLAG,
    Kind.WHOLE,
    Kind.LIST,
    Kind.MAP,
)


@dataclass(frozen=True)
class Function:
    """One function: `takes` are its parameters, `more` what any number of further ones takes.

    `stops_at`: the first argument with this truth is the result, those after it are not evaluated.
    `deep`: it goes into what lists and maps hold, so that all of it counts as work.
    """

    run: Callable[..., Value]
    takes: tuple[Kind, ...] = ()
    more: Kind | None = None
    stops_at: bool | None = None
    deep: bool = False

    def accepts(self, count: int) -> bool:
        """Return whether it may be called with so many arguments."""
        return count == len(self.takes) or (self.more is not None and count > len(self.takes))

    def parameter(self, number: int) -> Kind:
        """Return what argument `number`, counted from 0, has to be."""
        return self.takes[number] if number < len(self.takes) else self.more or Kind.ANY


def _from_json_or_nil(text: bytes) -> Value:
    try:
        return json_text.from_json(text)
    except Fault:
        return None


def _escaper(escape: Callable[[bytes], bytes]) -> Function:
    def run(*arguments: Value) -> bytes:
        return escape(choice_functions.text_for_escaping(*arguments))

    return Function(run, (), _ANY, deep=True)


_GO: Final[Mapping[str, Function]] = {
    "and": Function(lambda *values: values[-1], (_ANY,), _ANY, stops_at=False),
    "or": Function(lambda *values: values[-1], (_ANY,), _ANY, stops_at=True),
    "not": Function(lambda value: not is_true(value), (_ANY,)),
    "eq": Function(comparison.equal, (_ANY,), _ANY),
    "ne": Function(comparison.unequal, (_ANY, _ANY)),
    "lt": Function(comparison.less, (_ANY, _ANY)),
    "le": Function(comparison.less_or_equal, (_ANY, _ANY)),
    "gt": Function(comparison.greater, (_ANY, _ANY)),
    "ge": Function(comparison.greater_or_equal, (_ANY, _ANY)),
    "len": Function(access_functions.length, (_ANY,)),
    "index": Function(access_functions.index, (_ANY,), _ANY),
    "slice": Function(access_functions.slice_of, (_ANY,), _ANY),
    "print": Function(lambda *values: printing.printed(values), (), _ANY, deep=True),
    "println": Function(lambda *values: printing.printed_line(values), (), _ANY, deep=True),
    "printf": Function(
        lambda text, *values: printing.formatted(text, values), (_TEXT,), _ANY, deep=True
    ),
    "html": _escaper(runes.for_html),
    "js": _escaper(runes.for_javascript),
    "urlquery": _escaper(runes.for_query),
}
_STRINGS: Final[Mapping[str, Function]] = {
    "b64enc": Function(text_functions.encode, (_TEXT,)),
    "b64dec": Function(text_functions.decode, (_TEXT,)),
    "sha256sum": Function(text_functions.sha256, (_TEXT,)),
    "sha512sum": Function(text_functions.sha512, (_TEXT,)),
    "quote": Function(text_functions.quote, (), _ANY, deep=True),
    "squote": Function(text_functions.squote, (), _ANY, deep=True),
    "cat": Function(text_functions.cat, (), _ANY, deep=True),
    "trim": Function(runes.trimmed, (_TEXT,)),
    "trimAll": Function(text_functions.trim_all, (_TEXT, _TEXT)),
    "trimall": Function(text_functions.trim_all, (_TEXT, _TEXT)),
    "trimPrefix": Function(lambda part, text: text.removeprefix(part), (_TEXT, _TEXT)),
    "trimSuffix": Function(lambda part, text: text.removesuffix(part), (_TEXT, _TEXT)),
    "nospace": Function(text_functions.without_space, (_TEXT,)),
    "upper": Function(runes.in_upper_case, (_TEXT,)),
    "lower": Function(runes.in_lower_case, (_TEXT,)),
    "title": Function(runes.in_title_case, (_TEXT,)),
    "replace": Function(text_functions.replace, (_TEXT, _TEXT, _TEXT)),
    "repeat": Function(text_functions.repeat, (_WHOLE, _TEXT)),
    "trunc": Function(text_functions.trunc, (_WHOLE, _TEXT)),
    "substr": Function(text_functions.substr, (_WHOLE, _WHOLE, _TEXT)),
    "contains": Function(lambda part, text: part in text, (_TEXT, _TEXT)),
    "hasPrefix": Function(lambda part, text: text.startswith(part), (_TEXT, _TEXT)),
    "hasSuffix": Function(lambda part, text: text.endswith(part), (_TEXT, _TEXT)),
    "indent": Function(text_functions.indent, (_WHOLE, _TEXT)),
    "nindent": Function(text_functions.nindent, (_WHOLE, _TEXT)),
    "split": Function(text_functions.split, (_TEXT, _TEXT)),
    "splitList": Function(text_functions.split_list, (_TEXT, _TEXT)),
    "splitn": Function(text_functions.splitn, (_TEXT, _WHOLE, _TEXT)),
    "join": Function(text_functions.join, (_TEXT, _ANY), deep=True),
    "toString": Function(text_functions.as_text, (_ANY,), deep=True),
    "toStrings": Function(list_functions.to_strings, (_ANY,), deep=True),
    "fromJson": Function(_from_json_or_nil, (_TEXT,)),
    "mustFromJson": Function(json_text.from_json, (_TEXT,)),
    "toJson": Function(json_text.to_json, (_ANY,), deep=True),
    "mustToJson": Function(json_text.to_json, (_ANY,), deep=True),
    "toPrettyJson": Function(json_text.to_pretty_json, (_ANY,), deep=True),
    "toRawJson": Function(json_text.to_raw_json, (_ANY,), deep=True),
    "toYaml": Function(json_text.to_yaml, (_ANY,), deep=True),
}
_CHOICES: Final[Mapping[str, Function]] = {
    "default": Function(choice_functions.default, (_ANY,), _ANY),
    "empty": Function(choice_functions.empty, (_ANY,)),
    "coalesce": Function(choice_functions.coalesce, (), _ANY),
    "all": Function(choice_functions.all_true, (), _ANY),
    "any": Function(choice_functions.any_true, (), _ANY),
    "ternary": Function(choice_functions.ternary, (_ANY, _ANY, _FLAG)),
    "required": Function(choice_functions.required, (_TEXT, _ANY)),
    "fail": Function(choice_functions.fail, (_TEXT,)),
    "kindOf": Function(choice_functions.kind, (_ANY,)),
    "kindIs": Function(choice_functions.kind_is, (_TEXT, _ANY)),
}
_DATA: Final[Mapping[str, Function]] = {
    "list": Function(list_functions.list_from, (), _ANY),
    "tuple": Function(list_functions.list_from, (), _ANY),
    "first": Function(list_functions.first, (_LIST,)),
    "last": Function(list_functions.last, (_LIST,)),
    "rest": Function(list_functions.rest, (_LIST,)),
    "initial": Function(list_functions.initial, (_LIST,)),
    "append": Function(list_functions.append, (_LIST, _ANY)),
    "prepend": Function(list_functions.prepend, (_LIST, _ANY)),
    "concat": Function(list_functions.concat, (), _LIST),
    "reverse": Function(list_functions.reverse, (_LIST,)),
    "compact": Function(list_functions.compact, (_LIST,)),
    "has": Function(list_functions.has, (_ANY, _ANY), deep=True),
    "sortAlpha": Function(list_functions.sort_alpha, (_ANY,), deep=True),
    "until": Function(list_functions.until, (_WHOLE,)),
    "untilStep": Function(list_functions.until_step, (_WHOLE, _WHOLE, _WHOLE)),
    "dict": Function(map_functions.dict_from, (), _ANY, deep=True),
    "get": Function(map_functions.get, (_MAP, _TEXT)),
    "hasKey": Function(map_functions.has_key, (_MAP, _TEXT)),
    "keys": Function(map_functions.keys, (), _MAP),
    "values": Function(map_functions.values, (_MAP,)),
    "pick": Function(map_functions.pick, (_MAP,), _TEXT),
    "omit": Function(map_functions.omit, (_MAP,), _TEXT),
    "dig": Function(map_functions.dig, (_ANY, _ANY, _ANY), _ANY),
    "int": Function(text_functions.to_int, (_ANY,)),
    "int64": Function(text_functions.to_int, (_ANY,)),
    "atoi": Function(text_functions.to_decimal, (_TEXT,)),
    "add": Function(number_functions.add, (), _ANY),
    "add1": Function(lambda number: number_functions.add(number, 1), (_ANY,)),
    "sub": Function(number_functions.subtract, (_ANY, _ANY)),
    "mul": Function(number_functions.multiply, (_ANY,), _ANY),
    "div": Function(number_functions.divide, (_ANY, _ANY)),
    "mod": Function(number_functions.remainder, (_ANY, _ANY)),
    "max": Function(number_functions.largest, (_ANY,), _ANY),
    "min": Function(number_functions.smallest, (_ANY,), _ANY),
}
FUNCTIONS: Final[Mapping[str, Function]] = {**_GO, **_STRINGS, **_CHOICES, **_DATA}
"""Every function, by the name a template calls it."""
