"""Files as repositories are full of them, none with a secret in it; the seed makes them again."""

# ruff: noqa: E501 (a catalogue: files are written as they would stand on a disk)

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sealkit.crypto.recipient import Recipient
from sealkit.manifests.emit import emit_yaml
from tests.sealkit.cli.desk import key_of
from tests.sealkit.samples import a_manifest

COPIES = 9
File = tuple[str, str]
ENC = "ENC[AES256_GCM,data:{},iv:{},tag:{},type:str]"


class Shelf:
    """Random material that is no secret."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 (nothing to keep)

    def bytes(self, size: int) -> bytes:
        return self.random.randbytes(size)

    def b64(self, size: int) -> str:
        return base64.b64encode(self.bytes(size)).decode()

    def name(self) -> str:
        return self.random.choice(
            ("shop", "db", "auth", "token-service", "secrets-webhook", "vault")
        )


def certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop")])
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), start, end
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def public_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def block(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


def deployment(shelf: Shelf) -> File:
    name = shelf.name()
    return (
        f"apps/{name}.yaml",
        f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  template:
    metadata:
      annotations: {{checksum/secret: {shelf.bytes(32).hex()}}}
    spec:
      automountServiceAccountToken: false
      imagePullSecrets: [{{name: registry}}]
      containers:
      - name: app
        image: ghcr.io/acme/app@sha256:{shelf.bytes(32).hex()}
        args: ["--token-file=/var/run/secrets/token", "--password-file", /etc/db/password]
        env:
        - {{name: PASSWORD, valueFrom: {{secretKeyRef: {{name: db, key: password}}}}}}
        - {{name: DB_PASSWORD_FILE, value: /run/secrets/password}}
        - {{name: DATABASE_URL, value: "postgres://app:$(PASSWORD)@db:5432/shop"}}
        - {{name: TOKEN_TTL_SECONDS, value: "3600"}}
        - {{name: SECRET_NAME, value: db-credentials}}
        - {{name: API_TOKEN, value: "vault:kv/shop/api#token"}}
        envFrom: [{{secretRef: {{name: {name}}}}}]
      volumes: [{{name: s, secret: {{secretName: db}}}}, {{name: t, projected: {{sources: [{{serviceAccountToken: {{path: t}}}}]}}}}]
""",
    )


def config_map(shelf: Shelf) -> File:
    data = {
        "PASSWORD_MIN_LENGTH": "12",
        "TOKEN_URL": "https://login.example.com/oauth/token",
        "SECRET_BACKEND": "vault",
        "DB_PASSWORD": "${DB_PASSWORD}",
        "app.properties": "db.user=app\ndb.password=${DB_PASSWORD}\ntoken.ttl=1h\nsecret.name=db\n",
        "nginx.conf": "proxy_set_header Authorization $http_token;\nssl_certificate_key /etc/tls.key;\n",
        "ca.crt": certificate(),
        "hash": shelf.bytes(32).hex(),
    }
    return "config.yaml", emit_yaml({"apiVersion": "v1", "kind": "ConfigMap", "data": data})


def crd(shelf: Shelf) -> File:
    words = {
        name: {"type": "string", "description": f"The {name} of a Secret"}
        for name in ("password", "token", "apiKey")
    }
    ref = {
        "secretKeyRef": {
            "type": "object",
            "properties": {"kind": {"enum": ["Secret"], "type": "string"}},
        }
    }
    schema = {
        "openAPIV3Schema": {
            "type": "object",
            "properties": {"spec": {"properties": words | ref, "required": list(words)}},
        }
    }
    raw = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {"versions": [{"schema": schema}]},
    }
    return (
        ("crd.yaml", emit_yaml(raw))
        if shelf.random.random() < 0.5
        else ("crd.json", json.dumps(raw, indent=2))
    )


def rights(shelf: Shelf) -> File:
    return (
        "rbac.yaml",
        f"""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: {shelf.name()}}}
rules:
- {{apiGroups: [""], resources: [secrets, serviceaccounts/token], verbs: [get, create]}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: x}}
secrets: [{{name: x-token-{shelf.bytes(3).hex()}}}]
---
apiVersion: v1
kind: Secret
metadata: {{name: x, annotations: {{kubernetes.io/service-account.name: x}}}}
type: kubernetes.io/service-account-token
""",
    )


