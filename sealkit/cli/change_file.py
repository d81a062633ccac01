"""One manifest of one file, changed by editing its text: what `set`, `unset` and `edit` do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from sealkit.cli.app import STDIO, App
from sealkit.cli.audience import Audience, Choice, audience_for
from sealkit.cli.resources import SEALED, Found, label_of, read_resources
from sealkit.errors import UsageError
from sealkit.manifests.sealed import KIND, SealedSecret, envelope_to_dict
from sealkit.manifests.splice import Update, rewrite
from sealkit.manifests.vault import VaultTerms
from sealkit.sealing import unset_values

if TYPE_CHECKING:
    from sealkit.references.template import Template

Change = Callable[[SealedSecret, Audience], SealedSecret]

Key = TypeVar("Key", bound=str)
Value = TypeVar("Value")

_SECTIONS: Final = ("envelopes", "encryptedData", "references")
_ORDER: Final = ("scope", *_SECTIONS)  # as a manifest is written


class ChangeRequest(NamedTuple):
    """Which manifest to change, and where the result goes; an empty output means in place."""

    file: str
    output: str
    name: str
    choice: Choice


class Changed(NamedTuple):
    """The report: which values of which manifest were set or removed, and for whom."""

    file: str
    document: int
    namespace: str
    name: str
    set: tuple[str, ...]
    removed: tuple[str, ...]
    clusters: tuple[str, ...]

    def __str__(self) -> str:
        """Return the line for people."""
        return self.told("set", "removed")

    def told(self, set_word: str, removed_word: str) -> str:
        """Return the line for people, in the words for what was done, or would be."""
        if self.removed and not self.set:
            return f"{removed_word} {', '.join(self.removed)} from {self.file}"
        clusters = f" for {', '.join(self.clusters)}" if self.clusters else ""
        return f"{set_word} {', '.join(self.set)} in {self.file}{clusters}"


def run(request: ChangeRequest, app: App, change: Change, *, encrypts: bool = False) -> Changed:
    """Change one manifest in a file by editing its text; `encrypts` tells whether that needs keys.

    Raises:
        PolicyError: others can open the manifest than the configuration says.
        UsageError: the file holds no manifest, or several.
        ManifestError: the manifest is wrong before or after the change; the file is unchanged.
    """
    output = request.output or request.file
    place = request.file if output == STDIO else output
    target = app.place(place) if place != STDIO else None
    audience = audience_for(app, target, request.choice)
    if encrypts:
        audience.check_keys()
    text, found = read_resources(app, request.file)
    entry = _only(request, [entry for entry in found if entry.type == SEALED])
    with entry.located():
        before = SealedSecret.from_dict(entry.raw)
    if before.envelopes:
        audience.check_keys()
    with entry.located():
        audience.check_manifest(before)
        after = change(before, audience)
    app.write(output, rewrite(text, [update_of(entry, before, after)]))
    return _report(request, audience, entry.document, (before, after))


def _only(request: ChangeRequest, found: list[Found]) -> Found:
    if request.name:
        found = [entry for entry in found if entry.name == request.name]
    if not found:
        named = f" named {request.name!r}" if request.name else ""
        hint = "sealkit seal makes one from a Secret"
        raise UsageError(f"holds no {KIND}{named}", hint=hint).located(file=label_of(request.file))
    if len(found) > 1:
        names = ", ".join(repr(entry.name) for entry in found)
        raise UsageError(f"holds several: {names}", hint="pass --name").located(
            file=label_of(request.file)
        )
    return found[0]


def refer(sealed: SealedSecret, references: Mapping[str, Template]) -> SealedSecret:
    """Return `sealed` with references added or replaced; a sealed value of the same key goes.

    Raises:
        ManifestError: the result is no manifest; see `SealedSecret.check`.
    """
    merged = {**sealed.references, **references}
    referring = sealed._replace(references={key: merged[key] for key in sorted(merged)})
    return unset_values(referring, [key for key in sealed.encrypted_data if key in references])


def check_sealed(sealed: SealedSecret, keys: tuple[str, ...]) -> None:
    """Refuse to seal values for keys whose values are in Vault.

    Raises:
        UsageError: one is.
    """
    for key in keys:
        if key in sealed.references:
            hint = "change it with --reference, or remove it first: sealkit unset"
            raise UsageError("is a reference to Vault", field=f"spec.references.{key}", hint=hint)


def remove(sealed: SealedSecret, keys: tuple[str, ...]) -> SealedSecret:
    """Return `sealed` without some values, wherever they are.

    Raises:
        UsageError: a key is not there.
        ManifestError: the template or the type of the Secret needs the key.
    """
    left = {key: one for key, one in sealed.references.items() if key not in keys}
    vault = sealed.vault if left else VaultTerms()
    rest = dict.fromkeys(key for key in keys if key not in sealed.references)
    return unset_values(sealed._replace(references=left, vault=vault), rest)


def values_of(sealed: SealedSecret) -> dict[str, object]:
    """Return all values of a manifest, none of them plain."""
    return {**sealed.encrypted_data, **sealed.references}


def update_of(entry: Found, before: SealedSecret, after: SealedSecret) -> Update:
    """Return the edit of the text that turns one manifest into the other, and changes no more."""
    given = entry.raw["spec"]
    assert isinstance(given, dict)  # noqa: S101 (it was parsed)
    old: dict[str, Mapping[str, object]] = {name: given.get(name) or {} for name in _SECTIONS}
    # The id of an envelope is never used twice: one that was there is the same.
    envelopes = {eid: before.envelopes.get(eid, one) for eid, one in after.envelopes.items()}
    wanted = {
        "envelopes": _entries(old["envelopes"], before.envelopes, envelopes, envelope_to_dict),
        "encryptedData": _entries(
            old["encryptedData"], before.encrypted_data, after.encrypted_data, str
        ),
        "references": _entries(
            old["references"], before.references, after.references, lambda one: one.to_dict()
        ),
    }
    spec = dict(given)
    for name in _SECTIONS:
        if wanted[name] != old[name]:
            spec = _with_section(spec, name, wanted[name])
    if before.references and not after.references:  # with the last, all that is about them
        spec = {name: value for name, value in spec.items() if name not in {"references", "vault"}}
    return Update(entry.resource, {**entry.raw, "spec": spec})


def _entries(
    old: Mapping[str, object],
    before: Mapping[Key, Value],
    after: Mapping[Key, Value],
    spell: Callable[[Value], object],
) -> dict[str, object]:
    """Return the entries of a field, those that stay as they stand and where they stand.

    A new one goes before the first that sorts after it.
    """
    new = {
        str(key): old[key] if before.get(key) == value else spell(value)
        for key, value in after.items()
    }
    names = [key for key in old if key in new]
    for key in (key for key in new if key not in old):
        place = next((index for index, name in enumerate(names) if name > key), len(names))
        names.insert(place, key)
    return {key: new[key] for key in names}


def _with_section(spec: dict[str, object], name: str, section: object) -> dict[str, object]:
    """Return `spec` with one field replaced, or added in its place of the canonical order."""
    if name in spec:
        return {**spec, name: section}
    earlier = {one for one in _ORDER[: _ORDER.index(name)] if one in spec}
    names = list(spec)
    place = max((names.index(one) + 1 for one in earlier), default=0)
    names.insert(place, name)
    return {one: section if one == name else spec[one] for one in names}


def _report(
    request: ChangeRequest,
    audience: Audience,
    document: int,
    versions: tuple[SealedSecret, SealedSecret],
) -> Changed:
    before, after = (values_of(version) for version in versions)
    return Changed(
        file=label_of(request.file),
        document=document,
        namespace=versions[1].namespace,
        name=versions[1].name,
        set=tuple(key for key, value in after.items() if before.get(key) != value),
        removed=tuple(key for key in before if key not in after),
        clusters=audience.names if versions[1].envelopes else (),
    )
