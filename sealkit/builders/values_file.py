"""What those builders have in common that put values under their names into one file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

from sealkit.builders.fields import data_key, fields, text
from sealkit.builders.selection import Selection, parse_selection


@dataclass(frozen=True)
class ValuesFile:
    """The data key to write to, and what goes there. A subclass says where that is by default."""

    file: str
    keys: Selection = field(default_factory=Selection)

    default_file: ClassVar[str]
    secret_type: ClassVar[str] = ""

    @classmethod
    def from_dict(cls, raw: object, path: str) -> Self:
        """Parse the builder.

        Raises:
            ManifestError: a field is unknown or wrong; a name is none that the file can have.
        """
        given = fields(raw, path, (), ("file", "keys"))
        file = data_key(given, "file", path, cls.default_file)
        return cls(file, parse_selection(given, path, cls.check_name))

    @staticmethod
    def check_name(name: str, path: str) -> None:
        """Refuse what can be no name in the file.

        Raises:
            ManifestError: it is empty, or no text.
        """
        text(name, path)

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
        file: dict[str, object] = {} if self.file == self.default_file else {"file": self.file}
        return file | self.keys.to_dict()
