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
from dataclasses import dataclass
from typing import ClassVar, Final

from sealkit.builders.builder import Salt
from sealkit.builders.inputs import Inputs
from sealkit.builders.values_file import ValuesFile
from sealkit.errors import ManifestError
from sealkit.sensitive import Sensitive

DEFAULT_FILE: Final = ".env"

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # POSIX, Base Definitions, 8.1, and lower case
_NOT_AS_IS: Final = re.compile(r"'|\\\\|\\\Z")  # what some reader changes in single quotes
_SPECIAL: Final = re.compile(r'[\\"$`]')  # what means something in double quotes: POSIX, XCU 2.2.3
_NOT_A_NAME: Final = "is not the name of a variable, expected letters, digits and '_'"


@dataclass(frozen=True)
class EnvFile(ValuesFile):
    """The variables, in a file; see `ValuesFile`."""

    file: str = DEFAULT_FILE

    name: ClassVar[str] = "envFile"
    default_file: ClassVar[str] = DEFAULT_FILE

    @staticmethod
    def check_name(name: str, path: str) -> None:
        """See `ValuesFile.check_name`: it has to be that of a variable."""
        if not _NAME.fullmatch(name):
            raise ManifestError(_NOT_A_NAME, field=path)

    def build(self, values: Mapping[str, Sensitive], _salt: Salt, /) -> dict[str, Sensitive]:
        """Return a line for each variable, sorted; values may go over several lines.

        Raises:
            TemplateError: a value is not there, not UTF-8 or holds NUL, or its name is not that
                of a variable.
        """
        inputs = Inputs(self.name, values)
        lines = [_line(inputs, *pair) for pair in self.keys.among(values)]
        return {self.file: Sensitive("".join(lines).encode())}


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
