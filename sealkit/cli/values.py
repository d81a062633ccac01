"""Where new values come from: a prompt, standard input, files; never the command's arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from sealkit.cli.app import STDIO, App
from sealkit.errors import ManifestError, ReferenceSyntaxError, UsageError
from sealkit.manifests.secret import check_data_key
from sealkit.sensitive import Sensitive

if TYPE_CHECKING:
    from sealkit.references.template import Template


def check_keys(keys: tuple[str, ...]) -> None:
    """Refuse arguments that are no data keys, and never quote them: they may be values.

    Raises:
        UsageError: one is of the form KEY=value, or is no data key.
    """
    for number, key in enumerate(keys, start=1):
        name, equals, _ = key.partition("=")
        if equals:
            hint = f"sealkit set FILE {name} asks for it"
            raise UsageError("a value on the command line ends up in the shell history", hint=hint)
        try:
            check_data_key(key, "")
        except ManifestError:
            # Not quoted: it may be a value in the wrong place.
            what = f"KEY number {number} is not a data key, expected letters, digits, -, _ and ."
            raise UsageError(what, hint="values are never given on the command line") from None


def parse_references(pairs: tuple[str, ...]) -> dict[str, Template]:
    """Parse KEY=TEXT pairs, TEXT being a reference or text with references in it.

    Raises:
        UsageError: a pair is not one, a key is given twice, or a text holds no reference. The text
            is not quoted: it may be a value in the wrong place.
    """
    found: dict[str, Template] = {}
    if pairs:
        from sealkit.references.template import from_raw  # noqa: PLC0415 (cold start)
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise UsageError("is not of the form KEY=vault:PATH#KEY", field="--reference")
        check_keys((key,))
        if key in found:
            raise UsageError("is given twice", field=key)
        try:
            found[key] = from_raw(text, key)
        except ReferenceSyntaxError as error:
            raise UsageError(error.problem, field=error.field, hint=error.hint) from None
    return found


class Sources(NamedTuple):
    """Keys whose values are asked for or piped in, and keys whose values are in files."""

    keys: tuple[str, ...]
    paths: Mapping[str, str]

    @classmethod
    def parse(
        cls, keys: tuple[str, ...], pairs: tuple[str, ...], others: tuple[str, ...] = ()
    ) -> Sources:
        """Parse data keys and KEY=PATH pairs; `others` are keys that are set in another way.

        Raises:
            UsageError: there is none, one is given twice, or a pair is not one.
        """
        paths = {}
        for pair in pairs:
            key, equals, path = pair.partition("=")
            if not equals or not path:
                raise UsageError("is not of the form KEY=PATH", field="--from-file")
            paths[key] = path
        names = (*keys, *(pair.partition("=")[0] for pair in pairs))
        check_keys(names)
        for position, key in enumerate(names):
            if key in (*others, *names[:position]):
                raise UsageError("is given twice", field=key)
        if not names and not others:
            raise UsageError("there is no key to set", hint="sealkit set FILE KEY")
        return cls(keys, paths)

    @property
    def names(self) -> tuple[str, ...]:
        """The keys that get values."""
        return (*self.keys, *self.paths)

    def check(self, app: App, manifest: str) -> None:
        """Refuse unclear sources before anything is read; `manifest` names its own file.

        Raises:
            UsageError: standard input would have to hold more than one thing.
        """
        if self.keys and manifest == STDIO:
            hint = "use --from-file KEY=PATH for values"
            raise UsageError("standard input holds the manifest already", hint=hint)
        if len(self.keys) > 1 and not app.interactive():
            hint = "use --from-file KEY=PATH for the others"
            raise UsageError("standard input holds the value of one key only", hint=hint)

    def read(self, app: App) -> Mapping[str, Sensitive]:
        """Return the values by key: from files, from standard input, or by asking.

        Raises:
            SealkitError: a file cannot be read.
            UsageError: nothing was typed.
        """
        values = {key: Sensitive(app.read(path)) for key, path in self.paths.items()}
        for key in self.keys:
            values[key] = _ask(app, key) if app.interactive() else _from_stdin(app)
        return values


def _ask(app: App, key: str) -> Sensitive:
    answer = app.ask(f"{key}: ")
    if not answer:
        hint = f"for an empty value: sealkit set FILE {key} </dev/null"
        raise UsageError("nothing was typed", field=key, hint=hint)
    # Bytes that are no text in this locale arrive as surrogates, and leave as they came.
    return Sensitive(answer.encode(errors="surrogateescape"))


def _from_stdin(app: App) -> Sensitive:
    value = app.read(STDIO)
    if value.endswith(b"\n"):
        app.say("sealkit: note: the value ends with a line break, which is part of it now")
    return Sensitive(value)
