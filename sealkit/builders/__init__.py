"""Builders: the well-known contents of a Secret, made of plain values; pure.

`parse_builders` reads `spec.template.build`, `Builder.build` makes the contents. A builder sees the
values as they came, never what another one made. Which programs read the contents, and what they
demand of them, stands in the module of each builder.
"""

from sealkit.builders.builder import Builder, Salt
from sealkit.builders.parse import builders_to_dict, parse_builders, type_of

__all__ = ["Builder", "Salt", "builders_to_dict", "parse_builders", "type_of"]
