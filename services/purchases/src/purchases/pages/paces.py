"""PACES: how often a page asks again for what it waits for: often at first, then less, then no more."""

from typing import Final

PACES: Final = (
    (60, 2),
    (180, 5),
    (600, 15),
)
"""Until so many seconds have passed, every so many seconds."""


def pace_after(seconds: int) -> int | None:
    """Seconds until it is asked again; None when it was asked for long enough."""
    return next((pace for until, pace in PACES if seconds < until), None)


def trigger_after(seconds: int) -> str | None:
    """The same in htmx's words."""
    pace = pace_after(seconds)
    return None if pace is None else f"every {pace}s"
