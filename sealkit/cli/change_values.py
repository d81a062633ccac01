"""What `set` is given: values by key, from wherever they come, and references to Vault."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from sealkit.cli.app import STDIO, App
from sealkit.cli.resources import label_of
from sealkit.cli.values import Sources, check_keys, parse_references
from sealkit.errors import ManifestError, UsageError
from sealkit.manifests.secret import check_data_key
from sealkit.sensitive import Sensitive

if TYPE_CHECKING:
    from sealkit.references.template import Template

# What a shell makes of a glob is one path for the option, and the others would be keys.
QUOTE: Final = "--file takes one path: repeat it, or put a glob in quotes"


class Options(NamedTuple):
    """The command line as it was typed: keys, KEY=PATH pairs, KEY=REFERENCE pairs, files."""

    keys: tuple[str, ...]
    pairs: tuple[str, ...]
    references: tuple[str, ...]
    env_files: tuple[str, ...]
    json_files: tuple[str, ...]


class Given(NamedTuple):
    """Keys whose values are still to be read, values that were, and references."""

    sources: Sources
    read_already: Mapping[str, Sensitive]
    references: Mapping[str, Template]

    @property
    def names(self) -> tuple[str, ...]:
        """The keys that get sealed values."""
        return (*self.sources.names, *self.read_already)

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys."""
        return (*self.names, *self.references)

    def read(self, app: App) -> dict[str, Sensitive]:
        """Return the values to seal. Raises as `Sources.read`."""
        return {**self.read_already, **self.sources.read(app)}


def given(app: App, options: Options, manifest: str = "") -> Given:
    """Read the files of many values, and check all the rest, without asking anybody.

    `manifest` is the file that is changed, if it is one.

    Raises:
        UsageError: there is no key, one is given twice, or standard input would have to hold
            more than one thing.
        ManifestError: a file is not what it should be. No value is quoted.
        SealkitError: a file cannot be read.
    """
    references = parse_references(options.references)
    files = (*options.env_files, *options.json_files)
    others = (*references, *("" for _ in files[:1]))  # "" is no key: there may be keys in files
    sources = Sources.parse(options.keys, options.pairs, others)
    sources.check(app, manifest)
    _check_stdin(app, sources, (manifest, *files))
    known = dict.fromkeys((*sources.names, *references))
    values: dict[str, Sensitive] = {}
    for key, value in _of_files(app, options):
        if key in known:
            raise UsageError("is given twice", field=key)
        known[key] = None
        values[key] = value
    if not known:
        raise UsageError("there is no key to set", hint=f"there is none in {', '.join(files)}")
    return Given(sources, values, references)


def _check_stdin(app: App, sources: Sources, files: tuple[str, ...]) -> None:
    uses = (*files, *sources.paths.values()).count(STDIO)
    uses += 0 if app.interactive() else len(sources.keys)
    if uses > 1:
        raise UsageError("standard input holds one of these only", hint="use files for the others")


def _of_files(app: App, options: Options) -> Iterator[tuple[str, Sensitive]]:
    for names, parse in ((options.env_files, _parse_env), (options.json_files, parse_json)):
        for name in names:
            raw = app.read(name)
            try:
                yield from parse(raw).items()
            except ManifestError as error:
                error.located(file=label_of(name))
                raise


def _parse_env(raw: bytes) -> dict[str, Sensitive]:
    from sealkit.cli.dotenv import parse_env  # noqa: PLC0415 (rare: cold start)

    return parse_env(raw)


def parse_json(raw: bytes) -> dict[str, Sensitive]:
    """Return the values of a JSON object of strings, in order.

    Raises:
        ManifestError: it is something else. No value is quoted, nor what may be one.
    """
    from sealkit.manifests.json_reader import read_json  # noqa: PLC0415 (rare: cold start)
    from sealkit.manifests.tree import MappingNode, to_plain  # noqa: PLC0415 (same)

    text = _text(raw)
    nodes = read_json(text, 0, len(text))
    if len(nodes) != 1 or not isinstance(nodes[0], MappingNode):
        raise ManifestError("is not one JSON object of strings")
    values: dict[str, Sensitive] = {}
    for number, (key, entry) in enumerate(nodes[0].entries.items(), start=1):
        _check_key(key, number)
        value = to_plain(entry.value)
        if not isinstance(value, str):
            raise ManifestError("is not a string", field=key)
        values[key] = Sensitive(value.encode())
    return values


def _text(raw: bytes) -> str:
    with suppress(UnicodeDecodeError):
        return raw.decode("utf-8-sig")
    # Raised out here because the codec's own error, its context in there, carries the bytes.
    raise ManifestError("is not UTF-8 text")


def _check_key(key: str, number: int) -> None:
    try:
        check_data_key(key, "")
    except ManifestError:
        what = f"entry number {number} has no data key, expected letters, digits, -, _ and ."
        raise ManifestError(what) from None


def words_of(
    app: App, first: str | None, others: tuple[str, ...], paths: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """Tell the one file from the keys: with --file the first argument is a key as the others.

    Raises:
        UsageError: there is no file, or an argument is no key.
    """
    if first is None and not paths:
        raise UsageError("missing argument 'FILE'", hint="or many files: --file PATH")
    file, keys = first or "", others
    if paths:
        file, keys = "", () if first is None else (first, *others)
    for key in keys:
        if "/" in key and os.path.exists(app.path(key)):  # no key has a slash
            raise UsageError("is a file, expected a key", hint=QUOTE).located(file=key)
    check_keys(keys)
    return file, keys
