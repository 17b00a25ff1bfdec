"""The plan: our copy of what is on offer, the subscriptions with their invoices, and the slots that were claimed."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, false
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.tables import NOW
from purchases.store.rows.base import Row


class Plan(Row):
    """Purchases' own copy of the catalog's plan, kept by its facts."""

    __tablename__ = "plans"

    slug: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int]
    name: Mapped[str] = mapped_column(String(120))
    caps: Mapped[dict[str, int | None]] = mapped_column(JSONB)
    """Resource name → how many a workspace may have, null for no cap."""
    prices: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """As the fact told them: `interval`, `currency`, `price_cents`, `stripe_price_id`."""
    stripe_product_id: Mapped[str | None] = mapped_column(Text)


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
    """What of an extra one was paid back; empty until that was done and told."""
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
    """`charge_automatically` or `send_invoice`; empty until a whole snapshot was heard."""
    stripe_schedule_id: Mapped[str | None] = mapped_column(Text)
    next_charge_at: Mapped[datetime | None]
    """With `next_charge_cents` and `next_charge_currency`: Stripe's preview; or `next_charge_none` says why none."""
    next_charge_cents: Mapped[int | None] = mapped_column(BigInteger)
    next_charge_currency: Mapped[str | None] = mapped_column(String(3))
    next_charge_none: Mapped[str | None] = mapped_column(String(32))
    next_charge_as_of: Mapped[datetime | None]
    """When Stripe was asked; empty while that is not known, after each change."""
    told_at: Mapped[datetime | None]
    """The second of the newest event that showed it whole; None while only its Checkout or an invoice was heard of."""
    told_by: Mapped[str | None] = mapped_column(Text)
    """That event's id: another one of the same second is put in order by asking Stripe."""
    confirmed_at: Mapped[datetime | None]
    """The newest second of which a completed Checkout, or its first invoice, says that it was active."""
    recorded_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)


class SubscriptionInvoice(Row):
    """An invoice of a subscription, as far as was heard of it: the owner is told of a failure once."""

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


class WorkspaceResource(Row):
    """A slot that a workspace claimed for one of the host product's resources."""

    __tablename__ = "workspace_resources"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    resource: Mapped[str] = mapped_column(String(64), primary_key=True)
    resource_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    imported: Mapped[bool] = mapped_column(server_default=false(), default=False)
    """It was there when the product moved in, and counts even over the cap."""
    claimed_at: Mapped[datetime] = mapped_column(server_default=NOW)


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
    """When its share was last found to be another one than was told before."""
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
    """When its share was last found to be another one than was told before."""
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str | None] = mapped_column(Text)
    evidence_due_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
