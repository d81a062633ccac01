import pytest

from sealkit_controller.objects import (
    CONFIG_MAPS,
    SEALED_SECRETS,
    JsonObject,
    Metadata,
    ObjectKey,
    Owner,
    Resource,
    child,
    children,
    number,
    strings,
    text,
)


@pytest.mark.parametrize(
    ("resource", "place", "path"),
    [
        (CONFIG_MAPS, (), "/api/v1/configmaps"),
        (CONFIG_MAPS, ("ns",), "/api/v1/namespaces/ns/configmaps"),
        (
            SEALED_SECRETS,
            ("ns", "db", "status"),
            "/apis/sealkit.dev/v1alpha1/namespaces/ns/sealedsecrets/db/status",
        ),
    ],
)
def test_paths(resource: Resource, place: tuple[str, ...], path: str) -> None:
    assert resource.path(*place) == path


def test_api_versions() -> None:
    assert (CONFIG_MAPS.api_version, SEALED_SECRETS.api_version) == ("v1", "sealkit.dev/v1alpha1")


def test_what_is_missing_or_of_another_kind_reads_as_empty() -> None:
    raw: JsonObject = {"a": 1, "b": "x", "c": [1, {"d": 2}], "e": {"f": 1, "g": "y"}, "h": True}
    assert (child(raw, "a"), child(raw, "z"), children(raw, "a")) == ({}, {}, [])
    assert (text(raw, "a"), text(raw, "b"), number(raw, "b"), number(raw, "h", 7)) == (
        "",
        "x",
        0,
        7,
    )
    assert children(raw, "c") == [{"d": 2}]
    assert strings(raw, "e") == {"g": "y"}


def test_metadata_keeps_what_decisions_need() -> None:
    owner = {"apiVersion": "v", "kind": "K", "name": "n", "uid": "u", "controller": True}
    metadata = {
        "namespace": "shop",
        "name": "db",
        "uid": "1",
        "resourceVersion": "2",
        "generation": 3,
        "deletionTimestamp": "2026-01-01T00:00:00Z",
        "annotations": {"sealkit.dev/x": "1", "big": "2", "reconcile.fluxcd.io/requestedAt": "3"},
        "ownerReferences": [{"uid": "other"}, owner],
    }
    raw = {"metadata": metadata, "status": {"observedGeneration": 2}}
    assert Metadata.of(raw) == Metadata(
        key=ObjectKey("shop", "db"),
        uid="1",
        resource_version="2",
        generation=3,
        observed_generation=2,
        deleting=True,
        annotations={"sealkit.dev/x": "1", "reconcile.fluxcd.io/requestedAt": "3"},
        controller=Owner("v", "K", "n", "u"),
    )


def test_the_later_of_two_requests_counts() -> None:
    annotations = {
        "reconcile.fluxcd.io/requestedAt": "2026-01-01T00:00:00Z",
        "sealkit.dev/refresh": "2026-01-02T00:00:00Z",
    }
    key = ObjectKey("shop", "db")
    assert Metadata(key, annotations=annotations).requested == "2026-01-02T00:00:00Z"
    assert Metadata(key).requested == ""
