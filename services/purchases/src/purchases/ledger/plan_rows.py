"""Money of the plan: what its invoices were paid with, and what went back."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import NOW
from purchases.tables import Row


class SubscriptionInvoice(Row):
    """An invoice of a subscription, as far as is known: the owner is mailed about a failure once."""

    __tablename__ = "subscription_invoices"

    stripe_invoice_id: Mapped[str] = mapped_column(Text, primary_key=True)
    stripe_subscription_id: Mapped[str] = mapped_column(Text, index=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), index=True)
    billing_reason: Mapped[str | None] = mapped_column(String(64))
    amount_due_cents: Mapped[int] = mapped_column(BigInteger)
    amount_paid_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    period_end: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime] = mapped_column(server_default=NOW)


class SubscriptionCharge(Row):
    """One charge that paid a subscription's invoice, in whole or in part (partial payments, 2025-05-28.basil on)."""

    __tablename__ = "subscription_charges"

    stripe_invoice_id: Mapped[str] = mapped_column(
        ForeignKey("subscription_invoices.stripe_invoice_id"), primary_key=True
    )
    paid_with: Mapped[str] = mapped_column(Text, primary_key=True, index=True)
    """Stripe's payment intent; of a charge without one, the charge."""
    stripe_charge_id: Mapped[str | None] = mapped_column(Text, index=True)
    amount_cents: Mapped[int | None] = mapped_column(BigInteger)
    """What it took for the invoice; empty until Stripe said so."""


class WorkspaceRefund(Row):
    """Money that a subscription took and that went back: the plan's share, one row per refund of Stripe's."""

    __tablename__ = "workspace_refunds"
    __table_args__ = (
        CheckConstraint("refund_cents between 0 and whole_cents", name="share_within_refund"),
        Index("workspace_refunds_by_time", "recorded_at", "stripe_refund_id"),
        Index("workspace_refunds_of_workspace", "workspace_id", "recorded_at", "stripe_refund_id"),
    )

    stripe_refund_id: Mapped[str] = mapped_column(Text, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    stripe_subscription_id: Mapped[str] = mapped_column(Text)
    stripe_invoice_id: Mapped[str] = mapped_column(Text, index=True)
    refund_cents: Mapped[int] = mapped_column(BigInteger)
    """The plan's share: all of it, unless its charge paid purchases too."""
    whole_cents: Mapped[int] = mapped_column(BigInteger)
    """Stripe's refund; what the plan's share leaves of it fell on purchases, or waits to be allocated."""
    corrected_at: Mapped[datetime | None]
    """When its share was last found to be another one than was published before."""
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(32))
    failure_reason: Mapped[str | None] = mapped_column(Text)
    automatic: Mapped[bool] = mapped_column(server_default=false(), default=False)
    """We sent it back ourselves, for a second subscription."""
    recorded_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class WorkspaceDispute(Row):
    """A cardholder's bank wants back what a subscription took: the plan's share of it."""

    __tablename__ = "workspace_disputes"
    __table_args__ = (
        Index("workspace_disputes_by_time", "opened_at", "stripe_dispute_id"),
        Index("workspace_disputes_of_workspace", "workspace_id", "opened_at", "stripe_dispute_id"),
    )

    stripe_dispute_id: Mapped[str] = mapped_column(Text, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    stripe_subscription_id: Mapped[str] = mapped_column(Text)
    stripe_invoice_id: Mapped[str] = mapped_column(Text, index=True)
    dispute_cents: Mapped[int] = mapped_column(BigInteger)
    """The plan's share: all of it, unless its charge paid purchases too."""
    whole_cents: Mapped[int] = mapped_column(BigInteger)
    """What the bank named."""
    corrected_at: Mapped[datetime | None]
    """When its share was last found to be another one than was published before."""
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str | None] = mapped_column(Text)
    evidence_due_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
