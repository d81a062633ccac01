"""Every rule of `scan`: SK4. An id is never used again for something else."""

from __future__ import annotations

from typing import Final

from sealkit.findings.allowing import UNUSABLE
from sealkit.findings.finding import Rule, Severity

_ERROR, _WARNING, _ = Severity

PLAINTEXT: Final = Rule("SK401", "plaintext-secret", _ERROR, "A value of a Secret is in plain text")
DEFAULT: Final = Rule(
    "SK402", "default-secret", _WARNING, "A value of a Secret is a well-known word"
)
LAST_APPLIED: Final = Rule(
    "SK403", "last-applied-secret", _ERROR, "An annotation of kubectl holds a Secret in plain text"
)
CLUSTER_KEY: Final = Rule(
    "SK404", "cluster-key", _ERROR, "The private key of a cluster, which opens all sealed values"
)
GENERATOR_LITERAL: Final = Rule(
    "SK405", "generator-literal", _ERROR, "A secretGenerator of kustomize has a value in plain text"
)
GENERATOR_FILE: Final = Rule(
    "SK406", "generator-file", _ERROR, "A secretGenerator of kustomize takes a plaintext file"
)
DOCKER: Final = Rule(
    "SK407", "registry-credentials", _ERROR, "Credentials of a container registry are in plain text"
)
KUBECONFIG: Final = Rule(
    "SK408", "kubeconfig-credentials", _ERROR, "A kubeconfig holds the credentials of a user"
)
PRIVATE_KEY: Final = Rule("SK409", "private-key", _ERROR, "A private key is in plain text")
ENCRYPTED_KEY: Final = Rule(
    "SK410", "encrypted-private-key", _WARNING, "A private key is protected by a passphrase only"
)
AGE_KEY: Final = Rule("SK411", "age-key", _ERROR, "A private key of age is in plain text")
VAULT_TOKEN: Final = Rule("SK412", "vault-token", _ERROR, "A token of Vault is in plain text")
SERVICE_ACCOUNT: Final = Rule(
    "SK413", "service-account-token", _ERROR, "A token of a Kubernetes service account"
)
IN_VALUES: Final = Rule(
    "SK414", "secret-in-values", _WARNING, "Values of a Helm chart hold what looks like a secret"
)
IN_ENV_FILE: Final = Rule(
    "SK415", "secret-in-env-file", _WARNING, "An .env file holds what looks like a secret"
)
IN_CONFIGURATION: Final = Rule(
    "SK416",
    "secret-in-configuration",
    _WARNING,
    "A ConfigMap, or a container's environment or arguments, hold what looks like a secret",
)
STORE_KEY: Final = Rule(
    "SK417", "store-key", _ERROR, "A key that an API server encrypts its store with"
)

SCAN: Final = (
    *(UNUSABLE, PLAINTEXT, DEFAULT, LAST_APPLIED, CLUSTER_KEY, GENERATOR_LITERAL, GENERATOR_FILE),
    *(DOCKER, KUBECONFIG, PRIVATE_KEY, ENCRYPTED_KEY, AGE_KEY, VAULT_TOKEN, SERVICE_ACCOUNT),
    *(IN_VALUES, IN_ENV_FILE, IN_CONFIGURATION, STORE_KEY),
)
