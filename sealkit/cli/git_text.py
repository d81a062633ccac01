"""`sealkit git textconv`: a text of any file that `git diff` can compare line by line.

Only what nobody can read is shortened: sealed values to their size and digest, envelopes to the
clusters that open them. All else stays as it is, so that no change is hidden.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from typing import Final

from sealkit.cli.app import STDIO, App
from sealkit.config import find_config
from sealkit.errors import SealkitError
from sealkit.files import reason_of
from sealkit.manifests.documents import Resource, iter_resources, read_documents
from sealkit.manifests.patches import Layout, Patch, applied
from sealkit.manifests.sealed import API_VERSION, KIND, SealedEnvelope, SealedSecret, SealedValue
from sealkit.manifests.tree import Entry, MappingNode

_ID_CHARACTERS: Final = 8


def run(app: App, file: str) -> bytes:
    """Return the text of a file; its own bytes if it holds no manifest, or a damaged one.

    Raises:
        SealkitError: the file cannot be read.
    """
    raw = app.read(file)
    if KIND.encode() not in raw:
        return raw
    try:
        return readable(raw, _names(app, file)).encode()
    except (SealkitError, ValueError, RecursionError):  # any file may come, from any time
        return raw


def _names(app: App, file: str) -> dict[str, str]:
    """Return the names of clusters by key id. Git hands over temporary files, from the root."""
    for folder in (
        (os.path.dirname(app.place(file)), app.folder) if file != STDIO else (app.folder,)
    ):
        try:
            config = find_config(folder)
        except (SealkitError, OSError):
            continue
        if config:
            return {cluster.kid: cluster.name for cluster in config.clusters.values()}
    return {}


def readable(raw: bytes, names: Mapping[str, str]) -> str:
    """Return a text with its ciphertexts shortened.

    Raises:
        SealkitError: something in it cannot be read strictly.
    """
    documents = read_documents(raw)
    resources = [one for document in documents for one in iter_resources(document)]
    patches = [patch for one in resources for patch in _patches(one, names)]
    return applied(documents[0].text, patches) if documents else raw.decode()


def _patches(resource: Resource, names: Mapping[str, str]) -> Iterator[Patch]:
    raw = resource.to_dict()
    if (raw.get("apiVersion"), raw.get("kind")) != (API_VERSION, KIND):
        return
    sealed = SealedSecret.from_dict(raw)
    layout = Layout.of(resource.document.text, resource.node)
    spec = resource.node.entries["spec"]
    for key, entry in _entries(spec, "encryptedData"):
        end = layout.value_end(entry.value)
        yield Patch(entry.value.start, end, _value(sealed.encrypted_data[key]))
    envelopes = {str(eid): envelope for eid, envelope in sealed.envelopes.items()}
    for eid, entry in _entries(spec, "envelopes"):
        end = layout.value_end(entry.value)
        yield Patch(entry.key.start, end, f"{_short(eid)}: {_envelope(envelopes[eid], names)}")


def _entries(parent: Entry, name: str) -> list[tuple[str, Entry]]:
    node = parent.value
    entry = node.entries.get(name) if isinstance(node, MappingNode) else None
    fields = entry.value if entry else None
    return list(fields.entries.items()) if isinstance(fields, MappingNode) else []


def _value(value: SealedValue) -> str:
    return f"<sealed, {len(value.item)} bytes, {_digest(value.item)}>"


def _envelope(envelope: SealedEnvelope, names: Mapping[str, str]) -> str:
    """Return who opens an envelope; the digest changes with any wrap."""
    readers = sorted(names.get(kid) or _short(kid) for kid in envelope.wraps)
    wraps = b"".join(kid.encode() + envelope.wraps[kid] for kid in sorted(envelope.wraps))
    return f"<opens in {', '.join(readers)}, {_digest(wraps)}>"


def _short(name: str) -> str:
    return f"{name[:_ID_CHARACTERS]}…"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]


def copy(app: App, file: str) -> None:
    """Pass through a file that is too large to look into; nothing if there is none."""
    import shutil  # noqa: PLC0415 (rare: cold start)

    try:
        with open(app.path(file), "rb") as source:
            shutil.copyfileobj(source, app.stdout)
    except BrokenPipeError:
        raise
    except OSError as error:
        app.say(f"sealkit: note: {file}: {reason_of(error)}")
