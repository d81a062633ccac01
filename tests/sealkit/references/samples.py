"""References of all kinds, for properties."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from sealkit.references import jsontree
from sealkit.references.jsonpath import JsonPath
from sealkit.references.modifiers import Indent, Modifier, Plain
from sealkit.references.reference import (
    Decode,
    Kv,
    Method,
    Reference,
    Store,
    StoreKind,
    json_object,
)

# Few characters, and among them all that some spelling gives a meaning to.
SPECIAL = "ab1 .#|<>{}$\\/'\"[]:-ü"

keys = st.text(SPECIAL, max_size=6) | st.sampled_from(["<path:", "${vault:", "${.a}", "a\\"])
segments = (
    st.text("ab1 .|<>{}$'\":-ü", min_size=1, max_size=4)
    .map(str.strip)
    .filter(lambda text: text not in {"", ".", ".."})
)
paths = st.lists(segments, min_size=1, max_size=3).map("/".join) | st.just("v1:abcd")
steps = st.text(SPECIAL, max_size=4) | st.integers(-9, 9)
modifiers: st.SearchStrategy[Modifier] = st.one_of(
    st.sampled_from(Plain),
    st.builds(Indent, st.integers(1, 100)),
    st.builds(JsonPath, st.lists(steps, max_size=3).map(tuple)),
)
bodies = st.dictionaries(keys, keys | st.none() | st.integers(), max_size=2).map(
    lambda body: json_object(jsontree.write({**body}))
)
requests = st.one_of(
    st.fixed_dictionaries(
        {"method": st.just(Method.GET), "kv": st.sampled_from([Kv.AUTO, Kv.V2])},
        optional={"version": st.integers(1, 99)},
    ),
    st.fixed_dictionaries({"method": st.sampled_from(Method), "kv": st.just(Kv.AUTO)}),
    st.fixed_dictionaries(
        {"method": st.sampled_from([Method.PUT, Method.POST]), "kv": st.just(Kv.AUTO)},
        optional={"body": bodies},
    ),
    st.fixed_dictionaries(
        {"method": st.just(Method.GET), "kv": st.sampled_from([Kv.V1, Kv.RAW])},
    ),
)
absences: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"default": st.text("a\n\0é", max_size=3)}),
    st.just({"optional": True}),
)


@st.composite
def references(draw: st.DrawFn) -> Reference:
    """Any reference; half of them could be said in one line but for key and path."""
    rich = draw(st.booleans())
    stores = st.builds(Store, st.sampled_from(["vault", "a.b"]), st.sampled_from(StoreKind))
    return Reference(
        path=draw(paths),
        key=draw(keys),
        mount=draw(st.just("") | paths) if rich else "",
        namespace=draw(st.just("") | paths) if rich else "",
        store=draw(st.none() | stores) if rich else None,
        decode=draw(st.sampled_from(Decode)) if rich else Decode.NONE,
        modifiers=tuple(draw(st.lists(modifiers, max_size=3))),
        **draw(requests),
        **(draw(absences) if rich else {}),
    )