def lock(shelf: Shelf) -> File:
    hashed = [shelf.b64(64) for _ in range(20)]
    kind = shelf.random.randrange(4)
    if kind == 0:
        packages = {
            f"node_modules/token-{n}": {"version": "1.0.0", "integrity": f"sha512-{one}"}
            for n, one in enumerate(hashed)
        }
        return "package-lock.json", json.dumps(
            {"lockfileVersion": 3, "packages": packages}, indent=2
        )
    if kind == 1:
        return "go.sum", "".join(
            f"github.com/a/secret{n} v1.0.0 h1:{one[:43]}=\n" for n, one in enumerate(hashed)
        )
    if kind == 2:
        return "poetry.lock", "".join(
            f'[[package]]\nname = "keyring"\nfiles = [{{hash = "sha256:{shelf.bytes(32).hex()}"}}]\n'
            for _ in hashed
        )
    return "yarn.lock", "".join(f"secret-token@^1:\n  integrity sha512-{one}\n" for one in hashed)


def page(shelf: Shelf) -> File:
    value = shelf.random.choice(
        (
            "<your-password>",
            "changeme",
            "REPLACE_ME",
            "xxxxxxxx",
            "hunter2",
            "my-password",
            "s3cr3t",
            "...",
            "example-token",
        )
    )
    return (
        "docs/a.md",
        f"""\
# Secrets

Set `password: something` and the token `hvs.…`, or `AGE-SECRET-KEY-1…`.

```yaml
apiVersion: v1
kind: Secret
metadata: {{name: db}}
stringData:
  PASSWORD: {value}
  USER: app
---
kind: Secret
data:
  password: {base64.b64encode(value.encode()).decode()}
  token: <base64 of your token>
```

    -----BEGIN RSA PRIVATE KEY-----
    ...
    -----END RSA PRIVATE KEY-----
""",
    )


def chart_template(shelf: Shelf) -> File:
    return (
        "chart/templates/secret.yaml",
        f"""\
{{{{- if not .Values.existingSecret }}}}
apiVersion: v1
kind: Secret
metadata:
  name: {{{{ include "{shelf.name()}.fullname" . }}}}
  labels:
    {{{{- include "x.labels" . | nindent 4 }}}}
type: Opaque
data:
  {{{{- range $key, $value := .Values.secrets }}}}
  {{{{ $key }}}}: {{{{ $value | b64enc | quote }}}}
  {{{{- end }}}}
  password: {{{{ .Values.password | default (randAlphaNum 16) | b64enc }}}}
  token: {{{{ required "token is required" .Values.token | b64enc }}}}
  default: {{{{ .Values.x | default "changeme-example" | b64enc }}}}
{{{{- end }}}}
""",
    )


def values(shelf: Shelf) -> File:
    return (
        shelf.random.choice(("values.yaml", "chart/values-prod.yaml")),
        f"""\
image: {{tag: v1, digest: "sha256:{shelf.bytes(32).hex()}", pullSecrets: [registry]}}
auth:
  existingSecret: shop-db
  existingSecretPasswordKey: password
  secretKeys: {{adminPasswordKey: postgres-password, userPasswordKey: password}}
  password: ""
  adminPassword:
  rootPassword: <set with --set>
  token: null
  apiKey: ${{API_KEY}}
  vaultToken: <path:kv/data/shop#token>
  clientSecret: ref+vault://kv/shop#/client
  usePasswordFiles: true
  passwordFile: /etc/password
  secretName: my-tls
  jwt: {{tokenExpiration: 86400, secretRef: jwt-signing-key-2024-01}}
  forgotPassword: Did you forget your password?
controller: {{kind: Deployment, serviceAccount: {{automountToken: true}}}}
""",
    )


def sealed(shelf: Shelf) -> File:
    values = {
        "PASSWORD": shelf.bytes(20),
        "api-token": shelf.bytes(40),
        "tls.key": shelf.bytes(900),
    }
    return "db.sealed.yaml", emit_yaml(a_manifest(values).to_dict())


def recipient(shelf: Shelf) -> File:
    return ".sealkit/prod.pub", str(Recipient("prod", key_of(shelf.name()).public, None))


def bitnami(shelf: Shelf) -> File:
    raw = {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": "db", "annotations": {"sealedsecrets.bitnami.com/managed": "true"}},
        "spec": {
            "encryptedData": {name: "AgB" + shelf.b64(540)[3:] for name in ("password", "token")},
            "template": {"type": "Opaque", "data": {"url": "postgres://u:{{ .password }}@h"}},
        },
    }
    return "bitnami.yaml", emit_yaml(raw)


