"""`sealkit keys retire` and `sealkit keys compromised`: another state for a key."""

from __future__ import annotations

from sealkit.cli.app import App
from sealkit.cli.keys_backup import stored_keys
from sealkit.cluster import Place, label_key_secret
from sealkit.errors import UsageError
from sealkit.keypair import KeyState


def label(app: App, place: Place, namespace: str, kid: str, state: str) -> None:
    """Give a key of the cluster another state, and say what comes next.

    Raises:
        UsageError: the cluster has no such key.
        SealkitError: the cluster does not answer, or does not let the user.
    """
    keys = {stored.pair.key.kid: stored for stored in stored_keys(place, namespace, app)}
    found = next((stored for one, stored in keys.items() if one == kid), None)
    if found is None:
        hint = f"it has: {', '.join(keys)}" if keys else "it has none"
        raise UsageError("is no key of this cluster", field="KID", hint=hint)
    if found.pair.state.value == state:
        app.say(f"key {kid} is {state} already")
        return
    label_key_secret(place, namespace, found.name, state)
    app.say(f"key {kid} is {state} now, it was {found.pair.state.value}")
    actives = {one for one, stored in keys.items() if stored.pair.state is KeyState.ACTIVE}
    if actives == {kid}:
        app.say(
            "sealkit: note: the controller makes a new key now; back it up: sealkit keys backup"
        )
    if state == KeyState.COMPROMISED.value:
        app.say("sealkit: note: whatever was sealed for it counts as read: change those values")
    app.say("sealkit: hint: where it is pinned: sealkit clusters add NAME … --replace")
