"""Merging files: manifests as data, all around them as lines, conflicts where they belong."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
import yaml
from hypothesis import given

from sealkit.manifests.emit import emit_json, emit_yaml
from sealkit.manifests.sealed import SealedSecret
from sealkit.manifests.template import Template
from sealkit.manifests.vault import Workload, WorkloadKind
from sealkit.references.template import from_raw
from sealkit.sealing import set_values
from sealkit.sensitive import Sensitive
from sealkit.weaving import Lines, Texts, Woven, weave
from tests.sealkit.cli.desk import only_sealed
from tests.sealkit.test_merging import PROD, RANDOM, changed, edits, expected, plain, sealed, values

CONFLICT: Final = re.compile(r"<{7} ours\r?\n(.*?)={7}\r?\n(.*?)>{7} theirs\r?\n?", re.DOTALL)
BASE: Final = sealed({"a": "1", "b": "1", "c": "1"})


def lines(texts: Texts) -> Lines:
    """Merge as Git does where nobody told it otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in zip(("base", "ours", "theirs"), texts, strict=True):
            Path(folder, name).write_bytes(text)
        command = ["git", "merge-file", "-p", "-L", "ours", "-L", "base", "-L", "theirs"]
        done = subprocess.run(
            [*command, "ours", "base", "theirs"], cwd=folder, capture_output=True, check=False
        )
    return Lines(done.stdout, done.returncode == 0)


def changed_at_once(base: SealedSecret, **changes: str) -> SealedSecret:
    """Set values in one envelope for all."""
    data = {key: Sensitive(value.encode()) for key, value in changes.items()}
    return set_values(base, data, [PROD.public], RANDOM)


def text_of(manifest: SealedSecret) -> str:
    return emit_yaml(manifest.to_dict())


def woven(base: str, ours: str, theirs: str) -> Woven:
    return weave(Texts(base.encode(), ours.encode(), theirs.encode()), lines)


def clean(base: str, ours: str, theirs: str) -> str:
    """Merge what must merge."""
    result = woven(base, ours, theirs)
    assert result.clean, result.text.decode()
    assert not result.fields
    return result.text.decode()


def sides(text: bytes) -> list[str]:
    """Return both texts that a conflict can be resolved to as a whole."""
    return [CONFLICT.sub(rf"\{side}", text.decode()) for side in (1, 2)]


@given(values, edits, edits)
def test_any_edits_merge_key_by_key_and_both_sides_of_a_conflict_open(
    start: dict[str, str], our_edits: dict[str, str | None], their_edits: dict[str, str | None]
) -> None:
    base = sealed(start)
    ours, theirs = changed(base, our_edits), changed(base, their_edits)
    result = woven(text_of(base), text_of(ours), text_of(theirs))
    wanted = [expected(start, our_edits, their_edits, side) for side in ("ours", "theirs")]
    assert [plain(only_sealed(text)) for text in sides(result.text)] == [one for one, _ in wanted]
    assert result.clean == (not wanted[0][1])
    assert ("<<<<<<<" in result.text.decode()) == (not result.clean)


