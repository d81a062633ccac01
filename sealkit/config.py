"""`.sealkit.yaml`: which clusters exist and who may read which manifest.

The nearest file upwards from a target decides; its globs are relative to its own folder; the first
rule that matches wins. The reading is strict: a typo in a security policy must not pass.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Final, NamedTuple

from sealkit import fields
from sealkit.encoding import from_base32
from sealkit.errors import ConfigError, ManifestError
from sealkit.files import AnyPath, inside, is_file, read_bytes
from sealkit.manifests.documents import Resource, iter_resources, read_documents
from sealkit.manifests.scope import Scope
from sealkit.manifests.splice import Remove, Set, apply_edits

NAME: Final = ".sealkit.yaml"
API_VERSION: Final = "sealkit.dev/config/v1"

_KID_BYTES: Final = 16
_TOKEN: Final = re.compile(r"(\*\*/|\*\*|\*|\?)")  # the wildcards; what is between them is literal
# Names that Windows gives to devices, with any ending: a repository with one is of no use there.
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_CLUSTER_FIELDS: Final = ("kid", "recipient", "notAfter")
_RULE_FIELDS: Final = ("paths", "clusters", "scopes")


class Cluster(NamedTuple):
    """One entry of `clusters`: the pinned key id and the recipient file, relative to the config."""

    name: str
    kid: str
    recipient: str
    not_after: date | None = None


class Rule(NamedTuple):
    """One entry of `rules`: for files that match a glob, the clusters and the scopes allowed."""

    paths: tuple[str, ...]
    clusters: tuple[str, ...]
    scopes: tuple[Scope, ...] = tuple(Scope)

    def matches(self, path: str) -> bool:
        """Tell whether a path, relative to the config's folder, falls under this rule."""
        return any(_glob_matches(glob, path) for glob in self.paths)


class Config(NamedTuple):
    """A parsed `.sealkit.yaml` and the folder it rules."""

    folder: str
    clusters: Mapping[str, Cluster]
    rules: tuple[Rule, ...]

    @property
    def path(self) -> str:
        """The file itself."""
        return os.path.join(self.folder, NAME)

    def file_of(self, cluster: Cluster) -> str:
        """Return the path of the recipient file of a cluster."""
        return os.path.join(self.folder, cluster.recipient)

    def rule_for(self, target: str) -> Rule | None:
        """Return the first rule for a file, by its absolute path, or None where no rule matches."""
        relative = inside(target, self.folder)
        if relative is None:
            return None
        return next((rule for rule in self.rules if rule.matches(relative)), None)


def find_config(target: AnyPath) -> Config | None:
    """Return the nearest config upwards from a file or folder, or None where there is none.

    Raises:
        SealkitError: the nearest one is wrong, or cannot be read.
    """
    return Configs().above(os.path.realpath(target))


