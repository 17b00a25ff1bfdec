"""The tables of the message path; a service puts those that it needs into its own MetaData."""

from typing import Final

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

NOW = func.clock_timestamp()
FIRST_EPOCH: Final = "insert into epochs (epoch, reason, ended_at) values (0, 'the first', clock_timestamp())"
CURRENT_EPOCH: Final = (
    "create or replace function current_epoch() returns bigint language sql stable as 'select max(epoch) from epochs'"
)


def outbox_table(metadata: MetaData) -> Table:
    """Facts that were committed and that Kafka has not yet acknowledged; the relay deletes what it sent.

    Beside it stand the offsets up to which Kafka acknowledged, and the database's epochs.
    """
    _relay_offsets_table(metadata)
    epochs = _epochs_table(metadata)
    table = Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("fact_id", Uuid, nullable=False, unique=True),
        Column("topic", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW),
        # Given by the statement that inserts; empty in rows of before there were epochs, which is the first one.
        Column("epoch", BigInteger, server_default=text("current_epoch()")),
    )
    table.add_is_dependent_on(epochs)
    return table


def _relay_offsets_table(metadata: MetaData) -> Table:
    """Up to where each partition of this service's own topics was acknowledged, in the transaction of the delete."""
    return Table(
        "relay_offsets",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("next_offset", BigInteger, nullable=False),
    )


def _epochs_table(metadata: MetaData) -> Table:
    """Define the table of a database's lives, from one restored copy to the next; without an end: not read back yet."""
    table = Table(
        "epochs",
        metadata,
        Column("epoch", BigInteger, primary_key=True, autoincrement=False),
        Column("began_at", DateTime(timezone=True), nullable=False, server_default=NOW),
        Column("reason", Text, nullable=False),
        # Of each partition, the offsets that hold facts which this database had forgotten: [topic, number, from, to].
        Column("stretches", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
        Column("missing_facts", BigInteger, nullable=False, server_default=text("0")),
        Column("ended_at", DateTime(timezone=True)),
        Column("ended_by", Text),
        Column("end_reason", Text),
    )
    for statement in (FIRST_EPOCH, CURRENT_EPOCH):
        event.listen(table, "after_create", DDL(statement))  # type: ignore[no-untyped-call]
    return table


def sent_facts_table(metadata: MetaData) -> Table:
    """Facts that Kafka confirmed and may lose: kept as they were sent, for as long as their topics keep them."""
    return Table(
        "sent_facts",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("fact_id", Uuid, nullable=False),
        # Part of the id under which it was published.
        Column("epoch", BigInteger),
        Column("topic", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("sent_at", DateTime(timezone=True), nullable=False, server_default=NOW),
        Index("sent_facts_sent_at", "sent_at"),
    )


def inbox_table(metadata: MetaData) -> Table:
    """Ids of the facts that each consumer has applied; kept for at least a year."""
    return Table(
        "inbox",
        metadata,
        Column("consumer", Text, primary_key=True),
        Column("fact_id", Uuid, primary_key=True),
        Column("received_at", DateTime(timezone=True), nullable=False, server_default=NOW),
        # Of the body, so that an id that comes again with another one is noticed.
        Column("digest", BigInteger),
        Index("inbox_received_at", "received_at"),
    )


def parked_table(metadata: MetaData) -> Table:
    """Define the table of records set aside: their bytes, their reason and the id that they wait for."""
    return Table(
        "parked",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("consumer", Text, nullable=False),
        Column("fact_id", Uuid),
        Column("type", Text),
        Column("topic", Text, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("key", LargeBinary),
        Column("headers", JSONB, nullable=False),
        Column("value", LargeBinary),
        Column("reason", Text, nullable=False),
        Column("waits_for", Text),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("parked_at", DateTime(timezone=True), nullable=False, server_default=NOW),
        Column("retry_at", DateTime(timezone=True)),
        Column("resolved_at", DateTime(timezone=True)),
        Column("resolution", Text),
        # Of key, value and headers of a record that holds no fact: at its place lies another once the topic is new.
        Column("digest", LargeBinary),
        Index(
            "parked_record",
            "consumer",
            "topic",
            "partition",
            "offset",
            "digest",
            unique=True,
            postgresql_where=text("fact_id is null"),
        ),
        Index("parked_fact", "consumer", "fact_id", unique=True),
        # Also of what is resolved: the sweep asks whether something was ever set aside.
        Index("parked_waits_for", "waits_for", postgresql_where=text("waits_for is not null")),
        Index(
            "parked_due",
            "consumer",
            "retry_at",
            postgresql_where=text("resolved_at is null and retry_at is not null"),
        ),
        Index("parked_open", "consumer", "parked_at", postgresql_where=text("resolved_at is null")),
        Index("parked_resolved", "consumer", "parked_at", postgresql_where=text("resolved_at is not null")),
        Index("parked_to_prune", "consumer", "resolved_at", postgresql_where=text("resolved_at is not null")),
    )
