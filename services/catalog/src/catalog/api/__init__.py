"""The catalog over HTTP: each module translates for one kind of thing, and does nothing else."""
