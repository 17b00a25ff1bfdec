"""The catalog's tables: what can be bought, who changed it, and the message path."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, String, Text, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from catalog.limits import BULLET_LENGTH, BULLETS, NAME_LENGTH, SLUG_LENGTH
from chassis.database.tables import inbox_table, outbox_table, parked_table


class Table(DeclarativeBase):
    """Holds the metadata that the models and Alembic share."""


metadata: Final = Table.metadata
outbox: Final = outbox_table(metadata)
inbox: Final = inbox_table(metadata)
parked: Final = parked_table(metadata)


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


class PlanPrice(Table):
    """What a plan costs per interval in one currency. Changed only under the lock of its plan."""

    __tablename__ = "plan_prices"

    plan: Mapped[str] = mapped_column(ForeignKey("plans.slug"), primary_key=True)
    interval: Mapped[str] = mapped_column(String(5), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    price_cents: Mapped[int] = mapped_column(BigInteger)
    """Minor units of `currency`."""
    stripe_price_id: Mapped[str | None] = mapped_column(String(255))
    """Empty until purchases, or `bootstrap-stripe`, made or found it: the price is not sold yet."""
    pending_price_cents: Mapped[int | None] = mapped_column(BigInteger)
    """What it was edited to, while the old price sells until there is a Stripe price for it, which is immutable."""

    __table_args__ = (
        CheckConstraint("interval in ('month', 'year')", name="plan_prices_interval_is_month_or_year"),
        CheckConstraint("price_cents > 0", name="plan_prices_price_is_positive"),
        CheckConstraint("pending_price_cents > 0", name="plan_prices_pending_price_is_positive"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="plan_prices_currency_is_iso_4217"),
    )


class Plan(Table):
    """What a workspace may have: `free`, or `builder` while its subscription lasts."""

    __tablename__ = "plans"

    slug: Mapped[str] = mapped_column(String(SLUG_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    caps: Mapped[dict[str, int | None]] = mapped_column(JSONB)
    """Resource name → how many a workspace may have, null for no cap."""
    stripe_product_id: Mapped[str | None] = mapped_column(String(255))
    sequence: Mapped[int] = mapped_column(server_default=text("1"))
    """As of an add-on; a change of its prices is a change of the plan."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    prices: Mapped[list[PlanPrice]] = relationship(lazy="selectin", cascade="all, delete-orphan")

    __table_args__ = (
        CheckConstraint("slug in ('free', 'builder')", name="plans_are_free_and_builder"),
        CheckConstraint("btrim(name) <> ''", name="plans_name_is_not_blank"),
        CheckConstraint("sequence > 0", name="plans_sequence_is_positive"),
        CheckConstraint("jsonb_typeof(caps) = 'object'", name="plans_caps_are_an_object"),
        CheckConstraint(
            "not jsonb_path_exists(caps, "
            """'$.* ? (@.type() != "null" && (@.type() != "number" || @ < 0 || @.floor() != @))')""",
            name="plans_caps_are_whole_numbers_or_null",
        ),
    )


class AuditEntry(Table):
    """One change of an add-on or a plan: who, what, before, after, when. Written with the change, and never again."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    """Increases with time for one subject, whose row is locked while it is changed."""
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    actor: Mapped[str] = mapped_column(Text)
    """`staff:` and the token's subject, or `quittance:` and the part of ours that did it."""
    actor_email: Mapped[str | None] = mapped_column(Text)
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(Text)
    """`addon:` and its id, or `plan:` and its slug."""
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The whole state as its fact stated it; null for what was not there."""
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (Index("audit_log_subject", "subject", "id"),)
