"""Slugs and the audit log stay as they were written, whoever connects as the service."""

from alembic import op

from chassis.database.kept_rows import FUNCTION, never_changed, never_deleted, taken_back, written_once

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    FUNCTION,
    *never_changed("audit_log"),
    *never_deleted("plan_addons"),
    *written_once("plan_addons", ("slug", "id", "created_at")),
    *never_deleted("plans"),
    *written_once("plans", ("slug", "created_at")),
)


def upgrade() -> None:
    """Add the triggers."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop the triggers."""
    for statement in taken_back(STATEMENTS):
        op.execute(statement)
