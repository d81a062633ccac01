"""What all builders have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from sealkit.sensitive import Sensitive

Salt: TypeAlias = Callable[[bytes], bytes]
"""Makes at least 16 bytes of a context: equal for equal ones, unpredictable without its key.

An HMAC under a key of the caller's, who should bind the place of the Secret as well: else two
Secrets with the same user and password show that they have.
"""


class Builder(Protocol):
    """Makes some data keys of a Secret of some of its values."""

    @property
    def name(self) -> str:
        """What the builder is called in a manifest."""

    @property
    def secret_type(self) -> str:
        """The Secret type that is meant for what it makes, or empty."""

    @property
    def makes(self) -> frozenset[str]:
        """The data keys it makes."""

    @property
    def needs(self) -> frozenset[str]:
        """The names of the values it must have."""

    @property
    def needs_all(self) -> bool:
        """Whether it reads all values there are, whatever their names; `needs` is then empty."""

    def to_dict(self) -> dict[str, object]:
        """Return the canonical form: sorted where the order means nothing, defaults left out."""

    def build(self, values: Mapping[str, Sensitive], salt: Salt, /) -> dict[str, Sensitive]:
        """Return the contents of the data keys in `makes`: equal for equal values and salts.

        Raises:
            TemplateError: a value is not there, or the contents cannot be made of it. It names the
                builder and the name of the value, never the value.
        """
