"""Documents of others as people write them, with as many fields as their kinds have."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import yaml

from sealkit.foreign import Context, Conversion, Note, convert

PEM: Final = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
Raw = dict[str, Any]

_EXTERNAL_SECRET: Final = """
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: db
  namespace: shop
  labels: {app.kubernetes.io/name: shop, argocd.argoproj.io/instance: shop}
  annotations: {argocd.argoproj.io/sync-wave: "1"}
spec:
  refreshPolicy: Periodic
  refreshInterval: 15m0s
  syncWindows: {kind: allow, windows: [{schedule: "0 1 * * *", duration: 1h}]}
  secretStoreRef: {name: vault, kind: SecretStore}
  target:
    name: db-credentials
    creationPolicy: Orphan
    deletionPolicy: Delete
    immutable: true
    template:
      engineVersion: v2
      type: Opaque
      mergePolicy: Merge
      metadata:
        labels: {tier: backend}
        annotations: {owner: team-a, dsn: "{{ .user }}"}
        finalizers: [a.example.com/b]
      data:
        url: postgres://{{ .user }}:{{ .password | urlquery }}@db/shop
      templateFrom:
      - configMap: {name: texts, items: [{key: a}]}
  data:
  - secretKey: user
    remoteRef: {key: apps/db, property: username}
  - secretKey: password
    remoteRef:
      key: kv/data/apps/db
      property: creds.password
      version: "3"
      metadataPolicy: None
      conversionStrategy: Default
      decodingStrategy: Base64
      nullBytePolicy: Ignore
  - secretKey: token
    sourceRef: {storeRef: {name: other, kind: ClusterSecretStore}}
    remoteRef: {key: tokens/shop, property: token, decodingStrategy: Base64URL}
  dataFrom:
  - extract: {key: apps/more}
"""
_SECRET_STORE: Final = f"""
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {{name: vault, namespace: shop, labels: {{team: a}}}}
spec:
  controller: main
  refreshInterval: 60
  retrySettings: {{maxRetries: 5, retryInterval: 10s}}
  provider:
    vault:
      server: https://vault.vault:8200
      path: kv
      version: v2
      namespace: team-a
      caBundle: {base64.b64encode(PEM.encode()).decode()}
      tls:
        certSecretRef: {{name: client, key: tls.crt}}
        keySecretRef: {{name: client, key: tls.key}}
      headers: {{X-Team: a}}
      readYourWrites: true
      forwardInconsistent: true
      checkAndSet: {{required: true}}
      auth:
        namespace: root
        kubernetes:
          mountPath: k8s
          role: shop
          serviceAccountRef: {{name: shop, audiences: [vault, other]}}
"""
_CLUSTER_SECRET_STORE: Final = """
apiVersion: external-secrets.io/v1beta1
kind: ClusterSecretStore
metadata: {name: other}
spec:
  conditions:
  - namespaces: [shop, stage]
  - namespaceSelector: {matchLabels: {team: a}}
  - namespaceRegexes: ["^team-.*$"]
  provider:
    vault:
      server: https://vault.vault:8200
      path: teams/kv
      version: v1
      caProvider: {type: ConfigMap, name: vault-ca, key: bundle.pem, namespace: vault}
      auth:
        appRole:
          path: approle-1
          roleId: 0815
          secretRef: {name: approle, key: secret, namespace: vault}
""".replace("0815", '"0815"')
_DESTINATION: Final = """
  destination:
    name: db-credentials
    create: true
    overwrite: true
    type: Opaque
    labels: {tier: backend}
    annotations: {owner: team-a}
    transformation:
      excludeRaw: true
      includes: ["^user$", "^db-pass$"]
      templates:
        url: {name: url, text: 'postgres://{{ get .Secrets "user" }}:{{ .Secrets.pass }}@db'}
      transformationRefs: [{name: shared}]
"""
_VAULT_STATIC_SECRET: Final = f"""
apiVersion: secrets.hashicorp.com/v1beta1
kind: VaultStaticSecret
metadata: {{name: db, namespace: shop, labels: {{app: shop}}}}
spec:
  vaultAuthRef: shop/vault
  namespace: team-a
  mount: kvv2
  type: kv-v2
  path: apps/db
  version: 3
  refreshAfter: 30s
  hmacSecretData: false
  syncConfig: {{instantUpdates: true}}
  rolloutRestartTargets:
  - {{kind: Deployment, name: app}}
  - {{kind: argo.Rollout, name: app}}
{_DESTINATION}"""
_VAULT_DYNAMIC_SECRET: Final = f"""
apiVersion: secrets.hashicorp.com/v1beta1
kind: VaultDynamicSecret
metadata: {{name: db, namespace: shop}}
spec:
  vaultAuthRef: vault
  namespace: team-a
  mount: db
  path: creds/app
  requestHTTPMethod: POST
  params: {{ttl: 1h}}
  renewalPercent: 50
  revoke: true
  allowStaticCreds: true
  refreshAfter: 1h
  rolloutRestartTargets: [{{kind: StatefulSet, name: app}}]
{_DESTINATION}"""
_VAULT_PKI_SECRET: Final = """
apiVersion: secrets.hashicorp.com/v1beta1
kind: VaultPKISecret
metadata: {name: web, namespace: shop}
spec:
  vaultAuthRef: vault
  namespace: team-a
  mount: pki
  role: web
  issuerRef: int
  commonName: a.example.com
  altNames: [b.example.com, c.example.com]
  ipSans: [10.0.0.1]
  uriSans: ["spiffe://a"]
  otherSans: ["1.2.3;UTF8:a"]
  userIDs: [a]
  ttl: 24h
  format: pem
  privateKeyFormat: pkcs8
  notAfter: "2027-01-01T00:00:00Z"
  excludeCNFromSans: true
  expiryOffset: 2h
  revoke: true
  clear: true
  rolloutRestartTargets: [{kind: DaemonSet, name: proxy}]
  destination:
    name: web-tls
    create: true
    type: kubernetes.io/tls
    transformation: {excludeRaw: true}
