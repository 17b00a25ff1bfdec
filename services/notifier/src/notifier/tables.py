"""The notifier's tables: the mails, what was decided about parked ones, and the two of the message path."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database.tables import NOW, inbox_table, parked_table

metadata: Final = MetaData()

MAILS: Final = Table(
    "mails",
    metadata,
    # Letter, purchase and, where there are several, refund or invoice: the same fact never makes a second row.
    Column("key", Text, primary_key=True),
    Column("letter", Text, nullable=False),
    Column("fact_type", Text, nullable=False),
    # Rendered when it is sent, so that a letter can be mended; null once the mail is old (personal data).
    Column("fact", JSONB(none_as_null=True)),
    Column("queued_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    # When it may be tried next, or until when somebody is trying; null once it is sent, parked or ended.
    Column("due_at", DateTime(timezone=True), server_default=NOW),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    # How often it was handed over and nobody said whether it was taken.
    Column("unanswered", Integer, nullable=False, server_default=text("0")),
    Column("last_error", Text),
    Column("sent_at", DateTime(timezone=True)),
    Column("parked_at", DateTime(timezone=True)),
    # Staff have decided that it is never sent.
    Column("ended_at", DateTime(timezone=True)),
    # The trace of the fact that called for it.
    Column("traceparent", Text),
    CheckConstraint("num_nonnulls(due_at, sent_at, parked_at, ended_at) = 1", name="mails_have_one_state"),
    Index("mails_due", "due_at", postgresql_where=text("due_at is not null")),
    Index("mails_waiting", "queued_at", postgresql_where=text("due_at is not null")),
    Index("mails_parked", "parked_at", postgresql_where=text("parked_at is not null")),
    Index("mails_to_forget", "sent_at", postgresql_where=text("sent_at is not null and fact is not null")),
    Index("mails_ended_to_forget", "ended_at", postgresql_where=text("ended_at is not null and fact is not null")),
)
DECISIONS: Final = Table(
    "parked_decisions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # As staff see it: `mail-…`, `fact-12`.
    Column("item", Text, nullable=False),
    # `retry` or `discard`.
    Column("decision", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text),
    Column("at", DateTime(timezone=True), nullable=False, server_default=NOW),
    Index("parked_decisions_item", "item", "id"),
)
INBOX: Final = inbox_table(metadata)
PARKED: Final = parked_table(metadata)
