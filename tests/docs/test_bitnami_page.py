"""docs/integrations/bitnami.md runs as it is written."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Final

import yaml

from sealkit.manifests.emit import emit_yaml
from tests.console import shell, steps
from tests.sealkit.cli.test_import_bitnami import item
from tests.test_console import given
from tests.vectors.bitnami.keys import certificate, key, pem

PAGE: Final = Path(__file__).parents[2] / "docs" / "integrations" / "bitnami.md"
SETUP: Final = "sealkit init && sealkit clusters add prod prod.pub"


def manifest() -> str:
    """The SealedSecret of the page, with a value that opens."""
    found = re.search(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert found
    raw = yaml.safe_load(found[1])
    raw["spec"]["encryptedData"] = {name: item("hunter2") for name in raw["spec"]["encryptedData"]}
    return emit_yaml(raw)


def test_the_page_runs_as_written(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    given(tmp_path)
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "db.yaml").write_text(manifest())
    (tmp_path / "bitnami-keys.yaml").write_bytes(pem(key()))
    (tmp_path / "cert.pem").write_bytes(certificate(key()))
    ran = steps(PAGE.read_text())
    assert len(ran) >= 5
    with shell(tmp_path, environment) as session:
        assert session.run(SETUP)[1] == 0
        for step in ran:
            problem = step.complaint(*session.run(step.command))
            assert not problem, f"{PAGE.name}:{step.line}: $ {step.command}\n{problem}"
