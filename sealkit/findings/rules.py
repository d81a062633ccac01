"""Every rule of `verify`: SK0 comments, SK1 policy, SK2 the manifest itself, SK3 the repository.

An id is never used again for something else. docs/rules explains each.
"""

from __future__ import annotations

from typing import Final

from sealkit.findings.allowing import UNUSABLE
from sealkit.findings.finding import Rule, Severity

_ERROR, _WARNING, _NOTE = Severity

NO_RULE: Final = Rule("SK101", "no-rule", _ERROR, "No rule of the configuration covers the file")
MISSING_CLUSTER: Final = Rule(
    "SK102", "missing-cluster", _ERROR, "A cluster of the configuration cannot open the manifest"
)
EXTRA_CLUSTER: Final = Rule(
    "SK103", "extra-cluster", _ERROR, "A cluster can open the manifest that is not to"
)
UNKNOWN_KEY: Final = Rule(
    "SK104", "unknown-key", _ERROR, "A key opens the manifest that the configuration does not know"
)
SCOPE_NOT_ALLOWED: Final = Rule(
    "SK105", "scope-not-allowed", _ERROR, "The rule for the file does not allow the scope"
)
NO_CONFIGURATION: Final = Rule(
    "SK106", "no-configuration", _WARNING, "There is no configuration to check recipients against"
)

UNREADABLE: Final = Rule(
    "SK201", "unreadable", _ERROR, "A file that names our API is no YAML or JSON that is safe"
)
INVALID_MANIFEST: Final = Rule(
    "SK202", "invalid-manifest", _ERROR, "The manifest is not what the controller accepts"
)
BAD_REFERENCE: Final = Rule(
    "SK203", "bad-reference", _ERROR, "A reference to Vault is malformed, or its terms are"
)
NO_NAMESPACE: Final = Rule(
    "SK204", "no-namespace", _WARNING, "The scope binds values to a namespace that is not said"
)
TOO_LARGE: Final = Rule(
    "SK205", "too-large", _ERROR, "The Secret or the manifest is larger than the cluster takes"
)
NEARLY_TOO_LARGE: Final = Rule(
    "SK206", "nearly-too-large", _WARNING, "The Secret or the manifest may soon be too large"
)
SERVER_SIDE_ONLY: Final = Rule(
    "SK207", "server-side-only", _NOTE, "The manifest is too large for client-side kubectl apply"
)
DOES_NOT_OPEN: Final = Rule(
    "SK208", "does-not-open", _ERROR, "A key that should open the manifest does not"
)
NO_KEY: Final = Rule("SK209", "no-key", _WARNING, "None of the keys given is for the manifest")
REFERENCES_ONLY: Final = Rule(
    "SK210", "references-only", _NOTE, "The manifest holds nothing sealed: its scope binds nothing"
)

DUPLICATE_TARGET: Final = Rule(
    "SK301", "duplicate-target", _ERROR, "Two manifests make the same Secret in the same cluster"
)
BAD_RECIPIENT: Final = Rule(
    "SK302", "bad-recipient", _ERROR, "The recipient file of a cluster is missing or damaged"
)
OTHER_KEY: Final = Rule(
    "SK303", "other-key", _ERROR, "The recipient file of a cluster holds another key than pinned"
)
EXPIRED: Final = Rule("SK304", "expired", _ERROR, "The key of a cluster is expired")
EXPIRES_SOON: Final = Rule(
    "SK305", "expires-soon", _WARNING, "The key of a cluster expires within 30 days"
)
UNKNOWN_STORE: Final = Rule(
    "SK306",
    "unknown-store",
    _NOTE,
    "A reference is looked up in a store that is not among the files",
)
MOVED_BY_KUSTOMIZE: Final = Rule(
    "SK307", "moved-by-kustomize", _WARNING, "Kustomize renames or moves what then does not open"
)
NO_WAY_BACK: Final = Rule(
    "SK308",
    "no-way-back",
    _WARNING,
    "A commit cannot be rolled back to with the keys at hand",
)
UNREADABLE_BACK_THEN: Final = Rule(
    "SK309",
    "unreadable-back-then",
    _WARNING,
    "A commit holds a manifest that this version does not accept",
)
NOT_OF_THE_CLUSTER: Final = Rule(
    "SK310", "not-of-the-cluster", _ERROR, "The cluster has none of the keys that are pinned"
)
RENEWED: Final = Rule(
    "SK311", "renewed", _WARNING, "The cluster has a newer key than the one that is pinned"
)
COMPROMISED: Final = Rule(
    "SK312", "compromised", _ERROR, "The cluster says that the key that is pinned is compromised"
)
NOT_APPLIED: Final = Rule("SK313", "not-applied", _NOTE, "The cluster does not have the manifest")
OTHER_VERSION: Final = Rule(
    "SK314", "other-version", _NOTE, "The cluster has another version of the manifest"
)
NOT_READY: Final = Rule(
    "SK315", "not-ready", _WARNING, "The cluster has not made the Secret that its manifest says"
)

VERIFY: Final = (
    *(UNUSABLE, NO_RULE, MISSING_CLUSTER, EXTRA_CLUSTER, UNKNOWN_KEY, SCOPE_NOT_ALLOWED),
    *(NO_CONFIGURATION, UNREADABLE, INVALID_MANIFEST, BAD_REFERENCE, NO_NAMESPACE, TOO_LARGE),
    *(NEARLY_TOO_LARGE, SERVER_SIDE_ONLY, DOES_NOT_OPEN, NO_KEY, REFERENCES_ONLY),
    *(DUPLICATE_TARGET, BAD_RECIPIENT, OTHER_KEY, EXPIRED, EXPIRES_SOON, UNKNOWN_STORE),
    *(MOVED_BY_KUSTOMIZE, NO_WAY_BACK, UNREADABLE_BACK_THEN, NOT_OF_THE_CLUSTER, RENEWED),
    *(COMPROMISED, NOT_APPLIED, OTHER_VERSION, NOT_READY),
)
