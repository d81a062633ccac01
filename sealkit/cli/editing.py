"""The text that `sealkit edit` shows, and what a changed one means for the manifest. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sealkit import fields
from sealkit.crypto.x1 import PublicKey
from sealkit.encoding import to_base64
from sealkit.errors import ManifestError, ReferenceSyntaxError, SealkitError
from sealkit.lines import printable
from sealkit.manifests.documents import iter_resources, read_documents
from sealkit.manifests.emit import emit_yaml, entry_lines, yaml_string
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.secret import Secret
from sealkit.manifests.vault import VaultTerms
from sealkit.references.checks import under
from sealkit.references.template import Template, from_raw, parse
from sealkit.sealing import Random, set_values
from sealkit.sensitive import Sensitive

SEALED: Final = "<sealed>"
FILE: Final = "the edited text"  # as errors call it

_FIELDS: Final = ("apiVersion", "kind", "metadata", "type", "data", "stringData")
_MARK: Final = "# sealkit: "
_HINT: Final = "to give up, close the editor without a change"
_INTRODUCTION: Final = f"""\
# Change, add or remove values, save, and close the editor: what you changed is sealed anew,
# everything else keeps its bytes. A value {SEALED} stays as it is. Values under data are base64,
# and never references. Leave nothing in the file to change nothing.
"""

Entry = tuple[str, object]
"""The field that a value stands in, `data` or `stringData`, and what stands there."""


def draft(sealed: SealedSecret, opened: Mapping[str, Sensitive] | None) -> Sensitive:
    """Return a manifest as a Secret to edit: with its values, or with marks for what is sealed.

    References stand as the manifest has them. What is no text, or would be taken for something
    else, stands under `data`.
    """
    metadata = {"name": sealed.name} | ({"namespace": sealed.namespace} if sealed.namespace else {})
    head = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    entries: dict[str, Entry] = {
        key: ("stringData", one.to_raw()) for key, one in sealed.references.items()
    }
    for key in sealed.encrypted_data:
        entries[key] = _shown(opened[key]) if opened is not None else ("stringData", SEALED)
    lines = _section("stringData", entries)
    if any(field == "data" for field, _ in entries.values()):
        lines += _section("data", entries)
    body = emit_yaml({**head, "type": sealed.template.type}) + "".join(f"{one}\n" for one in lines)
    return Sensitive((_INTRODUCTION + body).encode())


def _shown(value: Sensitive) -> Entry:
    with suppress(UnicodeDecodeError):
        text = value.reveal().decode()
        if text != SEALED and not _may_refer(text):
            return "stringData", text
    return "data", to_base64(value.reveal())


def _may_refer(text: str) -> bool:
    try:
        return parse(text) is not None
    except ReferenceSyntaxError:
        return True


def _section(name: str, entries: Mapping[str, Entry]) -> list[str]:
    chosen = {key: value for key, (field, value) in sorted(entries.items()) if field == name}
    if not chosen:
        return [f"{name}: {{}}"]
    lines = (line for key, value in chosen.items() for line in _lines(key, value))
    return [f"{name}:", *(f"  {line}" if line else "" for line in lines)]


def _lines(key: str, value: object) -> list[str]:
    """Return the lines of an entry; text of several lines as such, where no editor can hurt it."""
    if not isinstance(value, str) or not _is_plain_lines(value):
        return entry_lines(key, value)
    text = value.removesuffix("\n")
    style = "|-" if text == value else "|"
    lines = (f"  {line}" if line else "" for line in text.split("\n"))
    return [f"{yaml_string(key)}: {style}", *lines]


def _is_plain_lines(text: str) -> bool:
    lines = text.removesuffix("\n").split("\n")
    return (
        len(lines) > 1
        and bool(lines[0])
        and not lines[0][0].isspace()
        and bool(lines[-1])
        and all(line == line.rstrip() for line in lines)
        and all(line.replace("\t", "").isprintable() for line in lines)
    )


@dataclass(frozen=True)
class Plan:
    """What becomes of the values: those that are new, and the keys of those that stay."""

    values: Mapping[str, Sensitive]
    references: Mapping[str, Template]
    kept: frozenset[str]

    @property
    def partly_public(self) -> tuple[str, ...]:
        """The keys of new references with text around them, which stands in the manifest."""
        return tuple(key for key, one in self.references.items() if one.is_partly_public)

    def made(
        self, sealed: SealedSecret, recipients: Iterable[PublicKey], random: Random
    ) -> SealedSecret:
        """Return the changed manifest, of which only the whole is checked, no step on the way.

        Raises:
            SealkitError: as `set_values`.
        """
        references = {key: one for key, one in sealed.references.items() if key in self.kept}
        references |= self.references
        rest = sealed._replace(
            references={key: references[key] for key in sorted(references)},
            vault=sealed.vault if references else VaultTerms(),
            encrypted_data={k: v for k, v in sealed.encrypted_data.items() if k in self.kept},
        )
        return set_values(rest, self.values, recipients, random)


def plan(
    sealed: SealedSecret,
    opened: Mapping[str, Sensitive] | None,
    shown: Sensitive,
    saved: Sensitive,
) -> Plan:
    """Find out what was changed between two texts.

    Raises:
        ManifestError: the new text is no Secret, or changes something else than values.
        ReferenceSyntaxError: a new value begins as a reference and is none.
    """
    (head_before, before), (head, after) = _read(shown), _read(saved)
    for name in (*head_before, *head):
        if head.get(name) != head_before.get(name):
            what = "cannot be changed here, only values can"
            raise ManifestError(what, field=name, hint="change the manifest itself")
    changed = {key: entry for key, entry in after.items() if before.get(key) != entry}
    marked = {key for key, entry in changed.items() if entry == ("stringData", SEALED)}
    for key in sorted(marked - sealed.encrypted_data.keys()):
        raise ManifestError("stands for no value", field=f"stringData.{key}")
    changed = {key: changed[key] for key in sorted(changed.keys() - marked)}
    references = dict(_references(changed))
    values = _values({key: one for key, one in changed.items() if key not in references})
    same = {key for key, value in values.items() if opened and opened.get(key) == value}
    return Plan(
        values={key: value for key, value in values.items() if key not in same},
        references=references,
        kept=frozenset((after.keys() - changed.keys()) | same),
    )


def _read(text: Sensitive) -> tuple[dict[str, object], dict[str, Entry]]:
    """Return the fields of a Secret apart from its values, and its values as they stand."""
    documents = [one for one in read_documents(text.reveal(), file=FILE) if not one.is_empty]
    found = [resource for document in documents for resource in iter_resources(document)]
    if len(documents) != 1 or len(found) != 1:
        raise ManifestError("is not exactly one Secret").located(file=FILE)
    raw = found[0].to_dict()
    fields.only(raw, _FIELDS, "")
    entries: dict[str, Entry] = {}
    for name in ("data", "stringData"):  # as on the API server, stringData wins
        section = raw.pop(name, None)
        for key, value in fields.mapping({} if section is None else section, name).items():
            entries[key] = (name, value)
    return raw, entries


def _references(entries: Mapping[str, Entry]) -> Iterable[tuple[str, Template]]:
    for key, (field, value) in entries.items():
        path = f"stringData.{key}"
        if field == "stringData" and isinstance(value, Mapping):
            yield key, from_raw(value, path)
        elif field == "stringData" and isinstance(value, str):
            template = _parsed(value, path)
            if template:
                yield key, template


def _parsed(text: str, path: str) -> Template | None:
    try:
        with under(path):
            return parse(text)
    except ReferenceSyntaxError as error:
        error.hint = error.hint or "if it is no reference: write it in base64 under data"
        raise


def _values(entries: Mapping[str, Entry]) -> Mapping[str, Sensitive]:
    sections: dict[str, dict[str, object]] = {"data": {}, "stringData": {}}
    for key, (field, value) in entries.items():
        sections[field][key] = value
    return Secret.from_dict({"metadata": {"name": "x"}, **sections}).data


def headed(text: Sensitive, error: SealkitError | None = None) -> Sensitive:
    """Return a text with an error above it, in place of one that was there.

    Without an error these lines are blank: so the errors of a text name the lines of the next one.
    """
    what, hint = (str(error), error.hint or _HINT) if error else ("", "")
    lines = text.reveal().splitlines(keepends=True)
    while lines and lines[0].startswith(_MARK.encode()):
        lines.pop(0)
    head = (f"{_MARK}{printable(one)}\n" for one in (f"error: {what}", f"hint: {hint}"))
    return Sensitive("".join(head).encode() + b"".join(lines))
