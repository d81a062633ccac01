"""Edits on generated texts of any style: they succeed, and change what was meant and nothing else.

The texts are written by a printer of our own that draws every choice a writer has; the expected
data is known beforehand, and libyaml's own loader reads the result as a second opinion.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import yaml
from hypothesis import given
from hypothesis import strategies as st

from sealkit.manifests.documents import Resource, iter_resources, read_documents
from sealkit.manifests.splice import Remove, Set, apply_edits, replace_resource

Draw = Callable[[st.SearchStrategy[int]], int]
Data = dict[str, "str | Data"]

KEYS = st.sampled_from(
    ["a", "b", "bb", "c d", "é", "😀", "yes", "tls.crt", "1", "#", "- x", "k: v"]
)
SIMPLE = ["", "x", "two words", "é😀", "yes", "1e3", "sealed:mfrg.AAA+/="]
ODD = ["  led", "end ", "a: b # c", "# x", "'\"\\", "tab\tbed"]
LINES = ["line\n", "line\nline\n\nline\n", "text\n\n", "\n"]
VALUES = st.sampled_from([*SIMPLE, *ODD, *LINES])
MAPPINGS: st.SearchStrategy[Data] = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=4),
    lambda inner: st.dictionaries(KEYS, VALUES | inner, min_size=1, max_size=4),
    max_leaves=8,
)


@dataclass
class Printer:
    """Writes data as YAML, drawing quotes, indentation, comments and blank lines."""

    draw: Callable[[st.SearchStrategy[object]], object]
    comments: int = 0
    after_kept: bool = False  # blank lines would belong to the literal before

    def flip(self) -> bool:
        return bool(self.draw(st.booleans()))

    def number(self, low: int, high: int) -> int:
        return int(str(self.draw(st.integers(low, high))))

    def comment(self, lead: str) -> str:
        if self.flip():
            return ""
        self.comments += 1
        return f"{lead}# comment {self.comments} 'é😀"

    def between(self, indent: str) -> str:
        """Comment and blank lines before an entry."""
        lines = [self.comment(indent) for _ in range(self.number(0, 2))]
        lines = [line for line in lines if line or not self.after_kept]
        self.after_kept = False
        return "".join(f"{line}\n" for line in lines)

    def scalar(self, value: str, indent: str) -> str:
        """The source of a string and what follows it on its last line, line end included."""
        choice = self.number(0, 4)
        if choice == 0 and value in ("x", "two words", "sealed:mfrg.AAA+/="):
            return value + self.comment("  ") + "\n"
        if choice == 1 and "\n" not in value and "\t" not in value:
            return "'" + value.replace("'", "''") + "'" + self.comment(" ") + "\n"
        if choice > 2 and value.endswith("\n") and not value.startswith((" ", "\n")):
            return self.literal(value, indent)
        return self.quoted(value) + self.comment(" ") + "\n"

    def quoted(self, value: str) -> str:
        astral = value.isprintable() and max(value, default="") > "\uffff"  # no pairs in YAML
        return json.dumps(value, ensure_ascii=self.flip() and not astral)

    def literal(self, value: str, indent: str) -> str:
        self.after_kept = value.endswith("\n\n")
        mark = "|+" if self.after_kept else "|"
        deeper = indent + " " * self.number(1, 3)
        lines = value.split("\n")[:-1]
        return f"{mark}{self.comment(' ')}\n" + "".join(
            f"{deeper}{line}\n" if line else "\n" for line in lines
        )

    def key(self, key: str) -> str:
        plain = key.isalpha() and key.isascii() and key != "yes"
        return key if plain and self.flip() else self.quoted(key)

    def block(self, data: Mapping[str, object], indent: str) -> str:
        text = ""
        for key, value in data.items():
            text += f"{self.between(indent)}{indent}{self.key(key)}:"
            if isinstance(value, str):
                text += " " + self.scalar(value, indent)
            elif not isinstance(value, dict):
                raise TypeError
            elif not value or self.number(0, 3) == 0:
                text += f" {self.flow(value)}{self.comment(' ')}\n"
            else:
                text += (
                    self.comment(" ") + "\n" + self.block(value, indent + " " * self.number(1, 4))
                )
        return text

    def flow(self, data: object) -> str:
        if not isinstance(data, dict):
            return self.quoted(str(data))
        gap = " " * self.number(0, 2)
        inner = f",{gap or ' '}".join(f"{self.key(k)}: {self.flow(v)}" for k, v in data.items())
        return f"{{{gap}{inner}{gap}}}"


@dataclass(frozen=True)
class Sample:
    """A text, the object in it that is to be edited, and the data of that object."""

    text: str
    number: int
    data: Data

    def resource(self, text: str | None = None) -> Resource:
        documents = read_documents(self.text if text is None else text)
        return [found for document in documents for found in iter_resources(document)][self.number]

    def second_opinion(self, text: str) -> object:
        """The data of the object by libyaml's loader, every scalar a string."""
        if "\\u" in text or "\t" in text:
            return self.resource(text).to_dict()  # JSON that is no YAML 1.1
        documents = list(yaml.load_all(text.removeprefix("\ufeff"), Loader=yaml.CBaseLoader))
        root = documents[self.number]
        return root["items"][0] if root.get("kind") == "List" else root


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    data = draw(MAPPINGS.filter(bool))
    printer = Printer(draw)
    shape = draw(st.sampled_from(["yaml", "many", "list", "json"]))
    if shape == "json":
        indent = draw(st.sampled_from([None, 1, 2, "\t"]))
        body = json.dumps(data, indent=indent, ensure_ascii=printer.flip()) + "\n"
    elif shape == "list":
        hung = printer.block(data, "    ")
        body = f"kind: List\nitems:\n  -\n{hung}  - kind: Other\n"
    else:
        body = printer.block(data, "")
    if shape == "many":
        body = f"# top\n---\nkind: A\n--- # x\n{body}---\nkind: B # end\n"
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    mark = draw(st.sampled_from(["", "\ufeff"]))
    text = mark + body.replace("\n", newline)
    return Sample(text, 1 if shape == "many" else 0, data)


