r"""`sshAuth`: a private key for SSH, as Git clients in clusters read it.

In its own format OpenSSH takes a key for broken ("error in libcrypto") that has no line break at
its end or `\r\n` instead of `\n`, as happens to keys that went through forms and editors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from sealkit.builders.builder import Salt
from sealkit.builders.fields import fields, value_name
from sealkit.builders.inputs import Inputs
from sealkit.sensitive import Sensitive

_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----\n.+\n-----END \1-----\n", re.DOTALL
)


@dataclass(frozen=True)
class SshAuth:
    """The names of the values with the key and the known hosts, which may be empty."""

    private_key: str
    known_hosts: str = ""

    name: ClassVar[str] = "sshAuth"
    secret_type: ClassVar[str] = "kubernetes.io/ssh-auth"  # noqa: S105  # no password
    needs_all: ClassVar[bool] = False

    @classmethod
    def from_dict(cls, raw: object, path: str) -> SshAuth:
        """Parse the builder.

        Raises:
            ManifestError: a field is unknown, missing or wrong.
        """
        given = fields(raw, path, ("privateKey",), ("knownHosts",))
        return cls(value_name(given, "privateKey", path), value_name(given, "knownHosts", path))

    @property
    def makes(self) -> frozenset[str]:
        """The key of the type, and `known_hosts` where there are any."""
        known_hosts = {"known_hosts"} if self.known_hosts else set()
        return frozenset({"ssh-privatekey"} | known_hosts)

    @property
    def needs(self) -> frozenset[str]:
        """The names of the key and the known hosts."""
        return frozenset((self.private_key, self.known_hosts)) - {""}

    def to_dict(self) -> dict[str, object]:
        """Return the canonical form."""
        raw: dict[str, object] = {"privateKey": self.private_key}
        return raw | {"knownHosts": self.known_hosts} if self.known_hosts else raw

    def build(self, values: Mapping[str, Sensitive], _salt: Salt, /) -> dict[str, Sensitive]:
        """Return the key, of which only the frame is checked, and the known hosts.

        Raises:
            TemplateError: see `Inputs.lines`, or there is no key in the frame of PEM.
        """
        inputs = Inputs(self.name, values)
        private_key = inputs.lines(self.private_key)
        if not _PRIVATE_KEY.fullmatch(private_key):
            what = "is not a private key as ssh-keygen writes it, on several lines"
            raise inputs.refused(self.private_key, what)
        made = {"ssh-privatekey": private_key}
        if self.known_hosts:
            made["known_hosts"] = inputs.lines(self.known_hosts)
        return {key: Sensitive(content.encode()) for key, content in made.items()}
