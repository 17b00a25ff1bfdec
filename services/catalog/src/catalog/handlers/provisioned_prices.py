"""What Stripe makes of add-ons' prices, while they still are: kept where one was made, off sale where it refused."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from catalog import store
from catalog.actors import PURCHASES
from catalog.handlers.addons import change_addon
from catalog.tables import Addon
from chassis.process.logs import get_logger
from contracts import AddonPriceProvisioned, AddonPriceRefused

log = get_logger(__name__)


async def apply_addon_prices(
    *,
    session: AsyncSession,
    facts: Sequence[AddonPriceProvisioned | AddonPriceRefused],
    instance: str,
    now: datetime,
) -> None:
    """Apply each fact whose add-on still costs that: store the price id, of two the later fact's; or take it off sale.

    Others are left alone.
    """
    addons = await store.lock_addons(session, {fact.addon_id for fact in facts})
    for fact in facts:
        addon = addons.get(fact.addon_id)
        reason = _misfit(fact, addon, instance)
        if addon is None or reason:
            log.info("addon_price_left_alone", addon=str(fact.addon_id), type=fact.TYPE, reason=reason)
        elif isinstance(fact, AddonPriceRefused):
            _take_off_sale(session, addon, fact, now)
        else:
            changes: dict[str, object] = {"stripe_price_id": fact.stripe_price_id}
            change_addon(session, addon, changes, action="price-provisioned", by=PURCHASES, now=now)


def _take_off_sale(session: AsyncSession, addon: Addon, fact: AddonPriceRefused, now: datetime) -> None:
    """Withdraw what Stripe does not charge. Staff see why in the add-on's history, and can sell it at another one."""
    log.error("addon_withdrawn", addon=str(addon.id), code=fact.stripe_code)
    change_addon(session, addon, {"is_active": False}, action="refused-by-stripe", by=PURCHASES, now=now)


def _misfit(fact: AddonPriceProvisioned | AddonPriceRefused, addon: Addon | None, instance: str) -> str | None:
    """Return why this price is not the add-on's, or None when it is."""
    if fact.quittance_instance != instance:
        return "another instance's"
    if addon is None:
        return "no such add-on"
    if (fact.price_cents, fact.currency) != (addon.price_cents, addon.currency):
        return "the add-on costs something else now"
    return None
