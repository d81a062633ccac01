"""The values the chart is rendered with, from as little as possible to everything at once."""

from pathlib import Path

import pytest

ALL_ON = Path(__file__).with_name("all-on.yaml")
MINIMAL = Path(__file__).with_name("minimal.yaml")
MATRIX = {
    "defaults": (),
    "namespaced": ("--set", "watchNamespaces={team-a}"),
    "all-on": ("-f", str(ALL_ON)),
    "all-on-namespaced": ("-f", str(ALL_ON), "--set", "watchNamespaces={team-a}"),
    "two-namespaces": ("--set", "watchNamespaces={team-a,team-b}"),
    "without-vault": ("--set", "vault.enabled=false,rolloutRestart.enabled=false"),
    "shards": ("--set", "shards=3"),
    "minimal": ("-f", str(MINIMAL)),
}
matrix = pytest.mark.parametrize("values", MATRIX.values(), ids=MATRIX.keys())
