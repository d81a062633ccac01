"""What `sealkit vault check` found, as lines for people and as JSON; no value is in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

from sealkit.cli.output import counted
from sealkit.errors import SealkitError
from sealkit.lines import printable

OK: Final = "ok"


@dataclass(frozen=True)
class Tried:
    """One reference and what came of it: `ok`, or the reason why not; `store` names the store."""

    key: str
    reference: str
    store: str
    outcome: str
    bytes: int | None = None
    detail: str = ""

    def __str__(self) -> str:
        """Return the end of the line for people."""
        if self.outcome != OK:
            return f"{self.key} {self.reference} → {self.outcome}: {self.detail}"
        size = "absent, left out" if self.bytes is None else f"ok, {counted(self.bytes, 'byte')}"
        return f"{self.key} {self.reference} → {size}"


@dataclass(frozen=True)
class CheckedSecret:
    """One Secret: its references, and whether it can be made of them."""

    file: str
    document: int
    namespace: str
    name: str
    references: tuple[Tried, ...]
    made: bool
    detail: str

    def lines(self) -> list[str]:
        """Return the lines for people."""
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        place = f"{self.file}:{self.document} {name}"
        lines = [f"{place} {tried}" for tried in self.references]
        return [printable(line) for line in (*lines, f"{place} → {self.detail}")]


@dataclass(frozen=True)
class Checked:
    """The report. `leases_left` are those that could not be revoked, each with the reason."""

    secrets: tuple[CheckedSecret, ...]
    leases_revoked: int = 0
    leases_left: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the report as programs read it."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the lines for people."""
        return [line for secret in self.secrets for line in secret.lines()]

    @property
    def failed(self) -> int:
        """How many references have no value."""
        return sum(tried.outcome != OK for one in self.secrets for tried in one.references)

    @property
    def unmade(self) -> int:
        """How many Secrets cannot be made."""
        return sum(not one.made for one in self.secrets)

    @property
    def count(self) -> int:
        """How many references there are."""
        return sum(len(one.references) for one in self.secrets)

    @property
    def summary(self) -> str:
        """What was done, in a line."""
        line = f"checked {counted(self.count, 'reference')}"
        line += f" in {counted(len(self.secrets), 'Secret')}"
        if self.leases_revoked:
            line += f", {counted(self.leases_revoked, 'lease')} revoked"
        return line


def judge(report: Checked) -> None:
    """Fail if something would not work in the cluster.

    Raises:
        SealkitError: a reference has no value, or a Secret cannot be made.
    """
    problems = []
    if report.failed:
        problems.append(f"references without a value: {report.failed} of {report.count}")
    if report.unmade:
        problems.append(f"Secrets not made: {report.unmade} of {len(report.secrets)}")
    if problems:
        raise SealkitError(", ".join(problems))
