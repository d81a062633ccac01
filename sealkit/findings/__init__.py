"""Findings of `verify` and `scan`: rules, places, allowances, and reports in six formats. Pure."""
