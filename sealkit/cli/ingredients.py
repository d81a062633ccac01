"""What a new Secret is made of: typed, piped, in files, or generated; never arguments' values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import chain
from string import ascii_letters, ascii_lowercase, digits
from typing import TYPE_CHECKING, Final, NamedTuple

from sealkit.assembly import no_salt
from sealkit.cli.app import STDIO, App
from sealkit.cli.dotenv import parse_env
from sealkit.cli.resources import label_of
from sealkit.cli.values import Sources, check_keys
from sealkit.errors import ManifestError, SealkitError, TemplateError, UsageError
from sealkit.manifests.secret import DEFAULT_TYPE
from sealkit.sealing import Random
from sealkit.sensitive import Sensitive

if TYPE_CHECKING:
    from sealkit.builders import Builder
    from sealkit.builders.docker_config import Registry

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 4096
DEFAULT_LENGTH: Final = 32
CHARSETS: Final[Mapping[str, str]] = {
    "alnum": ascii_letters + digits,
    "letters": ascii_letters,
    "lower": ascii_lowercase + digits,
    "digits": digits,
    "hex": "0123456789abcdef",
    "url": ascii_letters + digits + "-_",
    # All of ASCII but space, quotes, `\`, backtick and `$`, which shells and files trip over.
    "symbols": ascii_letters + digits + "!#%&()*+,-./:;<=>?@[]^_{|}~",
}
_HINT: Final = "values come from a prompt, standard input or files, never from the command line"


class Recipe(NamedTuple):
    """A value to generate: `length` characters out of `characters`, each as likely."""

    key: str
    length: int = DEFAULT_LENGTH
    characters: str = CHARSETS["alnum"]

    @classmethod
    def parse(cls, text: str) -> Recipe:
        """Parse KEY[:LENGTH[:CHARSET]].

        Raises:
            UsageError: it is something else. It is not quoted: it may hold a value.
        """
        key, _, rest = text.partition(":")
        length, _, charset = rest.partition(":")
        check_keys((key,))
        characters = CHARSETS.get(charset or "alnum")
        if characters is None:
            what = f"CHARSET is none of {', '.join(CHARSETS)}"
            raise UsageError(what, field=f"--generate {key}")
        return cls(key, _length(length, key) if length else DEFAULT_LENGTH, characters)

    def value(self, random: Random) -> Sensitive:
        """Return a value; `random` must be a cryptographic source."""
        # Bytes from the incomplete last round would make the first characters likelier.
        limit = 256 - 256 % len(self.characters)
        found: list[str] = []
        while len(found) < self.length:
            fair = (byte for byte in random(self.length) if byte < limit)
            found += (self.characters[byte % len(self.characters)] for byte in fair)
        return Sensitive("".join(found[: self.length]).encode())


def _length(text: str, key: str) -> int:
    with suppress(ValueError):
        if MIN_LENGTH <= int(text) <= MAX_LENGTH:
            return int(text)
    what = f"LENGTH is not a number from {MIN_LENGTH} to {MAX_LENGTH}"
    raise UsageError(what, field=f"--generate {key}")


class Docker(NamedTuple):
    """A registry to log in to; the password is asked for, and an empty user as well."""

    server: str
    user: str


class Ingredients(NamedTuple):
    """Where the values of a Secret come from. Empty texts and None mean: not asked for."""

    sources: Sources
    env_files: tuple[str, ...]
    recipes: tuple[Recipe, ...]
    docker: Docker | None
    tls: tuple[str, str] | None
    ssh: str

    @property
    def is_empty(self) -> bool:
        """Whether there will be no value."""
        return not any((self.sources.names, *self[1:]))

    def type_of(self, wanted: str) -> str:
        """Return the type of the Secret: what was asked for, or what its values are made for.

        Raises:
            UsageError: these are not the same, or there are two.
        """
        made = {
            "--tls": self.tls and "kubernetes.io/tls",
            "--docker": self.docker and "kubernetes.io/dockerconfigjson",
            "--ssh": self.ssh and "kubernetes.io/ssh-auth",
        }
        found = {option: name for option, name in made.items() if name}
        if len(found) > 1:
            raise UsageError(f"{' and '.join(found)} exclude each other")
        for option, name in found.items():
            if wanted not in {"", name}:
                raise UsageError(f"is not {name}, which {option} makes", field="--type")
        return wanted or next(iter(found.values()), DEFAULT_TYPE)

    def check(self, app: App) -> None:
        """Refuse unclear sources before anything is read.

        Raises:
            UsageError: standard input would have to hold more than one thing, or lacks one.
        """
        paths = (*self.sources.paths.values(), *self.env_files, *(self.tls or ()), self.ssh)
        uses = paths.count(STDIO)
        if not app.interactive():
            uses += len(self.sources.keys) + bool(self.docker)
            if self.docker and not self.docker.user:
                what = "needs --docker-user where nobody can be asked"
                raise UsageError(what, field="--docker")
        if self.docker:
            _registry(self.docker)
        if uses > 1:
            hint = "use --from-file KEY=PATH for the others"
            raise UsageError("standard input holds one of the values only", hint=hint)

    def read(self, app: App, check: Callable[[Iterable[str]], None]) -> dict[str, Sensitive]:
        """Return all values by key, sorted.

        `check` gets the keys, maybe one of them twice; nobody is asked for a value if it raises.

        Raises:
            SealkitError: a file cannot be read or is not what it should be; nothing was typed.
        """
        found = [*self._of_files(app), *((one.key, one.value(app.random)) for one in self.recipes)]
        asked = (".dockerconfigjson",) if self.docker else ()
        check((*(key for key, _ in found), *self.sources.names, *asked))
        data = {**dict(found), **_read_sources(app, self.sources)}
        if self.docker:
            data |= _docker(app, self.docker)
        return {key: data[key] for key in sorted(data)}

    def _of_files(self, app: App) -> Iterable[tuple[str, Sensitive]]:
        parts = [_env(app, name) for name in self.env_files]
        if self.tls:
            parts.append(_tls(app, *self.tls))
        if self.ssh:
            parts.append(_ssh(app, self.ssh))
        return chain.from_iterable(part.items() for part in parts)


def parse_sources(keys: tuple[str, ...], pairs: tuple[str, ...]) -> Sources:
    """Parse keys whose values are typed or piped in, and KEY=PATH pairs; there may be none.

    Raises:
        UsageError: as `Sources.parse`.
    """
    if not keys and not pairs:
        return Sources((), {})
    try:
        return Sources.parse(keys, pairs)
    except UsageError as error:
        error.hint = error.hint and _HINT  # its own speaks of another verb
        raise


def _read_sources(app: App, sources: Sources) -> Mapping[str, Sensitive]:
    try:
        return sources.read(app)
    except UsageError as error:
        error.hint = error.hint and "for an empty value: --from-file KEY=/dev/null"
        raise


def _env(app: App, name: str) -> dict[str, Sensitive]:
    try:
        return parse_env(app.read(name))
    except ManifestError as error:
        error.located(file=label_of(name))
        raise


def _tls(app: App, certificate: str, key: str) -> dict[str, Sensitive]:
    from sealkit.builders.tls import Tls  # noqa: PLC0415 (rare: cold start)

    values = {name: Sensitive(app.read(name)) for name in dict.fromkeys((certificate, key))}
    return _built(Tls(certificate, key), values)


def _ssh(app: App, name: str) -> dict[str, Sensitive]:
    from sealkit.builders.ssh_auth import SshAuth  # noqa: PLC0415 (rare: cold start)

    return _built(SshAuth(name), {name: Sensitive(app.read(name))})


def _docker(app: App, docker: Docker) -> dict[str, Sensitive]:
    from sealkit.builders.docker_config import DockerConfigJson  # noqa: PLC0415 (rare: cold start)

    user = Sensitive(docker.user.encode(errors="surrogateescape"))
    if not docker.user:
        user = _typed(app, f"user for {docker.server}")
    values = {"user": user, "password": _password(app, docker)}
    return _built(DockerConfigJson((_registry(docker),)), values)


def _registry(docker: Docker) -> Registry:
    from sealkit.builders.docker_config import Registry  # noqa: PLC0415 (rare: cold start)

    names = {"server": docker.server, "username": "user", "password": "password"}
    try:
        return Registry.from_dict(names, "--docker")
    except ManifestError as error:
        raise UsageError(error.problem, field="--docker") from error


def _password(app: App, docker: Docker) -> Sensitive:
    if app.interactive():
        return _typed(app, f"password for {docker.server}")
    # As `docker login --password-stdin`: the line break of `echo` is no part of it.
    raw = app.read(STDIO).removesuffix(b"\n").removesuffix(b"\r")
    if not raw:
        raise UsageError("the password is empty").located(file=label_of(STDIO))
    return Sensitive(raw)


def _typed(app: App, what: str) -> Sensitive:
    answer = app.ask(f"{what}: ")
    if not answer:
        raise UsageError("nothing was typed", field=what)
    return Sensitive(answer.encode(errors="surrogateescape"))


def _built(builder: Builder, values: Mapping[str, Sensitive]) -> dict[str, Sensitive]:
    try:
        return builder.build(values, no_salt)
    except TemplateError as error:
        # Whoever types an option knows no builder; the names of the values are those of files.
        raise SealkitError(error.problem.removeprefix(f"builder {builder.name}: ")) from None
