"""The order of a dispute's statuses, whatever order they are heard in."""

from typing import Final

LOST: Final = "lost"
WON: Final = "won"
_FINAL: Final = {"prevented": 1, "warning_closed": 1, "charge_refunded": 1, LOST: 2, WON: 3}
"""A lost dispute can still be won, by the bank's second thoughts; all others are open."""


def is_final(status: str) -> bool:
    """Whether the bank has decided."""
    return status in _FINAL


def newer_dispute_status(*, known: str | None, told: str) -> str:
    """A dispute only moves forward: opened, inquiry closed, lost, won."""
    if known is None or _FINAL.get(told, 0) > _FINAL.get(known, 0):
        return told
    return told if not is_final(told) and not is_final(known) else known
