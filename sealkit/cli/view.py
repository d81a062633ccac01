"""`sealkit view`: the Secret inside a manifest, for a person to look at.

With private keys it is opened here, without a cluster; else it is read where it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.making import making
from sealkit.cli.options import key_option, kubeconfig_option, name_option
from sealkit.cli.output import counted, json_of, print_json
from sealkit.cli.resources import SEALED, Found, label_of, read_resources
from sealkit.cli.unseal import read_keys
from sealkit.cluster import Place
from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.encoding import to_base64
from sealkit.errors import UsageError
from sealkit.lines import printable
from sealkit.manifests.sealed import KIND, SealedSecret
from sealkit.sealing import open_values, unseal
from sealkit.sensitive import Sensitive


class Opened(NamedTuple):
    """A manifest with what is known of its Secret here: all of it, unless something is in Vault."""

    found: Found
    sealed: SealedSecret
    data: Mapping[str, Sensitive]

    @property
    def made(self) -> tuple[str, ...]:
        """The data keys that are made of values in Vault, and so cannot be known here."""
        return tuple(sorted(self.sealed.template.makes)) if self.sealed.references else ()


@click.command("view")
@click.argument("file")
@click.argument("names", nargs=-1, metavar="[KEY]...")
@key_option(required=False)
@click.option(
    "--context",
    default=None,
    metavar="CTX",
    help="Without a key: read the Secret in the cluster of this kubectl context, as you may.",
)
@kubeconfig_option
@name_option
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, with the values in base64 as kubectl does."
)
@click.pass_obj
def view_command(
    app: App,
    file: str,
    names: tuple[str, ...],
    keys: tuple[str, ...],
    context: str | None,
    kubeconfig: str | None,
    name: str,
    as_json: bool,
) -> None:
    """Show the values of the Secrets that the manifests of FILE become; - is standard input.

    With one KEY the output is the bytes of that value and nothing else; with several it is those
    values only.

    Takes private keys, or a cluster in which you may read the Secret. A Secret there that is not
    the one of the manifest is not shown, and one of another version of it is told.
    """
    is_online = context is not None or kubeconfig is not None
    if bool(keys) == is_online:
        raise UsageError("expected either --key or --context")
    if is_online:
        place = Place(context, app.path(kubeconfig) if kubeconfig else None)
        opened = _online(app, place, file, name)
    else:
        opened = open_file(app, file, keys, name)
    if as_json:
        print_json(app, [_plain(one, names) for one in opened])
    elif not names:
        texts = ("".join(f"{line}\n" for line in _lines(one)) for one in opened)
        app.write(STDIO, "\n".join(texts))
    else:
        app.write(STDIO, _of_keys(app, file, opened, names))


def open_file(app: App, file: str, key_files: tuple[str, ...], name: str = "") -> list[Opened]:
    """Open the sealed manifests of a file, or the one of that name; all of them or none.

    Raises:
        NoKeyError: no key fits some manifest.
        UnsealError: a manifest cannot be opened.
        UsageError: there is no SealedSecret, or none of that name.
    """
    if (file, *key_files).count(STDIO) > 1:
        raise UsageError("standard input can be only one of them: FILE or one --key")
    keys = read_keys(app, key_files)
    return [_opened(app, entry, keys) for entry in _sealed_in(app, file, name)]


def _online(app: App, place: Place, file: str, name: str) -> list[Opened]:
    from sealkit.cli.view_online import fetch  # noqa: PLC0415 (rare: cold start)

    return fetch(app, place, _sealed_in(app, file, name))


def _sealed_in(app: App, file: str, name: str) -> list[Found]:
    found = [entry for entry in read_resources(app, file)[1] if entry.type == SEALED]
    if name:
        found = [entry for entry in found if entry.name == name]
    if not found:
        named = f" named {name!r}" if name else ""
        raise UsageError(f"holds no {KIND}{named}").located(file=label_of(file))
    return found


def _opened(app: App, entry: Found, keys: Mapping[Kid, PrivateKey]) -> Opened:
    with entry.located():
        sealed = SealedSecret.from_dict(entry.raw)
        if sealed.references:
            return Opened(entry, sealed, open_values(sealed, keys))
        with making(app.random) as salt:
            return Opened(entry, sealed, unseal(sealed, keys, salt=salt).data)


def _of_keys(app: App, file: str, opened: list[Opened], names: tuple[str, ...]) -> bytes | str:
    if len(opened) > 1:
        known = ", ".join(repr(one.sealed.name) for one in opened)
        raise UsageError(f"holds several: {known}", hint="pass --name").located(file=label_of(file))
    (one,) = opened
    values = {name: _value(one, name) for name in dict.fromkeys(names)}
    if len(values) > 1:
        return "".join(f"{line}\n" for name in values for line in _value_lines(name, values[name]))
    (value,) = values.values()
    if app.stdout.isatty() and not _is_plain(_text(value) or "\0"):
        what = "holds bytes that are no text for a terminal"
        raise UsageError(what, field=names[0], hint="redirect it into a file")
    return value.reveal()


def _value(one: Opened, name: str) -> Sensitive:
    if name in one.data:
        return one.data[name]
    with one.found.located():
        if name in one.sealed.references or name in one.made:
            hint = "sealkit vault check FILE resolves it without showing a value"
            raise UsageError("comes from Vault, it is not here", field=name, hint=hint)
        known = ", ".join(sorted(one.data)) or "none"
        raise UsageError(f"there is no value {name!r}, but {known}")


def _plain(one: Opened, names: tuple[str, ...]) -> dict[str, object]:
    """Return a Secret for programs: what is known of its data here, or some keys of it."""
    known = names or sorted(one.data.keys() - set(one.made))
    return {
        "namespace": one.sealed.namespace,
        "name": one.sealed.name,
        "type": one.sealed.template.type,
        "data": {key: to_base64(_value(one, key).reveal()) for key in known},
    }


def _lines(one: Opened) -> Iterator[str]:
    sealed = one.sealed
    name = f"{sealed.namespace}/{sealed.name}" if sealed.namespace else sealed.name
    place = f"{one.found.resource.document.file}:{one.found.document}"
    yield printable(f"# {name} in {place}, type {sealed.template.type}")
    for key in sorted(one.data.keys() - set(one.made)):
        yield from _value_lines(key, one.data[key])
    for key, template in sealed.references.items():
        yield printable(f"{key}: <refers to {json_of(template.to_raw())}>")
    for key in one.made:
        yield f"{key}: <made of values in Vault>"


def _value_lines(key: str, value: Sensitive) -> Iterator[str]:
    """Yield a value as people read it: text as YAML has it, of all else the size."""
    text = _text(value)
    if text is None:
        yield f"{key}: <binary, {counted(len(value.reveal()), 'byte')}>"
    elif not _is_plain(text) or not text or text.strip() != text.removesuffix("\n"):
        yield printable(f"{key}: {json_of(text)}")
    elif "\n" in text:
        yield f"{key}: {'|' if text.endswith(chr(10)) else '|-'}"
        yield from (f"  {line}" for line in text.removesuffix("\n").split("\n"))
    else:
        yield f"{key}: {text}"


def _text(value: Sensitive) -> str | None:
    raw = value.reveal()
    with suppress(UnicodeDecodeError):
        return None if b"\0" in raw else raw.decode()
    return None


def _is_plain(text: str) -> bool:
    """Tell whether a terminal shows a text as it is, without acting on anything in it."""
    return text.replace("\n", "").replace("\t", "").isprintable()
