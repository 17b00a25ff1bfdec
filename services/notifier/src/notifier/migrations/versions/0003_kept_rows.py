"""What was mailed stays known, whoever connects as the service: a key that is forgotten is a second mail."""

from alembic import op

from chassis.database.kept_rows import FUNCTION, never_deleted, taken_back, written_once

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    FUNCTION,
    *never_deleted("mails"),
    *written_once("mails", ("key", "letter", "fact_type")),
)


def upgrade() -> None:
    """Add the triggers."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop the triggers."""
    for statement in taken_back(STATEMENTS):
        op.execute(statement)
