"""The ledger: purchases and their history."""

import uuid
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from purchases.domain.transitions import Status
from purchases.store.rows.base import Row
from purchases.store.rows.money import Payment, Refund
from purchases.store.rows.registry import Workspace

WAITING_FOR_BANK: Final = "bank"
SLOT_IS_HELD: Final = "payable or status in ('pending', 'paid', 'delivered')"
"""`transitions.HOLDS_SLOT` as the index says it."""


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
    status: Mapped[Status]
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
    refunded_from: Mapped[Status | None]

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
    from_status: Mapped[Status | None]
    to_status: Mapped[Status]
    trigger: Mapped[str] = mapped_column(String(64))
    stale: Mapped[bool] = mapped_column(default=False)
    actor: Mapped[str] = mapped_column(Text)
    stripe_event_id: Mapped[str | None] = mapped_column(Text, index=True)
    reason: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime]


HISTORY: Final = Row.metadata.tables[Transition.__tablename__]
"""Its lines are added, never changed."""
