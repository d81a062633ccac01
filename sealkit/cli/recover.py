"""`sealkit recover`: the manifests of a cluster as files, when their repository is gone."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import click

from sealkit.cli import batch
from sealkit.cli.app import App
from sealkit.cli.keys_usage import place_of
from sealkit.cli.options import context_option, kubeconfig_option
from sealkit.cli.output import counted, print_report
from sealkit.cluster import Place, sealed_secrets, sealed_secrets_in
from sealkit.errors import ManifestError, UsageError
from sealkit.files import make_folder, slashed
from sealkit.lines import printable
from sealkit.manifests.emit import emit_yaml
from sealkit.manifests.sealed import KIND, SealedSecret

# Marks that tools put on what they apply, and put there again.
_MARKS: Final = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "argocd.argoproj.io/tracking-id",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
)


class Recovered(NamedTuple):
    """One manifest, and the file it is in; not `written` if the file was there and is the same."""

    namespace: str
    name: str
    file: str
    values: int
    written: bool

    def __str__(self) -> str:
        """Return the line for people."""
        what = "recovered" if self.written else "found"
        return printable(
            f"{what} {self.namespace}/{self.name} in {self.file}: {counted(self.values, 'value')}"
        )


@click.command("recover")
@click.argument("folder")
@click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    metavar="NAME",
    help="Only the manifests of this namespace; repeatable.",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 10 if a file would be written."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@kubeconfig_option
@context_option
@click.pass_obj
def recover_command(
    app: App,
    folder: str,
    namespaces: tuple[str, ...],
    check: bool,
    as_json: bool,
    context: str | None,
    kubeconfig: str | None,
) -> None:
    """Write the SealedSecrets of a cluster to FOLDER, as NAMESPACE/NAME.yaml.

    For the day when the repository is gone and the cluster is not. Values stay sealed: no key is
    needed, only the right to list SealedSecrets. What the API server and GitOps tools add is left
    out. A file that is there and holds another thing is kept, and is an error; the others are
    written.
    """
    place = Place(context, app.path(kubeconfig) if kubeconfig else None)
    found = sealed_secrets_in(place, namespaces) if namespaces else sealed_secrets(place)
    outcomes = recover(app, folder, found, write=not check)
    lines = [one.value for one in outcomes if one.value]
    if not found:
        app.say(f"sealkit: note: the cluster has no {KIND} there")
    shown = [line for line in lines if line.written] if check else lines
    print_report(app, shown, as_json=as_json, check=check)
    batch.say_errors(app, outcomes)
    changes = check and any(line.written for line in lines)
    batch.end(batch.worst_code(outcomes) or (batch.WOULD_CHANGE if changes else 0))


def recover(
    app: App, folder: str, manifests: Sequence[Mapping[str, object]], *, write: bool
) -> list[batch.Outcome[Recovered]]:
    """Return what becomes of each manifest of a cluster; one that is wrong stops no other.

    Raises:
        SealkitError: a folder cannot be created.
    """
    by_name = {place_of(raw): raw for raw in manifests}
    target = slashed(os.path.normpath(folder))

    def work(name: str) -> Recovered:
        return _recover(app, target, by_name[name], write=write)

    return [batch.outcome(work, name) for name in sorted(by_name)]


def _recover(app: App, folder: str, raw: Mapping[str, object], *, write: bool) -> Recovered:
    sealed = SealedSecret.from_dict(raw)
    if not sealed.namespace:
        raise ManifestError("is missing", field="metadata.namespace")
    sealed = sealed._replace(
        labels=_without_marks(sealed.labels), annotations=_without_marks(sealed.annotations)
    )
    name = f"{folder}/{sealed.namespace}/{sealed.name}.yaml"
    text = emit_yaml(sealed.to_dict())
    is_there = os.path.lexists(app.path(name))
    if is_there and app.read(name) != text.encode():
        raise UsageError(
            "is there already, with other content", hint="name an empty folder"
        ).located(file=name)
    if write and not is_there:
        make_folder(app.path(folder))
        make_folder(app.path(f"{folder}/{sealed.namespace}"))
        app.write(name, text)
    values = len(sealed.encrypted_data) + len(sealed.references)
    return Recovered(sealed.namespace, sealed.name, name, values, not is_there)


def _without_marks(entries: Mapping[str, str]) -> dict[str, str]:
    return {key: text for key, text in entries.items() if not key.startswith(_MARKS)}
