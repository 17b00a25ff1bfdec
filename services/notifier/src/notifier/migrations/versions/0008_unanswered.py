"""How often a mail was handed over and nobody said whether it was taken."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; 0 of what was tried before, which nobody counted."""
    op.add_column("mails", sa.Column("unanswered", sa.Integer(), nullable=False, server_default=sa.text("0")))


def downgrade() -> None:
    """Forget it: a mail in doubt may go out three times more."""
    op.drop_column("mails", "unanswered")
