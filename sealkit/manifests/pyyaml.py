"""PyYAML, loaded in half the time: its regular expressions are compiled when first used.

As it is imported it compiles ten of them, which takes longer than reading a manifest, and most are
for its pure loader, which nothing here uses: one set of characters is a twentieth of a cold `seal`.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, Final

_compile: Final = re.compile


class _Expression:
    """What `re.compile` returns, made when it is first asked for something."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        """Remember what to compile."""
        self._pattern = pattern
        self._flags = flags

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return _compile(self._pattern, self._flags)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiled, name)


# Another thread that compiles something meanwhile gets what works just as well.
setattr(re, "compile", _Expression)  # noqa: B010 (mypy would refuse an assignment, rightly)
try:
    import yaml
finally:
    setattr(re, "compile", _compile)  # noqa: B010 (same)

__all__ = ["yaml"]
