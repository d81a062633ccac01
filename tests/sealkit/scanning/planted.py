"""Plaintext secrets in odd shapes, with other values in every run; the seed makes them again."""

# ruff: noqa: ARG005, E501 (a catalogue: files are written as they would stand on a disk)

from __future__ import annotations

import base64
import json
import string
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.sealkit.scanning.keys import private_keys

Text = str | bytes
LABELS = {f"example.com/label-{number}": "x" for number in range(30)}


@dataclass(frozen=True)
class Planted:
    """One file with a secret in it; `key` stands on the line of the finding, if it is there once."""

    name: str
    path: str
    raw: bytes
    rule: str
    secret: str
    key: str = ""
    beside: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def line(self) -> int | None:
        """The line that a finding must be on, if the text says it."""
        text = self.raw.decode(errors="ignore")
        if not self.key or text.count(self.key) != 1:
            return None
        return text.count("\n", 0, text.index(self.key)) + 1


class Garden:
    """Values of one run."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 (values to be found, not to be kept)

    def word(self, size: int = 20, alphabet: str = string.ascii_letters + string.digits) -> str:
        text = "".join(self._random.choice(alphabet) for _ in range(size - 4))
        return f"k{text}7Q4"

    def password(self) -> str:
        return self.word(self._random.randint(9, 40), string.ascii_letters + string.digits + "-_.")

    def key(self) -> str:
        return f"F{self.word(8, string.ascii_uppercase)}_PASSWORD"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def indented(text: str, by: int) -> str:
    return textwrap.indent(text, " " * by)


def secret(key: str, value: str, section: str = "stringData") -> str:
    written = b64(value) if section == "data" else value
    return (
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: shop\n"
        f"{section}:\n  {key}: {written}\n"
    )


def as_json(key: str, value: str, **more: object) -> dict[str, Any]:
    metadata = {"name": "db", "namespace": "shop"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "stringData": {key: value},
    } | more


CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: boot}\n"
Shape = Callable[[str, str], Text]

# Secrets of Kubernetes; each is given the name of a key and a value.
YAML: dict[str, Shape] = {
    "stringData": secret,
    "data": lambda k, v: secret(k, v, "data"),
    "readable text under data": lambda k, v: secret(k, "!", "data").replace(b64("!"), f"{v}!"),
    "second document": lambda k, v: f"kind: Service\n---\n{secret(k, v)}",
    "after a broken document": lambda k, v: f"a: [\n---\n{secret(k, v)}",
    "after a template": lambda k, v: (
        f"{{{{- if .Values.x }}}}\nkind: Service\n{{{{ end }}}}\n---\n{secret(k, v)}"
    ),
    "marker with a comment": lambda k, v: f"a: b\n--- # next\n{secret(k, v)}...\n",
    "without a last line end": lambda k, v: secret(k, v).rstrip("\n"),
    "List": lambda k, v: (
        "apiVersion: v1\nkind: List\nitems:\n- " + indented(secret(k, v), 2).lstrip()
    ),
    "SecretList": lambda k, v: (
        f"kind: SecretList\nitems:\n- metadata: {{name: db}}\n  stringData: {{{k}: {v}}}\n"
    ),
    "List in a List": lambda k, v: json.dumps(
        {"kind": "List", "items": [{"kind": "List", "items": [as_json(k, v)]}]}
    ),
    "flow": lambda k, v: f"{{kind: Secret, metadata: {{name: db}}, stringData: {{{k}: {v}}}}}",
    "flow on the marker's line": lambda k, v: f"--- {{kind: Secret, stringData: {{{k}: '{v}'}}}}\n",
    "CRLF": lambda k, v: secret(k, v).replace("\n", "\r\n"),
    "byte order mark": lambda k, v: b"\xef\xbb\xbf" + secret(k, v).encode(),
    "UTF-16 with a mark": lambda k, v: secret(k, v).encode("utf-16"),
    "UTF-16, big end first": lambda k, v: b"\xfe\xff" + secret(k, v).encode("utf-16-be"),
    "UTF-16 without a mark": lambda k, v: secret(k, v).encode("utf-16-le"),
    "UTF-16-BE without a mark": lambda k, v: secret(k, v).encode("utf-16-be"),
    "UTF-32": lambda k, v: secret(k, v).encode("utf-32"),
    "not UTF-8": lambda k, v: "# pr\u00e9prod\n".encode("latin-1") + secret(k, v).encode(),
    "tabs": lambda k, v: secret(k, v).replace("  ", "\t"),
    "far from its kind": lambda k, v: secret(k, v).replace(
        "stringData",
        "  labels:\n" + "".join(f"    {a}: {b}\n" for a, b in LABELS.items()) + "stringData",
    ),
    "before its kind": lambda k, v: f"stringData:\n  {k}: {v}\nkind: Secret\napiVersion: v1\n",
    "quoted": lambda k, v: f'\'kind\' : "Secret"\n"stringData" :\n  \'{k}\' : "{v}"\n',
    "long key": lambda k, v: f"? kind\n: Secret\n? stringData\n: ? {k}\n  : {v}\n",
    "anchor": lambda k, v: f"x: &pw {v}\nkind: Secret\nstringData:\n  {k}: *pw\n",
    "anchored values": lambda k, v: f"x: &values\n  {k}: {v}\nkind: Secret\nstringData: *values\n",
    "merge key": lambda k, v: (
        f"x: &values\n  {k}: {v}\nkind: Secret\nstringData:\n  <<: *values\n  OTHER: ''\n"
    ),
    "list of merges": lambda k, v: (
        f"x: &values {{{k}: {v}}}\nkind: Secret\nstringData: {{<<: [*values, {{}}]}}\n"
    ),
    "twice the same key": lambda k, v: f"kind: Secret\nstringData:\n  {k}: {v}\n  {k}: ''\n",
    "two sections": lambda k, v: f"kind: Secret\nstringData: {{}}\ndata:\n  {k}: {b64(v)}\n",
    "binary tag": lambda k, v: f"kind: Secret\ndata:\n  {k}: !!binary {b64(v)}\n",
    "own tag": lambda k, v: f"kind: Secret\nstringData:\n  {k}: !Sub '{v}'\n",
    "wrapped base64": lambda k, v: (
        "kind: Secret\ndata:\n"
        f"  {k}: |\n" + indented("\n".join(textwrap.wrap(b64(v * 5), 20)), 4) + "\n"
    ),
    "literal block": lambda k, v: f"kind: Secret\nstringData:\n  {k}: |-\n    {v}\n",
    "folded block": lambda k, v: f"kind: Secret\nstringData:\n  {k}: >\n    {v}\n    more of it\n",
    "plain over two lines": lambda k, v: (
        f"kind: Secret\nstringData:\n  {k}:\n    {v}\n    more of it\n"
    ),
    "not Latin": lambda k, v: (
        f"kind: Secret\nstringData:\n  {k}: \u043f\u0430\u0440\u043e\u043b\u044c-{v}\n"
    ),
    "number": lambda k, v: f"kind: Secret\nstringData:\n  {k}: 48213377\n",
    "no line behind kind": lambda k, v: f"stringData:\n  {k}: {v}\nkind: Secret",
    "comment": lambda k, v: "a: b\n" + "".join(f"# {line}\n" for line in secret(k, v).splitlines()),
    "ConfigMap": lambda k, v: f"{CONFIG_MAP}data:\n  a.yaml: |\n" + indented(secret(k, v), 4),
    "ConfigMap, second document inside": lambda k, v: (
        f"{CONFIG_MAP}data:\n  a.yaml: |\n\n    # b\n    a: b\n    ---\n"
        + indented(secret(k, v), 4)
    ),
    "ConfigMap, folded": lambda k, v: (
        f"{CONFIG_MAP}data:\n  a.json: >\n    {json.dumps(as_json(k, v))}\n"
    ),
    "ConfigMap, JSON": lambda k, v: (
        f"{CONFIG_MAP}data:\n  a.json: {json.dumps(json.dumps(as_json(k, v)))}\n"
    ),
    "ConfigMap, base64": lambda k, v: f"{CONFIG_MAP}binaryData:\n  a: {b64(secret(k, v))}\n",
    "ConfigMap in a ConfigMap": lambda k, v: (
        f"{CONFIG_MAP}data:\n  a: |\n"
        + indented(f"{CONFIG_MAP}data:\n  a: |\n" + indented(secret(k, v), 4), 4)
    ),
    "manifest in an object": lambda k, v: (
        "kind: Object\nspec:\n  forProvider:\n    manifest:\n" + indented(secret(k, v), 6)
    ),
    "template of OpenShift": lambda k, v: (
        "kind: Template\nobjects:\n- " + indented(secret(k, v), 2).lstrip()
    ),
    "text in a list": lambda k, v: "extraDeploy:\n- |\n" + indented(secret(k, v), 2),
    "Helm": lambda k, v: (
        "{{- if .Values.on }}\n"
        + secret(k, v).replace(": db", ': {{ include "x" . }}')
        + "{{ end }}\n"
    ),
    "Helm with labels": lambda k, v: secret(k, v).replace(
        "stringData",
        '  labels:\n    {{- include "x" . | nindent 4 }}\n  {{- with .Values.a }}\n  x: {{ . }}\n  {{- end }}\nstringData',
    ),
    "Helm, encoded there": lambda k, v: (
        f'kind: Secret\ndata:\n  {k}: {{{{ "{v}" | b64enc | quote }}}}\n'
    ),
    "Helm, by default": lambda k, v: (
        f'kind: Secret\ndata:\n  {k}: {{{{ .Values.p | default "{v}" | b64enc }}}}\n'
    ),
    "Helm, no YAML": lambda k, v: f"{{{{ $a }}}}: - b: [\nkind: Secret\nstringData:\n  {k}: {v}\n",
    "Helm in flow": lambda k, v: (
        f"a: ]\n{{kind: Secret, metadata: {{{{ x }}}}, stringData: {{{k}: {v}}}}}\n"
    ),
    "Helm in JSON": lambda k, v: '{{ x }}{"a": {{ b }} c,\n' + json.dumps(as_json(k, v)),
    "no YAML, list item": lambda k, v: (
        f"a: ]\n- apiVersion: v1\n  kind: Secret\n  stringData:\n    {k}: {v}\n- b\n"
    ),
    "no YAML, kind first": lambda k, v: (
        f"a: ]\n- kind: Secret\n  stringData: {{{k}: {v}}}\n- kind: b\n"
    ),
    "no YAML, block": lambda k, v: (
        f"a: ]\n---\nb: ]\nkind: Secret\nstringData:\n  {k}: |\n    {v}\n    b\nx: y\n"
    ),
    "no YAML, next line": lambda k, v: (
        f"stringData:\n\n  {k}:\n    {v}\n  # b\nkind: Secret\nkind: ]\nx: [\n"
    ),
    "Jinja": lambda k, v: "{% if a %}\n" + secret(k, v) + "{% endif %}\n",
    "chart's extra manifest": lambda k, v: (
        "extraManifests:\n- |\n  {{- if .Values.on }}\n"
        + indented(secret(k, v), 2)
        + "  {{ end }}\n"
    ),
    "base64 of base64": lambda k, v: f"kind: Secret\ndata:\n  {k}: {b64(b64(v))}\n",
    "ConfigMap, base64 of base64": lambda k, v: (
        f"{CONFIG_MAP}binaryData:\n  a: {b64(b64(secret(k, v)))}\n"
    ),
    "ConfigMap, base64 of UTF-16": lambda k, v: (
        f"{CONFIG_MAP}binaryData:\n  a: "
        f"{base64.b64encode(secret(k, v).encode('utf-16')).decode()}\n"
    ),
    "repository of Argo CD": lambda k, v: (
        "kind: Secret\nmetadata: {labels: {argocd.argoproj.io/secret-type: repository}}\n"
        f"stringData:\n  url: <url>\n  {k}: {v}\n"
    ),
    "carriage returns alone": lambda k, v: secret(k, v).replace("\n", "\r"),
    "template of a SealedSecret": lambda k, v: (
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nspec:\n  encryptedData: {a: AgBx}\n"
        f"  template:\n    data:\n      {k}: {v}\n"
    ),
    "template of an ExternalSecret": lambda k, v: (
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nspec:\n  target:\n"
        f"    template:\n      data:\n        user: '{{{{ .user }}}}'\n        {k}: {v}\n"
    ),
    "patch that says what it is of": lambda k, v: (
        "patches:\n- target: {kind: Secret, name: db}\n  patch: |-\n"
        f"    metadata: {{name: db}}\n    stringData:\n      {k}: {v}\n"
    ),
    "patch that adds a section": lambda k, v: (
        "patches:\n- target: {kind: Secret}\n  patch: |-\n    - op: add\n      path: /data\n"
        f"      value:\n        {k}: {b64(v)}\n"
    ),
    "sops that missed a key": lambda k, v: (
        f"kind: Secret\nstringData:\n  A: ENC[AES256_GCM,data:x,type:str]\n  {k}: {v}\n"
        "sops: {mac: 'ENC[AES256_GCM,data:x,type:str]'}\n"
    ),
}
JSON: dict[str, Shape] = {
    "JSON": lambda k, v: json.dumps(as_json(k, v)),
    "JSON with tabs": lambda k, v: json.dumps(as_json(k, v), indent="\t"),
    "JSON stream": lambda k, v: '{"a": 1}\n' + json.dumps(as_json(k, v)) + "\n[]\n",
    "JSON with surrogates": lambda k, v: json.dumps(as_json(k, v, note="\U0001f511")),
    "JSON with comments": lambda k, v: "// a\n" + json.dumps(as_json(k, v), indent=2),
    "JSON that ends early": lambda k, v: json.dumps(as_json(k, v), indent=2)[:-1],
    "JSON with CRLF": lambda k, v: json.dumps(as_json(k, v), indent=1).replace("\n", "\r\n"),
}
ELSEWHERE: dict[str, tuple[str, Shape]] = {
    "no suffix": ("secret", secret),
    "backup": ("a.yaml.bak", secret),
    "template": ("a.yaml.j2", secret),
    "chart's helper": ("_x.tpl", secret),
    "here document": ("up.sh", lambda k, v: f"kubectl apply -f - <<END\n{secret(k, v)}END\n"),
    "fence": ("a.md", lambda k, v: f"# A\n\n```yaml\n{secret(k, v + 'x9T2wZ4m')}```\n"),
    "fence in a list": ("a.md", lambda k, v: f"- a\n\n  ~~~\n{indented(secret(k, v + 'x9T2wZ4m'), 2)}  ~~~\n"),
    "program": ("a.py", lambda k, v: f"x = {as_json(k, v)!r}\n"),
    "escaped JSON": ("a.tf", lambda k, v: f"x = {json.dumps(json.dumps(as_json(k, v)))}\n"),
    "Terraform": ("a.tf", lambda k, v: f'resource "kubernetes_secret" "a" {{\n  metadata {{ name = "db" }}\n  data = {{\n    user = var.user\n    {k} = "{v}"\n  }}\n}}\n'),
    "Terraform, manifest": ("a.tf", lambda k, v: f'manifest = {{\n  kind = "Secret"\n  data = {{\n    "{k}" = base64encode("{v}")\n  }}\n}}\n'),
    "kubectl": ("up.sh", lambda k, v: f"kubectl create secret generic db \\\n  --from-literal=user=app \\\n  --from-literal={k}='{v}'\n"),
    "kubectl in a pipeline": ("ci.yaml", lambda k, v: f"jobs:\n- script: |\n    kubectl create secret generic db --from-literal \"{k}={v}\"\n    echo done\n"),
    "Jsonnet": ("a.jsonnet", lambda k, v: f"{{ kind: 'Secret', stringData: {{ {k}: '{v}', url: std.extVar('u') }} }}\n"),
    "patch": ("a.patch", lambda k, v: "+++ b\n" + "".join(f"+{line}\n" for line in secret(k, v).splitlines())),
}  # fmt: skip

LAST = "kubectl.kubernetes.io/last-applied-configuration"
# Here the key is on another line than the value, or the annotation, that the finding is about.
ELSEWHERE_SAID = (
    *("ConfigMap, folded", "last applied", "environment", "values, environment"),
    *("patch of a Secret", "key of the store", "carriage returns alone", "kubectl in a pipeline"),
)
Other = tuple[str, str, Shape]
# What is no Secret, or more than one: rule, path, text.
OTHERS: dict[str, Other] = {
    "last applied": ("SK403", "a.yaml", lambda k, v: "kind: SealedSecret\nmetadata:\n  annotations:\n"
        f"    {LAST}: |\n      {json.dumps(as_json(k, v))}\n"),
    "last applied, quoted": ("SK403", "a.json", lambda k, v: json.dumps(
        {"kind": "Secret", "metadata": {"annotations": {LAST: json.dumps(as_json(k, v))}}})),
    "key of sealkit": ("SK404", "a.yaml", lambda k, v: f"kind: Secret\ntype: sealkit.dev/key\ndata:\n  kid: {b64('abcd')}\n  {k}: {b64(v * 2)}\n"),
    "key of Bitnami": ("SK404", "a.yaml", lambda k, v: "kind: Secret\nmetadata:\n  labels:\n    sealedsecrets.bitnami.com/sealed-secrets-key: active\n"
        f"data:\n  tls.crt: {b64('-----BEGIN CERTIFICATE-----')}\n  {k}: {b64(v)}\n"),
    "literal of kustomize": ("SK405", "kustomization.yaml", lambda k, v: f"secretGenerator:\n- name: db\n  literals:\n  - {k}={v}\n"),
    "literal of a SecretGenerator": ("SK405", "gen.yaml", lambda k, v: f"apiVersion: builtin\nkind: SecretGenerator\nmetadata: {{name: db}}\nliterals:\n- {k}={v}\n"),
    "literal without a name": ("SK405", "kustomization.yaml", lambda k, v: f"secretGenerator:\n- name: db\n  literals: [{v}]\n"),
    "docker's Secret": ("SK407", "a.yaml", lambda k, v: f"kind: Secret\ndata:\n  .dockerconfigjson: {b64(json.dumps({'auths': {'r.io': {'auth': b64('u:' + v)}}}))}\n"),
    "docker's file": ("SK407", ".docker/config.json", lambda k, v: json.dumps({"auths": {"r.io": {"auth": b64(f"u:{v}")}}}, indent=1)),
    "docker's old Secret": ("SK407", "a.yaml", lambda k, v: f"kind: Secret\nstringData:\n  .dockercfg: '{json.dumps({'r.io': {'password': v}})}'\n"),
    "docker's password": ("SK407", "a.yaml", lambda k, v: f"a:\n  auths:\n    r.io: {{username: u, password: {v}}}\n"),
    "docker in values": ("SK407", "values.yaml", lambda k, v: f"pull:\n  config: {b64(json.dumps({'auths': {'r.io': {'auth': b64('u:' + v)}}}))}\n"),
    "docker on a command line": ("SK407", "up.sh", lambda k, v: f"kubectl create secret docker-registry r --docker-username=u --docker-password='{v}'\n"),
    "docker in a text": ("SK407", "a.yaml", lambda k, v: f"a: '{json.dumps({'auths': {'registry.example.com': {'auth': b64('u:' + v)}}})}'\n"),
    "kubeconfig, key": ("SK408", "config", lambda k, v: f"kind: Config\nusers:\n- name: a\n  user:\n    client-key-data: {b64(v * 9)}\n"),
    "kubeconfig, token": ("SK408", "kube.yaml", lambda k, v: f"kind: Config\nusers:\n- user: {{token: {v}}}\n"),
    "kubeconfig, password": ("SK408", "kube.json", lambda k, v: json.dumps({"kind": "Config", "users": [{"user": {"username": "a", "password": v}}]})),
    "values": ("SK414", "values.yaml", lambda k, v: f"auth:\n  {k}: {v}\n"),
    "values of a stage": ("SK414", "chart/values-prod.yaml", lambda k, v: f"a: {{b: [{{adminPassword: {v}}}]}}\n"),
    "values in a folder": ("SK414", "chart/values/prod.yml", lambda k, v: f"apiKey: {v}x9T2wZ4m\n"),
    "values, template": ("SK414", "values.yaml.gotmpl", lambda k, v: f"a: {{{{ b }}}}\n{k}: {v}\n"),
    "values in JSON": ("SK414", "values-prod.json", lambda k, v: json.dumps({"auth": {k: v}})),
    "values, environment": ("SK414", "values.yaml", lambda k, v: f"env:\n- name: {k}\n  value: {v}\n"),
    "values of a helmfile": ("SK414", "helmfile.yaml", lambda k, v: f"releases:\n- values:\n  - auth: {{{k}: {v}}}\n"),
    "values of a HelmChart": ("SK414", "a.yaml", lambda k, v: f"kind: HelmChart\nspec:\n  valuesContent: |-\n    replicas: 2\n    auth:\n      {k}: {v}\n"),
    "values of kustomize": ("SK414", "kustomization.yaml", lambda k, v: f"helmCharts:\n- name: a\n  valuesInline:\n    auth: {{{k}: {v}}}\n"),
    "what Flux substitutes": ("SK414", "a.yaml", lambda k, v: f"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec:\n  postBuild:\n    substitute:\n      {k}: {v}\n"),
    "values, URL": ("SK414", "values.yaml", lambda k, v: f"dsn: postgres://app:{v}@db:5432/x\n"),
    "HelmRelease": ("SK414", "a.yaml", lambda k, v: f"apiVersion: v2\nkind: HelmRelease\nspec:\n  values:\n    {k}: {v}\n"),
    "Application": ("SK414", "a.yaml", lambda k, v: f"kind: Application\nspec:\n  source:\n    helm:\n      valuesObject: {{{k}: {v}}}\n"),
    "Application, text": ("SK414", "a.yaml", lambda k, v: f"kind: Application\nspec:\n  source:\n    helm:\n      values: |\n        replicas: 1\n        a: some more of this\n        {k}: {v}\n"),
    ".env": ("SK415", ".env", lambda k, v: f"# a\nA=b\n{k}={v}\n"),
    ".env, quoted": ("SK415", "app/.env.production", lambda k, v: f"export {k}=\"{v}\" # b\n"),
    ".env, token": ("SK415", "ci.env", lambda k, v: f"GITHUB_TOKEN={v}x9T2wZ4m\r\n"),
    "ConfigMap, name": ("SK416", "a.yaml", lambda k, v: f"{CONFIG_MAP}data:\n  {k}: {v}\n"),
    "ConfigMap, properties": ("SK416", "a.yaml", lambda k, v: f"{CONFIG_MAP}data:\n  a.properties: |\n    a=b\n    db.{k}={v}\n"),
    "environment": ("SK416", "a.yaml", lambda k, v: f"kind: Deployment\nspec:\n  env:\n  - name: {k}\n    value: {v}\n"),
    "argument": ("SK416", "a.yaml", lambda k, v: f"kind: Deployment\nspec:\n  containers:\n  - args:\n    - --verbose\n    - --{k.lower().replace('_', '-')}={v}\n"),
    "argument and its value": ("SK416", "a.yaml", lambda k, v: f"kind: Deployment\nspec:\n  containers:\n  - command: [x, --db-password, '{v}', --y]\n"),
    "service of Compose": ("SK416", "compose.yaml", lambda k, v: f"services:\n  db:\n    environment:\n      {k}: {v}\n"),
    "service of Compose, list": ("SK416", "compose.yaml", lambda k, v: f"services:\n  db:\n    environment:\n    - A=b\n    - {k}={v}\n"),
    "key of the store": ("SK417", "enc.yaml", lambda k, v: f"kind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers:\n  - aescbc:\n      keys:\n      - name: {k}\n        secret: {b64(v)}\n"),
    "JSON Web Key": ("SK409", "jwk.json", lambda k, v: json.dumps({"kty": "EC", "crv": "P-256", "kid": k, "d": f"{v}x9T2wZ4m0Q1a"})),
    "shared JSON Web Key": ("SK409", "jwks.json", lambda k, v: json.dumps({"keys": [{"kty": "oct", "kid": k, "k": f"{v}x9T2wZ4m0Q1a"}]})),
    "environment, URL": ("SK416", "a.yaml", lambda k, v: f"kind: Pod\nspec:\n  env:\n  - name: DSN\n    value: amqp://u:{v}@h\n"),
    "patch of a Secret": ("SK401", "a.yaml", lambda k, v: f"patches:\n- patch: |-\n    - op: replace\n      path: /stringData/{k}\n      value: {v}\n"),
}  # fmt: skip


def planted(seed: int) -> Iterator[Planted]:
    """Yield every file of a run."""
    garden = Garden(seed)
    shapes = [
        ("SK401", f"{number}.yaml", name, make) for number, (name, make) in enumerate(YAML.items())
    ]
    shapes += [
        ("SK401", f"{number}.json", name, make) for number, (name, make) in enumerate(JSON.items())
    ]
    shapes += [("SK401", path, name, make) for name, (path, make) in ELSEWHERE.items()]
    shapes += [(rule, path, name, make) for name, (rule, path, make) in OTHERS.items()]
    for rule, path, name, make in shapes:
        key, value = garden.key(), garden.password()
        text = make(key, value)
        raw = text.encode() if isinstance(text, str) else text
        yield Planted(name, path, raw, rule, value, "" if name in ELSEWHERE_SAID else key)
    yield from _generated(garden)
    for name, rule, text in private_keys(garden):
        yield Planted(name, f"{name}.txt", text.encode(), rule, text[len(text) // 2 :][:12])


def _generated(garden: Garden) -> Iterator[Planted]:
    """Yield what kustomize makes Secrets of: files beside it."""
    value = garden.password()
    for kind, content in (
        ("envs: [x/a]", f"A={value}\n"),
        ("env: x/a", f"A={value}"),
        ("files: [b=x/a]", value),
    ):
        text = f"secretGenerator:\n- name: db\n  {kind}\n"
        beside = {"x/a": content.encode()}
        yield Planted(kind, "kustomization.yaml", text.encode(), "SK406", value, "x/a", beside)
    text = "secretGenerator:\n- name: db\n  files: [x/a]\n"
    yield Planted(
        "binary", "kustomization.yaml", text.encode(), "SK406", value, "", {"x/a": b"\0\1\2"}
    )
