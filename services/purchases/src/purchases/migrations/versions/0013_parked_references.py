"""By which ids a parked fact concerns purchases."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the table; what is parked already is found by what it waits for, as before."""
    op.create_table(
        "parked_references",
        sa.Column("reference", sa.Text, primary_key=True),
        sa.Column("fact_id", sa.Uuid, primary_key=True),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("parked_references")
