"""The history of the message path's tables, step by step, for the migrations of each service that has them.

Migrations stand for ever: what a step writes is never changed. What the tables are now, `tables.py` says.
"""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

ONE_A_PLACE: Final = """
    delete from parked younger using parked older
    where younger.id > older.id and (younger.consumer, younger.topic, younger.partition, younger."offset")
        = (older.consumer, older.topic, older.partition, older."offset")
"""
CURRENT_EPOCH: Final = (
    "create function current_epoch() returns bigint language sql stable as 'select max(epoch) from epochs'"
)


def create_outbox() -> None:
    """Create the table of facts that Kafka has not yet acknowledged."""
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("fact_id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        written_at("created_at"),
    )


def create_inbox_and_parked() -> None:
    """Create the tables of what a consumer has applied, and of what it has set aside."""
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.Text(), primary_key=True),
        sa.Column("fact_id", sa.Uuid(), primary_key=True),
        written_at("received_at"),
    )
    op.create_index("inbox_received_at", "inbox", ["received_at"])
    op.create_table(
        "parked",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("fact_id", sa.Uuid()),
        sa.Column("type", sa.Text()),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary()),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("value", sa.LargeBinary()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("waits_for", sa.Text()),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        written_at("parked_at"),
        sa.Column("retry_at", sa.DateTime(timezone=True)),
        sa.Column("resolved_at", sa.DateTime(timezone=True)),
        sa.Column("resolution", sa.Text()),
        sa.UniqueConstraint("consumer", "topic", "partition", "offset", name="parked_record"),
    )
    op.create_index("parked_fact", "parked", ["consumer", "fact_id"], unique=True)
    _index_by_need()


def index_what_is_parked() -> None:
    """Make the indexes of what is asked often, whatever the size of the table."""
    op.drop_index("parked_waits_for", "parked")
    op.drop_index("parked_due", "parked")
    _index_parked("parked_waits_for", "waits_for", where="waits_for is not null")
    _index_parked("parked_due", "consumer", "retry_at", where="resolved_at is null and retry_at is not null")
    _index_parked("parked_open", "consumer", "parked_at", where="resolved_at is null")
    _index_parked("parked_resolved", "consumer", "parked_at", where="resolved_at is not null")


def index_what_is_open() -> None:
    """Take `index_what_is_parked` back."""
    for index in ("parked_waits_for", "parked_due", "parked_open", "parked_resolved"):
        op.drop_index(index, "parked")
    _index_by_need()


def add_digests() -> None:
    """Know bodies by their digests; a place on a topic is not unique, since a topic can be made anew."""
    op.add_column("inbox", sa.Column("digest", sa.BigInteger()))
    op.add_column("parked", sa.Column("digest", sa.LargeBinary()))
    op.drop_constraint("parked_record", "parked")
    place = ("consumer", "topic", "partition", "offset", "digest")
    _index_parked("parked_record", *place, where="fact_id is null", unique=True)


def drop_digests() -> None:
    """Take `add_digests` back; of records without a fact that came to one place, the oldest is kept."""
    op.drop_index("parked_record", "parked")
    op.execute(ONE_A_PLACE)
    op.create_unique_constraint("parked_record", "parked", ["consumer", "topic", "partition", "offset"])
    op.drop_column("inbox", "digest")
    op.drop_column("parked", "digest")


def index_what_is_resolved() -> None:
    """Make the index by which what is resolved for long is deleted."""
    _index_parked("parked_to_prune", "consumer", "resolved_at", where="resolved_at is not null")


def create_epochs() -> None:
    """Create what finds a restored copy: acknowledged offsets, and the database's epochs, of which this is the first.

    The default comes after the column, so that no row is rewritten.
    """
    op.create_table(
        "relay_offsets",
        sa.Column("topic", sa.Text(), primary_key=True),
        sa.Column("partition", sa.Integer(), primary_key=True),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "epochs",
        sa.Column("epoch", sa.BigInteger(), primary_key=True, autoincrement=False),
        written_at("began_at"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("stretches", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'::jsonb")),
        sa.Column("missing_facts", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("ended_by", sa.Text()),
        sa.Column("end_reason", sa.Text()),
    )
    op.execute("insert into epochs (epoch, reason, ended_at) values (0, 'the first', clock_timestamp())")
    op.execute(CURRENT_EPOCH)
    op.add_column("outbox", sa.Column("epoch", sa.BigInteger()))
    op.alter_column("outbox", "epoch", server_default=sa.text("current_epoch()"))


def drop_epochs() -> None:
    """Take `create_epochs` back."""
    op.drop_column("outbox", "epoch")
    op.execute("drop function current_epoch()")
    op.drop_table("epochs")
    op.drop_table("relay_offsets")


def create_sent_facts() -> None:
    """Create the copies of what was sent; what was sent before is on Kafka alone."""
    op.create_table(
        "sent_facts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("fact_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger()),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        written_at("sent_at"),
    )
    op.create_index("sent_facts_sent_at", "sent_facts", ["sent_at"])


def written_at(name: str) -> sa.Column[Any]:
    """Return a column that says when its row was written, by the database's clock."""
    now = sa.func.clock_timestamp()
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=now)


def _index_parked(name: str, *columns: str, where: str, unique: bool = False) -> None:
    op.create_index(name, "parked", columns, unique=unique, postgresql_where=sa.text(where))


def _index_by_need() -> None:
    _index_parked("parked_waits_for", "waits_for", where="resolved_at is null")
    _index_parked("parked_due", "retry_at", where="resolved_at is null and retry_at is not null")
