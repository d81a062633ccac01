"""What people and tools do to manifests, Secrets and keys, drawn at random."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from sealkit.crypto.x1 import PrivateKey
from sealkit.keypair import KeyPair, KeyState
from sealkit.sensitive import Sensitive
from sealkit_controller.objects import (
    ADOPT_ANNOTATION,
    HASH_ANNOTATION,
    KEY_LABEL,
    MANAGED_LABEL,
    SEALED_SECRETS,
    SECRETS,
    JsonObject,
    Metadata,
    ObjectKey,
    child,
    strings,
)
from tests.controller.world import sealed
from tests.faults.hand import Hand
from tests.faults.ledger import MARKER, Ledger, Plain
from tests.faults.outcome import Court

OTHER_TYPE = "example.com/other"
NAMES = ("db-0", "db-1", "db-2")
# Of the keys that come from outside; a fixed few, since making one costs milliseconds.
FOREIGN_KEYS = tuple(PrivateKey(Sensitive(bytes([n]) * 32)) for n in range(200, 204))


@dataclass(frozen=True)
class Shape:
    """What a manifest says besides values."""

    type: str = "Opaque"
    immutable: bool = False
    recreate: bool = False


@dataclass(frozen=True)
class People:
    """Acts at random on one place; `act` does one thing and says which."""

    hand: Hand
    court: Court
    rng: Random

    @property
    def _ledger(self) -> Ledger:
        return self.court.ledger

    @property
    def _namespace(self) -> str:
        return self.court.namespace

    def act(self) -> str:
        """Do one thing, and return its name."""
        deeds: dict[Callable[[str], None], int] = {
            self.change: 30,
            self.delete: 7,
            self.rename: 4,
            self.damage: 6,
            self.suspend: 5,
            self.ask_for_a_run: 4,
            self.edit_secret: 14,
            self.flip_labels: 4,
            self.delete_secret: 7,
            self.plant_secret: 6,
            self.add_key: 4,
            self.relabel_key: 4,
            self.remove_key: 3,
        }
        deed = self.rng.choices(list(deeds), list(deeds.values()))[0]
        name = self.rng.choice(NAMES)
        deed(name)
        return f"{deed.__name__} {name}"

    def change(self, name: str) -> None:
        """Apply a manifest with new values, sealed to an active key."""
        keys = [pair.key for pair in self.court.key_pairs() if pair.state is KeyState.ACTIVE]
        values = {key: self._value() for key in self.rng.sample("abcd", self.rng.randint(1, 3))}
        type_name = "Opaque" if self.rng.random() < 0.9 else OTHER_TYPE
        shape = Shape(type_name, self.rng.random() < 0.15, self.rng.random() < 0.3)
        self.seal(name, values, self.rng.choice(keys or [*FOREIGN_KEYS]), shape)

    def seal(self, name: str, values: Mapping[str, bytes], key: PrivateKey, shape: Shape) -> None:
        """Apply a manifest, and write down what is in it."""
        secret = {"immutable": shape.immutable, "type": shape.type}
        how = {"recreate": True} if shape.recreate else {}
        raw = sealed(values, ObjectKey(self._namespace, name), to=key, secret=secret, spec=how)
        data = {name: base64.b64encode(value).decode() for name, value in values.items()}
        self._ledger.note(name, raw, Plain(data, shape.type, shape.immutable))
        self.hand.apply(SEALED_SECRETS, raw, self._place(name))

    def delete(self, name: str) -> None:
        """Delete a manifest."""
        self.hand.delete(SEALED_SECRETS, self._place(name))

    def rename(self, name: str) -> None:
        """Give a manifest another name: it must not open there."""
        found = self.hand.get(SEALED_SECRETS, self._place(name))
        if found is not None:
            self.delete(name)
            self._put(self.rng.choice(NAMES), dict(child(found, "spec")))

    def damage(self, name: str) -> None:
        """Flip one bit of a value."""
        found = self.hand.get(SEALED_SECRETS, self._place(name))
        values = strings(child(found or {}, "spec"), "encryptedData")
        if values:
            key = self.rng.choice(sorted(values))
            prefix, _, item = values[key].rpartition(".")
            raw = bytearray(base64.b64decode(item))
            raw[self.rng.randrange(len(raw))] ^= 1 << self.rng.randrange(8)
            values[key] = f"{prefix}.{base64.b64encode(raw).decode()}"
            self._put(name, {**child(found or {}, "spec"), "encryptedData": values})

    def suspend(self, name: str) -> None:
        """Suspend or resume a manifest."""
        change = {"spec": {"suspend": self.rng.random() < 0.4 or None}}
        self.hand.edit(SEALED_SECRETS, change, self._place(name))

    def ask_for_a_run(self, name: str) -> None:
        """Ask for a reconciliation, as Flux does."""
        token = datetime.now(UTC).isoformat()
        asked = {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": token}}}
        self.hand.edit(SEALED_SECRETS, asked, self._place(name))

    def edit_secret(self, name: str) -> None:
        """Change a Secret by hand: a value, one more value, or what marks it as ours."""
        value = base64.b64encode(b"by hand").decode()
        key = self.rng.choice("abcdz")
        label, annotation = MANAGED_LABEL, HASH_ANNOTATION
        changes: list[JsonObject] = [
            {"data": {key: value}},
            {"data": {key: None}},
            {"metadata": {"labels": {label: None}}, "data": {key: value}},
            {"metadata": {"annotations": {annotation: None}}},
        ]
        self.hand.edit(SECRETS, self.rng.choice(changes), self._place(name))

    def flip_labels(self, name: str) -> None:
        """Change a label again and again, as two controllers that fight do."""
        for number in range(10):
            flipped = {"metadata": {"labels": {"flipped": str(number)}}}
            self.hand.edit(SECRETS, flipped, self._place(name))

    def delete_secret(self, name: str) -> None:
        """Delete a Secret."""
        self.hand.delete(SECRETS, self._place(name))

    def plant_secret(self, name: str) -> None:
        """Create a Secret of our own where a manifest wants one, or hand that one over."""
        metadata: JsonObject = {"name": name, "namespace": self._namespace}
        if self.rng.random() < 0.4:
            metadata["annotations"] = {ADOPT_ANNOTATION: "true"}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"x": "eA=="}}
        if self.rng.random() < 0.5:
            self.delete_secret(name)
        self.hand.create(SECRETS, body, self._namespace)

    def add_key(self, _: str) -> None:
        """Bring a key from a backup."""
        key = self.rng.choice(FOREIGN_KEYS)
        state = self.rng.choice(list(KeyState))
        pair = KeyPair(key, state, datetime(2026, 1, self.rng.randint(1, 28), tzinfo=UTC))
        system = self.court.system
        name = f"restored-{FOREIGN_KEYS.index(key)}"
        self.hand.create(SECRETS, pair.to_secret(name, system), system)

    def relabel_key(self, _: str) -> None:
        """Change the state of a key."""
        for found in self._a_key():
            label = {KEY_LABEL: self.rng.choice(list(KeyState)).value}
            self.hand.edit(SECRETS, {"metadata": {"labels": label}}, Metadata.of(found).key)

    def remove_key(self, _: str) -> None:
        """Delete a key."""
        for found in self._a_key():
            self.hand.delete(SECRETS, Metadata.of(found).key)

    def _a_key(self) -> list[JsonObject]:
        found = [
            raw
            for raw in self.hand.all(SECRETS, self.court.system)
            if KEY_LABEL in strings(child(raw, "metadata"), "labels")
        ]
        return [self.rng.choice(found)] if found else []

    def _put(self, name: str, spec: JsonObject) -> None:
        metadata = {"name": name, "namespace": self._namespace}
        head = {"apiVersion": SEALED_SECRETS.api_version, "kind": SEALED_SECRETS.kind}
        self.hand.apply(
            SEALED_SECRETS, {**head, "metadata": metadata, "spec": spec}, self._place(name)
        )

    def _value(self) -> bytes:
        return MARKER + self.rng.randbytes(6).hex().encode() if self.rng.random() < 0.9 else b""

    def _place(self, name: str) -> tuple[str, str]:
        return self._namespace, name
