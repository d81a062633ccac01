"""Logs: one JSON object a line, with the field names of controller-runtime.

What is logged are names, reasons and numbers chosen for it. Objects, bodies and the text of
foreign exceptions are never passed in, for they may hold a secret.
"""

from __future__ import annotations

import logging
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

Logger = structlog.typing.FilteringBoundLogger

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def logger(stream: TextIO, level: str) -> Logger:
    """Return a logger that writes to `stream`; no global state is touched."""
    made: Logger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            structlog.processors.EventRenamer("msg"),
            _only_plain,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
    )
    return made


def _only_plain(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Reduce anything but text and numbers to the name of its type: an object may hold a secret."""
    return {
        key: value if isinstance(value, str | int | float | None) else type(value).__name__
        for key, value in event.items()
    }
