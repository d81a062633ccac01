"""SealedSecrets of Bitnami for `sealkit import`: opened with their keys, sealed for our clusters.

Values exist in memory only, between the one encryption and the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from sealkit.assembly import assemble
from sealkit.cli.app import STDIO, App
from sealkit.cli.resources import Found, label_of
from sealkit.cli.terms import Terms
from sealkit.errors import ManifestError, TemplateError, UsageError
from sealkit.foreign import Conversion, Note
from sealkit.foreign.bitnami import API_VERSION, KIND, Opened, open_bitnami
from sealkit.manifests.sealed import SealedSecret
from sealkit.sealing import set_values

if TYPE_CHECKING:
    from sealkit.crypto.bitnami import Ring

_NO_KEY: Final = "needs a key that it was sealed to, so it stays as it is: pass --bitnami-key FILE"

bitnami_option = click.option(
    "--bitnami-key",
    "bitnami_keys",
    multiple=True,
    metavar="FILE",
    help="Sealing keys of Bitnami's controller, Secrets as `kubectl get -o yaml` prints them or"
    " PEM; - is standard input; repeatable.",
)


def read_ring(app: App, key_files: Sequence[str], paths: Sequence[str]) -> Ring | None:
    """Read the private keys of Bitnami's controller, None if there are none to read.

    Raises:
        UsageError: standard input is to be one of `paths` or another of the keys as well.
        ConfigError: a file holds no key.
    """
    if not key_files:
        return None
    from sealkit.crypto.bitnami import Ring  # noqa: PLC0415 (cold start)
    from sealkit.foreign.bitnami_keys import parse_bitnami_keys  # noqa: PLC0415 (same)

    if (*paths, *key_files).count(STDIO) > 1:
        raise UsageError("standard input can be only one of them: PATH or one --bitnami-key")
    return Ring(
        key for name in key_files for key in parse_bitnami_keys(app.read(name), label_of(name))
    )


def is_bitnami(entry: Found) -> bool:
    """Tell whether an object is a SealedSecret of Bitnami."""
    return entry.type == (API_VERSION, KIND)


def converted(entry: Found, ring: Ring | None, terms: Callable[[], Terms]) -> Conversion:
    """Return what becomes of a SealedSecret of Bitnami; without keys it stays.

    It keeps its scope, unless the configuration allows only others.

    Raises:
        UnsealError: a value does not open.
        ManifestError: a field is wrong in itself.
        SealkitError: as `Terms` and `Audience.check_keys`.
    """
    if ring is None:
        return Conversion((Note("", "", _NO_KEY),))
    opened = _within(open_bitnami(entry.raw, ring), terms())
    try:
        sealed = _sealed(opened, terms())
    except (ManifestError, TemplateError) as error:
        todo = f"{error.problem}, so it stays as it is"
        return Conversion((*opened.notes, Note(error.field or "spec.template", "", todo)))
    return Conversion(opened.notes, sealed.to_dict())


def _within(opened: Opened, terms: Terms) -> Opened:
    """Return it with a scope that is allowed."""
    scope = opened.sealed.scope
    if scope in terms.audience.scopes:
        return opened
    note = Note("scope", scope.value, f"is not allowed here: it is sealed {terms.scope}")
    sealed = opened.sealed._replace(scope=terms.scope)
    return replace(opened, sealed=sealed, notes=(*opened.notes, note))


def _sealed(opened: Opened, terms: Terms) -> SealedSecret:
    """Seal the values, if the Secret can be made of them."""
    sealed = set_values(opened.sealed, opened.values, terms.audience.keys, terms.random)
    assemble(sealed, opened.values)
    return sealed
