"""The add-ons and the outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.database import message_path

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create both tables."""
    _create_plan_addons()
    message_path.create_outbox()


def downgrade() -> None:
    """Drop both tables."""
    for table in ("outbox", "plan_addons"):
        op.drop_table(table)


def _create_plan_addons() -> None:
    op.create_table(
        "plan_addons",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("slug", sa.String(64), nullable=False, unique=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("bullets", postgresql.JSONB()),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False, server_default="EUR"),
        sa.Column("stripe_price_id", sa.String(255)),
        sa.Column("is_active", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("sort_order", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("sequence", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="plan_addons_slug_is_url_safe"),
        sa.CheckConstraint("btrim(name) <> ''", name="plan_addons_name_is_not_blank"),
        sa.CheckConstraint("price_cents > 0", name="plan_addons_price_is_positive"),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="plan_addons_currency_is_iso_4217"),
        sa.CheckConstraint("sequence > 0", name="plan_addons_sequence_is_positive"),
        sa.CheckConstraint(
            "jsonb_typeof(bullets) = 'array' and jsonb_array_length(bullets) <= 8",
            name="plan_addons_bullets_are_few",
        ),
        sa.CheckConstraint(
            "not jsonb_path_exists(bullets, "
            """'$[*] ? (@.type() != "string" || @ like_regex "^.{201}" flag "s")')""",
            name="plan_addons_bullets_are_short_texts",
        ),
    )
