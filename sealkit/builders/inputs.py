"""Values as builders read them; every error names builder and value, none says what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from sealkit.errors import TemplateError
from sealkit.sensitive import Sensitive


@dataclass(frozen=True)
class Inputs:
    """The values that the builder called `builder` is given."""

    builder: str
    values: Mapping[str, Sensitive] = field(repr=False)

    def raw(self, name: str) -> bytes:
        """Return the bytes of a value.

        Raises:
            TemplateError: there is no such value.
        """
        if name not in self.values:
            raise self.refused(name, "is not there")
        return self.values[name].reveal()

    def text(self, name: str) -> str:
        """Return a value as text.

        Raises:
            TemplateError: it is not there, or not UTF-8.
        """
        raw = self.raw(name)
        with suppress(UnicodeDecodeError):
            return raw.decode()
        # Raised out here because the codec's own error, its context in there, carries the bytes.
        raise self.refused(name, "is not UTF-8 text")

    def lines(self, name: str) -> str:
        r"""Return a value as lines of text, each with `\n` at its end, without blank ones around.

        Raises:
            TemplateError: as `text`, or it is blank.
        """
        lines = self.text(name).replace("\r\n", "\n").strip()
        if not lines:
            raise self.refused(name, "is empty")
        return f"{lines}\n"

    def user(self, name: str) -> str:
        """Return a value as the name of a user in HTTP basic authentication (RFC 7617, section 2).

        Raises:
            TemplateError: as `text`; it is empty, or holds a colon, which would end it, a control
                character, or white space at an end, most likely a line break left over.
        """
        user = self.text(name)
        if not user:
            raise self.refused(name, "is empty, and is to be the name of a user")
        if ":" in user:
            raise self.refused(name, "holds a colon, which no name of a user may")
        if not user.isprintable() or user != user.strip():
            what = "holds a control character, or white space at an end, such as a line break"
            raise self.refused(name, what)
        return user

    def refused(self, name: str, what: str) -> TemplateError:
        """Return the error that says what is wrong with a value."""
        return TemplateError(f"builder {self.builder}: value {name!r} {what}")
