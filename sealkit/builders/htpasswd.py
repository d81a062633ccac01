"""`htpasswd`: users and their hashed passwords, for basic authentication at a proxy.

ingress-nginx reads the data key `auth`, Traefik `users`. The hash is bcrypt with the prefix `$2y$`,
which `htpasswd -B` writes: Apache takes `$2a$` and `$2y$` only (`apr_password_validate`), the
crypt(3) of nginx and the Go of Traefik take it, too; they are one algorithm under several names.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from sealkit.builders.builder import Salt
from sealkit.builders.fields import data_key, entries, fields, value_name
from sealkit.builders.inputs import Inputs
from sealkit.sensitive import Sensitive

DEFAULT_FILE: Final = "auth"
MAX_USERS: Final = 64  # each costs a twentieth of a second, whenever the Secret is looked at
COST: Final = 10  # 2**10 rounds: proxies check at every request, and `htpasswd` does fewer
MAX_PASSWORD_BYTES: Final = 72  # bcrypt ignores what comes after

# bcrypt has base64's bits under letters of its own, without padding.
_LETTERS: Final = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_CONTEXT: Final = b"sealkit htpasswd v1\x00"


@dataclass(frozen=True)
class Htpasswd:
    """The data key to write to, and the names of the values of each user: name and password."""

    users: tuple[tuple[str, str], ...]
    file: str = DEFAULT_FILE

    name: ClassVar[str] = "htpasswd"
    secret_type: ClassVar[str] = ""
    needs_all: ClassVar[bool] = False

    @classmethod
    def from_dict(cls, raw: object, path: str) -> Htpasswd:
        """Parse the builder.

        Raises:
            ManifestError: a field is unknown, missing or wrong.
        """
        given = fields(raw, path, ("users",), ("file",))
        users = entries(given["users"], f"{path}.users", MAX_USERS)
        return cls(
            users=tuple(_user(one, where) for one, where in users),
            file=data_key(given, "file", path, DEFAULT_FILE),
        )

    @property
    def makes(self) -> frozenset[str]:
        """The file."""
        return frozenset({self.file})

    @property
    def needs(self) -> frozenset[str]:
        """The names of all users and passwords."""
        return frozenset().union(*self.users)

    def to_dict(self) -> dict[str, object]:
        """Return the canonical form: users in the order of their lines."""
        file: dict[str, object] = {} if self.file == DEFAULT_FILE else {"file": self.file}
        users = [{"username": user, "password": password} for user, password in self.users]
        return {**file, "users": users}

    def build(self, values: Mapping[str, Sensitive], salt: Salt, /) -> dict[str, Sensitive]:
        """Return a line for each user; salts come of user and password, so nothing varies.

        Raises:
            TemplateError: see `Inputs.user`; a user begins with `#`, as comments do, or is there
                twice; a password is not UTF-8, holds a control character, which clients may not
                send (RFC 7617, section 2), or is longer than 72 bytes.
        """
        inputs = Inputs(self.name, values)
        lines: dict[str, bytes] = {}
        for user_name, password_name in self.users:
            user = inputs.user(user_name)
            if user.startswith("#"):
                raise inputs.refused(user_name, "begins with '#', which would be a comment")
            if user in lines:
                raise inputs.refused(user_name, "is a user that is there twice")
            lines[user] = _line(user.encode(), _password(inputs, password_name), salt)
        return {self.file: Sensitive(b"".join(lines.values()))}


def _user(raw: object, path: str) -> tuple[str, str]:
    given = fields(raw, path, ("username", "password"))
    return value_name(given, "username", path), value_name(given, "password", path)


def _password(inputs: Inputs, name: str) -> bytes:
    password = inputs.text(name)
    if _CONTROL.search(password):
        what = "holds a control character, such as a line break, which HTTP clients do not send"
        raise inputs.refused(name, what)
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        what = f"is longer than {MAX_PASSWORD_BYTES} bytes, all that bcrypt reads"
        raise inputs.refused(name, what)
    return password.encode()


def _line(user: bytes, password: bytes, salt: Salt) -> bytes:
    import bcrypt  # noqa: PLC0415  # few manifests have such a file

    context = _CONTEXT + len(user).to_bytes(4, "big") + user + password
    letters = b64encode(salt(context)[:16]).rstrip(b"=").translate(_LETTERS)
    hashed = bcrypt.hashpw(password, b"$2y$%02d$%s" % (COST, letters))
    return b"%s:%s\n" % (user, hashed)
