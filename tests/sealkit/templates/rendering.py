"""Short ways to render a template in a test."""

from __future__ import annotations

from sealkit.errors import TemplateError
from sealkit.sensitive import Sensitive
from sealkit.templates.lookup import MissingKey
from sealkit.templates.template import Values, parse


def boxed(**values: str | bytes) -> Values:
    """`values` as a template is given them."""
    raw = {key: text.encode() if isinstance(text, str) else text for key, text in values.items()}
    return {key: Sensitive(text) for key, text in raw.items()}


def rendered(
    text: str, values: Values | None = None, missing: MissingKey = MissingKey.NO_VALUE
) -> bytes:
    """What `text` writes for `values`."""
    return parse(text).render(values or {}, missing).reveal()


def error_of(text: str, values: Values, missing: MissingKey) -> TemplateError | None:
    """Why `text` is refused; None if it is not."""
    try:
        rendered(text, values, missing)
    except TemplateError as error:
        return error
    return None
