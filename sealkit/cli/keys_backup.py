"""`sealkit keys backup`: the private keys of a cluster, encrypted for a day nobody hopes for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sealkit.agefile import (
    is_age,
    lock_to,
    lock_with,
    parse_identities,
    parse_recipients,
    takes_passphrase,
    unlock,
    unlock_with,
)
from sealkit.cli.app import STDIO, App
from sealkit.cli.keys_usage import place_of
from sealkit.cli.output import counted
from sealkit.cli.resources import label_of
from sealkit.cluster import Place, key_secrets
from sealkit.errors import ConfigError, ManifestError, SealkitError, UsageError
from sealkit.files import PRIVATE_MODE, slashed
from sealkit.keystore import StoredKey, parse_stored_keys, text_of_keys
from sealkit.lines import printable
from sealkit.sensitive import Sensitive


class BackupRequest(NamedTuple):
    """Which cluster's keys, for whom they are encrypted, and where the result goes."""

    place: Place
    namespace: str
    recipients: tuple[str, ...]
    recipient_files: tuple[str, ...]
    asks: bool
    passphrase_file: str
    output: str


def run(request: BackupRequest, app: App) -> None:
    """Write the backup. In a folder its name tells keys and states, so only news are written.

    Raises:
        UsageError: it is not said for whom, or in two ways, or the file is there already.
        ConfigError: a recipient or a key Secret of the cluster is wrong.
        SealkitError: the cluster does not answer, or a file cannot be read or written.
    """
    named = (request.recipients or request.recipient_files, request.asks, request.passphrase_file)
    if sum(map(bool, named)) != 1:
        what = "takes one of --recipient, --recipients-file, --passphrase and --passphrase-file"
        raise UsageError(what, hint="for a passphrase: sealkit keys backup -p -o FILE")
    _refuse_existing(app, request.output)
    recipients = _recipients(request, app)
    passphrase = None if recipients else _new_passphrase(request, app)
    keys = stored_keys(request.place, request.namespace)
    if not keys:
        raise SealkitError(f"there is no key in namespace {request.namespace}")
    output = request.output
    if os.path.isdir(app.path(output)):
        output = slashed(os.path.join(output, _file_name(keys)))
        if os.path.lexists(app.path(output)):
            app.say(f"nothing new since {output}")
            return
    content = text_of_keys(keys, request.namespace)
    raw = lock_with(content, passphrase) if passphrase else lock_to(content, recipients)
    _refuse_existing(app, output)  # once more: scrypt takes its time
    app.write(output, raw, mode=PRIVATE_MODE)
    where = "" if output == STDIO else f" to {output}"
    app.say(f"backed up {counted(len(keys), 'key')} of {request.namespace}{where}")
    for key in keys:
        app.say(f"  {key.pair.key.kid}  {key.pair.state.value}")


def _refuse_existing(app: App, output: str) -> None:
    if output != STDIO and os.path.isfile(app.path(output)):
        hint = "keep it: it may hold keys that old commits need; write another file"
        raise UsageError("is there already", hint=hint).located(file=output)


def _file_name(keys: list[StoredKey]) -> str:
    """Return a name that is another as soon as a key or a state is; keys are the oldest first."""
    states = "".join(f"{stored.pair.key.kid} {stored.pair.state.value}\n" for stored in keys)
    digest = hashlib.sha256(states.encode()).hexdigest()[:8]
    return f"keys-{keys[-1].pair.not_before:%Y-%m-%d}-{digest}.age"


def _recipients(request: BackupRequest, app: App) -> list[str]:
    found: list[str] = []
    if request.recipients:
        with _named(field="--recipient"):
            found += parse_recipients("\n".join(request.recipients).encode())
    for file in request.recipient_files:
        with _named(file=label_of(file)):
            found += parse_recipients(app.read(file))
    return list(dict.fromkeys(found))


