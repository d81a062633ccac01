"""How `sealkit verify --history` tells what it found: a line a commit, findings, a conclusion."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sealkit import __version__
from sealkit.cli.app import App
from sealkit.cli.output import counted
from sealkit.cli.verify import FINDINGS, Presentation
from sealkit.cli.verify_history import SHORT, History
from sealkit.findings import rules
from sealkit.findings.finding import Place
from sealkit.findings.rendering import render
from sealkit.findings.report import Report, cleaned, in_order
from sealkit.findings.text import summary
from sealkit.git import Commit
from sealkit.lines import printable
from sealkit.verifying.history import State, by_commit, findings, reach

_WIDTH: Final = 44  # characters of a subject


class Problem(NamedTuple):
    """What several manifests of one commit have in common; they are told by file and document."""

    rule: str
    cluster: str
    keys: tuple[str, ...]
    manifests: tuple[str, ...]
    needs: str

    def __str__(self) -> str:
        """Return it as part of a line for people."""
        one = len(self.manifests) == 1
        who = self.manifests[0] if one else counted(len(self.manifests), "manifest")
        if self.keys:
            return f"{who} {'needs' if one else 'need'} key {self.whose}"
        if self.rule == rules.NO_WAY_BACK.id:
            return f"{who} {'was' if one else 'were'} not sealed for {self.cluster}"
        if self.rule == rules.UNREADABLE_BACK_THEN.id:
            return f"{who} cannot be read"
        return f"{who} {'does' if one else 'do'} not open"

    @property
    def whose(self) -> str:
        """The keys that are needed, and the cluster that had them."""
        return f"{self.needs} ({self.cluster})" if self.cluster else self.needs

    def to_dict(self) -> dict[str, object]:
        """Return it as the JSON has it."""
        return {
            "rule": self.rule,
            "cluster": self.cluster,
            "keys": list(self.keys),
            "manifests": list(self.manifests),
        }


def show(app: App, shown: Presentation, history: History) -> int:
    """Write what was found and say the conclusion; return the exit code."""
    states = by_commit(history.stays, len(history.commits))
    report = _report(history)
    app.write(shown.output, _text_of(shown.format, report, history, states))
    app.say(f"sealkit: {summary(report)}")
    for line in conclusion(history.commits, states):
        app.say(f"sealkit: {line}")
    return FINDINGS if report.fails(shown.threshold) else 0


def _report(history: History) -> Report:
    names = [commit.id[:SHORT] for commit in history.commits]
    subjects = {
        Place(stay.file, subject=held.subject) for stay in history.stays for held in stay.manifests
    }
    return Report(
        verb="verify",
        version=__version__,
        rules=rules.VERIFY,
        findings=in_order(findings(history.stays, names)),
        subjects=tuple(cleaned(place) for place in sorted(subjects)),
    )


def _text_of(form: str, report: Report, history: History, states: Sequence[State]) -> str:
    text = render(report, form)
    pairs = list(zip(history.commits, states, strict=True))
    if form == "text":
        return "".join(f"{_line(*pair)}\n" for pair in pairs) + text
    if form == "json":
        commits = [_entry(*pair) for pair in pairs]
        return json.dumps({**json.loads(text), "commits": commits}, indent=2) + "\n"
    return text


def _line(commit: Commit, state: State) -> str:
    subject = printable(commit.subject)
    if len(subject) > _WIDTH:
        subject = f"{subject[: _WIDTH - 1]}…"
    verdict = "; ".join(str(one) for one in problems(state)) or "ok"
    if not state.manifests:
        verdict = "no manifests"
    return f"{commit.id[:SHORT]}  {commit.day}  {subject:{_WIDTH}}  {printable(verdict)}"


def _entry(commit: Commit, state: State) -> dict[str, object]:
    found = problems(state)
    return {
        "commit": commit.id,
        "date": commit.day,
        "subject": commit.subject,
        "ok": not found,
        "manifests": state.manifests,
        "problems": [one.to_dict() for one in found],
    }


def problems(state: State) -> list[Problem]:
    """Return what is in the way of a roll-back to a commit, one for each key that is missing."""
    found: dict[tuple[str, str, tuple[str, ...], str], list[str]] = {}
    for file, one in state.obstacles:
        alike = (one.rule.id, one.cluster, one.keys, one.needs)
        found.setdefault(alike, []).append(f"{file}:{one.held.document}")
    return [
        Problem(rule, cluster, keys, tuple(sorted(found[rule, cluster, keys, needs])), needs)
        for rule, cluster, keys, needs in sorted(found)
    ]


def conclusion(commits: Sequence[Commit], states: Sequence[State]) -> Iterator[str]:
    """Yield how far back one can go, and what it would take to go on."""
    good = sum(not one.obstacles for one in states)
    length = reach(states)
    can = f"{good} of {counted(len(states), 'commit')} can be rolled back to"
    if length:
        last = commits[length - 1]
        yield f"{can}, all since {last.id[:SHORT]} of {last.day}"
    else:
        yield f"{can}, the newest is none of them"
    keys: dict[str, list[int]] = {}
    for number, state in enumerate(states):
        for one in problems(state):
            if one.keys:
                keys.setdefault(one.whose, []).append(number)
    for key, numbers in keys.items():
        newest, oldest = (commits[number].id[:SHORT] for number in (numbers[0], numbers[-1]))
        if len(numbers) > 1:
            yield f"{len(numbers)} commits, {newest} to {oldest}, need key {key}"
        else:
            yield f"commit {newest} needs key {key}"
