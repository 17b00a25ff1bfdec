"""What staff decided about parked items."""

from datetime import datetime

from sqlalchemy import BigInteger, Identity, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import NOW
from purchases.tables import Row


class ParkedDecision(Row):
    """One decision, append-only: who had which item tried again or discarded, and why."""

    __tablename__ = "parked_decisions"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    item: Mapped[str] = mapped_column(Text, index=True)
    """The item's id as staff see it: `fact-12`, `command-7`, `payment-…`."""
    decision: Mapped[str] = mapped_column(String(16))
    """`retry`, `discard` or `allocate`."""
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(server_default=NOW)
