"""`sealkit keys retire` and `sealkit keys compromised`: another state for a key."""

from __future__ import annotations

from sealkit.cli.app import App
from sealkit.cli.keys_backup import stored_keys
from sealkit.cluster import Place, label_key_secret
from sealkit.errors import UsageError
from sealkit.keypair import KeyState


def label(app: App, place: Place, namespace: str, kid: str, state: str) -> None:
    """Give a key of the cluster another state, in each Secret that holds it; say what comes next.

    Raises:
        UsageError: the cluster has no such key.
        SealkitError: the cluster does not answer, or does not let the user.
    """
    keys = stored_keys(place, namespace, app)
    found = [stored for stored in keys if stored.pair.key.kid == kid]
    if not found:
        known = ", ".join(dict.fromkeys(stored.pair.key.kid for stored in keys))
        hint = f"it has: {known}" if known else "it has none"
        raise UsageError("is no key of this cluster", field="KID", hint=hint)
    changing = [stored for stored in found if stored.pair.state.value != state]
    if not changing:
        app.say(f"key {kid} is {state} already")
        return
    for stored in changing:
        label_key_secret(place, namespace, stored.name, state)
    app.say(f"key {kid} is {state} now, it was {changing[0].pair.state.value}")
    actives = {stored.pair.key.kid for stored in keys if stored.pair.state is KeyState.ACTIVE}
    if actives == {kid}:
        app.say(
            "sealkit: note: the controller makes a new key now; back it up: sealkit keys backup"
        )
    if state == KeyState.COMPROMISED.value:
        app.say("sealkit: note: whatever was sealed for it counts as read: change those values")
    app.say("sealkit: hint: where it is pinned: sealkit clusters add NAME … --replace")
