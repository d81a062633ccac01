"""Every error sealkit raises on purpose, grouped by who can act on it.

One root; each family fixes the exit code of the command line (docs/cli.md, "Exit codes"). A message
says which file, document and field it is about and what is wrong there; it never quotes a value.
"""

from __future__ import annotations

from typing import ClassVar


class SealkitError(Exception):
    """Something sealkit could not do, with the place it is about and the next step.

    `problem` is one line in lower case without a full stop. `file`, `document` (counted from 1)
    and `field` (a dotted path such as "spec.scope") may be filled in later, by `located`, as the
    error passes code that knows them.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, *, field: str = "", hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.field = field
        self.hint = hint
        self.file = ""
        self.document = 0

    def located(self, *, file: str = "", document: int = 0) -> SealkitError:
        """Fill in the place where it is still unknown, and return the error itself."""
        self.file = self.file or file
        self.document = self.document or document
        return self

    def __str__(self) -> str:
        """`<file>:<document>: <field>: <what is wrong>`, without the parts that are unknown."""
        place = f"{self.file}:{self.document}" if self.document else self.file
        return ": ".join(part for part in (place, self.field, self.problem) if part)


class UsageError(SealkitError):
    """The command was called in a way that cannot work."""

    exit_code = 2


class ConfigError(SealkitError):
    """`.sealkit.yaml`, a recipient file or another setting is missing or wrong."""

    exit_code = 2


class ManifestError(SealkitError):
    """A document is not what it claims to be: syntax, a field, a limit."""


class ReferenceSyntaxError(SealkitError):
    """A reference to a Vault path is malformed, or names what no reference may."""


class TemplateError(SealkitError):
    """A text template cannot be parsed, or not be rendered with these values."""


class PolicyError(SealkitError):
    """The configuration of the repository forbids it."""

    exit_code = 6


class UnsealError(SealkitError):
    """Decryption failed. The reason is deliberately not told: an oracle starts with a reason."""

    exit_code = 5


class NoKeyError(UnsealError):
    """No private key at hand fits any wrap. Key ids are public, so this may be told apart."""

    exit_code = 4


class VaultError(SealkitError):
    """A Vault or OpenBao server could not be asked, or refused.

    `reason` is one of the stable words of `sealkit.vault.Reason`; `status` is the HTTP status, 0
    if there was no answer. Holds no text of the server, which may echo what was sent to it.
    `retry_after_seconds` is how long not to ask again, where that is known.
    """

    def __init__(
        self,
        problem: str,
        reason: str,
        *,
        status: int = 0,
        retry_after_seconds: float | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(problem, hint=hint)
        self.reason = reason
        self.status = status
        self.retry_after_seconds = retry_after_seconds
