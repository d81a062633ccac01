"""The VaultStore or ClusterVaultStore that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sealkit.foreign.head import Head
from sealkit.foreign.source import Source
from sealkit.manifests.sealed import API_VERSION
from sealkit.manifests.stores import DEFAULT_AUDIENCE
from sealkit.references.reference import StoreKind

Fields = dict[str, object]

# One segment, so that it is the path of no secret: until somebody fills it in, nothing is allowed.
FILL_IN: Final = "fill-in-the-paths"
_PEM_INSTEAD: Final = (
    "each namespace that uses the store has its own credentials, so there is none to look for a "
    "CA: put the PEM into spec.tls.caBundle"
)


@dataclass
class Draft:
    """A store while it is read: its connection, and in which namespaces its credentials are."""

    source: Source
    kind: StoreKind
    head: Head
    tls: Fields = field(default_factory=dict)
    _namespaces: dict[str, str] = field(default_factory=dict)
    _ca: tuple[str, str] = ("", "")  # what names it, and in which namespace

    @property
    def is_cluster(self) -> bool:
        """Whether it is a store for the whole cluster."""
        return self.kind is StoreKind.CLUSTER

    def found_in(self, ref: Source) -> None:
        """Take `namespace` of a reference to a Secret, ConfigMap or ServiceAccount."""
        self._namespaces[ref.at("namespace")] = ref.text("namespace")

    def set_ca(self, name: str, ref: Fields, path: str, namespace: str) -> None:
        """Set where the CA is; `path` is what says so."""
        self.tls[name] = ref
        self._ca = path, namespace

    def set_client_certificate(self, name: str, path: str) -> None:
        """Set the Secret of the client certificate; there is one for connection and login."""
        ref: Fields = {"name": name}
        if self.tls.setdefault("clientCertSecretRef", ref) != ref:
            self.source.note(path, name, "is a second client certificate: only the first is kept")

    def to_dict(self, spec: Mapping[str, object]) -> dict[str, object]:
        """Return the manifest, without fields of its spec that are empty."""
        namespace = self._credentials_namespace()
        self._check_ca(namespace)
        if self.is_cluster and self.head.namespace:
            todo = "the store is one for the whole cluster"
            self.source.note("metadata.namespace", self.head.namespace, todo)
        head = Head(self.head.name, "", self.head.labels, self.head.annotations)
        given = {"tls": self.tls, "credentialsNamespace": namespace if self.is_cluster else ""}
        order = ("address", "namespace", "tls", "auth", "credentialsNamespace", "allow")
        values = {**spec, **given}
        return {
            "apiVersion": API_VERSION,
            "kind": self.kind.value,
            "metadata": (head if self.is_cluster else self.head).to_dict(),
            "spec": {name: values[name] for name in order if values.get(name)},
        }

    def _credentials_namespace(self) -> str:
        """Return the one namespace of all credentials, "" if each user has its own."""
        named = [one for one in self._namespaces.values() if one]
        home = (named[0] if named else "") if self.is_cluster else self.head.namespace
        for path, namespace in self._namespaces.items():
            if namespace != home and (namespace or self.is_cluster):
                self._note_place(path, namespace, home)
        return home

    def _check_ca(self, home: str) -> None:
        """See to it that the CA can be found, now that it is known where credentials are."""
        path, namespace = self._ca
        if path and self.is_cluster and not home:
            self.source.note(path, "", _PEM_INSTEAD)
            for name in ("caSecretRef", "caConfigMapRef"):
                self.tls.pop(name, None)
        elif namespace not in {"", home}:
            self._note_place(path, namespace, home)

    def _note_place(self, path: str, namespace: str, home: str) -> None:
        where = f"the namespace {home}" if home else "the namespace of the store"
        self.source.note(path, namespace or "none", f"is looked for in {where}")


def allow(source: Source, name: str, namespaces: tuple[str, ...]) -> list[object]:
    """Return the rules of a store for the cluster, whose paths are for a person to fill in."""
    todo = "nothing may be read until the paths are filled in: spec.allow[].paths"
    source.note(name, ", ".join(namespaces) or "none that can be named", todo)
    return [{"namespaces": [*namespaces], "paths": [FILL_IN]}] if namespaces else []


def audience(source: Source, audiences: tuple[str, ...]) -> Fields:
    """Return the one audience a token can have here, and note what that changes."""
    if not audiences:
        todo = f"the token is for the audience {DEFAULT_AUDIENCE!r} now: allow it in Vault's role"
        source.note("audiences", "none", todo)
    if audiences[1:]:
        source.note("audiences", ", ".join(audiences), "there is one audience: the first is kept")
    return {"audience": audiences[0]} if audiences else {}
