"""The key pairs this cluster has, and which of them does what. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sealkit.crypto.recipient import Recipient
from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.errors import SealkitError
from sealkit.keypair import KeyPair, KeyState

PUBLIC_KEYS_NAME: Final = "sealkit-public-keys"
CURRENT_ENTRY: Final = "recipient"
LIST_ENTRY: Final = "keys"
_NAME: Final = re.compile(r"sealkit-key-([1-9][0-9]{0,8})")


@dataclass(frozen=True)
class KeyRing:
    """All key pairs by key id. Every one opens; the newest active one is published first.

    `refused` names the key Secrets that could not be read, with what is wrong with them.
    """

    pairs: Mapping[Kid, KeyPair] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, secrets: Mapping[str, Mapping[str, object]]) -> KeyRing:
        """Read key Secrets, by their names. A damaged one does not keep the others from working.

        Of two Secrets with one key the first by name counts, unless the other says compromised.
        """
        pairs: dict[Kid, KeyPair] = {}
        refused: dict[str, str] = {}
        for name in sorted(secrets):
            try:
                pair = KeyPair.from_secret(secrets[name])
            except SealkitError as error:
                refused[name] = str(error)
                continue
            if pair.key.kid not in pairs or pair.state is KeyState.COMPROMISED:
                pairs[pair.key.kid] = pair
        return cls(pairs, refused)

    @property
    def private_keys(self) -> dict[Kid, PrivateKey]:
        """What opens manifests."""
        return {kid: pair.key for kid, pair in self.pairs.items()}

    @property
    def active(self) -> tuple[KeyPair, ...]:
        """The keys that may be sealed to, the newest first; equal ages by key id."""
        pairs = [pair for pair in self.pairs.values() if pair.state is KeyState.ACTIVE]
        return tuple(sorted(pairs, key=lambda pair: (pair.not_before, pair.key.kid), reverse=True))

    def is_due(self, now: datetime, renewal: timedelta | None) -> bool:
        """Tell whether a new key pair is needed: there is no active one, or all are that old."""
        if not self.active or renewal is None:
            return not self.active
        return self.active[0].not_before + renewal <= now

    def differs_from(self, other: KeyRing) -> bool:
        """Tell whether a key came, went or changed its state, or another Secret is damaged."""
        return self._content() != other._content()

    def _content(self) -> tuple[dict[Kid, KeyState], Mapping[str, str]]:
        return {kid: pair.state for kid, pair in self.pairs.items()}, self.refused

    def count_by_state(self) -> dict[KeyState, int]:
        """Return how many keys are in each state."""
        states = [pair.state for pair in self.pairs.values()]
        return {state: states.count(state) for state in KeyState}

    def recipient(self, cluster: str) -> Recipient | None:
        """Return what writers seal to, None while there is no active key."""
        return Recipient(cluster, self.active[0].key.public) if self.active else None

    def published(self, cluster: str) -> dict[str, str]:
        """Return the entries of the public ConfigMap.

        One file per active key, the current one, and the list of all: id, state and since when,
        the newest first. Empty without an active key: nothing must be sealed to another one.
        """
        if not self.active:
            return {}
        texts = {f"{p.key.kid}.pub": str(Recipient(cluster, p.key.public)) for p in self.active}
        return texts | {CURRENT_ENTRY: str(self.recipient(cluster)), LIST_ENTRY: self._list()}

    def _list(self) -> str:
        pairs = sorted(self.pairs.values(), key=lambda p: (p.not_before, p.key.kid), reverse=True)
        return "".join(f"{p.key.kid} {p.state} {_instant(p.not_before)}\n" for p in pairs)


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def next_key_name(existing: Mapping[str, object]) -> str:
    """Return the name for a new key Secret: one more than the highest number in use.

    A pure function of what is there, so that two controllers that create a key at once want the
    same name, and the API server lets one of them have it.
    """
    numbers = [int(match[1]) for match in map(_NAME.fullmatch, existing) if match]
    return f"sealkit-key-{max(numbers, default=0) + 1}"
