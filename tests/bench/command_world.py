"""What the command line is measured on: repositories with one Secret, and one with a thousand."""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sealkit.crypto.recipient import Recipient
from sealkit.crypto.x1 import PrivateKey
from sealkit.keypair import KeyPair, KeyState
from sealkit.manifests.emit import emit_yaml
from sealkit.sensitive import Sensitive
from tests.bench.manifests import VALUES
from tests.bench.peers import Sops
from tests.bench.programs import Command, call

BIN = Path(sys.executable).parent
SECRET, SEALED = "secret.yaml", "secret.sealed.yaml"


def sealkit(*arguments: str | Path) -> Command:
    """Return a call of the installed command."""
    return (BIN / "sealkit", *arguments)


@dataclass(frozen=True)
class Tree:
    """A repository of many Secrets, a file each, at two commits.

    The last lets one more cluster into all of `apps`. `plain` is how all began, `one_file` the
    same in one file, `narrow` as of the first commit, and `scratch` is for what is changed.
    """

    folder: Path

    @property
    def one_file(self) -> Path:
        """All Secrets as documents of one file."""
        return self.folder / "all.yaml"

    @property
    def key(self) -> Path:
        """The private key of the first cluster, as kubectl prints it."""
        return self.folder / "key.yaml"

    def refill(self, source: str) -> None:
        """Let the folder `scratch` be a copy of another."""
        shutil.rmtree(self.folder / "scratch", ignore_errors=True)
        shutil.copytree(self.folder / source, self.folder / "scratch")

    def files(self, folder: str) -> list[Path]:
        """Return the files in one of its folders."""
        return sorted((self.folder / folder).iterdir())


def secret_text(name: str) -> str:
    """Return a Secret of `VALUES` values, as people write it."""
    head = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: shop}}\n"
    values = (f"  KEY_{number}: a-value-of-24-characters\n" for number in range(VALUES))
    return f"{head}stringData:\n{''.join(values)}"


def cluster_name(number: int) -> str:
    """Return what a cluster is called, counted from 0."""
    return f"cluster-{number}"


def make_desk(folder: Path, home: Path, clusters: int) -> Path:
    """Make a repository for some clusters, with a Secret and its manifest, and return it."""
    folder.mkdir()
    run = partial(call, folder=folder, home=home)
    run(sealkit("init"))
    for number in range(clusters):
        _add_cluster(folder, home, number)
    (folder / SECRET).write_text(secret_text("db"))
    run(sealkit("seal", SECRET, "-o", SEALED))
    return folder


def _add_cluster(folder: Path, home: Path, number: int) -> None:
    name = cluster_name(number)
    file = folder / f"{name}.pub"
    file.write_text(str(Recipient(name, _key(number).public)))
    call(sealkit("clusters", "add", name, file), folder, home)


def _key(number: int) -> PrivateKey:
    return PrivateKey(Sensitive(bytes([number]) * 32))


def make_tree(folder: Path, home: Path, secrets: int) -> Tree:
    """Make a repository of many Secrets and return it."""
    make_desk(folder, home, clusters=1)
    tree = Tree(folder)
    texts = {f"app-{number}": secret_text(f"app-{number}") for number in range(secrets)}
    _write(folder / "plain", texts)
    tree.one_file.write_text("---\n".join(texts.values()))
    pair = KeyPair(_key(0), KeyState.ACTIVE, datetime(2026, 1, 1, tzinfo=UTC))
    tree.key.write_text(emit_yaml(pair.to_secret("key", "sealkit-system")))
    tree.refill("plain")
    call(sealkit("seal", "--in-place", *tree.files("scratch")), folder, home)
    shutil.copytree(folder / "scratch", folder / "narrow")
    (folder / "scratch").rename(folder / "apps")
    _commit_twice(tree, home)
    return tree


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)


def _commit_twice(tree: Tree, home: Path) -> None:
    def git(*arguments: str) -> None:
        author = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
        call(("git", *author, *arguments), tree.folder, home)

    git("init", "--quiet")
    git("add", "apps")
    git("commit", "--quiet", "--message", "for one cluster")
    _add_cluster(tree.folder, home, 1)
    call(sealkit("rewrap", "--key", tree.key, "apps"), tree.folder, home)
    git("commit", "--quiet", "--all", "--message", "for two")


def add_sops(tree: Tree, home: Path, sops: Sops, secrets: int) -> None:
    """Put as many files of sops into the folder `sops`, to be opened to a second recipient."""
    (tree.folder / "sops").mkdir()
    for file in tree.files("plain")[:secrets]:
        encrypt = sops.encrypt(file, 1, "--output", str(tree.folder / "sops" / file.name))
        call(encrypt, tree.folder, home)
    (tree.folder / ".sops.yaml").write_text(sops.rules(recipients=2))
