"""The trace of the fact that called for a mail."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; null where nothing was traced, and in what earlier versions write."""
    op.add_column("mails", sa.Column("traceparent", sa.Text()))


def downgrade() -> None:
    """Forget the traces."""
    op.drop_column("mails", "traceparent")
