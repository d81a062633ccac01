"""`dockerConfigJson`: what kubelet logs in to registries with.

The form is that of `kubectl create secret docker-registry`: user, password and e-mail address as
they are, and `auth`, the base64 of `<user>:<password>`, which some readers want instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from sealkit.builders.builder import Salt
from sealkit.builders.fields import entries, fields, text, value_name
from sealkit.builders.inputs import Inputs
from sealkit.encoding import to_base64
from sealkit.errors import ManifestError
from sealkit.sensitive import Sensitive

KEY: Final = ".dockerconfigjson"
MAX_REGISTRIES: Final = 64


@dataclass(frozen=True)
class Registry:
    """A registry, `server`, and the names of the values to log in with; `email` may be empty."""

    server: str
    username: str
    password: str
    email: str = ""

    @classmethod
    def from_dict(cls, raw: object, path: str) -> Registry:
        """Parse an entry of `registries`.

        Raises:
            ManifestError: a field is unknown, missing or wrong.
        """
        given = fields(raw, path, ("server", "username", "password"), ("email",))
        server = text(given["server"], f"{path}.server")
        if not server.isprintable() or " " in server:
            what = "holds white space or a control character, expected a host such as ghcr.io"
            raise ManifestError(what, field=f"{path}.server")
        names = (value_name(given, field, path) for field in ("username", "password", "email"))
        return cls(server, *names)

    def to_dict(self) -> dict[str, object]:
        """Return the entry of `registries`."""
        raw = {"server": self.server, "username": self.username, "password": self.password}
        return {**raw, "email": self.email} if self.email else {**raw}


@dataclass(frozen=True)
class DockerConfigJson:
    """A Docker configuration with the logins of some registries."""

    registries: tuple[Registry, ...]

    name: ClassVar[str] = "dockerConfigJson"
    secret_type: ClassVar[str] = "kubernetes.io/dockerconfigjson"  # noqa: S105  # no password
    makes: ClassVar[frozenset[str]] = frozenset({KEY})
    needs_all: ClassVar[bool] = False

    @classmethod
    def from_dict(cls, raw: object, path: str) -> DockerConfigJson:
        """Parse the builder.

        Raises:
            ManifestError: a field is unknown, missing or wrong; a registry is there twice.
        """
        given = fields(raw, path, ("registries",))
        seen: dict[str, Registry] = {}
        for one, where in entries(given["registries"], f"{path}.registries", MAX_REGISTRIES):
            registry = Registry.from_dict(one, where)
            if registry.server in seen:
                raise ManifestError("is there twice", field=f"{where}.server")
            seen[registry.server] = registry
        return cls(tuple(seen[server] for server in sorted(seen)))

    @property
    def needs(self) -> frozenset[str]:
        """The names of all users, passwords and addresses."""
        names = ((one.username, one.password, one.email) for one in self.registries)
        return frozenset().union(*names) - {""}

    def to_dict(self) -> dict[str, object]:
        """Return the canonical form: registries sorted by server."""
        return {"registries": [registry.to_dict() for registry in self.registries]}

    def build(self, values: Mapping[str, Sensitive], _salt: Salt, /) -> dict[str, Sensitive]:
        """Return the configuration as compact JSON.

        Raises:
            TemplateError: see `Inputs.text` and, for users, `Inputs.user`.
        """
        inputs = Inputs(self.name, values)
        auths = {registry.server: _login(registry, inputs) for registry in self.registries}
        written = json.dumps({"auths": auths}, separators=(",", ":"))
        return {KEY: Sensitive(written.encode())}


def _login(registry: Registry, inputs: Inputs) -> dict[str, str]:
    user, password = inputs.user(registry.username), inputs.text(registry.password)
    login = {"username": user, "password": password}
    if registry.email:
        login["email"] = inputs.text(registry.email)
    return {**login, "auth": to_base64(f"{user}:{password}".encode())}
