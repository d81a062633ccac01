"""What decrypts sops files on the way to a cluster, and what remains to be done about it. Pure."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from sealkit.foreign.context import Raw, group_of
from sealkit.foreign.source import Note

_KSOPS: Final = ("viaduct.ai", "ksops")
_FLUX: Final = ("kustomize.toolkit.fluxcd.io", "Kustomization")
_KUSTOMIZE: Final = "kustomize.config.k8s.io"
_GENERATED: Final = ("files", "envs", "env")

_INSTEAD_OF_KSOPS: Final = (
    "once these files are sealed, list them under resources of the kustomization, and take this "
    "generator out of its generators"
)
_INSTEAD_OF_FLUX: Final = (
    "can go, with the Secret that holds its keys, once nothing below spec.path is encrypted"
)
_INSTEAD_OF_GENERATOR: Final = (
    "make a manifest of it, list that under resources, and take this entry out: "
    "sops decrypt {} | sealkit create {} -n {} {} {} -o {}"
)


def notes_on_user(raw: Raw, folder: str, is_encrypted: Callable[[str], bool]) -> tuple[Note, ...]:
    """Return a note for each thing in an object that needs sops files.

    `is_encrypted` tells whether a file, named relative to the `folder` that this object is in, is
    encrypted with sops.
    """
    which = (group_of(raw), str(raw.get("kind")))
    if which == _KSOPS:
        return tuple(_of_ksops(raw))
    if which == _FLUX:
        return tuple(_of_flux(raw))
    if which[0] == _KUSTOMIZE or "secretGenerator" in raw:
        return tuple(_of_generators(raw, folder, is_encrypted))
    return ()


def _of_ksops(raw: Raw) -> Iterator[Note]:
    for name in ("files", "secretFrom"):
        if entries := raw.get(name):
            found = f"list of {len(entries)}" if isinstance(entries, list) else "value"
            yield Note(name, found, _INSTEAD_OF_KSOPS)


def _of_flux(raw: Raw) -> Iterator[Note]:
    decryption = _mapping(_mapping(raw.get("spec")).get("decryption"))
    if decryption.get("provider") == "sops":
        yield Note("spec.decryption", "sops", _INSTEAD_OF_FLUX)


def _of_generators(raw: Raw, folder: str, is_encrypted: Callable[[str], bool]) -> Iterator[Note]:
    generators = raw.get("secretGenerator")
    for index, one in enumerate(generators if isinstance(generators, list) else ()):
        generator = {"namespace": raw.get("namespace"), **_mapping(one)}
        for kind, key, file in _files(generator):
            if is_encrypted(file):
                option = (
                    ("--from-file", f"{key}=-") if kind == "files" else ("--from-env-file", "-")
                )
                todo = _INSTEAD_OF_GENERATOR.format(*_words(generator, folder, file, option))
                yield Note(f"secretGenerator[{index}].{kind}", file, todo)


def _words(generator: Raw, folder: str, file: str, option: tuple[str, str]) -> Iterator[str]:
    """Yield the words of a command that makes a manifest, quoted: the names are a stranger's."""
    name = str(generator.get("name") or "NAME")
    namespace = str(generator.get("namespace") or "NAMESPACE")
    source, target = (
        posixpath.normpath(posixpath.join(folder, one)) for one in (file, f"{name}.yaml")
    )
    yield from map(shlex.quote, (source, name, namespace, *option, target))


def _files(generator: Raw) -> Iterator[tuple[str, str, str]]:
    """Yield the files that a Secret is made of: the field, the data key, and the name."""
    for kind in _GENERATED:
        entries = generator.get(kind)
        for entry in entries if isinstance(entries, list) else [entries]:
            if isinstance(entry, str):
                key, _, file = entry.rpartition("=")
                yield kind, key or posixpath.basename(file), file


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