class TestConflicts:
    """Markers stand around the entry, and around nothing else."""

    OURS: Final = changed_at_once(BASE, a="2", b="2")
    THEIRS: Final = changed_at_once(BASE, b="3", c="3")

    def test_the_same_key_in_yaml(self) -> None:
        result = woven(text_of(BASE), text_of(self.OURS), text_of(self.THEIRS))
        (found,) = CONFLICT.findall(result.text.decode())
        ours, theirs = (str(side.encrypted_data["b"]) for side in (self.OURS, self.THEIRS))
        assert found == (f"    b: {ours}\n", f"    b: {theirs}\n")
        assert result.fields == ("spec.encryptedData.b",)
        opened = [plain(only_sealed(text)) for text in sides(result.text)]
        assert opened == [{"a": "2", "b": "2", "c": "3"}, {"a": "2", "b": "3", "c": "3"}]

    def test_the_envelopes_of_such_values_go_with_them(self) -> None:
        ours, theirs = changed(BASE, {"b": "2"}), changed(BASE, {"b": "3"})
        result = woven(text_of(BASE), text_of(ours), text_of(theirs))
        envelopes, values = CONFLICT.findall(result.text.decode())
        assert [side.count("suite: X1") for side in envelopes] == [1, 1]
        assert [side.count("    b: sealed:") for side in values] == [1, 1]
        assert sides(result.text) == [text_of(ours), text_of(theirs)]

    def test_the_same_key_in_json(self) -> None:
        result = woven(*(emit_json(one.to_dict()) for one in (BASE, self.OURS, self.THEIRS)))
        (found,) = CONFLICT.findall(result.text.decode())
        assert found[0] == f'      "b": "{self.OURS.encrypted_data["b"]}",\n'
        opened = [plain(only_sealed(text)) for text in sides(result.text)]
        assert opened == [{"a": "2", "b": "2", "c": "3"}, {"a": "2", "b": "3", "c": "3"}]

    def test_windows_lines_stay(self) -> None:
        texts = (text_of(one).replace("\n", "\r\n") for one in (BASE, self.OURS, self.THEIRS))
        result = woven(*texts)
        assert result.text.count(b"\n") == result.text.count(b"\r\n")
        assert len(CONFLICT.findall(result.text.decode())) == 1

    def test_the_size_of_markers_is_what_git_says(self) -> None:
        texts = Texts(*(text_of(one).encode() for one in (BASE, self.OURS, self.THEIRS)))
        assert b"<" * 11 + b" ours\n" in weave(texts, lines, 11).text

    def test_a_comment_behind_the_value_stays(self) -> None:
        ours = re.sub("(    b: .*)", r"\1  # ask Ada", text_of(self.OURS))
        result = woven(text_of(BASE), ours, text_of(self.THEIRS))
        assert result.text.decode().count("# ask Ada") == 2

    def test_one_side_removed_the_key(self) -> None:
        ours = changed(BASE, {"b": None})
        result = woven(text_of(BASE), text_of(ours), text_of(self.THEIRS))
        opened = [plain(only_sealed(text)) for text in sides(result.text)]
        assert opened == [{"a": "1", "c": "3"}, {"a": "1", "b": "3", "c": "3"}]

    @pytest.mark.parametrize("emit", [emit_json, emit_yaml], ids=["json", "yaml"])
    def test_all_references_are_on_one_side(self, emit: Callable[..., str]) -> None:
        base = BASE._replace(references={"u": from_raw("vault:kv/a#u", "u")})
        ours = base._replace(references={})
        theirs = base._replace(references={"u": from_raw("vault:kv/b#u", "u")})
        result = woven(*(emit(one.to_dict()) for one in (base, ours, theirs)))
        assert result.fields == ("spec.references",)
        read = [yaml.safe_load(text) for text in sides(result.text)]
        assert read == [ours.to_dict(), theirs.to_dict()]

    def test_in_one_line_of_json_the_whole_line_is(self) -> None:
        result = woven(*(emit_json(one.to_dict(), None) for one in (BASE, self.OURS, self.THEIRS)))
        assert not result.clean
        assert sides(result.text)[0] == emit_json(self.OURS.to_dict(), None)

    def test_a_removed_document_against_a_changed_one(self) -> None:
        other = "kind: Namespace\napiVersion: v1\nmetadata: {name: shop}\n---\n"
        result = woven(other + text_of(BASE), other + text_of(self.OURS), other)
        assert not result.clean
        assert "<<<<<<<" in result.text.decode()

    def test_what_merges_to_no_manifest(self) -> None:
        ours = BASE._replace(template=Template(data={"url": "{{ .b }}"}))
        result = woven(text_of(BASE), text_of(ours), text_of(changed(BASE, {"b": None})))
        assert not result.clean
        assert "<<<<<<<" in result.text.decode()
        assert result.fields == ()
        assert result.problem.startswith("spec.template.data.url: ")

    def test_comments_at_one_place(self) -> None:
        def noted(note: str) -> str:
            return text_of(BASE).replace("    b:", f"    # {note}\n    b:")

        result = woven(noted("one"), noted("two"), noted("three"))
        assert not result.clean
        assert CONFLICT.findall(result.text.decode()) == [("    # two\n", "    # three\n")]

    def test_a_text_with_our_own_mark_in_it_is_merged_as_lines(self) -> None:
        note = "# sealkit-merge-conflict-0\n"
        result = woven(*(note + text_of(one) for one in (BASE, self.OURS, self.THEIRS)))
        assert not result.clean

    @pytest.mark.parametrize(
        ("one", "other"), [('"b":', "'b':"), ('"b":', "b :"), ("? b\n    :", "b :")], ids=str
    )
    def test_an_entry_that_both_sides_wrote_in_another_way(self, one: str, other: str) -> None:
        ours = text_of(self.OURS).replace("    b:", f"    # one\n    {one}")
        theirs = text_of(self.THEIRS).replace("    b:", f"    # two\n    {other}")
        result = woven(text_of(BASE), ours, theirs)
        assert not result.clean
        assert sides(result.text)[0] == ours


