"""Make a Secret of the values of a manifest: those decrypted and those resolved. Pure.

Values go in one pass: nothing that a value holds is read as a reference or a template.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sealkit.errors import TemplateError
from sealkit.manifests.gitops import belongs_to_a_tool
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.secret import Secret, check_values
from sealkit.manifests.template import MergePolicy
from sealkit.sensitive import Sensitive

if TYPE_CHECKING:
    from sealkit.references.failures import Failed, Outcome
    from sealkit.references.reference import Reference

Salt = Callable[[bytes], bytes]
"""Makes 16 bytes of a context, which is secret: the same each time, and they tell nothing of it."""


def no_salt(_: bytes) -> bytes:
    """Be the salt of those who make nothing that needs one.

    Raises:
        TemplateError: always.
    """
    raise TemplateError("needs a salt, and there is none here")


def render_values(
    sealed: SealedSecret, outcomes: Mapping[Reference, Outcome | None]
) -> dict[str, Sensitive] | Failed:
    """Return the value of each entry of `spec.references`, without optional ones that are absent.

    The first failure in the order of the keys is that of the whole; its detail names the key.

    Raises:
        KeyError: `outcomes` lacks a reference.
    """
    from sealkit.references.failures import Failed  # noqa: PLC0415 (cold start: with references)

    values = {}
    for key, template in sealed.references.items():
        value = template.render(outcomes)
        if isinstance(value, Failed):
            return Failed(value.reason, f"{key}: {value.detail}" if value.detail else key)
        if value is not None:
            values[key] = value
    return values


def assemble(sealed: SealedSecret, values: Mapping[str, Sensitive], salt: Salt = no_salt) -> Secret:
    """Return the Secret that comes of the values of a manifest, sealed and referred to.

    Raises:
        TemplateError: a builder or a text of the template cannot be made of these values.
        ManifestError: the result breaks a rule of the Secret's type.
    """
    template = sealed.template
    data = dict(values) if template.merge_policy is MergePolicy.MERGE else {}
    for builder in template.build:
        data |= builder.build(values, salt)
    for key, text in template.data.items():
        data[key] = _rendered(text, template.delimiters, values)
    data = {key: data[key] for key in sorted(data)}
    check_values(template.type, data)
    return Secret(
        name=sealed.name,
        namespace=sealed.namespace,
        data=data,
        type=template.type,
        immutable=template.immutable,
        labels=_for_secret(template.labels),
        annotations=_for_secret(template.annotations),
    )


def _rendered(text: str, delimiters: tuple[str, str], values: Mapping[str, Sensitive]) -> Sensitive:
    from sealkit.templates import lookup, template  # noqa: PLC0415  # most manifests have no text

    return template.parse(text, delimiters).render(values, lookup.MissingKey.ERROR)


def _for_secret(entries: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in entries.items() if not belongs_to_a_tool(key)}
