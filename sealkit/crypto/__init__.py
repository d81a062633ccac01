"""Seal and open the values of a manifest: pure, one module per scheme."""
