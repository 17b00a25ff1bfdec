"""The trace of what enqueued a job."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; null where nothing was traced, and in what earlier versions write."""
    op.add_column("stripe_commands", sa.Column("traceparent", sa.Text()))


def downgrade() -> None:
    """Forget the traces."""
    op.drop_column("stripe_commands", "traceparent")
