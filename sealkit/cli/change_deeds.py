"""`set` and `unset` as things that are done to one manifest after the other. Nothing is read here.

A deed looks at each manifest first, and gets the values, maybe from a person, only when all are
good.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from sealkit.cli.app import App
from sealkit.cli.audience import Audience
from sealkit.cli.change_file import check_sealed, refer, remove, values_of
from sealkit.cli.change_values import Given
from sealkit.manifests.sealed import SealedSecret
from sealkit.sealing import set_values

Change = Callable[[SealedSecret, Audience, tuple[str, ...]], SealedSecret]
"""Changes some keys of a manifest."""


class Deed(Protocol):
    """What is done to manifests."""

    @property
    def verb(self) -> str:
        """What it is called."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that were asked for; some manifest must have each unless it `adds`."""

    @property
    def adds(self) -> bool:
        """Whether manifests get keys that they do not have."""

    def chosen(self, sealed: SealedSecret) -> tuple[str, ...]:
        """Return the keys to change in one manifest."""

    def encrypts(self, chosen: tuple[str, ...]) -> bool:
        """Tell whether changing these keys needs somebody to seal for."""

    def look(self, sealed: SealedSecret, chosen: tuple[str, ...]) -> None:
        """Refuse a manifest that cannot be changed, as far as that shows without the values."""

    def prepared(self) -> Change:
        """Get the values, and return what changes a manifest."""


@dataclass(frozen=True)
class Setting:
    """`set`: in manifests that have the key, or if it `adds` in all."""

    app: App
    what: Given
    adds: bool

    verb: ClassVar[str] = "set"

    @property
    def keys(self) -> tuple[str, ...]:
        """See `Deed.keys`."""
        return self.what.keys

    def chosen(self, sealed: SealedSecret) -> tuple[str, ...]:
        """See `Deed.chosen`: a reference that is the same already is no change."""
        there, references = values_of(sealed), self.what.references
        return tuple(
            key
            for key in self.keys
            if (self.adds or key in there)
            and not (key in references and sealed.references.get(key) == references[key])
        )

    def encrypts(self, chosen: tuple[str, ...]) -> bool:
        """See `Deed.encrypts`."""
        return not self.what.references.keys() >= set(chosen)

    def look(self, sealed: SealedSecret, chosen: tuple[str, ...]) -> None:
        """See `Deed.look`."""
        self._referring(sealed, chosen)

    def prepared(self) -> Change:
        """See `Deed.prepared`."""
        values = self.what.read(self.app)

        def change(
            sealed: SealedSecret, audience: Audience, chosen: tuple[str, ...]
        ) -> SealedSecret:
            referring = self._referring(sealed, chosen)
            new = {key: values[key] for key in chosen if key in values}
            if not new:
                return referring
            return set_values(referring, new, audience.keys, self.app.random)

        return change

    def _referring(self, sealed: SealedSecret, chosen: tuple[str, ...]) -> SealedSecret:
        references = self.what.references
        referring = refer(sealed, {key: references[key] for key in chosen if key in references})
        check_sealed(referring, tuple(key for key in chosen if key not in references))
        return referring


@dataclass(frozen=True)
class Unsetting:
    """`unset`: in manifests that have the key."""

    keys: tuple[str, ...]

    verb: ClassVar[str] = "unset"
    adds: ClassVar[bool] = False

    def chosen(self, sealed: SealedSecret) -> tuple[str, ...]:
        """See `Deed.chosen`."""
        there = values_of(sealed)
        return tuple(key for key in dict.fromkeys(self.keys) if key in there)

    def encrypts(self, _chosen: tuple[str, ...]) -> bool:
        """See `Deed.encrypts`: never."""
        return False

    def look(self, sealed: SealedSecret, chosen: tuple[str, ...]) -> None:
        """See `Deed.look`."""
        remove(sealed, chosen)

    def prepared(self) -> Change:
        """See `Deed.prepared`: there are no values."""
        return lambda sealed, _, chosen: remove(sealed, chosen)
