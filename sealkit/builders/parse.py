"""`spec.template.build`: builders by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sealkit.builders.basic_auth import BasicAuth
from sealkit.builders.builder import Builder
from sealkit.builders.docker_config import DockerConfigJson
from sealkit.builders.env_file import EnvFile
from sealkit.builders.fields import fields
from sealkit.builders.htpasswd import Htpasswd
from sealkit.builders.json_file import JsonFile
from sealkit.builders.ssh_auth import SshAuth
from sealkit.builders.tls import Tls
from sealkit.errors import ManifestError

_PARSERS: Final[Mapping[str, Callable[[object, str], Builder]]] = {
    BasicAuth.name: BasicAuth.from_dict,
    DockerConfigJson.name: DockerConfigJson.from_dict,
    EnvFile.name: EnvFile.from_dict,
    Htpasswd.name: Htpasswd.from_dict,
    JsonFile.name: JsonFile.from_dict,
    SshAuth.name: SshAuth.from_dict,
    Tls.name: Tls.from_dict,
}


def parse_builders(raw: object, path: str) -> tuple[Builder, ...]:
    """Parse a mapping of builders, sorted by name; `path` is where it stands, for errors.

    That values of the names in `needs` exist is not checked.

    Raises:
        ManifestError: a builder or a field is unknown, missing or wrong, or two builders make one
            data key.
    """
    given = fields(raw, path, (), _PARSERS)
    builders = tuple(_PARSERS[name](given[name], f"{path}.{name}") for name in sorted(given))
    made: dict[str, str] = {}
    for builder in builders:
        for key in sorted(builder.makes):
            if key in made:
                what = f"makes {key!r}, which {made[key]} makes too"
                raise ManifestError(what, field=f"{path}.{builder.name}")
            made[key] = builder.name
    return builders


def builders_to_dict(builders: Iterable[Builder]) -> dict[str, object]:
    """Return the canonical form of `spec.template.build`."""
    return {builder.name: builder.to_dict() for builder in builders}


def type_of(builders: Iterable[Builder]) -> str:
    """Return the Secret type that is meant for what is made, empty if there is none or several."""
    types = {builder.secret_type for builder in builders} - {""}
    return types.pop() if len(types) == 1 else ""
