"""Any bytes can be set aside, and an id that comes again with another body is noticed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Know bodies by their digests; a place on a topic is not unique, since a topic can be made anew."""
    op.add_column("inbox", sa.Column("digest", sa.BigInteger()))
    op.add_column("parked", sa.Column("digest", sa.LargeBinary()))
    op.drop_constraint("parked_record", "parked")
    op.create_index(
        "parked_record",
        "parked",
        ["consumer", "topic", "partition", "offset", "digest"],
        unique=True,
        postgresql_where=sa.text("fact_id is null"),
    )
