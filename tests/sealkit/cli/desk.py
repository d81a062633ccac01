"""A repository on a desk: commands run in this process, with streams in memory and one folder."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import yaml

from sealkit import errors
from sealkit.cli.app import App
from sealkit.cli.main import run
from sealkit.config import API_VERSION, NAME
from sealkit.crypto.recipient import Recipient
from sealkit.crypto.x1 import PrivateKey
from sealkit.errors import NoKeyError, SealkitError
from sealkit.keypair import KeyPair, KeyState
from sealkit.manifests.emit import emit_yaml
from sealkit.manifests.sealed import SealedSecret
from sealkit.sealing import unseal
from sealkit.sensitive import Sensitive

TODAY: Final = date(2026, 11, 1)
CANARY: Final = "canary-4f1d-never-shown"
NAMES: Final = ("prod", "staging")


def key_of(name: str) -> PrivateKey:
    """A private key that belongs to a cluster's name for ever."""
    return PrivateKey(Sensitive(hashlib.sha256(name.encode()).digest()))


class Terminal(io.BytesIO):
    """Standard input with a person at it."""

    def isatty(self) -> bool:
        return True


class Closed(io.BytesIO):
    """Standard output that fails: a full disk, a reader who left."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self._error = error

    def write(self, _: Any) -> int:
        raise self._error


@dataclass(frozen=True)
class Result:
    """What one command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Desk:
    """A folder with a configuration, recipient files and, beside it, the private keys."""

    folder: Path
    keys_folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def run(
        self,
        *arguments: str | Path,
        stdin: str | bytes | io.BytesIO = b"",
        answer: str | Callable[[str], str] | None = None,
        stdout: io.BytesIO | None = None,
        today: date = TODAY,
    ) -> Result:
        """Run a command; `answer` is what a person types, and makes standard input a terminal."""
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        given = raw if isinstance(raw, io.BytesIO) else io.BytesIO(raw)
        out, err = stdout or io.BytesIO(), io.StringIO()
        app = App(
            stdin=given if answer is None else Terminal(),
            stdout=out,
            stderr=err,
            folder=str(self.folder),
            environment=self.environment,
            random=self._random(),
            today=lambda: today,
            ask=self._answering(answer),
        )
        code = run([str(argument) for argument in arguments], app)
        return Result(code, out.getvalue().decode(), err.getvalue())

    def ok(self, *arguments: str | Path, **world: Any) -> Result:
        """Run a command that must succeed."""
        result = self.run(*arguments, **world)
        assert result.code == 0, result.err
        return result

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def read(self, name: str) -> str:
        return (self.folder / name).read_bytes().decode()

    def files(self) -> dict[str, bytes]:
        """Every file of the repository with its content, so that tests can say: untouched."""
        found = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}

    def config(
        self, rules: Sequence[object] = (), clusters: Mapping[str, object] | None = None
    ) -> None:
        """Write the configuration: the two clusters as they are pinned, unless told otherwise."""
        entries = clusters or {name: self.entry(name) for name in NAMES}
        config: dict[str, object] = {"apiVersion": API_VERSION, "clusters": entries}
        self.write(NAME, emit_yaml(config | ({"rules": list(rules)} if rules else {})))

    def entry(self, name: str, **changes: object) -> dict[str, object]:
        entry = {"kid": key_of(name).kid, "recipient": f".sealkit/{name}.pub"}
        return {key: value for key, value in (entry | changes).items() if value is not None}

    def recipient(self, name: str, key: str = "", not_after: date | None = None) -> Path:
        """Write the recipient file of a cluster, maybe with the key of another."""
        text = str(Recipient(name, key_of(key or name).public, not_after))
        return self.write(f".sealkit/{name}.pub", text)

    def key_file(self, *names: str) -> Path:
        """Write private keys as `kubectl get secret -o yaml` prints them: a List."""
        start = datetime(2026, 1, 1, tzinfo=UTC)
        pairs = [KeyPair(key_of(name), KeyState.ACTIVE, start) for name in names]
        items = [pair.to_secret("key", "sealkit-system") for pair in pairs]
        path = self.keys_folder / f"{'-'.join(names)}.yaml"
        path.write_text(emit_yaml({"apiVersion": "v1", "kind": "List", "items": items}))
        return path

    def values(self, text: str, name: str = NAMES[0]) -> dict[str, bytes]:
        """Open the one sealed manifest in a text as the controller of a cluster does."""
        keys = {key_of(name).kid: key_of(name)}
        secret = unseal(SealedSecret.from_dict(only_sealed(text)), keys)
        return {key: value.reveal() for key, value in secret.data.items()}

    def opens_in(self, text: str) -> set[str]:
        """Tell which clusters can open the one sealed manifest in a text."""
        return {name for name in (*NAMES, "dev", "lab") if self._opens(text, name)}

    def _opens(self, text: str, name: str) -> bool:
        try:
            self.values(text, name)
        except NoKeyError:
            return False
        return True

    @staticmethod
    def _random() -> Callable[[int], bytes]:
        numbers = itertools.count()
        return lambda size: hashlib.shake_128(str(next(numbers)).encode()).digest(size)

    def _answering(self, answer: str | Callable[[str], str] | None) -> Callable[[str], str]:
        def ask(prompt: str) -> str:
            self.asked.append(prompt)
            assert answer is not None, "nobody is at the terminal"
            return answer if isinstance(answer, str) else answer(prompt)

        return ask


def only_sealed(text: str) -> dict[str, Any]:
    """Return the one SealedSecret in a text, read by a stranger's parser."""
    found = [
        item
        for document in yaml.safe_load_all(text)
        if document
        for item in document.get("items", [document])
        if item["kind"] == "SealedSecret"
    ]
    assert len(found) == 1
    return dict(found[0])


def secret_text(name: str = "db", namespace: str = "shop", **values: str) -> str:
    """Return a Secret as people write it."""
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    raw = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    return emit_yaml(raw | {"stringData": values or {"PASSWORD": "hunter2", "USER": "app"}})


def families() -> list[type[SealkitError]]:
    """Return every error class of the toolkit."""
    everything = vars(errors).values()
    return [one for one in everything if isinstance(one, type) and issubclass(one, SealkitError)]


class Chancy(Desk):
    """A desk whose random values are: two runs never make the same envelope, nor two processes."""

    @staticmethod
    def _random() -> Callable[[int], bytes]:
        return os.urandom
