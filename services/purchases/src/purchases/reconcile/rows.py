"""What the comparison with Stripe's lists keeps."""

from datetime import datetime

from sqlalchemy import BigInteger, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import NOW
from purchases.tables import Row


class UnrecordedPayment(Row):
    """A paid invoice of ours that the ledger lacked when it was compared; `unrecorded` says whether it does still."""

    __tablename__ = "stripe_unrecorded_payments"

    stripe_invoice_id: Mapped[str] = mapped_column(Text, primary_key=True)
    purchases: Mapped[int]
    """How many purchases it names, and so should have paid."""
    of_plan: Mapped[bool] = mapped_column(server_default=false(), default=False)
    """It should have paid for the plan."""
    amount_paid_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    invoiced_at: Mapped[datetime]
    found_at: Mapped[datetime] = mapped_column(server_default=NOW)


class SweepPass(Row):
    """How far the comparison with Stripe's lists has come, for each reach: the last hour, day, 35 days."""

    __tablename__ = "sweep_passes"

    reach: Mapped[str] = mapped_column(String(16), primary_key=True)
    step: Mapped[str | None] = mapped_column(String(16))
    """What is compared now; empty between two passes."""
    starts_at: Mapped[datetime]
    """With `ends_at`: when what this pass compares was made."""
    ends_at: Mapped[datetime]
    made_before: Mapped[datetime | None]
    """Of this step, what was made then or later has been compared; empty at its beginning."""
    after_id: Mapped[str | None] = mapped_column(Text)
    """Of a step that goes by ids: the last that was compared."""
    compared_until: Mapped[datetime | None]
    """The end of the newest pass that was finished."""
