"""Functions on maps: sprig's. None changes the map it is given.

Keys and values come in the order of the keys, where sprig's order is random.
"""

from __future__ import annotations

from sealkit.templates.limits import Fault
from sealkit.templates.text_functions import as_text
from sealkit.templates.values import List, Map, Value, kind_of, list_of, map_of


def dict_from(*parts: Value) -> Map:
    """Return a map of keys and values in turn; a key without a value has ""."""
    padded = (*parts, b"")
    return map_of({as_text(key): padded[2 * n + 1] for n, key in enumerate(parts[::2])})


def get(entries: Map, key: bytes) -> Value:
    """Return the value of `key`, or ""."""
    return entries.entries.get(key, b"")


def has_key(entries: Map, key: bytes) -> bool:
    """Return whether there is a value for `key`."""
    return key in entries.entries


def keys(*maps: Map) -> List:
    """Return the keys of each map, sorted."""
    return list_of(key for each in maps for key in each.entries)


def values(entries: Map) -> List:
    """Return the values in the order of their keys."""
    return list_of(entries.entries.values())


def pick(entries: Map, *names: bytes) -> Map:
    """Return a map of the named entries that there are."""
    return map_of({name: entries.entries[name] for name in names if name in entries.entries})


def omit(entries: Map, *names: bytes) -> Map:
    """Return a map without the named entries."""
    return map_of({key: item for key, item in entries.entries.items() if key not in names})


def dig(*path_default_and_map: Value) -> Value:
    """Return what is found along a path of keys in a map, or the default.

    Raises:
        Fault: there are fewer than three arguments, a key is no string, or what is gone into is
            no map.
    """
    *path, fallback, value = path_default_and_map
    for key in path:
        if not isinstance(value, Map) or not isinstance(key, bytes):
            raise Fault(f"expects strings, a default and a map, found {kind_of(value)}")
        if key not in value.entries:
            return fallback
        value = value.entries[key]
    return value
