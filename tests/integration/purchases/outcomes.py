"""What a scenario did at Stripe, and how it must end."""

from collections.abc import Sequence
from dataclasses import dataclass

from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a scenario did, and how it must end."""

    purchases: Sequence[Purchase]
    ends: Sequence[Status]
    start: Status = Status.PENDING
    parked: int = 0


def of_one(purchase: Purchase, end: Status, *, start: Status = Status.PENDING) -> Outcome:
    return Outcome(purchases=[purchase], ends=[end], start=start)
