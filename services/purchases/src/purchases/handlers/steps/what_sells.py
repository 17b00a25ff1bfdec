"""What every sale asks first: is the add-on for sale, and is its place in the workspace free?"""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.problems import Problem
from purchases.domain.transitions import HOLDS_SLOT
from purchases.store import addons
from purchases.store.rows import Addon, Purchase


async def sellable(session: AsyncSession, slug: str) -> Addon:
    """The add-on. Raises Problem 404 for one that does not exist, 409 for one that is not active."""
    addon = await addons.by_slug(session, slug)
    if addon is None:
        raise addon_not_found(slug)
    if not addon.is_active:
        raise addon_inactive(slug)
    return addon


def refusal_for(holder: Purchase) -> Problem:
    """What buying an add-on meets whose place `holder` has: it is bought, or its last attempt is not closed yet."""
    return already_purchased(holder) if holder.status in HOLDS_SLOT else settling(holder)


def addon_not_found(slug: str) -> Problem:
    return Problem(404, "addon-not-found", "There is no such add-on", addon=slug)


def addon_inactive(slug: str) -> Problem:
    return Problem(409, "addon-inactive", "This add-on is not for sale", addon=slug)


def already_purchased(holder: Purchase) -> Problem:
    return Problem(
        409,
        "already-purchased",
        "This add-on was bought already",
        "Nothing was charged.",
        purchase_id=str(holder.id),
        purchase_status=holder.status.value,
    )


def settling(holder: Purchase) -> Problem:
    """An earlier, failed attempt is being closed at Stripe; normally under a second."""
    return Problem(
        409,
        "settling",
        "The last attempt is still being closed",
        "Nothing was charged. Try again in a second.",
        headers={"Retry-After": "1"},
        purchase_id=str(holder.id),
    )
