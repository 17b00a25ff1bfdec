"""A package, so that its stack ends with its last test and does not idle beside all others."""
