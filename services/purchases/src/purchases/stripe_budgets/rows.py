"""How many calls to Stripe a workspace and a person have left: one budget for all replicas."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from purchases.tables import Row


class StripeBudget(Row):
    """A token bucket as it was when it was last taken from; it has filled up since."""

    __tablename__ = "stripe_budgets"
    __table_args__ = (Index("stripe_budgets_at", "at"),)

    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    """`workspace:` and its id, or `person:` and the token's subject."""
    tokens: Mapped[float]
    at: Mapped[datetime]
