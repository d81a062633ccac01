"""A small Kubernetes API server in one process, for demos, development and tests.

Stock kubectl works against it, and so does the controller. It is no cluster: nothing is scheduled,
admission and CEL rules do not run, every token may do everything, and it serves only the loopback
interface. What it does do, it does as the real kube-apiserver: one contract suite holds both.
"""

from sealkit_controller.sandbox.sandbox import Sandbox
from sealkit_controller.sandbox.wire.faults import (
    Answer,
    Cut,
    Facts,
    Fault,
    Faults,
    Hold,
    Reset,
    Silence,
)
from sealkit_controller.sandbox.wire.requestlog import Entry, RequestLog

__all__ = [
    "Answer",
    "Cut",
    "Entry",
    "Facts",
    "Fault",
    "Faults",
    "Hold",
    "RequestLog",
    "Reset",
    "Sandbox",
    "Silence",
]