def sops(shelf: Shelf) -> File:
    def enc() -> str:
        return ENC.format(shelf.b64(20), shelf.b64(32), shelf.b64(16))

    age = f"-----BEGIN AGE ENCRYPTED FILE-----\n{shelf.b64(48)}\n-----END AGE ENCRYPTED FILE-----\n"
    meta = {
        "age": [{"recipient": "age1" + "q" * 58, "enc": age}],
        "mac": enc(),
        "version": "3.11.0",
    }
    kind = shelf.random.randrange(3)
    if kind == 0:
        return "secrets.enc.env", f"DB_PASSWORD={enc()}\nAPI_TOKEN={enc()}\nsops_mac={enc()}\n"
    if kind == 1:
        return "values.enc.yaml", emit_yaml(
            {"auth": {"password": enc(), "token": enc()}, "sops": meta}
        )
    raw = {
        "apiVersion": "v1",
        "kind": "Secret",
        "stringData": {"password": enc(), "empty": ""},
        "sops": meta,
    }
    return "secret.enc.yaml", emit_yaml(raw)


def external(shelf: Shelf) -> File:
    return (
        "external.yaml",
        f"""\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {{name: {shelf.name()}}}
spec:
  secretStoreRef: {{name: vault, kind: ClusterSecretStore}}
  target:
    name: db
    template: {{data: {{config: "password={{{{ .password }}}}"}}}}
  data:
  - {{secretKey: password, remoteRef: {{key: kv/shop/db, property: password}}}}
  - {{secretKey: API_TOKEN, remoteRef: {{key: kv/shop/api-2024-11}}}}
---
apiVersion: secrets.hashicorp.com/v1beta1
kind: VaultStaticSecret
spec: {{mount: kv, type: kv-v2, path: shop/db, destination: {{name: db, create: true}}, hmacSecretData: true}}
---
apiVersion: external-secrets.io/v1
kind: SecretStore
spec: {{provider: {{vault: {{auth: {{tokenSecretRef: {{name: vault-token, key: token}}}}, caBundle: {shelf.b64(600)}}}}}}}
""",
    )


def public(shelf: Shelf) -> File:
    kind = shelf.random.randrange(4)
    if kind == 0:
        return "ca.pem", certificate() * 2
    if kind == 1:
        return "cosign.pub", public_key()
    if kind == 2:
        return "id_ed25519.pub", f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5{shelf.b64(36)} token@secret\n"
    data = {"ca.crt": base64.b64encode(certificate().encode()).decode()}
    return "ca.yaml", emit_yaml(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "data": data,
            "stringData": {"key.pub": public_key()},
        }
    )


def references(shelf: Shelf) -> File:
    data = {
        "A": "vault:kv/data/shop/db#password",
        "B": "<path:kv/data/shop/db#password>",
        "C": "<password>",
        "D": "${PASSWORD}",
        "E": "postgres://app:${vault:kv/shop/db#password}@db",
        "F": ">>vault:kv/shop#x",
        "G": "",
        "H": "op://vault/item/field",
        "I": "test-password",
    }
    return f"{shelf.name()}.yaml", emit_yaml(
        {"apiVersion": "v1", "kind": "Secret", "stringData": data}
    )


def kustomization(shelf: Shelf) -> File:
    return (
        "kustomization.yaml",
        f"""\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [{shelf.name()}.sealed.yaml]
configMapGenerator: [{{name: a, literals: [LOG=debug, TOKEN_TTL=1h]}}]
secretGenerator:
- {{name: a, envs: [secrets.enc.env]}}
- {{name: b, files: [ca.crt=ca.crt, missing.txt]}}
- {{name: c, literals: ["password=${{PASSWORD}}", "user="]}}
patches:
- target: {{kind: Secret}}
  patch: '[{{"op": "remove", "path": "/data/password"}}, {{"op": "add", "path": "/metadata/labels/x", "value": "y"}}]'
""",
    )


def variables(shelf: Shelf) -> File:
    if shelf.random.random() < 0.5:
        return ".env.example", "DB_PASSWORD=aGoodExample99\nAPI_TOKEN=abcdefgh12345678ijkl\n"
    return (
        ".env",
        "LOG=debug\nDB_PASSWORD=\nTOKEN=$TOKEN\nPASSWORD_FILE=/run/x\nSECRET_NAME=db-credentials-2024\nAPI_KEY=op://a/b/c\n",
    )


