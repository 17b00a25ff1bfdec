"""What Stripe refused, kept for staff."""

import sqlalchemy as sa
from alembic import op

from chassis.database import message_path

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "stripe_refusals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("key", sa.Text(), nullable=False, unique=True),
        sa.Column("workspace_id", sa.String(128), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=True),
        sa.Column("call", sa.String(64), nullable=False),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("param", sa.Text(), nullable=True),
        sa.Column("stripe_request_id", sa.Text(), nullable=True),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        message_path.written_at("first_at"),
        message_path.written_at("last_at"),
    )
    op.create_index("stripe_refusals_newest", "stripe_refusals", ["last_at", "id"])
    for column in ("workspace_id", "purchase_id"):
        op.create_index(f"ix_stripe_refusals_{column}", "stripe_refusals", [column])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("stripe_refusals")
