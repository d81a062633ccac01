"""References to Vault paths: one value, many spellings; pure, nothing is read from anywhere."""
