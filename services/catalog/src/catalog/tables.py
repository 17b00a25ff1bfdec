"""The catalog's tables: plan_addons, shared by all workspaces, and the outbox."""

from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, DateTime, String, Text, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from catalog.limits import BULLET_LENGTH, BULLETS, NAME_LENGTH, SLUG_LENGTH
from chassis.tables import outbox_table


class Table(DeclarativeBase):
    """Holds the metadata that the models and Alembic share."""


metadata: Final = Table.metadata
outbox: Final = outbox_table(metadata)


class Addon(Table):
    """A one-time service that workspaces can buy. Never deleted: the ledger refers to it by its id."""

    __tablename__ = "plan_addons"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    slug: Mapped[str] = mapped_column(String(SLUG_LENGTH), unique=True)
    """Locked once written: Stripe metadata refers to it."""
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    description: Mapped[str | None] = mapped_column(Text)
    bullets: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    price_cents: Mapped[int] = mapped_column(BigInteger)
    """Minor units of `currency`."""
    currency: Mapped[str] = mapped_column(String(3), server_default="EUR")
    stripe_price_id: Mapped[str | None] = mapped_column(String(255))
    """Empty until the first purchase; cleared when price or currency changes, since a Stripe price is immutable."""
    is_active: Mapped[bool] = mapped_column(server_default=false())
    sort_order: Mapped[int] = mapped_column(server_default=text("0"))
    sequence: Mapped[int] = mapped_column(server_default=text("1"))
    """Increases by one with each change; the admin pages' ETag and the fact's place among the add-on's facts."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="plan_addons_slug_is_url_safe"),
        CheckConstraint("btrim(name) <> ''", name="plan_addons_name_is_not_blank"),
        CheckConstraint("price_cents > 0", name="plan_addons_price_is_positive"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="plan_addons_currency_is_iso_4217"),
        CheckConstraint("sequence > 0", name="plan_addons_sequence_is_positive"),
        CheckConstraint(
            f"jsonb_typeof(bullets) = 'array' and jsonb_array_length(bullets) <= {BULLETS}",
            name="plan_addons_bullets_are_few",
        ),
        CheckConstraint(
            "not jsonb_path_exists(bullets, "
            f"""'$[*] ? (@.type() != "string" || @ like_regex "^.{{{BULLET_LENGTH + 1}}}" flag "s")')""",
            name="plan_addons_bullets_are_short_texts",
        ),
    )
