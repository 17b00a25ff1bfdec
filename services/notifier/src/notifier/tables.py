"""The notifier's tables: the mails, and the two of the message path that a consumer needs."""

from typing import Final

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Integer, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from chassis.tables import NOW, inbox_table, parked_table

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
    # When it may be tried next, or until when somebody is trying; null once it is sent or parked.
    Column("due_at", DateTime(timezone=True), server_default=NOW),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("last_error", Text),
    Column("sent_at", DateTime(timezone=True)),
    Column("parked_at", DateTime(timezone=True)),
    CheckConstraint("num_nonnulls(due_at, sent_at, parked_at) = 1", name="mails_have_one_state"),
    Index("mails_due", "due_at", postgresql_where=text("due_at is not null")),
    Index("mails_waiting", "queued_at", postgresql_where=text("due_at is not null")),
    Index("mails_parked", "parked_at", postgresql_where=text("parked_at is not null")),
    Index("mails_to_forget", "sent_at", postgresql_where=text("sent_at is not null and fact is not null")),
)
INBOX: Final = inbox_table(metadata)
PARKED: Final = parked_table(metadata)
