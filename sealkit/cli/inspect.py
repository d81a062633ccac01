"""`sealkit inspect`: what a manifest says about itself, without any key."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from sealkit.cli.app import STDIO, App
from sealkit.cli.output import json_of, print_json
from sealkit.cli.resources import SEALED, Found, label_of, read_resources
from sealkit.config import find_config
from sealkit.errors import UsageError
from sealkit.lines import printable
from sealkit.manifests.sealed import KIND, SealedSecret
from sealkit.manifests.vault import Workload

if TYPE_CHECKING:
    from sealkit.references.template import Template


@dataclass(frozen=True)
class Reader:
    """A key that opens an envelope; `cluster` is empty where the configuration knows no name."""

    kid: str
    cluster: str


@dataclass(frozen=True)
class Envelope:
    """Which keys open an envelope, and which values they see then."""

    id: str
    suite: str
    readers: tuple[Reader, ...]
    values: tuple[str, ...]


@dataclass(frozen=True)
class Referring:
    """What stands in place of a value: a reference as the manifest has it, and where it leads."""

    stores: tuple[str, ...]
    reference: object

    def __str__(self) -> str:
        """Return it for people."""
        said = self.reference if isinstance(self.reference, str) else json_of(self.reference)
        return f"{said} ({', '.join(self.stores)})"


@dataclass(frozen=True)
class Inspection:
    """What one manifest says. Sizes are bytes of ciphertext: a length class, not a length.

    `builders` is what each makes; `texts` are the data keys that are made of text templates.
    """

    file: str
    document: int
    namespace: str
    name: str
    scope: str
    type: str
    keys: dict[str, int]
    envelopes: tuple[Envelope, ...]
    references: dict[str, Referring]
    builders: dict[str, tuple[str, ...]]
    texts: tuple[str, ...]
    restarts: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the lines for people."""
        place = f"{self.namespace or '(any namespace)'}/{self.name}"
        lines = [f"{self.file}:{self.document}: {place}, scope {self.scope}, type {self.type}"]
        for envelope in self.envelopes:
            lines.append(f"  envelope {envelope.id} ({envelope.suite}) opens in:")
            lines += [
                f"    {reader.kid}  {reader.cluster or '(not in the configuration)'}"
                for reader in envelope.readers
            ]
            values = (f"{key} ({self.keys[key]} bytes sealed)" for key in envelope.values)
            lines.append(f"    values: {', '.join(values)}")
        return [printable(line) for line in (*lines, *self._makings())]

    def _makings(self) -> list[str]:
        """Return the lines about what comes from Vault, what is made of it, and who is told."""
        lines = [f"  {key} refers to {referring}" for key, referring in self.references.items()]
        lines += [f"  {name} makes {', '.join(keys)}" for name, keys in self.builders.items()]
        lines += [f"  {key} is made of a text template" for key in self.texts]
        return lines + [f"  a change restarts {workload}" for workload in self.restarts]


@click.command("inspect")
@click.argument("files", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def inspect_command(app: App, files: tuple[str, ...], as_json: bool) -> None:
    """Show scope, type, keys, recipients and references of the sealed manifests in FILES."""
    found = [entry for file in files or (STDIO,) for entry in run(app, file)]
    if as_json:
        print_json(app, [asdict(entry) for entry in found])
    else:
        app.write(STDIO, "".join(f"{line}\n" for entry in found for line in entry.lines()))


def run(app: App, file: str) -> list[Inspection]:
    """Return what the manifests in one file say.

    Raises:
        ManifestError: one of them is wrong.
        UsageError: there is none.
    """
    names = _names(app, file)
    _, resources = read_resources(app, file)
    found = [_inspect(entry, names) for entry in resources if entry.type == SEALED]
    if not found:
        raise UsageError(f"holds no {KIND}").located(file=label_of(file))
    return found


def _names(app: App, file: str) -> dict[str, str]:
    config = find_config(app.folder if file == STDIO else os.path.dirname(app.path(file)))
    return {cluster.kid: cluster.name for cluster in config.clusters.values()} if config else {}


def _inspect(entry: Found, names: dict[str, str]) -> Inspection:
    with entry.located():
        sealed = SealedSecret.from_dict(entry.raw)
    return Inspection(
        file=entry.resource.document.file,
        document=entry.document,
        namespace=sealed.namespace,
        name=sealed.name,
        scope=sealed.scope.value,
        type=sealed.template.type,
        keys={key: len(value.item) for key, value in sealed.encrypted_data.items()},
        envelopes=tuple(
            Envelope(
                id=eid,
                suite=envelope.suite,
                readers=tuple(Reader(kid, names.get(kid, "")) for kid in envelope.wraps),
                values=tuple(k for k, v in sealed.encrypted_data.items() if v.envelope == eid),
            )
            for eid, envelope in sealed.envelopes.items()
        ),
        references={key: _referring(sealed, one) for key, one in sealed.references.items()},
        builders={one.name: tuple(sorted(one.makes)) for one in sealed.template.build},
        texts=tuple(sorted(sealed.template.data)),
        restarts=tuple(_workload(workload) for workload in sealed.restarts),
    )


def _referring(sealed: SealedSecret, template: Template) -> Referring:
    stores = (sealed.vault.store_of(reference) for reference in template.references)
    names = dict.fromkeys(f"{store.kind} {store.name}" for store in stores)
    return Referring(tuple(names), template.to_raw())


def _workload(workload: Workload) -> str:
    return f"{workload.kind} {workload.name or f'with {workload.selector}'}"
