"""Detectors of `scan`: plaintext Secrets and what is like them, in texts of any shape. Pure.

Nothing here shows a value, nor anything made of one: a finding says where, under which name, and
roughly how long.
"""
