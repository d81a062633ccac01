"""Where the keys of an ExternalSecret are: the mount and KV version that its store says."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sealkit.errors import ManifestError
from sealkit.foreign.context import EXTERNAL_SECRETS, Context
from sealkit.foreign.source import Source
from sealkit.references.reference import Kv, Store, StoreKind

STORE_KINDS: Final = {
    "SecretStore": StoreKind.NAMESPACED,
    "ClusterSecretStore": StoreKind.CLUSTER,
}
_VERSIONS: Final = {"v1": Kv.V1, "v2": Kv.V2}
_ELSEWHERE: Final = (
    "is not among the files, so keys stay as they are and their KV version is left to Vault: "
    "give it in the same call, or check them"
)


@dataclass(frozen=True)
class Home:
    """A store, and what its manifest says about paths, where there is one."""

    store: Store
    mount: str = ""
    kv: Kv = Kv.AUTO

    def place(self, key: str) -> tuple[str, str]:
        """Return mount and path of a key, as the operator makes a path of it.

        A key may begin with the mount, and then with `data/`. Without a mount in the store the
        first segment is it, unless the key has `/data/` in it; "" leaves it to Vault.
        """
        path = key.strip("/")
        if self.mount:
            if path.startswith(f"{self.mount}/"):
                path = path.removeprefix(f"{self.mount}/")
                path = path.removeprefix("data/") if self.kv is Kv.V2 else path
            return self.mount, path
        first, _, rest = path.partition("/")
        says_where = self.kv is Kv.V2 and "/data/" not in path and rest
        return (first, rest) if says_where else ("", path)


def home_of(ref: Source, context: Context, namespace: str) -> Home | None:
    """Take a reference to a store; None if that is no store of Vault, which is noted.

    Raises:
        ManifestError: it names no store.
    """
    kind = ref.text("kind", "SecretStore")
    if kind not in STORE_KINDS:
        known = " or ".join(STORE_KINDS)
        raise ManifestError(f"is not {known}", field=ref.at("kind"))
    name = ref.required("name")
    with ref.as_references({"store": "name"}):
        store = Store(name, STORE_KINDS[kind])
    raw = context.find(EXTERNAL_SECRETS, kind, "" if "Cluster" in kind else namespace, name)
    if raw is None:
        ref.note("", f"{kind} {name}", _ELSEWHERE)
        return Home(store)
    with suppress(ManifestError):  # its own conversion says what is wrong with it
        provider = Source(raw).inner("spec").inner("provider")
        if "vault" in provider:
            return Home(store, *mount_and_version(provider.inner("vault")))
        ref.note("", f"{kind} {name}", "is no store of Vault: sealkit refers to Vault only")
    return None


def mount_and_version(vault: Source) -> tuple[str, Kv]:
    """Take `path`, "" if there is none, and `version`, which is v2 if nothing is said.

    Raises:
        ManifestError: another version.
    """
    version = vault.text("version", "v2")
    if version not in _VERSIONS:
        raise ManifestError("is neither v1 nor v2", field=vault.at("version"))
    return vault.text("path").strip("/"), _VERSIONS[version]
