"""What a batch got done, in a file from which a second run goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from sealkit.cli.app import App
from sealkit.cli.batch import Outcome
from sealkit.errors import UsageError

T = TypeVar("T")


def done_before(app: App, file: str, verb: str) -> frozenset[str]:
    """Return the files that a run of the same verb got done, as they were named then.

    Raises:
        UsageError: it is no report, or one of another verb.
        SealkitError: it cannot be read.
    """
    import json  # noqa: PLC0415 (rare: cold start)

    try:
        raw = json.loads(app.read(file))
    except ValueError:
        raw = None
    done = raw.get("done") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(done, list):
        raise UsageError("is not a report that --report wrote").located(file=file)
    if raw.get("verb") != verb:
        raise UsageError(f"is not a report of sealkit {verb}").located(file=file)
    return frozenset(name for name in done if isinstance(name, str))


def save(
    app: App, file: str, verb: str, before: Iterable[str], outcomes: Sequence[Outcome[T]]
) -> None:
    """Write which files are done, `before` or now, and which failed.

    Raises:
        SealkitError: it cannot be written.
    """
    import json  # noqa: PLC0415 (rare: cold start)

    done = {*before, *(outcome.file for outcome in outcomes if not outcome.error)}
    report = {"verb": verb, "done": sorted(done), "failed": failures(outcomes)}
    app.write(file, json.dumps(report, indent=2) + "\n")


def failures(outcomes: Iterable[Outcome[T]]) -> list[dict[str, object]]:
    """Return each error as JSON: the file, what was wrong, and its exit code."""
    return [
        {
            "file": outcome.file,
            "error": str(outcome.error),
            "hint": outcome.error.hint,
            "exitCode": outcome.error.exit_code,
        }
        for outcome in outcomes
        if outcome.error
    ]