"""
_VAULT_AUTH: Final = """
apiVersion: secrets.hashicorp.com/v1beta1
kind: VaultAuth
metadata: {name: vault, namespace: shop}
spec:
  vaultConnectionRef: vault/main
  namespace: team-a
  allowedNamespaces: [shop, stage]
  method: kubernetes
  mount: k8s
  params: {a: b}
  headers: {X-Team: a}
  kubernetes: {role: shop, serviceAccount: shop, audiences: [vault, other], tokenExpirationSeconds: 600}
  storageEncryption: {mount: transit, keyName: vso}
"""  # noqa: E501
_VAULT_CONNECTION: Final = """
apiVersion: secrets.hashicorp.com/v1beta1
kind: VaultConnection
metadata: {name: main, namespace: vault, labels: {a: b}, annotations: {a: b}}
spec:
  address: https://vault.vault:8200
  tlsServerName: vault.example.com
  caCertSecretRef: vault-ca
  caCertPath: /ca.pem
  skipTLSVerify: true
  timeout: 30s
  headers: {X-Team: a}
"""

TEXTS: Final[Mapping[str, str]] = {
    "ExternalSecret": _EXTERNAL_SECRET,
    "SecretStore": _SECRET_STORE,
    "ClusterSecretStore": _CLUSTER_SECRET_STORE,
    "VaultStaticSecret": _VAULT_STATIC_SECRET,
    "VaultDynamicSecret": _VAULT_DYNAMIC_SECRET,
    "VaultPKISecret": _VAULT_PKI_SECRET,
    "VaultAuth": _VAULT_AUTH,
    "VaultConnection": _VAULT_CONNECTION,
}
_PARSED: Final[Mapping[str, Raw]] = {kind: yaml.safe_load(text) for kind, text in TEXTS.items()}
KINDS: Final = tuple(TEXTS)


def document(kind: str, **changes: object) -> Raw:
    """Return a document; `changes` are of its spec, by dotted path with `__`, None removes."""
    raw = copy.deepcopy(_PARSED[kind])
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = raw["spec"]
        for step in parents:
            place = place.setdefault(step, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return raw


def _variants() -> Iterator[tuple[str, Raw]]:
    value = {"name": "login", "key": "value"}
    account = {"serviceAccountRef": {"name": "shop"}, "audiences": ["a"], "expirationSeconds": 900}
    halves = {"clientCert": {"name": "other"}, "secretRef": {"name": "other"}}
    for auth in (
        {"jwt": {"path": "j", "role": "a", "kubernetesServiceAccountToken": account}},
        {"jwt": {"path": "j", "role": "a", "secretRef": value}},
        {"appRole": {"path": "a", "roleRef": value, "secretRef": value}},
        {"tokenSecretRef": {**value, "namespace": "other"}},
        {"cert": {"path": "c", "vaultRole": "a", **halves}},
        {"userPass": {"path": "u", "username": "a", "secretRef": value}},
        {"ldap": {"path": "l", "username": "a", "secretRef": value}},
    ):
        yield "SecretStore", document("SecretStore", provider__vault__auth=auth)
    for method, fields in (
        ("jwt", {"role": "a", "secretRef": "token"}),
        ("jwt", {"role": "a", "serviceAccount": "b", "audiences": ["c"]}),
        ("appRole", {"roleId": "a", "secretRef": "b"}),
    ):
        yield "VaultAuth", document("VaultAuth", method=method, kubernetes=None, **{method: fields})


SAMPLES: Final = (*((kind, document(kind)) for kind in KINDS), *_variants())


def everything(**instead: Raw) -> tuple[Raw, ...]:
    """Return one document of each kind, some of them others."""
    return tuple(instead.get(kind) or document(kind) for kind in KINDS)


def converted(raw: Raw, *others: Raw, **context: Any) -> Conversion:
    """Convert a document that is of a known kind, beside others."""
    result = convert(raw, Context((*others, raw), **context))
    assert result is not None
    return result


def manifest(raw: Raw, *others: Raw, **context: Any) -> Any:
    """Return what a document becomes."""
    result = converted(raw, *others, **context)
    assert result.manifest is not None, result.notes
    return result.manifest


def note(result: Conversion, field: str) -> Note:
    """Return the one note about a field."""
    (found,) = [one for one in result.notes if one.field == field]
    return found


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of everything in a document."""
    entries: Any = ()
    if isinstance(value, dict):
        entries = value.items()
    if isinstance(value, list):
        entries = enumerate(value)
    for name, inner in entries:
        yield (*path, name)
        yield from places(inner, (*path, name))


def at(raw: Any, path: tuple[str | int, ...]) -> Any:
    """Return what is at a path."""
    for step in path:
        raw = raw[step]
    return raw


def edited(raw: Raw, path: tuple[str | int, ...], edit: Callable[[Any, Any], None]) -> Raw:
    """Return a copy in which `edit` did something to the parent of a path."""
    copied = copy.deepcopy(raw)
    edit(at(copied, path[:-1]), path[-1])
    return copied
