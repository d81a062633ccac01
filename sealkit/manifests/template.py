"""The template of a Secret: its shape, and what is made of its values.

Values go through two steps. Builders make well-known contents (`build`), text templates all others
(`data`); each sees the values as they came, neither sees what the other made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from sealkit import fields
from sealkit.errors import ManifestError, TemplateError
from sealkit.manifests.secret import DEFAULT_TYPE, check_data_key

if TYPE_CHECKING:
    from sealkit.builders import Builder

MAX_TEMPLATE_ENTRIES: Final = 64  # labels, and as many annotations, as the CRD bounds them
MAX_TEXTS: Final = 256
DELIMITERS: Final = ("{{", "}}")

_FIELDS: Final = (*("type", "immutable", "metadata", "mergePolicy", "build", "data", "delimiters"),)


class MergePolicy(StrEnum):
    """What becomes of the values themselves where something is made of them.

    MERGE keeps them beside it, unless it has the same name; with REPLACE only what was made stays.
    """

    MERGE = "Merge"
    REPLACE = "Replace"


class Template(NamedTuple):
    """The shape of the Secret apart from its values.

    `data` holds text templates by data key, `delimiters` what stands around their actions.
    """

    type: str = DEFAULT_TYPE
    immutable: bool = False
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    merge_policy: MergePolicy = MergePolicy.MERGE
    build: tuple[Builder, ...] = ()
    data: Mapping[str, str] = {}
    delimiters: tuple[str, str] = DELIMITERS

    @property
    def makes(self) -> frozenset[str]:
        """The data keys that are made of the values."""
        return frozenset(self.data).union(*(builder.makes for builder in self.build))

    def keys(self, values: Iterable[str]) -> frozenset[str]:
        """Return the data keys of the Secret that comes of values with these names."""
        kept = frozenset(values) if self.merge_policy is MergePolicy.MERGE else frozenset()
        return kept | self.makes

    def check(self, values: Collection[str] = ()) -> None:
        """Check the bounds of the CRD, and that everything named is one of `values`.

        Raises:
            ManifestError: an empty type or one longer than 253 characters; more than 64 labels or
                annotations, or 256 texts; a text that is no template; one key made twice; a
                builder or a text that names no value; REPLACE where nothing is made.
        """
        if not self.type:
            raise ManifestError("is empty, leave it out for Opaque", field="spec.template.type")
        if len(self.type) > 253:
            raise ManifestError("is longer than 253 characters", field="spec.template.type")
        for name, entries in (("labels", self.labels), ("annotations", self.annotations)):
            if len(entries) > MAX_TEMPLATE_ENTRIES:
                path = f"spec.template.metadata.{name}"
                raise ManifestError(f"has more than {MAX_TEMPLATE_ENTRIES} entries", field=path)
        self._check_makings(values)

    def _check_makings(self, values: Collection[str]) -> None:
        if self.merge_policy is MergePolicy.REPLACE and not self.makes:
            what = "is Replace, and nothing is made that could replace the values"
            raise ManifestError(what, field="spec.template.mergePolicy")
        for builder in self.build:
            if builder.needs - frozenset(values):
                raise _no_value(f"spec.template.build.{builder.name}", values)
            if twice := sorted(builder.makes & self.data.keys()):
                what = f"is made by the builder {builder.name} too"
                raise ManifestError(what, field=f"spec.template.data.{twice[0]}")
        if len(self.data) > MAX_TEXTS:
            raise ManifestError(f"has more than {MAX_TEXTS} entries", field="spec.template.data")
        for key, text in self.data.items():
            self._check_text(key, text, values)

    def _check_text(self, key: str, text: str, values: Collection[str]) -> None:
        from sealkit.templates import template  # noqa: PLC0415  # most manifests have no text

        path = f"spec.template.data.{key}"
        check_data_key(key, "spec.template.data")
        try:
            parsed = template.parse(text, self.delimiters)
        except TemplateError as error:
            raise ManifestError(error.problem, field=path, hint=error.hint) from None
        if parsed.fields_used - frozenset(values):
            raise _no_value(path, values)

    def to_dict(self) -> dict[str, object]:
        """Return the canonical form: fixed field order, sorted maps, defaults left out."""
        raw: dict[str, object] = {"type": self.type}
        if self.immutable:
            raw["immutable"] = True
        metadata = metadata_maps(self.labels, self.annotations)
        if metadata:
            raw["metadata"] = metadata
        if self.merge_policy is not MergePolicy.MERGE:
            raw["mergePolicy"] = self.merge_policy.value
        if self.build:
            from sealkit.builders import builders_to_dict  # noqa: PLC0415  # most have none

            raw["build"] = builders_to_dict(self.build)
        if self.data:
            raw["data"] = {key: self.data[key] for key in sorted(self.data)}
        if self.delimiters != DELIMITERS:
            raw["delimiters"] = list(self.delimiters)
        return raw


def parse_template(raw: object) -> Template:
    """Parse `spec.template`.

    Raises:
        ManifestError: a field is unknown or of the wrong type.
    """
    path = "spec.template"
    template = fields.mapping(raw, path)
    fields.only(template, _FIELDS, path)
    metadata = fields.mapping(template.get("metadata", {}), f"{path}.metadata")
    fields.only(metadata, ("labels", "annotations"), f"{path}.metadata")
    return Template(
        type=fields.text(template.get("type", DEFAULT_TYPE), f"{path}.type"),
        immutable=fields.flag(template.get("immutable", False), f"{path}.immutable"),
        labels=fields.label_map(metadata.get("labels", {}), f"{path}.metadata.labels"),
        annotations=fields.annotation_map(
            metadata.get("annotations", {}), f"{path}.metadata.annotations"
        ),
        merge_policy=fields.one_of(
            MergePolicy, template.get("mergePolicy", "Merge"), f"{path}.mergePolicy"
        ),
        build=_builders(template["build"]) if "build" in template else (),
        data=fields.string_map(template.get("data", {}), f"{path}.data"),
        delimiters=_delimiters(template.get("delimiters", list(DELIMITERS))),
    )


def _builders(raw: object) -> tuple[Builder, ...]:
    from sealkit.builders import parse_builders  # noqa: PLC0415  # most manifests have none

    return parse_builders(raw, "spec.template.build")


def _delimiters(raw: object) -> tuple[str, str]:
    path = "spec.template.delimiters"
    if not isinstance(raw, list) or len(raw) != 2:
        raise ManifestError("is not a list of two texts", field=path)
    left, right = (fields.text(one, path) for one in raw)
    return left, right


def metadata_maps(labels: Mapping[str, str], annotations: Mapping[str, str]) -> dict[str, object]:
    """Return labels and annotations as metadata has them, sorted, without empty ones."""
    maps = (("labels", labels), ("annotations", annotations))
    return {
        name: {key: entries[key] for key in sorted(entries)} for name, entries in maps if entries
    }


def _no_value(path: str, values: Collection[str]) -> ManifestError:
    """Say what could have been named; what was named may be a password in the wrong place."""
    hint = f"values here: {', '.join(sorted(values)) or 'none'}"
    return ManifestError("names what is no value of this manifest", field=path, hint=hint)
