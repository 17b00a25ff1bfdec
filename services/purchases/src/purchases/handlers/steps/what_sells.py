"""What every sale asks first: is the add-on for sale, and is its place in the workspace free?"""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.problems import Problem
from purchases import refusals
from purchases.domain.transitions import HOLDS_SLOT
from purchases.store import addons
from purchases.store.rows import Addon, Purchase


async def sellable(session: AsyncSession, slug: str) -> Addon:
    """The add-on. Raises Problem 404 for one that does not exist, 409 for one that is not active."""
    addon = await addons.by_slug(session, slug)
    if addon is None:
        raise refusals.addon_not_found(slug)
    if not addon.is_active:
        raise refusals.addon_inactive(slug)
    return addon


def refusal_for(holder: Purchase) -> Problem:
    """What buying an add-on meets whose place `holder` has: it is bought, or its last attempt is not closed yet."""
    return refusals.already_purchased(holder) if holder.status in HOLDS_SLOT else refusals.settling(holder)
