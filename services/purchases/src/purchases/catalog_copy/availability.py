"""Whether an add-on is for sale, at the price that the buyer saw: every sale checks it first."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.problems import Problem
from purchases.catalog_copy import store as addons
from purchases.catalog_copy.rows import Addon


async def sellable(session: AsyncSession, slug: str) -> Addon:
    """Return the add-on. Raises Problem 404 for one that does not exist, 409 for one that is not active."""
    addon = await addons.by_slug(session, slug)
    if addon is None:
        raise addon_not_found(slug)
    if not addon.is_active:
        raise addon_inactive(slug)
    return addon


def addon_not_found(slug: str) -> Problem:
    return Problem(404, "addon-not-found", "There is no such add-on", addon=slug)


def addon_inactive(slug: str) -> Problem:
    return Problem(409, "addon-inactive", "This add-on is not for sale", addon=slug)


def price_changed(addon: Addon) -> Problem:
    """Return a 409: the price that the buyer saw is not the one it is sold at."""
    return Problem(
        409,
        "price-changed",
        "The price has changed",
        "Nothing was charged. Show the new price and ask again.",
        price_cents=addon.price_cents,
        currency=addon.currency,
    )
