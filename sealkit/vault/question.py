"""What Vault is asked for the sake of references. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from sealkit.references.reference import JsonObject, Kv, Method, Store

_DIGEST_CHARACTERS: Final = 32
_NO_BODY: Final = JsonObject("")


@dataclass(frozen=True, slots=True)
class Question:
    """One request; many references may want something of its answer.

    `path` is as the HTTP API has it: with the mount, and for KV version 2 with `data/` after it.
    `kv` says how to read the answer and is never AUTO; `mount` is there for KV version 2 only.
    `store` and `namespace` are those of the references, None and "" for their defaults.
    """

    path: str
    store: Store | None = None
    namespace: str = ""
    kv: Kv = Kv.RAW
    mount: str = ""
    version: int | None = None
    method: Method = Method.GET
    body: JsonObject = _NO_BODY

    @property
    def digest(self) -> str:
        """A name for it: 32 hex digits, the same in every run. No secret goes into it."""
        store = [self.store.kind, self.store.name] if self.store else None
        place = [store, self.namespace, self.mount, self.path]
        text = json.dumps([*place, self.kv, self.version, self.method, self.body])
        return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARACTERS]

    @property
    def secret(self) -> str:
        """The path below `data/`, of KV version 2."""
        return self.path.removeprefix(f"{self.mount}/data/")
