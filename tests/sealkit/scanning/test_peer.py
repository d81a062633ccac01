"""detect-secrets, another scanner, as it comes: it is silent where everything is sealed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random, getrandbits
from typing import Any, Final

import pytest
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings, transient_settings

from sealkit.crypto.recipient import Recipient
from sealkit.crypto.x1 import PrivateKey
from sealkit.sensitive import Sensitive
from tests.sealkit.cli.desk import NAMES, Desk, secret_text
from tests.sealkit.scanning.sealed import sealed_files

SEED: Final = getrandbits(32)
LEAVES_OUT: Final = "detect_secrets.filters.regex.should_exclude_secret"
ROOT: Final = Path(__file__).parents[3]
HOOKS: Final = ROOT / ".pre-commit-hooks.yaml"
PAGE: Final = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
# As the page gives them.
EXCLUDED: Final = "vault:[^ #]+#"
KEY_ID: Final = "^[a-z2-7]{26}$"


def said(paths: Iterable[Path], *excluded: str) -> list[str]:
    """Return what is said, with the file and the line; `excluded` are values left out."""
    with default_settings() as settings:
        chosen: dict[str, Any] = settings.json()
    if excluded:
        chosen["filters_used"].append({"path": LEAVES_OUT, "pattern": list(excluded)})
    secrets = SecretsCollection()
    with transient_settings(chosen):
        for path in paths:
            secrets.scan_file(str(path))
    return [f"{Path(file).name}:{one.line_number}: {one.type}" for file, one in secrets]


def test_sealed_manifests(tmp_path: Path) -> None:
    paths = []
    for name, text in sealed_files(Random(SEED)):  # noqa: S311 (values that nobody keeps)
        paths.append(tmp_path / name)
        paths[-1].write_text(text)
    assert len(paths) >= 200
    assert said(paths) == [], f"seed {SEED}"


def test_recipient_files(tmp_path: Path) -> None:
    # Of fixed keys: one file in 5,000 has by chance a line that begins like a token of Artifactory.
    paths = [tmp_path / f"{number}.pub" for number in range(50)]
    for number, path in enumerate(paths):
        path.write_text(str(Recipient("prod", PrivateKey(Sensitive(bytes([number]) * 32)).public)))
    assert said(paths) == []


def test_a_key_id_that_looks_random_needs_the_other_option(tmp_path: Path) -> None:
    path = tmp_path / ".sealkit.yaml"
    path.write_text("clusters:\n  prod:\n    kid: qzwxecrvtbynumiklopjhgfdsa\n")
    assert len(said([path])) == 1
    assert said([path], KEY_ID) == []
    assert f"--exclude-secrets '{KEY_ID}'" in PAGE


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "repository").mkdir()
    desk = Desk(tmp_path / "repository", tmp_path)
    desk.ok("init")
    for name in NAMES:
        desk.ok("clusters", "add", name, desk.recipient(f"{name}-1", name))
    return desk


def test_what_init_and_clusters_write_and_our_hooks(desk: Desk) -> None:
    paths = [desk.folder / name for name in desk.files()]
    assert {".sealkit.yaml", ".gitattributes"} <= {path.name for path in paths}
    assert said([*paths, HOOKS]) == []


REFERENCE: Final = "vault:kv/shop/db#password"
SPELLINGS: Final = {
    REFERENCE: False,
    f"${{{REFERENCE}}}": True,
    "<path:kv/data/shop/db#password>": True,
    f"postgres://app:${{{REFERENCE}}}@db/shop": False,
}


@pytest.mark.parametrize(("value", "silent"), SPELLINGS.items())
def test_spellings_of_a_reference_in_a_secret(tmp_path: Path, value: str, silent: bool) -> None:  # noqa: FBT001 (a case)
    path = tmp_path / "db.yaml"
    path.write_text(secret_text(password=value))
    assert (said([path]) == []) is silent


def test_references_of_a_manifest(desk: Desk) -> None:
    text = secret_text(password=REFERENCE, secret="kT4-vuh8", api_key=f"a-${{{REFERENCE}}}")
    desk.ok("seal", "-o", "db.sealed.yaml", stdin=text)
    desk.ok("set", "db.sealed.yaml", "--reference", f"db_pass={REFERENCE}")
    path = desk.folder / "db.sealed.yaml"
    assert said([path]) == []


def test_references_that_somebody_writes_in_a_line_need_the_other_option(tmp_path: Path) -> None:
    path = tmp_path / "db.sealed.yaml"
    path.write_text(f"spec:\n  references:\n    password: {REFERENCE}\n")
    assert len(said([path])) == 1
    assert said([path], EXCLUDED) == []
    assert f"--exclude-secrets '{EXCLUDED}'" in PAGE
