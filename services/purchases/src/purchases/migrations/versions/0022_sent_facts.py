"""What was sent to Kafka, kept as long as Kafka keeps it: it may lose its topics."""

from alembic import op

from chassis.database import message_path

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; what was sent before is on Kafka alone."""
    message_path.create_sent_facts()


def downgrade() -> None:
    """Forget it."""
    op.drop_table("sent_facts")
