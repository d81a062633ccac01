"""`sealkit keys restore`: keys from backups back into a cluster, and the proof that it works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.keys_backup import Unlocking, stored_keys
from sealkit.cli.keys_usage import Manifest, manifests_in, manifests_of
from sealkit.cli.output import counted, print_json
from sealkit.cli.verify import FINDINGS
from sealkit.cluster import Place, create_key_secret
from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.errors import SealkitError, UsageError
from sealkit.keypair import KeyState
from sealkit.keystore import StoredKey
from sealkit.lines import printable
from sealkit.manifests.sealed import KIND, SealedSecret
from sealkit.sealing import open_values

_WORST_LAST = tuple(KeyState)


class RestoreRequest(NamedTuple):
    """Which cluster, which backups and what opens them; `paths` are looked at in its place."""

    place: Place
    namespace: str
    files: tuple[str, ...]
    unlocking: Unlocking
    paths: tuple[str, ...]


class Restored(NamedTuple):
    """What became of one key of the backups; `name` is that of its Secret."""

    kid: str
    state: str
    name: str
    created: bool


class Unopened(NamedTuple):
    """A manifest that the keys of the backups do not open."""

    manifest: str
    problem: str


class Proof(NamedTuple):
    """What the backups are good for. `missing` are keys of the cluster that are in none of them."""

    keys: tuple[str, ...]
    missing: tuple[str, ...]
    opened: int
    unopened: tuple[Unopened, ...]


def restore(request: RestoreRequest, app: App) -> Iterator[Restored]:
    """Create the Secrets of keys that are not in the cluster, one after the other.

    A name that is taken is replaced by one made of the key id, so that no key can be in the way of
    another, and a second run finds what the first one made.

    Raises:
        UsageError: manifests are named.
        SealkitError: a backup does not open, or the cluster refuses. What was created stays.
    """
    if request.paths:
        raise UsageError("goes with --dry-run only", field="--manifests")
    keys = _backed_up(request, app)
    there = {one.pair.key.kid: one for one in stored_keys(request.place, request.namespace, app)}
    for kid, key in keys.items():
        if kid in there:
            yield Restored(kid, there[kid].pair.state.value, there[kid].name, created=False)
        else:
            yield Restored(kid, key.pair.state.value, _created(request, key), created=True)


def _created(request: RestoreRequest, key: StoredKey) -> str:
    for name in (key.name, f"restored-{key.pair.key.kid}"):
        if create_key_secret(request.place, key.pair.to_secret(name, request.namespace)):
            return name
    raise SealkitError("is the name of another Secret").located(file=f"{request.namespace}/{name}")


def prove(request: RestoreRequest, app: App) -> Proof:
    """Open manifests with the keys of the backups alone; nothing is written anywhere.

    With paths their manifests are opened, and no cluster is asked.

    Raises:
        SealkitError: a backup does not open, a file cannot be read, or the cluster does not answer.
    """
    keys = _backed_up(request, app)
    if request.paths:
        missing = []
        manifests = manifests_in(app, request.paths)
    else:
        there = stored_keys(request.place, request.namespace, app)
        missing = [one.pair.key.kid for one in there if one.pair.key.kid not in keys]
        manifests = manifests_of(request.place)
    ring = {kid: stored.pair.key for kid, stored in keys.items()}
    opened, unopened = 0, []
    for manifest in manifests:
        problem = _problem(manifest, ring)
        if problem:
            unopened.append(Unopened(manifest.name, problem))
        else:
            opened += 1
    return Proof(tuple(keys), tuple(missing), opened, tuple(unopened))


def _problem(manifest: Manifest, ring: Mapping[Kid, PrivateKey]) -> str:
    try:
        open_values(SealedSecret.from_dict(manifest.raw), ring)
    except SealkitError as error:
        return str(error)
    return ""


def _backed_up(request: RestoreRequest, app: App) -> dict[Kid, StoredKey]:
    """Return the keys of all backups, the oldest first; of two states the worse one counts."""
    request.unlocking.check(request.files)
    found: dict[Kid, StoredKey] = {}
    for file in request.files:
        for key in request.unlocking.open(app, file):
            kid = key.pair.key.kid
            found[kid] = max(found.get(kid, key), key, key=_badness)
    return dict(sorted(found.items(), key=lambda item: item[1].pair.not_before))


def _badness(key: StoredKey) -> int:
    return _WORST_LAST.index(key.pair.state)


def print_restored(app: App, rows: Iterator[Restored], *, as_json: bool) -> None:
    """Say what became of each key as it happens, or all of it as JSON at the end."""
    done = []
    for row in rows:
        done.append(row)
        if not as_json:
            what = "restored as" if row.created else "is there as"
            app.write(STDIO, printable(f"{row.kid}  {row.state:11}  {what} {row.name}") + "\n")
    if as_json:
        print_json(app, [row._asdict() for row in done])


def print_proof(app: App, proof: Proof, *, as_json: bool) -> None:
    """Print what the backups are good for; exit with 3 if that is not everything."""
    if as_json:
        unopened = [one._asdict() for one in proof.unopened]
        print_json(app, proof._asdict() | {"unopened": unopened})
    else:
        app.write(STDIO, "".join(f"{printable(line)}\n" for line in _lines(proof)))
    if proof.missing or proof.unopened:
        raise click.exceptions.Exit(FINDINGS)


def _lines(proof: Proof) -> Sequence[str]:
    total = proof.opened + len(proof.unopened)
    return [
        *(f"{kid}  is in the cluster, and in no backup" for kid in proof.missing),
        *(f"{one.manifest}: {one.problem}" for one in proof.unopened),
        f"opened {proof.opened} of {counted(total, KIND)} with {counted(len(proof.keys), 'key')}",
    ]
