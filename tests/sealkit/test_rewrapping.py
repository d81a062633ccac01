"""Wraps for other clusters, and new data keys."""

from __future__ import annotations

import os

import pytest

from sealkit.crypto.x1 import Kid, PrivateKey
from sealkit.errors import ManifestError, NoKeyError, UnsealError, UsageError
from sealkit.manifests.scope import Scope
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.secret import Secret
from sealkit.rewrapping import opens_for, reseal, rewrap
from sealkit.sealing import open_values, seal, set_values
from sealkit.sensitive import Sensitive

OLD, STAYS, NEW = (PrivateKey(Sensitive(bytes([number]) * 32)) for number in range(3))
VALUES = {"A": b"1", "B": b"22"}


def keys(*private: PrivateKey) -> dict[Kid, PrivateKey]:
    return {key.kid: key for key in private}


def opened(sealed: SealedSecret, key: PrivateKey) -> dict[str, bytes]:
    return {name: value.reveal() for name, value in open_values(sealed, keys(key)).items()}


@pytest.fixture
def sealed() -> SealedSecret:
    """A manifest of two envelopes, for OLD and STAYS."""
    recipients = [OLD.public, STAYS.public]
    secret = Secret("db", "shop", {"A": Sensitive(b"0"), "B": Sensitive(b"22")})
    first = seal(secret, recipients, Scope.STRICT, os.urandom)
    return set_values(first, {"A": Sensitive(b"1")}, recipients, os.urandom)


class TestRewrap:
    """Other wraps, the same data keys."""

    def test_it_opens_for_exactly_the_new_recipients(self, sealed: SealedSecret) -> None:
        after = rewrap(sealed, [STAYS.public, NEW.public], keys(OLD))
        assert after.kids() == {STAYS.kid, NEW.kid}
        assert opens_for(after, {STAYS.kid, NEW.kid})
        assert not opens_for(sealed, {STAYS.kid, NEW.kid})
        assert opened(after, NEW) == opened(after, STAYS) == VALUES

    def test_values_and_the_wraps_of_those_who_stay_keep_their_bytes(
        self, sealed: SealedSecret
    ) -> None:
        after = rewrap(sealed, [STAYS.public, NEW.public], keys(OLD))
        assert after.encrypted_data == sealed.encrypted_data
        for eid, envelope in after.envelopes.items():
            assert envelope.wraps[STAYS.kid] == sealed.envelopes[eid].wraps[STAYS.kid]

    def test_taking_wraps_away_needs_no_key(self, sealed: SealedSecret) -> None:
        after = rewrap(sealed, [STAYS.public], {})
        assert after.kids() == {STAYS.kid}

    def test_what_fits_stays_the_same(self, sealed: SealedSecret) -> None:
        assert rewrap(sealed, [OLD.public, STAYS.public], {}) == sealed

    def test_without_a_key_nobody_is_let_in(self, sealed: SealedSecret) -> None:
        with pytest.raises(NoKeyError, match=STAYS.kid):
            rewrap(sealed, [NEW.public], keys(NEW))

    def test_a_manifest_that_was_moved_does_not_open(self, sealed: SealedSecret) -> None:
        moved = SealedSecret(**{**sealed._asdict(), "name": "other"})
        with pytest.raises(UnsealError):
            rewrap(moved, [NEW.public], keys(OLD))

    def test_somebody_has_to_open_it(self, sealed: SealedSecret) -> None:
        with pytest.raises(UsageError):
            rewrap(sealed, [], keys(OLD))


class TestReseal:
    """New data keys."""

    def test_nothing_of_the_old_encryption_is_left(self, sealed: SealedSecret) -> None:
        after = reseal(sealed, [NEW.public], keys(OLD), os.urandom)
        assert len(after.envelopes) == 1
        assert after.kids() == {NEW.kid}
        assert not after.envelopes.keys() & sealed.envelopes.keys()
        for key, value in after.encrypted_data.items():
            assert value.item != sealed.encrypted_data[key].item
        assert opened(after, NEW) == VALUES

    def test_a_wider_scope(self, sealed: SealedSecret) -> None:
        after = reseal(sealed, [NEW.public], keys(OLD), os.urandom, Scope.CLUSTER)
        moved = SealedSecret(**{**after._asdict(), "name": "other", "namespace": "elsewhere"})
        assert opened(moved, NEW) == VALUES

    def test_a_scope_that_needs_a_namespace(self) -> None:
        secret = Secret("db", "", {"A": Sensitive(b"1")})
        wide = seal(secret, [OLD.public], Scope.CLUSTER, os.urandom)
        with pytest.raises(ManifestError) as caught:
            reseal(wide, [OLD.public], keys(OLD), os.urandom, Scope.STRICT)
        assert caught.value.field == "metadata.namespace"

    def test_without_a_key(self, sealed: SealedSecret) -> None:
        with pytest.raises(NoKeyError):
            reseal(sealed, [NEW.public], keys(NEW), os.urandom)
