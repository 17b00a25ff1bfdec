"""How often what only a rare order or a rare value shows is tried: less in `make test` than in `.ci/run`."""

import os


def rounds(some: int, *, every: int) -> int:
    """Return `every` with ROUNDS=all, which a claim of many asks for, and else `some`."""
    return every if os.environ.get("ROUNDS") == "all" else some
