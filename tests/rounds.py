"""How often what only a rare order or a rare value shows is tried: less in `make test` than in `.ci/run`."""

import os
from typing import Final, TypeVar

_T = TypeVar("_T")


def rounds(some: _T, *, every: _T) -> _T:
    """Return `every` with ROUNDS=all, which a claim of many asks for, and else `some`."""
    return every if os.environ.get("ROUNDS") == "all" else some


ROWS: Final = rounds(20_000, every=100_000)
"""Of each table that grows, where a test counts what a statement of few tables reads: many times what one may.

With joins the planner reads whole tables of that size, and rightly: those of purchases always have 100,000.
"""
