"""The command line: one module per command group.

On the way of `seal`, `set` and `unset` values are named tuples: to define a frozen dataclass takes
ten times as long, and a command that runs for a tenth of a second defines a dozen.
"""
