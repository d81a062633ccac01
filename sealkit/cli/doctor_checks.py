"""What `sealkit doctor` looks at: the configuration, keys, what other programs do with us."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sealkit.cli.app import App
from sealkit.cli.clusters import FOLDER
from sealkit.cli.config import Level, nearest, recipient_findings, ruled_files
from sealkit.cli.doctor import Check, State
from sealkit.cli.doctor_programs import check_editor, check_git, check_kubectl, check_path
from sealkit.cli.output import counted
from sealkit.config import NAME, Config, load_config
from sealkit.errors import SealkitError, UsageError
from sealkit.files import read_bytes
from sealkit.git import Git
from sealkit.keystore import load_recipient, parse_private_keys

_OTHERS: Final = 0o077  # what the group and the world may do
_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json", ".key", ".pem", ".pub", ".txt", ".bak", ""})
_MARK: Final = b"sealkit.dev/key"  # the type of Secrets that hold private keys
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Place:
    """Where the doctor is called to: a repository or none, the nearest configuration or none."""

    git: Git | None
    config: Path | None
    files: tuple[Path, ...]


def checks(app: App, files: Iterable[str]) -> Iterator[Check]:
    """Yield every check but those of the libraries."""
    place = place_of(app)
    yield from check_configs(app, place)
    yield from check_recipients(app, place)
    yield from check_given(app, files)
    yield check_kept(app, place)
    yield from check_git(app, place.git)
    yield check_path(app)
    yield check_kubectl(app)
    yield check_editor(app)
    yield check_vault(app)


def place_of(app: App) -> Place:
    """Find the repository, the configuration, and the files that are or may get committed."""
    config = None
    with suppress(UsageError):
        config = nearest(app)
    with suppress(SealkitError):
        root = Git(app.folder, app.environment).root()
        git = Git(root, app.environment)
        names = (*git.files(), *git.files(untracked=True))
        return Place(git, config, tuple(root / name for name in names))
    names = tuple(ruled_files(str(config.parent))) if config else ()
    return Place(None, config, tuple(config.parent / name for name in names) if config else ())


def check_configs(app: App, place: Place) -> Iterator[Check]:
    """Check that every configuration of the repository can be read."""
    paths = dict.fromkeys([*filter(None, [place.config])])
    paths |= dict.fromkeys(path for path in place.files if path.name == NAME and path.is_file())
    if not paths:
        yield Check("config", State.WARN, f"there is no {NAME} here or above", "sealkit init")
    for path in paths:
        try:
            config = load_config(path)
        except SealkitError as error:
            error.file = app.shown(error.file)
            yield Check("config", State.FAIL, str(error), error.hint)
            continue
        count = f"{counted(len(config.clusters), 'cluster')}, {counted(len(config.rules), 'rule')}"
        yield Check("config", State.OK, f"{app.shown(path)}: {count}")


def check_recipients(app: App, place: Place) -> Iterator[Check]:
    """Check the recipient files of the nearest configuration, and those that it does not name."""
    config = None
    with suppress(SealkitError):
        config = load_config(place.config) if place.config else None
    if config is None:
        return
    if not config.clusters:
        hint = "sealkit clusters add NAME --context CTX"
        yield Check("recipients", State.WARN, "there is no cluster to seal for yet", hint)
    found = [*_pinned(app, config), *_unpinned(app, config)]
    yield from found
    if config.clusters and not found:
        yield Check(
            "recipients", State.OK, "every cluster is pinned, and no key is about to expire"
        )


def _pinned(app: App, config: Config) -> Iterator[Check]:
    for finding in recipient_findings(app, config, app.shown(config.path)):
        state = State.FAIL if finding.level is Level.ERROR else State.WARN
        yield Check("recipients", state, f"{finding.field}: {finding.problem}", finding.hint)


def _unpinned(app: App, config: Config) -> Iterator[Check]:
    """Yield recipient files that no cluster names: they look trusted, and are not."""
    named = {config.file_of(cluster) for cluster in config.clusters.values()}
    for path in sorted(Path(config.folder, FOLDER).glob("*.pub")):
        if str(path) in named:
            continue
        with suppress(SealkitError):
            kid = load_recipient(path).key.kid
            what = f"{app.shown(path)}: no cluster of {NAME} pins its key {kid}"
            hint = f"sealkit clusters add {path.stem} {app.shown(path)}, or remove the file"
            yield Check("recipients", State.WARN, what, hint)


def check_given(app: App, files: Iterable[str]) -> Iterator[Check]:
    """Check that nobody else can read the private keys in files."""
    for name in files:
        try:
            private = holds_private_key(read_bytes(app.path(name)))
        except SealkitError as error:
            yield Check("key-files", State.FAIL, f"{name}: {error.problem}")
            continue
        mode = os.stat(app.path(name)).st_mode & 0o777
        if not private:
            yield Check("key-files", State.OK, f"{name}: holds no private key in clear")
        elif mode & _OTHERS and os.name == "posix":
            what = f"{name}: others than you can read this private key (mode {mode:o})"
            yield Check("key-files", State.FAIL, what, f"chmod 600 {name}")
        else:
            yield Check("key-files", State.OK, f"{name}: only you can read this private key")


def check_kept(app: App, place: Place) -> Check:
    """Check that no file that is or may get committed holds a private key."""
    found = [app.shown(path) for path in place.files if _may_hold_key(path)]
    if not found:
        return Check("private-keys", State.OK, "no private key is among the files here")
    what = f"a private key must not be in the repository: {', '.join(found)}"
    hint = "move it away; if it was ever pushed, take the key for compromised"
    return Check("private-keys", State.FAIL, what, hint)


def _may_hold_key(path: Path) -> bool:
    if path.suffix not in _SUFFIXES or not path.is_file():
        return False
    with suppress(SealkitError):
        return holds_private_key(read_bytes(path))
    return False


def holds_private_key(raw: bytes) -> bool:
    """Tell whether a text is or holds a Secret with a cluster's private key."""
    if _MARK in raw:
        with suppress(SealkitError):
            return bool(parse_private_keys(raw, ""))
    return False


def check_vault(app: App) -> Check:
    """Check that a token for Vault does not travel in the clear."""
    for name in ("VAULT_ADDR", "BAO_ADDR"):
        address = app.environment.get(name, "")
        if not address.lower().startswith("http://"):
            continue
        if _is_local(address):
            return Check("vault", State.OK, f"{name} has no TLS, but leads to this machine only")
        what = f"{name} begins with http://: your token and every value would be sent in the clear"
        return Check("vault", State.FAIL, what, f"export {name}=https://…")
    return Check("vault", State.OK, "no address of Vault is without TLS")


def _is_local(address: str) -> bool:
    from urllib.parse import urlsplit  # noqa: PLC0415 (rare: cold start)

    with suppress(ValueError):
        return urlsplit(address).hostname in _LOOPBACK
    return False
