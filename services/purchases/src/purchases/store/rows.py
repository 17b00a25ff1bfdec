"""The tables of the ledger, as SQLAlchemy rows."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Index,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from chassis.tables import NOW, inbox_table, outbox_table, parked_table
from purchases.domain.transitions import Status

HOLDS_SLOT = "payable or status in ('pending', 'paid', 'delivered')"


class Row(DeclarativeBase):
    """Every table of this service's database."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own form
        datetime: DateTime(timezone=True),
        uuid.UUID: Uuid,
        dict[str, Any]: JSONB,
        list[str]: JSONB,
        Status: Enum(
            Status, native_enum=False, length=16, values_callable=lambda status: [one.value for one in status]
        ),
    }


class Workspace(Row):
    """A workspace of the host product, as it registered it."""

    __tablename__ = "workspaces"

    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    owner_user_id: Mapped[str] = mapped_column(String(128))
    owner_email: Mapped[str] = mapped_column(String(320))
    stripe_customer_id: Mapped[str | None] = mapped_column(Text, unique=True)
    customer_asked_at: Mapped[datetime | None]
    """When Stripe was first asked for the customer; after 24 h it may have forgotten the idempotency key."""
    registered_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Addon(Row):
    """Purchases' own copy of the catalog, kept by its facts: no service asks another in the buying path."""

    __tablename__ = "addons"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int]
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str | None] = mapped_column(Text)
    bullets: Mapped[list[str]]
    price_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    stripe_price_id: Mapped[str | None] = mapped_column(Text)
    is_active: Mapped[bool]
    sort_order: Mapped[int]


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
            postgresql_where=text(HOLDS_SLOT),
        ),
        Index("purchases_of_workspace", "workspace_id", "started_at"),
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

    stripe_customer_id: Mapped[str | None] = mapped_column(Text)
    stripe_invoice_id: Mapped[str | None] = mapped_column(Text, unique=True)
    stripe_payment_intent_id: Mapped[str | None] = mapped_column(Text, index=True)
    stripe_charge_id: Mapped[str | None] = mapped_column(Text, index=True)
    stripe_price_id: Mapped[str | None] = mapped_column(Text)
    stripe_checkout_session_id: Mapped[str | None] = mapped_column(Text, index=True)
    stripe_subscription_id: Mapped[str | None] = mapped_column(Text, index=True)
    action_url: Mapped[str | None] = mapped_column(Text)
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
    payments: Mapped[list["Payment"]] = relationship(lazy="raise", order_by="Payment.recorded_at")
    refunds: Mapped[list["Refund"]] = relationship(lazy="raise", order_by="Refund.recorded_at")


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
    stripe_event_id: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime]


class Payment(Row):
    """One paid invoice of a purchase: the money was new when it was recorded."""

    __tablename__ = "purchase_payments"

    purchase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("workspace_addon_purchases.id"), primary_key=True)
    stripe_invoice_id: Mapped[str] = mapped_column(Text, primary_key=True)
    stripe_payment_intent_id: Mapped[str | None] = mapped_column(Text, index=True)
    stripe_charge_id: Mapped[str | None] = mapped_column(Text, index=True)
    paid_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    returned: Mapped[bool] = mapped_column(default=False)
    """It found no purchase to pay and is refunded automatically."""
    charge_refunded_cents: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), default=0)
    """The cumulative figure of `charge.refunded`, until its refunds have been listed one by one."""
    recorded_at: Mapped[datetime]


class ParkedPayment(Row):
    """A paid invoice that names a purchase and does not fit it: nothing moved, the team was told once."""

    __tablename__ = "purchase_parked_payments"

    purchase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("workspace_addon_purchases.id"), primary_key=True)
    stripe_invoice_id: Mapped[str] = mapped_column(Text, primary_key=True)
    amount_paid_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str] = mapped_column(Text)
    parked_at: Mapped[datetime]


class Refund(Row):
    """One Stripe refund of a purchase, by its id."""

    __tablename__ = "purchase_refunds"

    stripe_refund_id: Mapped[str] = mapped_column(Text, primary_key=True)
    purchase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("workspace_addon_purchases.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16), default="refund")
    refund_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(32))
    stripe_invoice_id: Mapped[str | None] = mapped_column(Text)
    """The invoice whose money went back; one that was returned is no refund of the sale."""
    failure_reason: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class StripeCommand(Row):
    """What a handler wants from Stripe: the outbox towards it, carried out after the commit by the worker."""

    __tablename__ = "stripe_commands"
    __table_args__ = (Index("stripe_commands_due", "due_at", postgresql_where=text("state = 'open'")),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(Text, unique=True)
    subject: Mapped[str] = mapped_column(Text)
    """What it is about: a purchase's id, Stripe's id, or both."""
    arguments: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16), default="open")
    version: Mapped[int] = mapped_column(default=1)
    """Counts the askings: one that came while the command ran makes it run again."""
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]


OUTBOX = outbox_table(Row.metadata)
INBOX = inbox_table(Row.metadata)
PARKED = parked_table(Row.metadata)
