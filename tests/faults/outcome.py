"""What must have become of everything once the faults are over, judged from what is stored."""

from collections.abc import Mapping
from dataclasses import dataclass

from sealkit.crypto.recipient import Recipient
from sealkit.errors import SealkitError
from sealkit.keypair import KeyPair, KeyState
from sealkit_controller.keyring import PUBLIC_KEYS_NAME
from sealkit_controller.objects import (
    CONFIG_MAPS,
    HASH_ANNOTATION,
    KEY_LABEL,
    MANAGED_LABEL,
    SEALED_SECRETS,
    SECRETS,
    JsonObject,
    Metadata,
    child,
    number,
    strings,
    text,
)
from tests.controller.world import condition
from tests.faults.hand import Hand
from tests.faults.ledger import Ledger, Plain

States = Mapping[str, KeyState]  # of the keys that are stored, by id


@dataclass(frozen=True)
class Court:
    """Judges one place. An empty answer means that all is as it should be."""

    hand: Hand
    ledger: Ledger
    system: str
    namespace: str

    def open_cases(self) -> list[str]:
        """Return what is not right yet, one line each."""
        keys = self.key_pairs()
        manifests = {_name(raw): raw for raw in self.hand.all(SEALED_SECRETS, self.namespace)}
        secrets = {_name(raw): raw for raw in self.hand.all(SECRETS, self.namespace)}
        cases = [self._of_keys(keys)]
        states = {str(pair.key.kid): pair.state for pair in keys}
        for name, manifest in manifests.items():
            cases.append(self._of_manifest(name, manifest, secrets.get(name), states))
        cases += [_of_orphan(raw) for name, raw in secrets.items() if name not in manifests]
        return [case for case in cases if case]

    def key_pairs(self) -> list[KeyPair]:
        """Return the key pairs that are stored and sound."""
        pairs = []
        for raw in self.hand.all(SECRETS, self.system):
            if KEY_LABEL in strings(child(raw, "metadata"), "labels"):
                pairs += _pair(raw)
        return pairs

    def _of_keys(self, keys: list[KeyPair]) -> str:
        active = {str(pair.key.kid) for pair in keys if pair.state is KeyState.ACTIVE}
        found = self.hand.get(CONFIG_MAPS, (self.system, PUBLIC_KEYS_NAME)) or {}
        data = strings(found, "data")
        current, listed = data.pop("recipient", ""), data.pop("keys", "")
        if not active or {name.removesuffix(".pub") for name in data} != active:
            return f"{sorted(data)} published, active are {sorted(active)}"
        if {tuple(line.split()[:2]) for line in listed.splitlines()} != {
            (pair.key.kid, pair.state.value) for pair in keys
        }:
            return "the list of keys is not of those that are stored"
        kid = str(Recipient.parse(current).key.kid)
        return "" if kid in active else "the current recipient is not active"

    def _of_manifest(
        self, name: str, manifest: JsonObject, secret: JsonObject | None, states: States
    ) -> str:
        status = child(manifest, "status")
        if number(status, "observedGeneration", -1) != Metadata.of(manifest).generation:
            return f"{name}: the status is of an older generation"
        if text(status, "lastHandledReconcileAt") != Metadata.of(manifest).requested:
            return f"{name}: was not run on request"
        if child(manifest, "spec").get("suspend") is True:
            return "" if condition(manifest)[1] == "Suspended" else f"{name}: is not suspended"
        return self._of_running(name, manifest, secret, states)

    def _of_running(
        self, name: str, manifest: JsonObject, secret: JsonObject | None, states: States
    ) -> str:
        plain = self.ledger.look_up(name, manifest)
        reasons = _refusals(manifest, secret, plain, set(states))
        wanted = {("False", reason) for reason in reasons} or {("True", "Synced")}
        if condition(manifest) not in wanted:
            return f"{name}: {condition(manifest)}, expected {wanted}"
        if reasons:
            return ""
        if plain is None or not _is_right(plain, manifest, secret):
            return f"{name}: the Secret is not what the manifest says"
        return "" if _is_warned(manifest, states) else f"{name}: says another state of its keys"


def _is_warned(manifest: JsonObject, states: States) -> bool:
    """Tell whether the status speaks of compromised or retired keys only if it has to."""
    found = {states[kid] for kid in _wraps(manifest) if kid in states}
    is_bad = KeyState.COMPROMISED in found
    said = str(manifest["status"])
    return ("compromised" in said, "retired" in said) == (is_bad, found == {KeyState.RETIRED})


def _name(raw: Mapping[str, object]) -> str:
    return Metadata.of(raw).key.name


def _pair(raw: Mapping[str, object]) -> list[KeyPair]:
    try:
        return [KeyPair.from_secret(raw)]
    except SealkitError:
        return []


def _refusals(
    manifest: JsonObject, secret: JsonObject | None, plain: Plain | None, kids: set[str]
) -> set[str]:
    """Return every good reason not to make a Secret of a manifest; empty if it must be made."""
    reasons = set()
    if secret and not _owns(manifest, secret):
        reasons.add("SecretNotOwned")
    if not _wraps(manifest) & kids:
        reasons.add("NoKey")
    elif plain is None:
        reasons.add("DecryptionFailed")
    elif secret and _is_stuck(secret, plain) and not child(manifest, "spec").get("recreate"):
        reasons.add("SecretImmutable")
    return reasons


def _owns(manifest: JsonObject, secret: JsonObject) -> bool:
    owner = Metadata.of(secret).controller
    return owner is not None and owner.uid == Metadata.of(manifest).uid


def _is_stuck(secret: JsonObject, plain: Plain) -> bool:
    locked = secret.get("immutable") is True and not plain.fills(secret)
    return locked or secret["type"] != plain.type


def _wraps(manifest: JsonObject) -> set[str]:
    envelopes = child(child(manifest, "spec"), "envelopes")
    return {kid for name in envelopes for kid in child(child(envelopes, name), "wraps")}


def _is_right(plain: Plain, manifest: JsonObject, secret: JsonObject | None) -> bool:
    metadata = child(secret or {}, "metadata")
    return (
        plain.fills(secret or {})
        and strings(metadata, "labels").get(MANAGED_LABEL) == "true"
        and HASH_ANNOTATION in strings(metadata, "annotations")
        and _owns(manifest, secret or {})
    )


def _of_orphan(secret: JsonObject) -> str:
    owner = Metadata.of(secret).controller
    return "" if owner is None else f"{_name(secret)}: outlived its manifest"