class TestLayout:
    """Comments and layout of both sides come together."""

    def test_comments_of_both_sides(self) -> None:
        ours = text_of(changed(BASE, {"a": "2"})).replace("    a:", "    # ours\n    a:")
        theirs = "# theirs\n" + text_of(changed(BASE, {"b": "3"})).replace("    c:", "    c:   ")
        text = clean(text_of(BASE), ours, theirs)
        assert text.startswith("# theirs\n")
        assert "    # ours\n    a: " in text
        assert "    c:    sealed" in text
        assert plain(only_sealed(text)) == {"a": "2", "b": "3", "c": "1"}

    def test_neighbours(self) -> None:
        ours, theirs = changed(BASE, {"a": "2"}), changed(BASE, {"b": "3"})
        text = clean(text_of(BASE), text_of(ours), text_of(theirs))
        assert plain(only_sealed(text)) == {"a": "2", "b": "3", "c": "1"}
        assert not lines(Texts(*(text_of(one).encode() for one in (BASE, ours, theirs)))).clean

    @pytest.mark.parametrize("changes", [(0,), (1,), (0, 1), (0, 1, 2)], ids=str)
    def test_line_ends_are_those_of_the_side_that_changed_them(
        self, changes: tuple[int, ...]
    ) -> None:
        texts = [text_of(changed(BASE, {key: "2"})) for key in "ab"] + [text_of(BASE)]
        texts[1] = "# theirs\n" + texts[1]
        for index in changes:
            texts[index] = texts[index].replace("\n", "\r\n")
        text = clean(texts[2], texts[0], texts[1])
        assert text.count("\r\n") == text.count("\n")
        assert plain(only_sealed(text)) == {"a": "2", "b": "2", "c": "1"}

    def test_mixed_line_ends_stay(self) -> None:
        base = text_of(BASE).replace("\n", "\r\n", 3)
        ours = text_of(changed(BASE, {"a": "2"})).replace("\n", "\r\n", 3)
        text = clean(base, ours, base.replace("kind", "# x\r\nkind"))
        assert text == ours.replace("kind", "# x\r\nkind")

    def test_in_a_list(self) -> None:
        def listed(one: SealedSecret) -> str:
            items = [{"kind": "ConfigMap", "apiVersion": "v1"}, one.to_dict()]
            return emit_yaml({"apiVersion": "v1", "kind": "List", "items": items})

        ours, theirs = changed(BASE, {"a": "2"}), changed(BASE, {"b": "3"})
        text = clean(listed(BASE), listed(ours), listed(theirs))
        assert plain(only_sealed_in_list(text)) == {"a": "2", "b": "3", "c": "1"}

    def test_a_layout_that_cannot_be_edited_is_merged_as_lines(self) -> None:
        def odd(one: SealedSecret) -> str:
            return re.sub(r"    a: (\S+)", r"    ? a\n    : \1", text_of(one))

        with_label, with_value = BASE._replace(labels={"x": "1"}), changed(BASE, {"z": "2"})
        both = with_value._replace(labels={"x": "1"})
        assert clean(odd(BASE), odd(with_label), odd(with_value)) == odd(both)
        other = odd(changed(BASE, {"z": "3"}))
        result = woven(odd(BASE), odd(with_value), other)
        assert result.fields == ("spec.encryptedData.z",)
        assert sides(result.text) == [odd(with_value), other]

    def test_lines_that_do_not_make_what_was_meant_are_a_conflict(self) -> None:
        def odd(**changes: object) -> str:
            text = text_of(BASE._replace(**changes))  # type: ignore[arg-type]  # of the test
            return re.sub(r"    a: (\S+)", r"    ? a\n    : \1", text)

        new, *old = (Workload(WorkloadKind.DEPLOYMENT, name) for name in "nxy")
        more = changed(BASE, {"z": "2"})
        values = {"encrypted_data": more.encrypted_data, "envelopes": more.envelopes}
        ours = odd(restarts=(new, *old), **values)
        result = woven(odd(restarts=tuple(old)), ours, odd(restarts=(*old, new)))
        assert not result.clean
        assert result.problem == "the lines of both sides do not fit together"
        assert sides(result.text)[0] == ours


def only_sealed_in_list(text: str) -> dict[str, object]:
    found = [one for one in yaml.safe_load(text)["items"] if one["kind"] == "SealedSecret"]
    assert len(found) == 1
    return dict(found[0])


