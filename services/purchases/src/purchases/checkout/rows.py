"""Checkout sessions that sell the plan, alone or with add-ons."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from purchases.tables import Row

LIVE = "state in ('asking', 'open')"


class CheckoutSession(Row):
    """One request for a Checkout of the plan, committed before its session is opened at Stripe."""

    __tablename__ = "checkout_sessions"
    __table_args__ = (
        UniqueConstraint("workspace_id", "idempotency_key", name="checkout_request"),
        Index("checkout_live", "workspace_id", unique=True, postgresql_where=text(LIVE)),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    stripe_session_id: Mapped[str | None] = mapped_column(Text, unique=True)
    stripe_customer_id: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    """`asking` (Stripe's answer is not known), `open`, `complete` or `expired`; one of the first two per workspace."""
    payment_status: Mapped[str | None] = mapped_column(String(32))
    """Stripe's word once it is complete: `unpaid` while a bank is at work; ours: `failed` when that came to nothing."""
    plan: Mapped[str] = mapped_column(String(64))
    interval: Mapped[str] = mapped_column(String(16))
    currency: Mapped[str] = mapped_column(String(3))
    stripe_price_id: Mapped[str] = mapped_column(Text)
    purchase_ids: Mapped[list[str]]
    """The bundle: what is sold besides the plan, in the order of the request."""
    success_url: Mapped[str] = mapped_column(Text)
    cancel_url: Mapped[str] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    idempotency_key: Mapped[str] = mapped_column(String(255))
    request_fingerprint: Mapped[str] = mapped_column(String(64))
    asked_by: Mapped[str] = mapped_column(Text)
    leased_until: Mapped[datetime | None]
    """The request that opens the session works on it until then; nobody else decides what became of it."""
    attempt: Mapped[int] = mapped_column(server_default="1", default=1)
    """Grows when Stripe answered 5xx, which it repeats for ever under one key: the next request has another."""
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
