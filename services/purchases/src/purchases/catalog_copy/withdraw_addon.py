"""An add-on whose price Stripe does not charge is sold no more, here at once, and then by the catalog."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from chassis.database.database import Database
from chassis.outbox.outbox import publish
from chassis.process.logs import get_logger
from contracts import AddonPriceRefused
from purchases.catalog_copy import store as addons
from purchases.stripe_api.client import StripeRefused

log = get_logger(__name__)

TOO_SMALL: Final = "amount_too_small"
TOO_LARGE: Final = "amount_too_large"
NOT_CHARGED: Final = frozenset({TOO_SMALL, TOO_LARGE})
"""Stripe's codes for an amount that nobody can be charged (https://docs.stripe.com/error-codes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An add-on at what it was to be sold for; minor units of `currency`."""

    addon_id: uuid.UUID
    price_cents: int
    currency: str


async def withdraw_if_not_charged(
    database: Database, error: StripeRefused, offer: Offer, *, instance: str, asked_cents: int
) -> None:
    """Take the add-on off sale where `error` says that Stripe charges no such price, while it still costs that.

    `asked_cents`, minor units, is what Stripe was asked to charge: a coupon, a balance or tax make it another amount,
    and for what they make of it everybody else can buy the add-on.
    """
    if not is_about_the_price(error.code, price_cents=offer.price_cents, asked_cents=asked_cents):
        return
    now = datetime.now(UTC)
    async with database.transaction() as session:
        sequence = await addons.withdraw(
            session, addon_id=offer.addon_id, price_cents=offer.price_cents, currency=offer.currency
        )
        if sequence is not None:
            publish(session, _fact(str(error.code), offer, sequence, instance, now), occurred_at=now)
            log.error("addon_withdrawn", addon=str(offer.addon_id), code=error.code, message=error.message)


def is_about_the_price(code: str | None, *, price_cents: int, asked_cents: int) -> bool:
    """Return whether Stripe would refuse the price itself as it refused `asked_cents`."""
    return (code == TOO_SMALL and price_cents <= asked_cents) or (code == TOO_LARGE and price_cents >= asked_cents)


def _fact(code: str, offer: Offer, sequence: int, instance: str, now: datetime) -> AddonPriceRefused:
    return AddonPriceRefused(
        addon_id=offer.addon_id,
        sequence=sequence,
        occurred_at=now,
        price_cents=offer.price_cents,
        currency=offer.currency,
        stripe_code=code,
        quittance_instance=instance,
    )
