"""The formats of a report, by name; a format is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from sealkit.findings.report import Report

_MODULES: Final = {
    "text": "text",
    "json": "json_format",
    "sarif": "sarif",
    "junit": "junit",
    "github": "github",
    "gitlab": "gitlab",
}
FORMATS: Final = tuple(_MODULES)


def render(report: Report, format_name: str) -> str:
    """Return a report in one of `FORMATS`."""
    text: str = import_module(f"sealkit.findings.{_MODULES[format_name]}").render(report)
    return text
