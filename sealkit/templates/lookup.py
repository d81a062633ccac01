"""Fields: what `.a.b` gives, and what it gives where there is nothing."""

from __future__ import annotations

from enum import StrEnum

from sealkit.templates.access_functions import zero_of
from sealkit.templates.limits import failure
from sealkit.templates.nodes import Position
from sealkit.templates.values import ABSENT, Map, Value, kind_of


class MissingKey(StrEnum):
    """What a field that a map does not have gives; `index` and `get` never mind.

    Go's option `missingkey`: `NO_VALUE` is its default and what the controller of Bitnami Sealed
    Secrets does, `ERROR` what External Secrets does.
    """

    NO_VALUE = "no-value"
    ZERO = "zero"
    ERROR = "error"


def look_up(at: Position, value: Value, names: tuple[bytes, ...], missing: MissingKey) -> Value:
    """Return what is found by going into `value` field by field.

    Raises:
        TemplateError: something on the way is no map, or is missing and `missing` is `ERROR`. It
            names the field as the template does.
    """
    for name in names:
        value = _field(at, value, name, missing)
    return value


def _field(at: Position, value: Value, name: bytes, missing: MissingKey) -> Value:
    if isinstance(value, Map):
        if name in value.entries:
            return value.entries[name]
    elif value is not ABSENT:
        raise failure(at, f'field "{name.decode()}" is looked up in {kind_of(value)}, not a map')
    if missing is MissingKey.ERROR:
        raise failure(at, f'there is no value for field "{name.decode()}"')
    if missing is MissingKey.ZERO and isinstance(value, Map):
        return zero_of(value)
    return ABSENT
