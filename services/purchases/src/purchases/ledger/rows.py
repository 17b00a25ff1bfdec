"""Purchases, their history and their money: what came, what went back, what is disputed, what fits none."""

import uuid
from datetime import datetime
from typing import Annotated, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from purchases.ledger.transitions import Status
from purchases.tables import Row
from purchases.workspaces.rows import Workspace


class Payment(Row):
    """One paid invoice of a purchase: the money was new when it was recorded."""

    __tablename__ = "purchase_payments"

    purchase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("workspace_addon_purchases.id"), primary_key=True)
    stripe_invoice_id: Mapped[str] = mapped_column(Text, primary_key=True, index=True)
    paid_cents: Mapped[int] = mapped_column(BigInteger)
    invoice_paid_cents: Mapped[int] = mapped_column(BigInteger)
    """What the invoice's charges took in all."""
    credit_cents: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), default=0)
    """What of `paid_cents` the customer's credit balance paid; it goes back there."""
    off_stripe_cents: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), default=0)
    """What of `paid_cents` was paid outside of Stripe; it cannot go back through it."""
    shared: Mapped[bool] = mapped_column(default=False)
    """The charge also paid for something else: the plan, other purchases."""
    currency: Mapped[str] = mapped_column(String(3))
    returned: Mapped[bool] = mapped_column(default=False)
    """It found no purchase to pay and is refunded automatically."""
    charge_refunded_cents: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), default=0)
    """The cumulative figure of `charge.refunded`, until its refunds have been listed one by one."""
    recorded_at: Mapped[datetime]

    charges: Mapped[list["Charge"]] = relationship(lazy="raise", order_by="Charge.number")

    @property
    def card_cents(self) -> int:
        """Return what of `paid_cents` charges took, and can go back through them."""
        return max(0, min(self.paid_cents - self.credit_cents - self.off_stripe_cents, self.invoice_paid_cents))

    @property
    def returnable_cents(self) -> int:
        """Return what can go back through Stripe, to whatever paid it."""
        return self.card_cents + self.credit_cents

    @property
    def is_explained(self) -> bool:
        """Return whether it is known what paid it: which charges, the customer's credit, or what Stripe did not see."""
        rest = self.paid_cents - self.credit_cents - self.off_stripe_cents
        if not self.shared and rest > self.invoice_paid_cents:
            return False
        explained = sum(charge.amount_cents or 0 for charge in self.charges if charge.amount_is_known)
        named = any(charge.stripe_charge_id and not charge.amount_is_known for charge in self.charges)
        return named or explained >= self.invoice_paid_cents


class Charge(Row):
    """One charge that paid an invoice of a purchase, in whole or in part (partial payments, 2025-05-28.basil on)."""

    __tablename__ = "purchase_charges"
    __table_args__ = (
        ForeignKeyConstraint(
            ["purchase_id", "stripe_invoice_id"],
            ["purchase_payments.purchase_id", "purchase_payments.stripe_invoice_id"],
        ),
        CheckConstraint("refunded_cents between 0 and amount_cents", name="refunds_within_charge"),
    )

    purchase_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    stripe_invoice_id: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    """In the order in which they were heard of, from 1."""
    stripe_payment_intent_id: Mapped[str | None] = mapped_column(Text, index=True)
    stripe_charge_id: Mapped[str | None] = mapped_column(Text, index=True)
    amount_cents: Mapped[int | None] = mapped_column(BigInteger)
    """What it took for the invoice; empty while several are known and Stripe did not say which took how much."""
    amount_is_known: Mapped[bool] = mapped_column("amount_told", default=False)
    """Stripe said so; else it is what the other charges of the invoice leave."""
    refunded_cents: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), default=0)
    """Its live refunds as far as they are recorded, on whichever purchase of a bundle; lost disputes stand beside."""


class ParkedPayment(Row):
    """A paid invoice that names a purchase and does not fit it: nothing moved, the team was mailed once."""

    __tablename__ = "purchase_parked_payments"
    __table_args__ = (Index("parked_payments_by_time", "parked_at"),)

    purchase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("workspace_addon_purchases.id"), primary_key=True)
    stripe_invoice_id: Mapped[str] = mapped_column(Text, primary_key=True, index=True)
    amount_paid_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str] = mapped_column(Text)
    parked_at: Mapped[datetime]


