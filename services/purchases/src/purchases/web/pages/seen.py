"""What a form's page showed, so that nobody decides about what they did not see."""

from collections.abc import Mapping
from typing import Final

from purchases.ledger.transitions import Status

LONGEST_NUMBER: Final = 18


def status_in(fields: Mapping[str, str]) -> Status | None:
    """Return the purchase's status as the form's page showed it."""
    return next((status for status in Status if status.value == fields.get("status")), None)


def seen_in(fields: Mapping[str, str]) -> int:
    """Return how far the history went, which only grows; 0, nothing was seen, without such a field."""
    seen = fields.get("seen", "")
    return int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < LONGEST_NUMBER else 0