def paths(data: Data, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for key, value in data.items():
        found.append((*above, key))
        if isinstance(value, dict):
            found += paths(value, (*above, key))
    return found


def edited(data: Data, path: tuple[str, ...], value: "str | Data | None") -> Data:
    """The data with one field set, or removed where `value` is None."""
    key, *rest = path
    if rest:
        inner = data.get(key, {})
        assert isinstance(inner, dict)
        return {**data, key: edited(inner, tuple(rest), value)}
    return {k: v for k, v in {**data, key: value}.items() if v is not None}


def comments(text: str) -> list[str]:
    return [line[line.index("# comment") :] for line in text.splitlines() if "# comment" in line]


@given(samples())
def test_printer_and_reader_agree(sample: Sample) -> None:
    assert sample.resource().to_dict() == sample.data


@given(samples(), st.data())
def test_set_changes_one_value_and_no_other_byte(sample: Sample, choices: st.DataObject) -> None:
    leaves = [path for path in paths(sample.data) if isinstance(at(sample.data, path), str)]
    if not leaves:
        return
    path, value = choices.draw(st.sampled_from(leaves)), choices.draw(VALUES)

    text = apply_edits(sample.resource(), [Set(path, value)])

    assert sample.resource(text).to_dict() == edited(sample.data, path, value)
    entry = span(sample.resource(), path)
    assert text.startswith(sample.text[: entry[0]])
    assert text.endswith(sample.text[entry[1] :].lstrip("\r\n"))
    assert sample.second_opinion(text) == edited(sample.data, path, value)


def at(data: Data, path: tuple[str, ...]) -> "str | Data":
    value: str | Data = data
    for key in path:
        assert isinstance(value, dict)
        value = value[key]
    return value


def span(resource: Resource, path: tuple[str, ...]) -> tuple[int, int]:
    entries = resource.node.entries
    for key in path[:-1]:
        node = entries[key].value
        entries = getattr(node, "entries")  # noqa: B009 - only mappings are on the way
    value = entries[path[-1]].value
    return value.start, value.end


@given(samples(), st.data())
def test_insert_and_remove_give_back_every_byte(sample: Sample, choices: st.DataObject) -> None:
    inside = [(), *(path for path in paths(sample.data) if at(sample.data, path))]
    inside = [path for path in inside if isinstance(at(sample.data, path), dict)]
    above = choices.draw(st.sampled_from(inside))
    key = choices.draw(st.sampled_from(["A", "az", "m", "zz", "é0", "new key"]))
    value = choices.draw(VALUES | MAPPINGS)

    text = apply_edits(sample.resource(), [Set((*above, key), value)])

    assert sample.resource(text).to_dict() == edited(sample.data, (*above, key), value)
    assert sample.second_opinion(text) == edited(sample.data, (*above, key), value)
    assert comments(text) == comments(sample.text)
    assert apply_edits(sample.resource(text), [Remove((*above, key))]) == sample.text


@given(samples(), st.data())
def test_remove_takes_one_entry_and_only_its_comments(
    sample: Sample, choices: st.DataObject
) -> None:
    path = choices.draw(st.sampled_from(paths(sample.data)))

    text = apply_edits(sample.resource(), [Remove(path)])

    assert sample.resource(text).to_dict() == edited(sample.data, path, None)
    kept, before = iter(comments(text)), comments(sample.text)
    assert all(comment in before for comment in kept)
    assert len(text) < len(sample.text) + 3  # at most "{}" is new


@given(samples(), st.data())
def test_batches_of_edits_do_what_they_do_one_by_one(
    sample: Sample, choices: st.DataObject
) -> None:
    edits, data = [], sample.data
    for _ in range(choices.draw(st.integers(1, 4))):
        path = choices.draw(st.sampled_from([*paths(data), ("new",), ("new", "er")]))
        if len(path) > 1 and isinstance(data.get(path[0], {}), str):
            continue
        value = choices.draw(st.none() | VALUES | MAPPINGS)
        if value is None and path[0] not in data:
            continue
        edits.append(Remove(path) if value is None else Set(path, value))
        data = edited(data, path, value)

    text = apply_edits(sample.resource(), edits)

    assert sample.resource(text).to_dict() == data


@given(samples(), MAPPINGS.filter(bool))
def test_replace_leaves_nothing_of_the_inside(sample: Sample, target: Data) -> None:
    text = replace_resource(sample.resource(), target)

    assert sample.resource(text).to_dict() == target
    node = sample.resource().node
    assert text.startswith(sample.text[: node.start])
    assert not set(comments(text)) - set(comments(sample.text[: node.start] + "\n"))
    assert replace_resource(sample.resource(text), target) == text