def docker(shelf: Shelf) -> File:
    auths = {
        "r.io": {},
        "ghcr.io": {"auth": ""},
        "x.io": {"auth": base64.b64encode(b"user:<password>").decode()},
    }
    return ".docker/config.json", json.dumps(
        {"auths": auths, "credsStore": "desktop", "HttpHeaders": {"x": shelf.name()}}
    )


def kubeconfig(shelf: Shelf) -> File:
    return (
        "kubeconfig",
        f"""\
apiVersion: v1
kind: Config
clusters: [{{name: a, cluster: {{server: https://a, certificate-authority-data: {shelf.b64(800)}}}}}]
users: [{{name: a, user: {{exec: {{command: aws, args: [eks, get-token]}}, token: "", client-certificate-data: {shelf.b64(800)}}}}}]
""",
    )


def program(shelf: Shelf) -> File:
    return shelf.random.choice(
        (("a.py", PYTHON), ("a.go", GO), ("a.sh", SHELL), ("a.tf", TERRAFORM))
    )


def workflow(shelf: Shelf) -> File:
    return (
        ".github/workflows/ci.yaml",
        f"""\
on: push
permissions: {{id-token: write}}
jobs:
  a:
    steps:
    - uses: actions/checkout@{shelf.bytes(20).hex()}
      with: {{token: "${{{{ secrets.GITHUB_TOKEN }}}}"}}
    - run: docker login -p ${{{{ secrets.PASSWORD }}}}
      env: {{API_TOKEN: "${{{{ secrets.API_TOKEN }}}}", SECRET: x}}
""",
    )


def application(shelf: Shelf) -> File:
    return (
        "app.yaml",
        f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
spec:
  source:
    targetRevision: {shelf.bytes(20).hex()}
    helm:
      values: |
        auth: {{existingSecret: shop-db, password: "", enablePostgresUser: true}}
      parameters: [{{name: auth.password, value: $ARGOCD_ENV_PASSWORD}}, {{name: auth.secret, value: db}}]
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
spec:
  valuesFrom: [{{kind: Secret, name: shop, valuesKey: password, targetPath: auth.password}}]
  values: {{auth: {{existingSecret: x, password: "${{db_password}}"}}, tokens: {{max: 5}}}}
""",
    )


def material(shelf: Shelf) -> File:
    digest = hashlib.sha256(shelf.bytes(9)).hexdigest()
    return (
        "SHA256SUMS.txt",
        f"{digest}  secret-tool.tar.gz\n{digest}  token\nage1{'q' * 58}\npassword\n",
    )


def lookalikes(shelf: Shelf) -> File:
    """What has the shape of a planted file and nothing in it."""
    return shelf.random.choice(LOOKALIKES)


PUBLIC = """\
caBundle: MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJRTESMBAGA1UE
publicKey: MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm
token: x
"""
LOOKALIKES: tuple[File, ...] = (
    (
        "compose.yaml",
        """\
services:
  db:
    environment:
      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?is missing}
      POSTGRES_PASSWORD_FILE: /run/secrets/password
      TOKEN_TTL: 1h
    secrets: [password]
  app:
    environment: [DB_PASSWORD, "API_TOKEN=${API_TOKEN}", "SECRET_NAME=db"]
secrets: {password: {external: true}}
""",
    ),
    (
        "main.tf",
        """\
resource "kubernetes_secret" "db" {
  metadata { name = "db" }
  data = {
    password = var.password
    token    = "${random_password.x.result}"
    user     = ""
  }
}
resource "helm_release" "db" {
  set { name = "existingSecret", value = "db-credentials-2024-11" }
}
resource "kubernetes_config_map" "a" { data = { "kind" = "Secret-less" } }
""",
    ),
    (
        "up.sh",
        """\
kubectl create secret generic db --from-literal=password="$PASSWORD" --from-literal=t=$(cat t)
kubectl create secret docker-registry r --docker-password="${TOKEN}" --docker-server=ghcr.io
kubectl create secret generic x --from-literal=password=<password> --from-file=ca.crt
kubectl create secret tls y --cert=a.crt --key=a.key
""",
    ),
    (
        "docs/use.md",
        """\
    kubectl create secret generic db --from-literal=password=hunter2 --from-literal=user=app

```sh
kubectl create secret generic db --from-literal=password=mysecretpassword
```
""",
    ),
    (
        "args.yaml",
        """\
