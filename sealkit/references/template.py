"""The template of a value: literal text and the references in it.

A text is read once, from left to right, and values are put in once: what a value holds is never
read as a reference. The literal text is public; it stands in the manifest as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from sealkit.errors import ReferenceSyntaxError
from sealkit.references import structured
from sealkit.references.argocd import PathPlaceholder
from sealkit.references.bank_vaults import BankVaults
from sealkit.references.checks import check_encodable, under
from sealkit.references.failures import Failed, Failure, Outcome
from sealkit.references.modifiers import MAX_VALUE_BYTES
from sealkit.references.reference import Reference
from sealkit.references.spelling import Spelling
from sealkit.sensitive import Sensitive

MAX_REFERENCES: Final = 256  # in one value
MAX_TEXT: Final = 1 << 20  # characters of one value: more fits into no Secret

# What can be told from the text alone, without annotations.
SPELLINGS: Final[tuple[Spelling, ...]] = (BankVaults(), PathPlaceholder())

Part: TypeAlias = str | Reference


@dataclass(frozen=True)
class Template:
    """The parts of one value in order, at least one of them a reference.

    Raises:
        ReferenceSyntaxError: no reference, more than `MAX_REFERENCES`, or a literal part that is
            empty, no text, or beside another.
    """

    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        count = len(self.references)
        if not count:
            raise ReferenceSyntaxError("holds no reference")
        if count > MAX_REFERENCES:
            raise ReferenceSyntaxError(f"holds more than {MAX_REFERENCES} references")
        before: Part | None = None
        for part in self.parts:
            if isinstance(part, str):
                check_encodable(part, "", MAX_TEXT)
                if not part or isinstance(before, str):
                    raise ReferenceSyntaxError("has literal parts that are empty or not joined")
            before = part

    @property
    def references(self) -> tuple[Reference, ...]:
        """The references in order; the same one may come more than once."""
        return tuple(part for part in self.parts if isinstance(part, Reference))

    @property
    def is_partly_public(self) -> bool:
        """Whether there is text around the references, which stands in the manifest as it is."""
        return len(self.references) < len(self.parts)

    def to_dict(self) -> dict[str, object]:
        """Return the canonical form for a manifest; `from_raw` gives the template back.

        A lone reference is its fields; several, or one in text, are `{parts: [text or fields, …]}`.
        Not a spelling: `password: vault:…` is a password to scanners of repositories, and
        `${vault:…}` a variable to whoever fills those in on the way to a cluster.
        """
        first = self.parts[0]
        if len(self.parts) == 1 and isinstance(first, Reference):
            return first.to_dict()
        return {"parts": [part if isinstance(part, str) else part.to_dict() for part in self.parts]}

    def to_raw(self) -> str | dict[str, object]:
        """Return the form for people; `from_raw` gives the template back.

        A lone reference is its `vault:` spelling; several, or one in text, are text with
        `${vault:…}`. Where that cannot say it, it is the form for a manifest.
        """
        first = self.parts[0]
        if len(self.parts) == 1 and isinstance(first, Reference):
            return first.to_raw()
        text = _joined(self.parts)
        return text if text is not None and _reads_as(text, self) else self.to_dict()

    def render(self, outcomes: Mapping[Reference, Outcome | None]) -> Outcome | None:
        """Put in the values; bytes stay bytes.

        The first failure in order is that of the whole; more than 1 MiB is TargetTooLarge.
        Return None if the value is one reference that is optional and absent. In text such a
        reference leaves nothing behind.

        Raises:
            KeyError: `outcomes` lacks a reference.
        """
        if len(self.parts) == 1:
            return outcomes[self.references[0]]
        rendered: list[bytes] = []
        for part in self.parts:
            outcome = Sensitive(part.encode()) if isinstance(part, str) else outcomes[part]
            if isinstance(outcome, Failed):
                return outcome
            rendered.append(outcome.reveal() if outcome else b"")
        value = b"".join(rendered)
        if len(value) > MAX_VALUE_BYTES:
            return Failed(Failure.TARGET_TOO_LARGE, "the value is larger than 1 MiB")
        return Sensitive(value)


def parse(text: str, spellings: Sequence[Spelling] = SPELLINGS) -> Template | None:
    """Parse the text of one value, or return None: there is no reference in it.

    Takes time linear in the text. Of spellings that begin at the same place the first counts.

    Raises:
        ReferenceSyntaxError: something begins as a reference and is none, or as `Template` says.
    """
    parts: list[Part] = []
    done = 0
    openers = re.compile("|".join(f"(?P<s{i}>{one.opener})" for i, one in enumerate(spellings)))
    while spellings and (match := openers.search(text, done)):
        if len(parts) > 2 * MAX_REFERENCES:
            break  # and let the template say so
        reference, end = spellings[_number(match)].read(text, match.start())
        parts += [text[done : match.start()], reference]
        done = end
    return Template(_without_empty([*parts, text[done:]])) if parts else None


def from_raw(raw: object, path: str = "") -> Template:
    """Parse what stands in a manifest: text, a structured reference, or `{parts: […]}`.

    Raises:
        ReferenceSyntaxError: it is something else, holds no reference, or one that is wrong; the
            field begins with `path`.
    """
    with under(path):
        if isinstance(raw, str):
            template = _parse_public(raw)
            return template or Template((raw,))
        if isinstance(raw, Mapping) and "parts" in raw:
            return Template(tuple(_parts(raw)))
        return Template((structured.from_dict(raw),))


@lru_cache(maxsize=256)
def _parse_public(text: str) -> Template | None:
    """Parse text of a manifest, which holds no secret; a controller reads each several times."""
    return parse(text)


def _parts(raw: Mapping[object, object]) -> Iterable[Part]:
    entries = raw["parts"]
    if len(raw) > 1 or not isinstance(entries, list | tuple):
        raise ReferenceSyntaxError("is not a list that stands alone", field="parts")
    for number, entry in enumerate(entries):
        yield entry if isinstance(entry, str) else structured.from_dict(entry, f"parts[{number}]")


def _number(match: re.Match[str]) -> int:
    return int((match.lastgroup or "s0")[1:])


def _without_empty(parts: list[Part]) -> tuple[Part, ...]:
    return tuple(part for part in parts if part != "")


def _joined(parts: Sequence[Part]) -> str | None:
    said = [part if isinstance(part, str) else part.spelled() for part in parts]
    if None in said:
        return None
    pairs = zip(parts, said, strict=True)
    return "".join(text if part is text else f"${{{text}}}" for part, text in pairs if text)


def _reads_as(text: str, template: Template) -> bool:
    try:
        return parse(text) == template
    except ReferenceSyntaxError:
        return False
