"""`tls`: a certificate and its key, as Ingresses, Gateways and web servers read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sealkit.builders.builder import Salt
from sealkit.builders.fields import fields, value_name
from sealkit.builders.inputs import Inputs
from sealkit.sensitive import Sensitive


@dataclass(frozen=True)
class Tls:
    """The names of the values that hold PEM; `chain` and `ca` may be empty."""

    certificate: str
    key: str
    chain: str = ""
    ca: str = ""

    name: ClassVar[str] = "tls"
    secret_type: ClassVar[str] = "kubernetes.io/tls"  # noqa: S105  # no password
    needs_all: ClassVar[bool] = False

    @classmethod
    def from_dict(cls, raw: object, path: str) -> Tls:
        """Parse the builder.

        Raises:
            ManifestError: a field is unknown, missing or wrong.
        """
        given = fields(raw, path, ("certificate", "key"), ("chain", "ca"))
        return cls(*(value_name(given, one, path) for one in ("certificate", "key", "chain", "ca")))

    @property
    def makes(self) -> frozenset[str]:
        """The keys of the type, and `ca.crt` where there is a `ca`."""
        return frozenset({"tls.crt", "tls.key"} | ({"ca.crt"} if self.ca else set()))

    @property
    def needs(self) -> frozenset[str]:
        """The names of the values with PEM."""
        return frozenset((self.certificate, self.key, self.chain, self.ca)) - {""}

    def to_dict(self) -> dict[str, object]:
        """Return the canonical form."""
        raw = {"certificate": self.certificate, "key": self.key}
        return raw | {one: name for one in ("chain", "ca") if (name := getattr(self, one))}

    def build(self, values: Mapping[str, Sensitive], _salt: Salt, /) -> dict[str, Sensitive]:
        """Return certificate, key and CA; only certificates are taken out of the public ones.

        So a bundle with the private key in it is a good `certificate`, and its key stays out of
        `tls.crt`. A certificate that is there twice is written once. That the chain is in order,
        that it is of this certificate, and dates, are not checked.

        Raises:
            TemplateError: a value is not there or not the PEM it should be; the key is encrypted,
                of a kind that is not supported, or not that of the (first) certificate.
        """
        # It costs a tenth of a second, and most manifests have no certificate.
        from sealkit.builders import certificates  # noqa: PLC0415

        inputs = Inputs(self.name, values)
        own = certificates.certificates(inputs, self.certificate)
        chain = certificates.chain(inputs, self.chain) if self.chain else []
        made = {
            "tls.crt": certificates.write([*own, *chain]),
            "tls.key": certificates.fitting_key(inputs, self.key, own[0]),
        }
        if self.ca:
            made["ca.crt"] = certificates.write(certificates.certificates(inputs, self.ca))
        return {key: Sensitive(content) for key, content in made.items()}
