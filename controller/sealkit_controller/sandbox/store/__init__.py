"""Where objects live: versions, the log of changes, and the file they may survive in."""
