"""How far the comparison with Stripe's lists has come, and the plan's money that the ledger lacks."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the column; notes of before are of purchases only."""
    op.create_table(
        "sweep_passes",
        sa.Column("reach", sa.String(16), nullable=False),
        sa.Column("step", sa.String(16)),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_before", sa.DateTime(timezone=True)),
        sa.Column("after_id", sa.Text()),
        sa.Column("compared_until", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("reach"),
    )
    op.add_column(
        "stripe_unrecorded_payments", sa.Column("of_plan", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    """Forget how far it has come: the next pass begins anew; notes of the plan's money would never be taken back."""
    op.execute("delete from stripe_unrecorded_payments where of_plan")
    op.drop_column("stripe_unrecorded_payments", "of_plan")
    op.drop_table("sweep_passes")
