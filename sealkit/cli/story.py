"""The story that `sealkit demo` tells: commands for a shell, and what their output must hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Step:
    """One command and a text that its output must hold; the demo fails where it does not."""

    command: str
    expect: str = ""


@dataclass(frozen=True)
class Chapter:
    """A few steps that show one thing."""

    title: str
    steps: tuple[Step, ...]


def _reads(password: str, name: str = "db") -> Step:
    template = "'{{.data.PASSWORD | base64decode}}'"
    return Step(f"kubectl get secret {name} -n shop -o go-template={template}", password)


def _becomes(password: str, name: str = "db") -> Step:
    value = f"$(printf {password} | base64)"
    waiting = f"--for=jsonpath='{{.data.PASSWORD}}'={value} --timeout=10s"
    return Step(f"kubectl wait secret/{name} -n shop {waiting}", "condition met")


STORY: Final = (
    Chapter(
        "A repository, and the public key of the cluster it seals for",
        (
            Step("git init --quiet . && sealkit init", "wrote .sealkit.yaml"),
            Step("sealkit clusters add demo --kubeconfig $KUBECONFIG", "pinned cluster demo"),
            Step("cat .sealkit.yaml | grep -v '^#'", "kid:"),
            Step("git add . && git commit --quiet -m 'Seal for the demo cluster'"),
        ),
    ),
    Chapter(
        "A Secret, as kubectl makes it, is sealed and committed",
        (
            Step(
                "kubectl create secret generic db -n shop --dry-run=client -o yaml"
                " --from-literal=USER=app --from-literal=PASSWORD=summer-password"
                " | sealkit seal > db.sealed.yaml",
                "sealed shop/db: 2 values for demo (strict)",
            ),
            Step("cut -c1-100 db.sealed.yaml", "kind: SealedSecret"),
            Step("git add . && git commit --quiet -m 'Database password'"),
        ),
    ),
    Chapter(
        "The manifest is applied, and the controller makes the Secret",
        (
            Step("kubectl create namespace shop", "created"),
            Step("kubectl apply -f db.sealed.yaml", "created"),
            Step("kubectl wait sealedsecret/db -n shop --for=condition=Ready", "condition met"),
            Step("kubectl get sealedsecret,secret -n shop", "Opaque"),
            _reads("summer-password"),
        ),
    ),
    Chapter(
        "One value changes, without any private key; the other keeps its bytes",
        (
            Step("printf winter-password | sealkit set db.sealed.yaml PASSWORD", "set PASSWORD"),
            Step("git diff -U0 | cut -c1-100", "+    PASSWORD: sealed:"),
            Step("git commit --quiet -a -m 'New password'"),
            Step("kubectl apply -f db.sealed.yaml", "configured"),
            _becomes("winter-password"),
        ),
    ),
    Chapter(
        "Drift is repaired: a deleted Secret comes back, an edited one is set right",
        (
            Step("kubectl delete secret db -n shop", "deleted"),
            Step("kubectl wait secret/db -n shop --for=create --timeout=10s", "condition met"),
            Step(
                """kubectl patch secret db -n shop -p '{"stringData":{"PASSWORD":"by-hand"}}'""",
                "patched",
            ),
            _becomes("winter-password"),
        ),
    ),
    Chapter(
        "git revert brings the old password back",
        (
            Step("git revert --no-edit HEAD | head -1", "Revert"),
            Step("kubectl apply -f db.sealed.yaml", "configured"),
            _becomes("summer-password"),
            _reads("summer-password"),
        ),
    ),
    Chapter(
        "A manifest moved to another namespace does not open there",
        (
            Step("kubectl create namespace stage", "created"),
            Step("sed 's/namespace: shop/namespace: stage/' db.sealed.yaml > moved.sealed.yaml"),
            Step("kubectl apply -f moved.sealed.yaml", "created"),
            Step("kubectl wait sealedsecret/db -n stage --for=condition=Stalled", "condition met"),
            Step("kubectl get sealedsecret -n stage -o wide", "DecryptionFailed"),
            Step("kubectl get secret -n stage", "No resources found"),
        ),
    ),
)

_STORE = """\
apiVersion: sealkit.dev/v1alpha1
kind: VaultStore
metadata: {name: default, namespace: shop}
spec:
  address: $BAO_ADDR
  auth:
    kubernetes: {role: shop, serviceAccountName: shop}"""

# Told where there is an OpenBao server, on whose address and token the commands rely.
VAULT_STORY: Final = (
    Chapter(
        "Vault lets a service account of the namespace read what is the namespace's",
        (
            Step("bao secrets enable -path=kv -version=2 kv", "Success"),
            Step("bao kv put -mount=kv shop/cache password=vault-password | tail -1", "version"),
            Step(
                """printf 'path "kv/data/shop/*" { capabilities = ["read"] }' |"""
                " bao policy write shop -",
                "Success",
            ),
            Step("bao auth enable kubernetes", "Success"),
            Step("kubectl create serviceaccount vault-reviewer -n shop", "created"),
            Step(
                "bao write auth/kubernetes/config disable_local_ca_jwt=true"
                " kubernetes_ca_cert=@../ca.pem"
                " kubernetes_host=$(kubectl config view -o jsonpath={.clusters[0].cluster.server})"
                " token_reviewer_jwt=$(kubectl create token vault-reviewer -n shop)",
                "Success",
            ),
            Step(
                "bao write auth/kubernetes/role/shop audience=vault policies=shop period=1h"
                " bound_service_account_names=shop bound_service_account_namespaces=shop",
                "Success",
            ),
            Step("kubectl create serviceaccount shop -n shop", "created"),
            Step(f"cat > store.yaml <<EOF\n{_STORE}\nEOF"),
            Step("kubectl apply -f store.yaml", "created"),
        ),
    ),
    Chapter(
        "A Secret that says where its password is, instead of what it is",
        (
            Step(
                "kubectl create secret generic cache -n shop --dry-run=client -o yaml"
                " --from-literal=USER=app --from-literal='PASSWORD=vault:kv/shop/cache#password'"
                " | sealkit seal > cache.sealed.yaml",
                "sealed shop/cache",
            ),
            Step("grep -A3 references: cache.sealed.yaml", "path: kv/shop/cache"),
            Step("kubectl apply -f cache.sealed.yaml", "created"),
            Step("kubectl wait sealedsecret/cache -n shop --for=condition=Ready", "condition met"),
            _reads("vault-password", "cache"),
        ),
    ),
    Chapter(
        "The password changes in Vault, and the Secret follows",
        (
            Step("bao kv put -mount=kv shop/cache password=rotated-password | tail -1", "version"),
            Step(
                "kubectl annotate sealedsecret cache -n shop sealkit.dev/refresh=now", "annotated"
            ),
            _becomes("rotated-password", "cache"),
        ),
    ),
    Chapter(
        "Vault loses the password; the Secret stays, and the status says so",
        (
            Step("bao kv delete -mount=kv shop/cache", "Success"),
            Step(
                "kubectl annotate sealedsecret cache -n shop --overwrite sealkit.dev/refresh=again",
                "annotated",
            ),
            Step(
                "kubectl wait sealedsecret/cache -n shop --for=condition=Ready=False --timeout=10s",
                "condition met",
            ),
            Step("kubectl get sealedsecret cache -n shop", "VersionDeleted"),
            _reads("rotated-password", "cache"),
        ),
    ),
)