@contextmanager
def _named(*, file: str = "", field: str = "") -> Iterator[None]:
    """Say in errors what they are about."""
    try:
        yield
    except SealkitError as error:
        error.field = error.field or field
        error.located(file=file)
        raise


def _new_passphrase(request: BackupRequest, app: App) -> Sensitive:
    if request.passphrase_file:
        return read_passphrase(app, request.passphrase_file)
    if not app.interactive():
        hint = "--passphrase-file FILE"
        raise UsageError("there is nobody to ask for a passphrase", hint=hint)
    first = app.ask("passphrase: ")
    if not first:
        raise UsageError("nothing was typed", field="passphrase")
    if app.ask("the same again: ") != first:
        raise UsageError("is not the same twice", field="passphrase")
    return Sensitive(first.encode(errors="surrogateescape"))


def read_passphrase(app: App, file: str) -> Sensitive:
    """Return the passphrase in a file, without the line break at its end.

    Raises:
        SealkitError: it cannot be read.
    """
    return Sensitive(app.read(file).rstrip(b"\r\n"))


def stored_keys(place: Place, namespace: str, app: App | None = None) -> list[StoredKey]:
    """Return the keys that a cluster stores, the oldest first.

    With `app` one that is damaged is told and passed over, as the controller does.

    Raises:
        ConfigError, ManifestError: one is damaged: a backup without it would look complete.
        SealkitError: see `cluster.key_secrets`.
    """
    found = []
    for secret in key_secrets(place, namespace):
        try:
            found.append(StoredKey.of(secret))
        except (ConfigError, ManifestError) as error:
            error.located(file=place_of(secret))
            if app is None:
                raise
            app.say(printable(f"sealkit: note: {error}; it is passed over"))
    return sorted(found, key=lambda stored: stored.pair.not_before)


class Unlocking(NamedTuple):
    """What opens an encrypted backup: files of identities, a file with its passphrase."""

    identity_files: tuple[str, ...]
    passphrase_file: str

    def check(self, files: tuple[str, ...]) -> None:
        """Refuse to read standard input for two things; `files` are the backups.

        Raises:
            UsageError: it would have to be read twice.
        """
        if (*files, *self.identity_files, self.passphrase_file).count(STDIO) > 1:
            raise UsageError("standard input can be only one of them: FILE, identity, passphrase")

    def open(self, app: App, file: str) -> list[StoredKey]:
        """Read the keys of a backup, encrypted or plain.

        Raises:
            UsageError: it takes an identity or a passphrase, and none is given.
            NoKeyError: it is encrypted for others.
            UnsealError: the passphrase does not open it, or it is damaged.
            ConfigError: an identity is none, or a key in it is wrong.
        """
        raw, name = app.read(file), label_of(file)
        with _named(file=name):
            content = self._plain(app, raw, name) if is_age(raw) else Sensitive(raw)
        return parse_stored_keys(content.reveal(), name)

    def _plain(self, app: App, raw: bytes, name: str) -> Sensitive:
        if takes_passphrase(raw):
            return unlock_with(raw, self._passphrase(app, name))
        if not self.identity_files:
            what = "is encrypted to an identity of age"
            raise UsageError(what, hint="--identity FILE, which age-keygen wrote")
        return unlock(raw, self._identities(app))

    def _passphrase(self, app: App, name: str) -> Sensitive:
        if self.passphrase_file:
            return read_passphrase(app, self.passphrase_file)
        if not app.interactive():
            what = "is encrypted with a passphrase, and there is nobody to ask"
            raise UsageError(what, hint="--passphrase-file FILE")
        return Sensitive(app.ask(f"passphrase of {name}: ").encode(errors="surrogateescape"))

    def _identities(self, app: App) -> list[Sensitive]:
        found: list[Sensitive] = []
        for file in self.identity_files:
            with _named(file=label_of(file)):
                found += parse_identities(app.read(file))
        return found