class Refund(Row):
    """Money that went back to the payer, or is asked for: one row per purchase and Stripe refund or lost dispute."""

    __tablename__ = "purchase_refunds"
    __table_args__ = (
        UniqueConstraint("purchase_id", "stripe_refund_id", name="refund_of_purchase"),
        UniqueConstraint("purchase_id", "idempotency_key", name="refund_request"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    purchase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("workspace_addon_purchases.id"), index=True)
    stripe_refund_id: Mapped[str | None] = mapped_column(Text, index=True)
    """Stripe's refund, the balance transaction, or the dispute that was lost; empty while it is only `requested`."""
    kind: Mapped[str] = mapped_column(String(16), default="refund")
    """`refund`, `return` (of money that paid nothing), `credit` (given back to the balance that paid) or `dispute`."""
    refund_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(32))
    stripe_invoice_id: Mapped[str | None] = mapped_column(Text)
    """The invoice whose money went back; one that was returned is no refund of the sale."""
    charge_number: Mapped[int | None] = mapped_column(SmallInteger)
    """Which of the invoice's charges it is of; empty for the only one."""
    failure_reason: Mapped[str | None] = mapped_column(Text)
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    """Of staff's request; with `request_fingerprint` it makes a repeat a repeat."""
    request_fingerprint: Mapped[str | None] = mapped_column(String(64))
    requested_by: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Dispute(Row):
    """A cardholder's bank wants money back: one row per purchase that its charge paid."""

    __tablename__ = "purchase_disputes"

    purchase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("workspace_addon_purchases.id"), primary_key=True)
    stripe_dispute_id: Mapped[str] = mapped_column(Text, primary_key=True, index=True)
    dispute_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str | None] = mapped_column(Text)
    stripe_invoice_id: Mapped[str | None] = mapped_column(Text)
    """The invoice whose payment is disputed."""
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


WAITING_FOR_BANK: Final = "bank"


SLOT_IS_HELD: Final = "payable or status in ('pending', 'paid', 'delivered')"
"""`transitions.HOLDS_SLOT` as the index says it."""


StatusInRow = Annotated[
    Status,
    mapped_column(
        Enum(Status, native_enum=False, length=16, values_callable=lambda known: [status.value for status in known])
    ),
]
"""A status as its column holds it."""


class Purchase(Row):
    """One purchase. What was sold is copied here and never changes."""

    __tablename__ = "workspace_addon_purchases"
    __table_args__ = (
        CheckConstraint("price_cents > 0", name="price_positive"),
        UniqueConstraint("workspace_id", "idempotency_key", name="purchase_request"),
        Index(
            "purchase_slot",
            "workspace_id",
            "plan_addon_id",
            unique=True,
            postgresql_where=text(SLOT_IS_HELD),
        ),
        Index("purchases_of_workspace", "workspace_id", "started_at", "id"),
        Index("purchases_by_start", "started_at", "id"),
        Index("purchases_declined", "declined_at", postgresql_where=text("declined_at is not null")),
        Index("purchases_by_status", "status", "started_at", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    plan_addon_id: Mapped[uuid.UUID]
    addon_slug: Mapped[str] = mapped_column(String(64))
    addon_name: Mapped[str] = mapped_column(String(120))
    price_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[StatusInRow]
    payable: Mapped[bool]
    """Money may still arrive for it at Stripe; cleared when its invoice is paid, void, deleted or absent."""
    sequence: Mapped[int]

    idempotency_key: Mapped[str] = mapped_column(String(255))
    request_fingerprint: Mapped[str] = mapped_column(String(64))
    bought_by: Mapped[str] = mapped_column(Text)
    return_url: Mapped[str | None] = mapped_column(Text)
    leased_until: Mapped[datetime | None]
    """The buying request works on the row until then; nobody else decides what is only half done."""

    stripe_customer_id: Mapped[str | None] = mapped_column(Text, index=True)
    stripe_invoice_id: Mapped[str | None] = mapped_column(Text, index=True)
    stripe_payment_intent_id: Mapped[str | None] = mapped_column(Text, index=True)
    stripe_charge_id: Mapped[str | None] = mapped_column(Text, index=True)
    stripe_price_id: Mapped[str | None] = mapped_column(Text, index=True)
    stripe_checkout_session_id: Mapped[str | None] = mapped_column(Text, index=True)
    stripe_subscription_id: Mapped[str | None] = mapped_column(Text, index=True)
    action_url: Mapped[str | None] = mapped_column(Text)
    waiting_for: Mapped[str | None] = mapped_column(String(16))
    """`bank`: it has a debit, which takes days; nobody can cancel it meanwhile. Empty once it is not pending."""
    failure_code: Mapped[str | None] = mapped_column(Text)
    declined_at: Mapped[datetime | None]

    paid_cents: Mapped[int | None] = mapped_column(BigInteger)
    refunded_from: Mapped[StatusInRow | None]

    started_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    refunded_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]

    workspace: Mapped[Workspace] = relationship(lazy="raise")
    payments: Mapped[list[Payment]] = relationship(lazy="raise", order_by="Payment.recorded_at")
    refunds: Mapped[list[Refund]] = relationship(lazy="raise", order_by="Refund.recorded_at")


class Transition(Row):
    """The append-only history: replaying it gives the row. A stale line changed nothing."""

    __tablename__ = "purchase_transitions"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    purchase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("workspace_addon_purchases.id"), index=True)
    sequence: Mapped[int]
    from_status: Mapped[StatusInRow | None]
    to_status: Mapped[StatusInRow]
    trigger: Mapped[str] = mapped_column(String(64))
    stale: Mapped[bool] = mapped_column(default=False)
    actor: Mapped[str] = mapped_column(Text)
    stripe_event_id: Mapped[str | None] = mapped_column(Text, index=True)
    reason: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime]


HISTORY: Final = Row.metadata.tables[Transition.__tablename__]
"""Its lines are added, never changed."""
