"""Whom we sell to, and our copy of what is sold."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.tables import NOW
from purchases.store.rows.base import Row


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
    card_setup_intent_id: Mapped[str | None] = mapped_column(Text)
    """Of the card that was saved last through Checkout, at `card_saved_at`: it becomes the customer's default."""
    card_saved_at: Mapped[datetime | None]
    plan: Mapped[str] = mapped_column(String(64), server_default="free", default="free")
    """The slug of the plan that its subscription buys it."""
    sequence: Mapped[int] = mapped_column(server_default=text("0"), default=0)
    """Of the facts about it; increases by one with each."""
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
