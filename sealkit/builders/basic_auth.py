"""`basicAuth`: a user and a password, as Flux, Argo CD, Tekton and Traefik read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sealkit.builders.builder import Salt
from sealkit.builders.fields import fields, value_name
from sealkit.builders.inputs import Inputs
from sealkit.sensitive import Sensitive


@dataclass(frozen=True)
class BasicAuth:
    """The names of the values with user and password."""

    username: str
    password: str

    name: ClassVar[str] = "basicAuth"
    secret_type: ClassVar[str] = "kubernetes.io/basic-auth"  # noqa: S105  # no password
    makes: ClassVar[frozenset[str]] = frozenset({"username", "password"})
    needs_all: ClassVar[bool] = False

    @classmethod
    def from_dict(cls, raw: object, path: str) -> BasicAuth:
        """Parse the builder.

        Raises:
            ManifestError: a field is unknown, missing or wrong.
        """
        given = fields(raw, path, ("username", "password"))
        return cls(value_name(given, "username", path), value_name(given, "password", path))

    @property
    def needs(self) -> frozenset[str]:
        """The names of user and password."""
        return frozenset((self.username, self.password))

    def to_dict(self) -> dict[str, object]:
        """Return the canonical form."""
        return {"username": self.username, "password": self.password}

    def build(self, values: Mapping[str, Sensitive], _salt: Salt, /) -> dict[str, Sensitive]:
        """Return user and password; the password may be any bytes.

        Raises:
            TemplateError: see `Inputs.user` and `Inputs.raw`.
        """
        inputs = Inputs(self.name, values)
        return {
            "username": Sensitive(inputs.user(self.username).encode()),
            "password": Sensitive(inputs.raw(self.password)),
        }
