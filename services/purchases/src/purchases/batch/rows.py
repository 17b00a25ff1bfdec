"""What staff decided about parked items."""

import uuid

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from purchases.tables import Row


class ParkedReference(Row):
    """One id that a parked fact names: an invoice, a charge, a refund, a purchase of ours, …"""

    __tablename__ = "parked_references"

    reference: Mapped[str] = mapped_column(Text, primary_key=True)
    fact_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, index=True)
