"""Whom we sell to."""

from datetime import datetime
from typing import Final

from sqlalchemy import String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import NOW
from purchases.tables import Row

UNKNOWN_OWNER: Final = ""
"""Of a workspace that was read back from facts, which do not say whose it is: its next registration does."""


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
