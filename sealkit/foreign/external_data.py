"""`spec.data` and `spec.dataFrom` of an ExternalSecret: the references."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from sealkit.foreign.context import Context
from sealkit.foreign.source import Source
from sealkit.foreign.vault_provider import Home, home_of
from sealkit.manifests.secret import check_data_key
from sealkit.references.reference import Decode, Kv, Reference
from sealkit.references.structured import from_dict, parse_version

_QUERY: Final = re.compile(r"[#*?|@!{}\[\]()]")
_NAMES: Final = {"path": "key", "mount": "key", "key": "property", "decode": "decodingStrategy"}
_GENERATED: Final = "generators are not there: keep the value in Vault, or seal it"
_NAME_THEM: Final = (
    "takes all keys of a secret, and references need their names: pass --keys, or list them "
    "under data"
)


@dataclass(frozen=True)
class Lookup:
    """Where an ExternalSecret looks: in `home`, unless an entry says another store."""

    context: Context
    namespace: str
    home: Home | None

    def home_for(self, entry: Source) -> Home | None:
        """Take `sourceRef` of an entry; None if it leads to nothing that can be referred to."""
        ref = entry.inner("sourceRef")
        if "generatorRef" in ref:
            ref.drop("generatorRef", _GENERATED)
            return None
        if "storeRef" in ref:
            return home_of(ref.inner("storeRef"), self.context, self.namespace)
        if self.home is None:
            entry.note("", "", "names no store of Vault")
        return self.home

    def reference(self, remote: Source, home: Home) -> Reference | None:
        """Take a remoteRef; None if it asks for metadata, not for a value, which is noted."""
        if remote.text("metadataPolicy", "None") != "None":
            remote.drop("", "asks for metadata of a secret: only values are read")
            return None
        key = remote.required("key")
        remote.expect("conversionStrategy", "Default", "changes no names here")
        remote.expect("nullBytePolicy", "Ignore", "a value is taken as it is")
        name = remote.text("property")
        if _QUERY.search(name):
            remote.note(
                "property", "a query", "is read as a name, or as a path with dots: check it"
            )
        mount, path = home.place(key)
        with remote.as_references(_NAMES):
            return Reference(
                path=path,
                mount=mount,
                key=name,
                kv=home.kv,
                store=None if self.home and home.store == self.home.store else home.store,
                version=_version(remote, home),
                decode=_decode(remote),
            )


def _version(remote: Source, home: Home) -> int | None:
    raw = remote.take("version")
    if raw is not None and home.kv is Kv.V1:
        remote.note("version", "", "the store is KV version 1, which has no versions")
        return None
    return None if raw is None or raw == "" else parse_version(raw)


def _decode(remote: Source) -> Decode:
    raw = remote.text("decodingStrategy", "None")
    return from_dict({"path": "x", "decode": raw}).decode


def take_data(spec: Source, lookup: Lookup) -> dict[str, Reference]:
    """Take `data`, by data key; of equal keys the last counts.

    Raises:
        ManifestError: an entry is wrong.
    """
    found = {}
    for entry in spec.entries("data"):
        key = entry.required("secretKey")
        check_data_key(key, entry.at("secretKey"))
        home = lookup.home_for(entry)
        reference = lookup.reference(entry.inner("remoteRef"), home) if home else None
        if reference is None:
            entry.drop("", "is not carried over")
            continue
        if key in found:
            entry.note("secretKey", key, "is there twice, and the last one counts")
        found[key] = reference
    return found


def take_data_from(
    spec: Source, lookup: Lookup, keys: Iterable[str], *, complete: bool
) -> dict[str, Reference]:
    """Take `dataFrom`: of one secret that is extracted whole, a reference for each of `keys`.

    What cannot be said is noted entry by entry; unless `complete`, so is that keys are missing.

    Raises:
        ManifestError: an entry is wrong.
    """
    entries = spec.entries("dataFrom")
    found: dict[str, Reference] = {}
    for entry in entries:
        extract = _extract(entry, lookup, alone=len(entries) == 1)
        if extract is None:
            continue
        found = {key: replace(extract, key=_below(extract.key, key)) for key in keys}
        if not complete:
            entry.note("extract", "", _NAME_THEM)
    return found


def _extract(entry: Source, lookup: Lookup, *, alone: bool) -> Reference | None:
    reasons = {
        "looks for secrets by name or tag: list them under data": "find" in entry,
        "renames keys: list them under data": "rewrite" in entry,
        "is one of several secrets, whose keys are not known: list them under data": not alone,
    }
    for todo, applies in reasons.items():
        if applies:
            entry.drop("", todo)
            return None
    home = lookup.home_for(entry)
    if home and "extract" in entry:
        return lookup.reference(entry.inner("extract"), home)
    entry.drop("", "is not carried over")
    return None


def _below(path: str, key: str) -> str:
    return f"{path}.{key.replace('.', chr(92) + '.')}" if path else key
