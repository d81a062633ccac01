"""The pages on Argo CD and Flux: their tables, links and files, held against the real ones."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from sealkit_controller.objects import REQUEST_ANNOTATIONS
from sealkit_controller.status import Reason
from tests.controller.gitops import kstatus
from tests.interop.oracles import ORACLES, argo_ours, flux_ours
from tests.interop.test_status_oracles import STATES

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted((ROOT / "docs" / "integrations").glob("*.md"))
# About the way from sops: no manifest is written by hand there, and no file of ours applied.
CONTROLLER: Final = [page for page in PAGES if page.stem != "sops"]
ARGOCD: Final = (ROOT / "docs" / "integrations" / "argocd.md").read_text()
FLUX: Final = (ROOT / "docs" / "integrations" / "flux.md").read_text()
MET: Final = {state.name: state for state in STATES if state.ours or state == STATES[1]}


def table_of_states(page: str) -> dict[str, tuple[str, str]]:
    """Return the second and third column by the first."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|", page, re.MULTILINE)
    return {state: (second, third) for state, second, third in rows if state in MET}


def test_argo_cd_shows_what_the_page_says() -> None:
    word = ORACLES.index(argo_ours)
    shown = {state: second for state, (second, _) in table_of_states(ARGOCD).items()}
    assert shown.keys() >= MET.keys()
    assert shown == {name: MET[name].words[word] for name in shown}


def test_flux_shows_what_the_page_says() -> None:
    words = ORACLES.index(kstatus), ORACLES.index(flux_ours)
    shown = table_of_states(FLUX)
    assert shown.keys() >= MET.keys()
    assert shown == {name: tuple(MET[name].words[word] for word in words) for name in shown}


def snippets(page: Path) -> Iterator[str]:
    for block in re.findall(
        r"^( *)```yaml\n(.*?)^\1```$", page.read_text(), re.MULTILINE | re.DOTALL
    ):
        indent, body = block
        yield re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)


@pytest.mark.parametrize("page", CONTROLLER, ids=lambda page: page.stem)
def test_snippets_are_objects(page: Path) -> None:
    found = [yaml.safe_load(snippet) for snippet in snippets(page)]
    assert found
    assert all({"apiVersion", "kind", "metadata"} <= raw.keys() for raw in found)


def test_the_kustomization_on_the_page_is_the_one_in_the_file() -> None:
    file = ROOT / "controller" / "gitops" / "flux" / "kustomizations.yaml"
    (snippet,) = snippets(ROOT / "docs" / "integrations" / "flux.md")
    shown, (_, real, _) = yaml.safe_load(snippet), yaml.safe_load_all(file.read_text())
    assert shown["metadata"] == real["metadata"]
    assert shown["spec"].items() <= real["spec"].items()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text())
    assert links
    assert all((page.parent / link).resolve().exists() for link in links)


@pytest.mark.parametrize("page", CONTROLLER, ids=lambda page: page.stem)
def test_files_exist(page: Path) -> None:
    paths = re.findall(r"\bcontroller/[\w./-]+", page.read_text())
    assert paths
    assert all((ROOT / path.rstrip(".")).exists() for path in paths)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_reasons_and_annotations_are_real(page: Path) -> None:
    text = page.read_text()
    reasons = set(re.findall(r"\(`([A-Z][A-Za-z]+)`\)", text))
    assert reasons <= set(Reason)
    asked = set(re.findall(r"[\w.]+/(?:refresh|requestedAt)\b", text))
    assert {name for name in asked if "." in name.split("/")[0]} <= set(REQUEST_ANNOTATIONS)
