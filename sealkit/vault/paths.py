"""Paths of Vault as they go into a URL. Pure.

HTTP libraries resolve `..`, `//` and `%2e` after a policy or path rule was checked, so what they
could resolve is refused here, and everything else is quoted exactly once.
"""

from __future__ import annotations

from urllib.parse import quote

from sealkit.errors import VaultError
from sealkit.vault.reason import Reason


def quoted(path: str) -> str:
    r"""Return a mount, or a path below one, quoted for a URL.

    Raises:
        VaultError: InvalidReference, if a segment is empty (as with a slash at either end), `.` or
            `..`, or holds a control character, `\` or `%`, which could be an encoded slash.
    """
    if "%" in path or "\\" in path:
        raise _invalid()
    return "/".join(quoted_segment(segment) for segment in path.split("/"))


def quoted_segment(text: str) -> str:
    """Return one segment, in which a slash is an ordinary character, quoted for a URL.

    Raises:
        VaultError: InvalidReference, as for `quoted`.
    """
    if text in {"", ".", ".."} or not text.isprintable():
        raise _invalid()  # unpaired surrogates, which have no UTF-8, do not print either
    return quote(text, safe="")


def _invalid() -> VaultError:
    return VaultError("the Vault path is not canonical", Reason.INVALID_REFERENCE)
