"""Documents of others made ours: what has no equivalent is noted, nothing is guessed. Pure.

A module for each kind, named as the kind, with `convert` and the `HINTS` for fields that it does
not take. Every field is either taken or gives a note: `source` sees to that.
"""

from sealkit.foreign.annotated_secret import convert_secret
from sealkit.foreign.context import Context, Raw
from sealkit.foreign.conversion import Conversion, convert
from sealkit.foreign.source import Note

__all__ = ["Context", "Conversion", "Note", "Raw", "convert", "convert_secret"]
