"""What a dispute is made of."""

from dataclasses import dataclass, field
from typing import ClassVar

from sandbox.stripe.thing import Json, Thing


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute(Thing):
    """Statuses: needs_response, under_review, won, lost; of a bank's mere inquiry the same with `warning_` in front.

    An inquiry ends as `warning_closed` and moves no money.
    """

    kind: ClassVar[str] = "dispute"

    amount: int
    currency: str
    charge: str
    payment_intent: str | None
    brand: str
    reason: str
    status: str
    due_by: int
    evidence: Json = field(default_factory=dict)
    submissions: int = 0
    withdrawn_at: int | None = None
    reinstated_at: int | None = None

    @property
    def is_inquiry(self) -> bool:
        """Whether the bank only asks."""
        return self.status.startswith("warning_")

    @property
    def is_open(self) -> bool:
        """Whether its end is not known yet."""
        return self.status.removeprefix("warning_") in ("needs_response", "under_review")
