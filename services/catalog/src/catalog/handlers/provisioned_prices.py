"""Keeps the Stripe prices that purchases made for add-ons, while they are still the right ones."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from catalog import store
from catalog.actors import PURCHASES
from catalog.handlers.addons import change_addon
from catalog.tables import Addon
from chassis.logs import get_logger
from contracts import AddonPriceProvisioned

log = get_logger(__name__)


async def keep_stripe_prices(
    *, session: AsyncSession, provisioned: Sequence[AddonPriceProvisioned], instance: str, now: datetime
) -> None:
    """Store each price id whose add-on still costs that; of two that fit, the one told last. Others are left alone."""
    addons = await store.locked_addons(session, {fact.addon_id for fact in provisioned})
    for fact in provisioned:
        addon = addons.get(fact.addon_id)
        reason = _misfit(fact, addon, instance)
        if addon is None or reason:
            log.info("stripe_price_left_alone", addon=str(fact.addon_id), price=fact.stripe_price_id, reason=reason)
        else:
            changes: dict[str, object] = {"stripe_price_id": fact.stripe_price_id}
            change_addon(session, addon, changes, action="price-provisioned", by=PURCHASES, now=now)


def _misfit(fact: AddonPriceProvisioned, addon: Addon | None, instance: str) -> str | None:
    """Why this price is not the add-on's, or None when it is."""
    if fact.quittance_instance != instance:
        return "another instance's"
    if addon is None:
        return "no such add-on"
    if (fact.price_cents, fact.currency) != (addon.price_cents, addon.currency):
        return "the add-on costs something else now"
    return None
