"""The kinds that are served: how each is named, shaped and checked. Pure but for one file read."""
