"""BADGES: what a status is called, and its colour (SPEC §3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from purchases.ledger.transitions import Status


@dataclass(frozen=True, slots=True)
class Badge:
    """The word says what the colour shows."""

    word: str
    colour: str


BADGES: Final[Mapping[Status, Badge]] = {
    Status.PENDING: Badge("Pending", "yellow"),
    Status.PAID: Badge("Paid", "blue"),
    Status.DELIVERED: Badge("Delivered", "green"),
    Status.FAILED: Badge("Failed", "red"),
    Status.CANCELLED: Badge("Cancelled", "grey"),
    Status.REFUNDED: Badge("Refunded", "purple"),
}
