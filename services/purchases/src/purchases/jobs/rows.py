"""The outbox towards Stripe."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import NOW
from purchases.tables import Row


class JobRow(Row):
    """A job: what is wanted of Stripe, done after the commit by a worker."""

    __tablename__ = "stripe_commands"
    __table_args__ = (
        Index("stripe_commands_due", "due_at", postgresql_where=text("state = 'open'")),
        Index("stripe_commands_parked", "id", postgresql_where=text("state = 'parked'")),
        Index("stripe_commands_set_aside", "ended_at", postgresql_where=text("state = 'parked'")),
        Index("stripe_commands_parked_about", "subject", postgresql_where=text("state = 'parked'")),
        Index(
            "stripe_commands_parked_for",
            text("(arguments ->> 'purchase_id')"),
            postgresql_where=text("state = 'parked'"),
        ),
        Index("stripe_commands_to_prune", "ended_at", postgresql_where=text("state in ('done', 'discarded')")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(Text, unique=True)
    subject: Mapped[str] = mapped_column(Text)
    """What it is about: a purchase's id, Stripe's id, or both."""
    arguments: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16), default="open")
    version: Mapped[int] = mapped_column(default=1)
    """How often it was enqueued: again while it runs, it runs again."""
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]
    traceparent: Mapped[str | None] = mapped_column(Text)
    """The trace of what enqueued it last."""
