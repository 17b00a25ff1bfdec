"""The subscriptions of workspaces."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import NOW
from purchases.tables import Row


class Subscription(Row):
    """A subscription at Stripe, as its newest event showed it. A workspace has one; more is detected and ended."""

    __tablename__ = "subscriptions"

    stripe_subscription_id: Mapped[str] = mapped_column(Text, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), index=True)
    stripe_customer_id: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(32))
    """Stripe's own word."""
    is_extra: Mapped[bool] = mapped_column(server_default=false(), default=False)
    """We end it and pay it back: a second one beside another that runs, or an unfinished one that was in the way."""
    returned_cents: Mapped[int | None] = mapped_column(BigInteger)
    """What of an extra one was paid back; empty until that was done and announced."""
    stripe_price_id: Mapped[str | None] = mapped_column(Text)
    interval: Mapped[str | None] = mapped_column(String(16))
    currency: Mapped[str | None] = mapped_column(String(3))
    started_at: Mapped[datetime | None]
    current_period_end: Mapped[datetime | None]
    cancel_at_period_end: Mapped[bool] = mapped_column(server_default=false(), default=False)
    cancel_at: Mapped[datetime | None]
    canceled_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    latest_invoice_id: Mapped[str | None] = mapped_column(Text)
    default_payment_method_id: Mapped[str | None] = mapped_column(Text)
    pause_behavior: Mapped[str | None] = mapped_column(String(32))
    """What becomes of its invoices while collection is paused; empty while it is not."""
    pause_resumes_at: Mapped[datetime | None]
    collection_method: Mapped[str | None] = mapped_column(String(32))
    """`charge_automatically` or `send_invoice`; empty until a whole snapshot is stored."""
    stripe_schedule_id: Mapped[str | None] = mapped_column(Text)
    next_charge_at: Mapped[datetime | None]
    """With `next_charge_cents` and `next_charge_currency`: Stripe's preview; or `next_charge_none` says why none."""
    next_charge_cents: Mapped[int | None] = mapped_column(BigInteger)
    next_charge_currency: Mapped[str | None] = mapped_column(String(3))
    next_charge_none: Mapped[str | None] = mapped_column(String(32))
    next_charge_as_of: Mapped[datetime | None]
    """When it was fetched; empty while that is not known, after each change."""
    event_at: Mapped[datetime | None] = mapped_column("told_at")
    """The second of the newest event that showed it whole; None while only its Checkout or an invoice is known."""
    event_id: Mapped[str | None] = mapped_column("told_by", Text)
    """That event's id: another one of the same second is put in order by a sync."""
    confirmed_at: Mapped[datetime | None]
    """The newest second of which a completed Checkout, or its first invoice, says that it was active."""
    recorded_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
