"""What Bitnami's programs made: sealed manifests, and what became of each."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from sealkit.crypto.bitnami import Ring, parse_private_keys
from sealkit.sensitive import Sensitive

FOLDER: Final = Path(__file__).parent
CERTIFICATE: Final = FOLDER / "cert.pem"
KEY_SECRET: Final = FOLDER / "key-secret.yaml"
NAMES: Final = tuple(sorted(path.parent.name for path in FOLDER.glob("*/sealed.yaml")))
REFUSED: Final = tuple(name for name in NAMES if name.startswith("err-"))


def sealed(name: str) -> Any:
    """Return a SealedSecret of theirs."""
    return yaml.safe_load(text_of(name))


def text_of(name: str) -> str:
    return (FOLDER / name / "sealed.yaml").read_text()


def expected(name: str) -> Any:
    """Return the fields of the Secret that their controller made of it, or its error."""
    return json.loads((FOLDER / name / "expected.json").read_bytes())


def ring() -> Ring:
    """Return their private key."""
    return Ring(_keys())


@cache
def _keys() -> tuple[RSAPrivateKey, ...]:
    pem = base64.b64decode(yaml.safe_load(KEY_SECRET.read_text())["data"]["tls.key"])
    return parse_private_keys(Sensitive(pem))
