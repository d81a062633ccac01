"""PyYAML is itself, though its regular expressions are compiled late."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

import pytest

# What the pure loader of PyYAML decides by a regular expression: kinds of scalars, and characters.
TEXT: Final = """\
- [yes, no, on, off, True, ~, null, 0b1_0, 0o7, 017, 0x_1f, 1_000, 190:20:30, 1.5, .inf, 1e3, 1.e+3]
- [2001-12-14, 2001-12-14t21:59:43.10-05:00, 2001-12-14 21:59:43, "2001-12-14", 20011214, <, x]
- {<<: {a: 1}, b: 2}
"""
PLAIN: Final = "import yaml"
LATE: Final = "from sealkit.manifests.pyyaml import yaml"
LOADING: Final = """
import json, re, sys
assert type(re.compile("x")) is re.Pattern
def loaded(text):
    try:
        return repr(yaml.load(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        return str(error)
print(json.dumps([loaded(text) for text in json.loads(sys.argv[1])]))
"""


def printed(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_pure_loader_reads_as_ever() -> None:
    texts = json.dumps([TEXT, "a: \x00", "a: \ud7ff\U0001f511", "a: [", "\ufffe"])
    late = json.loads(printed(f"{LATE}{LOADING}", texts))
    assert late == json.loads(printed(f"{PLAIN}{LOADING}", texts))
    assert "datetime.date(2001, 12, 14)" in late[0]
    assert "special characters are not allowed" in late[1]


@pytest.mark.parametrize(("imported", "kind"), [(LATE, "_Expression"), (PLAIN, "Pattern")])
def test_nothing_is_compiled_before_it_is_used(imported: str, kind: str) -> None:
    code = f"{imported}\nprint(type(yaml.reader.Reader.NON_PRINTABLE).__name__)"
    assert printed(code).strip() == kind
