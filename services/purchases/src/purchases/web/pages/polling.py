"""INTERVALS: how often a page asks again for what it waits for: often at first, then less, then no more."""

from typing import Final

INTERVALS: Final = (
    (60, 2),
    (180, 5),
    (600, 15),
)
"""Until so many seconds have passed, every so many seconds."""


def interval_after(seconds: int) -> int | None:
    """Return the seconds until the page asks again; None when it did for long enough."""
    return next((every for until, every in INTERVALS if seconds < until), None)


def trigger_after(seconds: int) -> str | None:
    """Return the same in htmx's words."""
    every = interval_after(seconds)
    return None if every is None else f"every {every}s"