kind: Deployment
spec:
  containers:
  - args: [--password=$(DB_PASSWORD), --token-file=/run/token, --secret-name=db, --password-stdin]
    command: [vault, --token, "${VAULT_TOKEN}", --db-password-file, /run/x, --password]
""",
    ),
    (
        "enc.yaml",
        """\
kind: EncryptionConfiguration
apiVersion: apiserver.config.k8s.io/v1
resources:
- resources: [secrets]
  providers:
  - aescbc: {keys: [{name: key1, secret: <base64 of 32 bytes>}]}
  - kms: {apiVersion: v2, name: vault, endpoint: unix:///run/kms.sock}
  - identity: {}
""",
    ),
    (
        "jwks.json",
        json.dumps(
            {"keys": [{"kty": "EC", "crv": "P-256", "kid": "token-1", "x": "f83OJ3D2xF1Bg8vub9"}]}
        ),
    ),
    (
        "values.schema.json",
        json.dumps(
            {
                "properties": {
                    "password": {"type": "string", "default": "", "title": "Password of the user"},
                    "existingSecret": {"type": "string", "description": "Name of a Secret"},
                }
            }
        ),
    ),
    (
        "kustomization.yaml",
        """\
helmCharts: [{name: a, valuesInline: {auth: {existingSecret: db, password: "", secretKeys: {a: b}}}}]
patches:
- target: {kind: Secret, name: db}
  patch: |-
    - {op: remove, path: /data/password}
    - {op: replace, path: /data/url, value: <base64 of the URL>}
    - {op: add, path: /metadata/annotations, value: {a: b}}
- target: {kind: ConfigMap}
  patch: '[{op: add, path: /data/log, value: debug}]'
- target: {kind: Secret}
  patch: |-
    metadata: {labels: {tier: backend-9}}
    type: Opaque
""",
    ),
    (
        "templates.yaml",
        """\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
spec:
  template:
    metadata: {labels: {a: b}}
    data: {password: "{{ .password }}", user: app, url: "https://db.example.com", password.file: /x}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
spec:
  target: {template: {type: Opaque, data: {password: "{{ .password }}", tokenTTL: "3600"}}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
spec: {postBuild: {substitute: {secret_name: db, cluster: prod}, substituteFrom: [{kind: Secret}]}}
---
apiVersion: builtin
kind: SecretGenerator
metadata: {name: a}
literals: ["password=${PASSWORD}"]
files: [ca.crt]
""",
    ),
    ("a.libsonnet", "{ kind: 'Secret', stringData: { password: std.extVar('p'), b: '' } }\n"),
    ("cert.yaml", PUBLIC),
)


PYTHON = """\
from secrets import token_hex
body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": space}, "data": {KEY: encode(value)}}
password = getpass("password: ")
MARK = "-----BEGIN PRIVATE KEY-----"
if text.startswith("hvs.") or s.aVeryLongAttributeNameHere1(): token = os.environ["TOKEN"]
"""
GO = """\
package a
// Secret holds a token; kind: Secret
func (s *S) x() { s.TokenReviewControllerClient2(); secret := &corev1.Secret{Data: map[string][]byte{"password": pw}} }
"""
SHELL = """\
kubectl create secret generic db --from-literal=password="$PASSWORD" --dry-run=client -o yaml
cat <<END
kind: Secret
metadata: {name: db}
stringData:
  password: ${PASSWORD}
  token: $TOKEN
END
"""
TERRAFORM = """\
resource "kubernetes_secret" "a" { data = { password = var.password, token = random_password.x.result } }
variable "password" { sensitive = true }
"""

MAKERS: tuple[Callable[[Shelf], File], ...] = (
    *(deployment, config_map, crd, rights, lock, page, chart_template, values, sealed, recipient),
    *(bitnami, sops, external, public, references, kustomization, variables, docker, kubeconfig),
    *(program, workflow, application, material, lookalikes, lookalikes, lookalikes),
)
BESIDE = {
    "secrets.enc.env": f"A={ENC.format('a', 'b', 'c')}\n".encode(),
    "ca.crt": b"-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n",
}


def harmless(seed: int) -> Iterator[tuple[str, str, bytes]]:
    """Yield name, path and content of every file of a run."""
    shelf = Shelf(seed)
    for make in MAKERS:
        for number in range(COPIES):
            path, text = make(shelf)
            yield f"{make.__name__} {number}", path, text.encode()
