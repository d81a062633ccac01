"""`jsonFile`: an object of strings, for programs that read their secrets from one JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from sealkit.builders.builder import Salt
from sealkit.builders.inputs import Inputs
from sealkit.builders.values_file import ValuesFile
from sealkit.sensitive import Sensitive

DEFAULT_FILE: Final = "config.json"


@dataclass(frozen=True)
class JsonFile(ValuesFile):
    """The object, in a file; see `ValuesFile`."""

    file: str = DEFAULT_FILE

    name: ClassVar[str] = "jsonFile"
    default_file: ClassVar[str] = DEFAULT_FILE

    def build(self, values: Mapping[str, Sensitive], _salt: Salt, /) -> dict[str, Sensitive]:
        """Return the object, sorted, with a line break at its end.

        Raises:
            TemplateError: see `Inputs.text`.
        """
        inputs = Inputs(self.name, values)
        made = {name: inputs.text(value) for name, value in self.keys.among(values)}
        written = json.dumps(made, ensure_ascii=False, indent=2)
        return {self.file: Sensitive(f"{written}\n".encode())}
