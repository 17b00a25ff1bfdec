"""The plans with their prices, the audit log, and what a consumer needs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.database import message_path

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the five tables."""
    _create_plans()
    _create_plan_prices()
    _create_audit_log()
    message_path.create_inbox_and_parked()


def downgrade() -> None:
    """Drop the five tables."""
    for table in ("parked", "inbox", "audit_log", "plan_prices", "plans"):
        op.drop_table(table)


def _create_plans() -> None:
    op.create_table(
        "plans",
        sa.Column("slug", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("caps", postgresql.JSONB(), nullable=False),
        sa.Column("stripe_product_id", sa.String(255)),
        sa.Column("sequence", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("slug in ('free', 'builder')", name="plans_are_free_and_builder"),
        sa.CheckConstraint("btrim(name) <> ''", name="plans_name_is_not_blank"),
        sa.CheckConstraint("sequence > 0", name="plans_sequence_is_positive"),
        sa.CheckConstraint("jsonb_typeof(caps) = 'object'", name="plans_caps_are_an_object"),
        sa.CheckConstraint(
            "not jsonb_path_exists(caps, "
            """'$.* ? (@.type() != "null" && (@.type() != "number" || @ < 0 || @.floor() != @))')""",
            name="plans_caps_are_whole_numbers_or_null",
        ),
    )


def _create_plan_prices() -> None:
    op.create_table(
        "plan_prices",
        sa.Column("plan", sa.String(64), sa.ForeignKey("plans.slug"), primary_key=True),
        sa.Column("interval", sa.String(5), primary_key=True),
        sa.Column("currency", sa.String(3), primary_key=True),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("stripe_price_id", sa.String(255)),
        sa.CheckConstraint("interval in ('month', 'year')", name="plan_prices_interval_is_month_or_year"),
        sa.CheckConstraint("price_cents > 0", name="plan_prices_price_is_positive"),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="plan_prices_currency_is_iso_4217"),
    )


def _create_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_email", sa.Text()),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB()),
        sa.Column("after", postgresql.JSONB(), nullable=False),
    )
    op.create_index("audit_log_subject", "audit_log", ["subject", "id"])
