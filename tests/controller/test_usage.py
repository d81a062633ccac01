from hypothesis import given
from hypothesis import strategies as st

from sealkit.usage import key_usage, wraps_of
from sealkit_controller.objects import JsonObject, ObjectKey
from sealkit_controller.usage import Usage

KEYS = [ObjectKey("shop", name) for name in "ab"]


def manifest(envelopes: list[str]) -> JsonObject:
    wraps = [{"wraps": dict.fromkeys(envelope, "")} for envelope in envelopes]
    return {"spec": {"envelopes": {str(number): one for number, one in enumerate(wraps)}}}


contents = st.none() | st.lists(st.sampled_from(["x", "y", "xy"]), max_size=2)
steps = st.lists(st.tuples(st.sampled_from(KEYS), contents), max_size=12)


@given(steps)
def test_whatever_happens_the_counts_are_of_what_is_there(
    history: list[tuple[ObjectKey, list[str] | None]],
) -> None:
    usage, there = Usage(), dict[ObjectKey, JsonObject]()
    for key, content in history:
        if content is None:
            usage.forget(key)
            there.pop(key, None)
        else:
            there[key] = manifest(content)
            usage.note(key, wraps_of(there[key]))
    counts = dict.fromkeys(map(wraps_of, there.values()), 0)
    for raw in there.values():
        counts[wraps_of(raw)] += 1
    assert usage.of("xy") == key_usage(counts, "xy")


def test_nothing_is_kept_of_what_is_gone() -> None:
    usage = Usage()
    for number in range(3):
        usage.note(KEYS[0], wraps_of(manifest([str(number)])))
    usage.forget(KEYS[0])
    assert not any((usage._known, usage._counts, usage._shared))
