"""What Stripe refused, kept for staff."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Identity, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import NOW
from purchases.tables import Row


class StripeRefusal(Row):
    """A request that Stripe refused for what it said; the same one again counts up. Kept for 90 days."""

    __tablename__ = "stripe_refusals"
    __table_args__ = (Index("stripe_refusals_newest", "last_at", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    """Who asked, which call, which code: what makes two refusals the same."""
    workspace_id: Mapped[str] = mapped_column(String(128), index=True)
    purchase_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    call: Mapped[str] = mapped_column(String(64))
    """Our name of the request: `draft`, `setup_session`, `portal_session`, …"""
    http_status: Mapped[int | None]
    code: Mapped[str | None] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    """Stripe's words, secrets masked."""
    param: Mapped[str | None] = mapped_column(Text)
    stripe_request_id: Mapped[str | None] = mapped_column(Text)
    times: Mapped[int] = mapped_column(server_default="1", default=1)
    first_at: Mapped[datetime] = mapped_column(server_default=NOW)
    last_at: Mapped[datetime] = mapped_column(server_default=NOW)