class TestDocuments:
    """Several documents in one file."""

    OTHER: Final = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\ndata:\n  k: '1'\n---\n"

    def named(self, name: str, **values: str) -> str:
        return "---\n" + text_of(sealed(values)._replace(name=name))

    def test_a_config_map_and_a_manifest(self) -> None:
        ours = self.OTHER + text_of(changed(BASE, {"a": "2"}))
        theirs = self.OTHER.replace("'1'", "'2'") + text_of(changed(BASE, {"b": "3"}))
        text = clean(self.OTHER + text_of(BASE), ours, theirs)
        assert "k: '2'" in text
        assert plain(yaml.safe_load(text.split("---\n")[1])) == {"a": "2", "b": "3", "c": "1"}

    def test_both_sides_add_one_at_the_end(self) -> None:
        base = text_of(BASE)
        ours, theirs = self.named("ours", x="1"), self.named("theirs", y="1")
        text = clean(base, base + ours, base + theirs)
        assert sorted(text.split("---\n")) == sorted((base + ours + theirs).split("---\n"))

    def test_both_sides_add_one_and_change_the_one_before(self) -> None:
        ours, theirs = (
            text_of(changed(BASE, {key: key})) + self.named(key, x="1") for key in ("a", "b")
        )
        text = clean(text_of(BASE), ours, theirs)
        names = [one["metadata"]["name"] for one in yaml.safe_load_all(text)]
        assert sorted(names) == ["a", "b", "db"]
        opened = plain(next(yaml.safe_load_all(text)))
        assert opened == {"a": "a", "b": "b", "c": "1"}

    def test_both_sides_add_the_same_one_differently(self) -> None:
        base = text_of(BASE)
        result = woven(base, base + self.named("new", x="1"), base + self.named("new", x="2"))
        assert result.fields == ("spec.encryptedData.x",)

    def test_the_same_name_twice_is_merged_as_lines(self) -> None:
        one, two = self.named("db", x="1"), self.named("db", y="1")
        base = one + "---\nkind: ConfigMap\n" + two
        theirs = base.removeprefix(one)
        result = woven(base, base + "# ours\n", theirs)
        assert result == Woven((theirs + "# ours\n").encode(), clean=True)

    def test_both_sides_add_the_file(self) -> None:
        ours, theirs = changed(BASE, {"a": "2"}), changed(BASE, {"d": "3"})
        result = woven("", text_of(ours), text_of(theirs))
        assert not result.clean  # nobody knows who changed `a`
        assert result.fields == ("spec.encryptedData.a",)
        ours_only, theirs_only = changed(BASE, {"e": "2"}), changed(BASE, {"d": "3"})
        text = clean("", text_of(ours_only), text_of(theirs_only))
        assert plain(only_sealed(text)) == {**dict.fromkeys("abc", "1"), "d": "3", "e": "2"}


class TestUnreadable:
    """What is no manifest is merged as Git merges it."""

    @pytest.mark.parametrize(
        "text", ["a\nb\nc\nd\ne\n", "{{ if }}\nb\nc\nd\n{{ end }}\n"], ids=["text", "chart"]
    )
    def test_lines(self, text: str) -> None:
        merged = clean(text, "# ours\n" + text, text + "# theirs\n")
        assert merged == f"# ours\n{text}# theirs\n"

    def test_a_conflict_of_lines(self) -> None:
        result = woven("a\n", "b\n", "c\n")
        assert result.text == b"<<<<<<< ours\nb\n=======\nc\n>>>>>>> theirs\n"

    def test_a_side_that_is_damaged_does_not_merge_silently(self) -> None:
        base = text_of(BASE)
        result = woven(base, "# ours\n" + base, base.replace("scope: strict", "scope: what"))
        assert not result.clean
        assert "scope: what" in result.text.decode()
        assert "<<<<<<<" in result.text.decode()

    def test_bytes_that_are_no_text(self) -> None:
        texts = Texts(b"\xff\n", b"\xff\n", b"\xff\xfe\n")
        assert weave(texts, lines) == Woven(b"\xff\xfe\n", clean=True)


class TestUneven:
    """A merge can leave values that open in fewer clusters than the others: it is told."""

    def test_clusters_here_and_values_there(self) -> None:
        (eid,) = BASE.envelopes
        wraps = {**BASE.envelopes[eid].wraps, "4dlvfyzz3vzx7gwbzhmbmc5nqa": bytes(1168)}
        envelopes = {eid: BASE.envelopes[eid]._replace(wraps=wraps)}
        ours, theirs = BASE._replace(envelopes=envelopes), changed(BASE, {"a": "2"})
        result = woven(text_of(BASE), text_of(ours), text_of(theirs))
        assert (result.clean, result.uneven) == (True, ("shop/db",))
        assert woven(text_of(BASE), text_of(BASE), text_of(theirs)).uneven == ()
