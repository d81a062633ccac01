"""Make the test vectors that are missing: `python -m tests.vectors.make_x1`.

A file that is there stays: to make one anew, delete it first. Wraps and items are random, so no two
runs make the same file, and the committed ones are what other implementations are checked against.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tests.vectors.x1_build import Case
from tests.vectors.x1_opening import OPENING
from tests.vectors.x1_reading import READING

FOLDER: Final = Path(__file__).parent / "x1"
CASES: Final = (*OPENING, *READING)


def text_of(case: Case) -> str:
    """The whole file."""
    return json.dumps(case.facts() | {"manifest": case.manifest()}, indent=1) + "\n"


def main() -> None:
    """Write each file that is missing."""
    for case in CASES:
        path = FOLDER / f"{case.name}.json"
        if not path.exists():
            path.write_text(text_of(case), encoding="utf-8")


if __name__ == "__main__":
    main()
