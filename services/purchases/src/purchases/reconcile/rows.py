"""What the comparison with Stripe's lists keeps."""

from datetime import datetime

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import NOW
from purchases.tables import Row


class UnrecordedPayment(Row):
    """A paid invoice of ours that the ledger lacked when it was compared; `unrecorded` says whether it does still."""

    __tablename__ = "stripe_unrecorded_payments"

    stripe_invoice_id: Mapped[str] = mapped_column(Text, primary_key=True)
    purchases: Mapped[int]
    """How many purchases it names, and so should have paid."""
    amount_paid_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    invoiced_at: Mapped[datetime]
    found_at: Mapped[datetime] = mapped_column(server_default=NOW)