class Configs:
    """The configs above any number of folders; each is read once."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._nearest: dict[str, Config | None] = {}

    def above(self, folder: str) -> Config | None:
        """Return the nearest config of a folder, all links followed. Raises as `find_config`.

        Unlike one that is not there, one that cannot be read is not passed over for one further up.
        """
        if folder not in self._nearest:
            path, above = os.path.join(folder, NAME), os.path.dirname(folder)
            if is_file(path):
                self._nearest[folder] = load_config(path)
            else:
                self._nearest[folder] = self.above(above) if above != folder else None
        return self._nearest[folder]

    @property
    def found(self) -> list[Config]:
        """All that were read, in the order of the folders asked for."""
        return list({one.path: one for one in self._nearest.values() if one}.values())


def load_config(path: AnyPath) -> Config:
    """Read and check one config file.

    Raises:
        ConfigError: naming the file and the field that is wrong.
    """
    try:
        return _config(os.path.dirname(path), _only_document(path))
    except ManifestError as error:
        raise ConfigError(error.problem, field=error.field, hint=error.hint).located(
            file=error.file or os.fspath(path), document=error.document
        ) from error
    except ConfigError as error:
        error.located(file=os.fspath(path))
        raise


def _only_document(path: AnyPath) -> Mapping[str, object]:
    documents = read_documents(read_bytes(path), file=os.fspath(path))
    values = [document.to_plain() for document in documents if not document.is_empty]
    if len(values) != 1:
        raise ConfigError("is not exactly one document")
    return fields.mapping(values[0], "")


def _config(folder: str, raw: Mapping[str, object]) -> Config:
    _only(raw, ("apiVersion", "clusters", "rules"), "")
    if raw.get("apiVersion") != API_VERSION:
        raise ConfigError(f"is not {API_VERSION}", field="apiVersion")
    entries = fields.mapping(_given(raw, "clusters", {}), "clusters")
    clusters = {name: _cluster(name, entries[name]) for name in entries}
    rules = tuple(
        _rule(rule, f"rules[{number}]", clusters)
        for number, rule in enumerate(_sequence(_given(raw, "rules", []), "rules"))
    )
    return Config(os.path.realpath(folder), clusters, rules)


def _only(raw: Mapping[str, object], known: Sequence[str], path: str) -> None:
    """Refuse unknown fields, and say what the first of them was probably meant for."""
    try:
        fields.only(raw, known, path)
    except ManifestError as error:
        strange = next(name for name in raw if name not in known)
        error.hint = meant(strange, known) or error.hint
        raise


def meant(name: str, known: Iterable[str]) -> str:
    """Return a hint at the known name that a misspelt one is closest to, "" if none is close."""
    from difflib import get_close_matches  # noqa: PLC0415 (rare: cold start)

    close = get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def _given(raw: Mapping[str, object], name: str, default: object) -> object:
    """Return a field; one without a value, as people leave behind, is not there."""
    value = raw.get(name)
    return default if value is None else value


def _cluster(name: str, raw: object) -> Cluster:
    path = f"clusters.{name}"
    fields.object_name(name, path)
    entry = fields.mapping(raw, path)
    _only(entry, _CLUSTER_FIELDS, path)
    kid = fields.text(entry.get("kid"), f"{path}.kid")
    from_base32(kid, _KID_BYTES, f"{path}.kid")
    return Cluster(
        name=name,
        kid=kid,
        recipient=_file(entry.get("recipient"), f"{path}.recipient"),
        not_after=_day(entry.get("notAfter"), f"{path}.notAfter"),
    )


def _file(raw: object, path: str) -> str:
    name = fields.text(raw, path)
    if not name:
        raise ConfigError("is empty", field=path)
    return posixpath.normpath(name)


def _day(raw: object, path: str) -> date | None:
    if raw is None:
        return None
    text = fields.text(raw, path)
    with suppress(ValueError):
        day = date.fromisoformat(text)
        if day.isoformat() == text:  # not 20270501, not a day of a week
            return day
    raise ConfigError("is not a date, expected YYYY-MM-DD", field=path)


def _rule(raw: object, path: str, clusters: Mapping[str, Cluster]) -> Rule:
    entry = fields.mapping(raw, path)
    _only(entry, _RULE_FIELDS, path)
    names = _strings(entry.get("clusters", []), f"{path}.clusters")
    for name in names:
        if name not in clusters:
            what = f"names {name!r}, which clusters has not"
            raise ConfigError(what, field=f"{path}.clusters", hint=meant(name, clusters))
    return Rule(
        paths=_globs(entry.get("paths", []), f"{path}.paths"),
        clusters=names,
        scopes=_scopes(entry.get("scopes"), f"{path}.scopes"),
    )


def _globs(raw: object, path: str) -> tuple[str, ...]:
    globs = _strings(raw, path)
    for glob in globs:
        _check_glob(glob, path)
    return globs


def _check_glob(text: str, path: str) -> None:
    """Refuse what could never match, or not as meant: a rule that is silently dead is a hole."""
    if set(text) & set("[]{}!\\"):
        what = f"{text!r} holds a character that globs here do not know, expected *, ** and ?"
        raise ConfigError(what, field=path)
    if set(text.split("/")) & {"", ".", ".."}:
        what = f"{text!r} is not a path below the folder of this file, such as apps/*/prod/**"
        raise ConfigError(what, field=path)


def _scopes(raw: object, path: str) -> tuple[Scope, ...]:
    if raw is None:
        return tuple(Scope)
    try:
        return tuple(Scope(text) for text in _strings(raw, path))
    except ValueError:
        known = ", ".join(scope.value for scope in Scope)
        raise ConfigError(f"is not a list of {known}", field=path) from None


def _strings(raw: object, path: str) -> tuple[str, ...]:
    entries = tuple(fields.text(entry, path) for entry in _sequence(raw, path))
    if not entries:
        raise ConfigError("is missing or empty", field=path)
    if len(set(entries)) < len(entries):
        raise ConfigError("says something twice", field=path)
    return entries


def _sequence(raw: object, path: str) -> Sequence[object]:
    if not isinstance(raw, list):
        raise ConfigError("is not a list", field=path)
    return raw


def _glob_matches(glob: str, path: str) -> bool:
    """Match a glob by following all its ways at once: no glob can make this slow."""
    ends = {0}
    for piece in _TOKEN.split(glob):
        ends = {end for start in ends for end in _ends(piece, path, start)}
    return len(path) in ends


def _ends(piece: str, path: str, start: int) -> Iterable[int]:
    """Return where a match of one piece that begins at `start` can end."""
    if piece == "**":
        return range(start, len(path) + 1)
    if piece == "**/":  # no folder, or any number of them
        return [start, *(i + 1 for i in range(start, len(path)) if path[i] == "/")]
    folder_end = path.find("/", start)
    rest = (len(path) if folder_end < 0 else folder_end) - start
    if piece == "*":
        return range(start, start + rest + 1)
    if piece == "?":
        return [start + 1] if rest else []
    return [start + len(piece)] if path.startswith(piece, start) else []


def remove_cluster(text: bytes, name: str) -> str:
    """Return the text of a config that loads without one of its clusters. Raises as `add_cluster`.

    Every other byte is kept.
    """
    return apply_edits(_only_resource(text), [Remove(("clusters", name))])


def add_cluster(text: bytes, cluster: Cluster) -> str:
    """Return the text of a config that loads with one cluster added or replaced.

    Every other byte is kept.

    Raises:
        ConfigError: the file of its recipient could not be on Windows.
        ManifestError: the layout is one that cannot be edited safely.
    """
    name = posixpath.basename(cluster.recipient)
    if _DEVICE.fullmatch(name):
        what = f"{name!r} can be no file on Windows, choose another name"
        raise ConfigError(what, field=f"clusters.{cluster.name}")
    entry: dict[str, object] = {"kid": cluster.kid, "recipient": cluster.recipient}
    if cluster.not_after:
        entry["notAfter"] = cluster.not_after.isoformat()
    return apply_edits(_only_resource(text), [Set(("clusters", cluster.name), entry)])


def _only_resource(text: bytes) -> Resource:
    documents = read_documents(text, file=NAME)
    return next(resource for document in documents for resource in iter_resources(document))
