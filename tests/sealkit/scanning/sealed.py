"""Manifests of every kind, under names that other scanners listen to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Final

from sealkit.crypto.x1 import PrivateKey
from sealkit.manifests.emit import emit_yaml
from sealkit.manifests.scope import Scope
from sealkit.manifests.secret import Secret
from sealkit.manifests.vault import VaultTerms
from sealkit.references.template import from_raw
from sealkit.sealing import Referred, seal
from sealkit.sensitive import Sensitive
from tests.sealkit.samples import sensitive

MANIFESTS: Final = 200
LINE: Final = "kv/shop/db#password"
REFERENCES: Final = (
    f"vault:{LINE}",
    f"vault:{LINE}#3 | base64decode",
    f"postgres://app:${{vault:{LINE}}}@db/shop",
    f"${{vault:{LINE}}}${{vault:kv/shop/db#pwd}}",
    "vault:transit/decrypt/shop#api_key",
    "<path:kv/data/shop/secret#token>",
)
WORDS: Final = ("password", "secret", "api_key", "token", "DB_PASSWORD", "client-secret", "tls.key")


def manifests(random: Random) -> Iterator[dict[str, object]]:
    """Make manifests up: 1 to 50 values of all sizes, for clusters, and references to Vault."""
    # The same in every run: the id of one key in 4,000 looks random enough for a finding.
    keys = [PrivateKey(Sensitive(bytes([number]) * 32)) for number in range(40)]
    for number in range(MANIFESTS):
        count = 50 if number % 40 == 0 else random.choice((1, 2, 7))
        names = (f"{random.choice(WORDS)}{index or ''}" for index in range(count))
        values = {name: random.randbytes(random.choice((0, 1, 9, 40, 300))) for name in names}
        references = {f"ref-{name}": from_raw(random.choice(REFERENCES)) for name in values}
        references |= {"pwd": from_raw(random.choice(REFERENCES))}
        values["secret"] = random.randbytes(random.randrange(2_000))
        secret = Secret(
            f"{random.choice(WORDS[:4])}-{number}".lower().replace("_", "-"),
            "shop",
            sensitive(values),
        )
        chosen = random.sample(keys, random.randint(1, 4))
        sealed = seal(
            secret,
            [key.public for key in chosen],
            random.choice(list(Scope)),
            random.randbytes,
            Referred(references, VaultTerms()),
        )
        yield sealed.to_dict()


def sealed_files(random: Random) -> Iterator[tuple[str, str]]:
    """Yield names of files and what is in them, YAML and JSON by turns."""
    for number, manifest in enumerate(manifests(random)):
        if number % 2:
            yield f"{number}.sealed.yaml", emit_yaml(manifest)
        else:
            yield f"{number}.sealed.json", json.dumps(manifest, indent=random.choice((None, 2)))
