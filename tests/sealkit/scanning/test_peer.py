"""What detect-secrets, another scanner, says of sealed manifests."""

from __future__ import annotations

from pathlib import Path

import pytest
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings

from tests.sealkit.scanning.harmless import Shelf, recipient, sealed

# As the transcript of `scan` gives it: a key id, then what is sealed to that key.
EXCLUDED = r'[a-z2-7]{26}"?: ?"?[A-Za-z0-9+/]{40,}'


def found(path: Path, *excluded: str) -> set[str]:
    exclude = {
        "path": "detect_secrets.filters.regex.should_exclude_line",
        "pattern": list(excluded),
    }
    secrets = SecretsCollection()
    with default_settings() as settings:
        settings.configure_filters([exclude] if excluded else [])
        secrets.scan_file(str(path))
    return {secret.type for _, secret in secrets}


@pytest.mark.parametrize("make", [sealed, recipient], ids=["manifest", "recipient"])
def test_it_is_silent_with_the_line_filter(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.yaml"
    path.write_text(make(Shelf(1))[1])
    assert found(path, EXCLUDED) == set()


def test_without_it_keys_and_long_texts_are_taken_for_secrets(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(sealed(Shelf(1))[1])
    assert found(path) <= {"Base64 High Entropy String", "Secret Keyword"}


def test_the_transcript_has_the_filter() -> None:
    text = (Path(__file__).parents[2] / "transcripts" / "scan.md").read_text()
    assert EXCLUDED in text
