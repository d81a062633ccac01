r"""`envFile`: variables for `set -a; . ./.env` in a shell, docker compose and dotenv libraries.

Any POSIX shell reads back every value exactly. A value stands in single quotes, in which nothing
means anything, unless it has a `'`, two `\` in a row or a `\` at its end; then in double quotes,
with a `\` before each `\`, `"`, `$` and backtick. Docker compose (compose-go 2.16) and
python-dotenv (1.2) read these, too, with these exceptions:

- python-dotenv replaces `${…}` even in single quotes, unless told `interpolate=False`, and reads
  `\r` and `\r\n` as `\n`;
- in double quotes python-dotenv keeps the `\` before `$`, both keep it before a backtick, and
  python-dotenv reads on over the end of a value whose last character is `\`.

`docker run --env-file` and Compose's `format: raw` know no quotes, and take them for the value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from sealkit.builders.builder import Salt
from sealkit.builders.fields import data_key, fields
from sealkit.builders.inputs import Inputs
from sealkit.builders.selection import Selection, parse_selection
from sealkit.errors import ManifestError
from sealkit.sensitive import Sensitive

DEFAULT_FILE: Final = ".env"

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # POSIX, Base Definitions, 8.1, and lower case
_NOT_AS_IS: Final = re.compile(r"'|\\\\|\\\Z")  # what some reader changes in single quotes
_SPECIAL: Final = re.compile(r'[\\"$`]')  # what means something in double quotes: POSIX, XCU 2.2.3
_NOT_A_NAME: Final = "is not the name of a variable, expected letters, digits and '_'"


@dataclass(frozen=True)
class EnvFile:
    """The data key to write to, and what goes there."""

    file: str = DEFAULT_FILE
    keys: Selection = field(default_factory=Selection)

    name: ClassVar[str] = "envFile"
    secret_type: ClassVar[str] = ""

    @classmethod
    def from_dict(cls, raw: object, path: str) -> EnvFile:
        """Parse the builder.

        Raises:
            ManifestError: a field is unknown or wrong; a name cannot be that of a variable.
        """
        given = fields(raw, path, (), ("file", "keys"))
        file = data_key(given, "file", path, DEFAULT_FILE)
        return cls(file, parse_selection(given, path, _check_name))

    @property
    def makes(self) -> frozenset[str]:
        """The file."""
        return frozenset({self.file})

    @property
    def needs(self) -> frozenset[str]:
        """The names of the values that are listed."""
        return self.keys.names

    @property
    def needs_all(self) -> bool:
        """Whether none is listed."""
        return self.keys.pairs is None

    def to_dict(self) -> dict[str, object]:
        """Return the canonical form."""
        file: dict[str, object] = {} if self.file == DEFAULT_FILE else {"file": self.file}
        return file | self.keys.to_dict()

    def build(self, values: Mapping[str, Sensitive], _salt: Salt, /) -> dict[str, Sensitive]:
        """Return a line for each variable, sorted; values may go over several lines.

        Raises:
            TemplateError: a value is not there, not UTF-8 or holds NUL, or its name is not that
                of a variable.
        """
        inputs = Inputs(self.name, values)
        lines = [_line(inputs, *pair) for pair in self.keys.among(values)]
        return {self.file: Sensitive("".join(lines).encode())}


def _check_name(name: str, path: str) -> None:
    if not _NAME.fullmatch(name):
        raise ManifestError(_NOT_A_NAME, field=path)


def _line(inputs: Inputs, variable: str, name: str) -> str:
    value = inputs.text(name)
    if not _NAME.fullmatch(variable):
        raise inputs.refused(name, _NOT_A_NAME)
    if "\x00" in value:
        raise inputs.refused(name, "holds NUL, which no variable can")
    return f"{variable}={_quoted(value)}\n"


def _quoted(value: str) -> str:
    if not _NOT_AS_IS.search(value):
        return f"'{value}'"
    escaped = _SPECIAL.sub(r"\\\g<0>", value)
    return f'"{escaped}"'
