"""`jsonFile`: an object of strings, for programs that read their secrets from one JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from sealkit.builders.builder import Salt
from sealkit.builders.fields import data_key, fields, text
from sealkit.builders.inputs import Inputs
from sealkit.builders.selection import Selection, parse_selection
from sealkit.sensitive import Sensitive

DEFAULT_FILE: Final = "config.json"


@dataclass(frozen=True)
class JsonFile:
    """The data key to write to, and what goes there."""

    file: str = DEFAULT_FILE
    keys: Selection = field(default_factory=Selection)

    name: ClassVar[str] = "jsonFile"
    secret_type: ClassVar[str] = ""

    @classmethod
    def from_dict(cls, raw: object, path: str) -> JsonFile:
        """Parse the builder.

        Raises:
            ManifestError: a field is unknown or wrong; a name is empty.
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
        """Return the object, sorted, with a line break at its end.

        Raises:
            TemplateError: see `Inputs.text`.
        """
        inputs = Inputs(self.name, values)
        made = {name: inputs.text(value) for name, value in self.keys.among(values)}
        written = json.dumps(made, ensure_ascii=False, indent=2)
        return {self.file: Sensitive(f"{written}\n".encode())}


def _check_name(name: str, path: str) -> None:
    text(name, path)
