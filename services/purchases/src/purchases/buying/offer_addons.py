"""What a workspace can buy now, why not, and what buying it would end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from purchases.buying import card_testing
from purchases.buying.card_testing import USUAL, Brake
from purchases.catalog_copy import store as addons
from purchases.catalog_copy.rows import Addon
from purchases.checkout import store as checkouts
from purchases.ledger import store as ledger
from purchases.ledger.problems import refusal_for
from purchases.ledger.rows import Purchase


@dataclass(frozen=True, slots=True)
class Offer:
    """An active add-on; `holder` is the purchase that keeps it from being bought.

    `must_wait`: the workspace's cards were declined too often, so that nothing can be bought for some minutes.
    """

    addon: Addon
    holder: Purchase | None
    must_wait: bool = False
    ends_checkout_with: Sequence[str] | None = None
    """It waits in an open Checkout of the plan, which buying it ends: the add-ons' names that are in there besides."""

    @property
    def refusal(self) -> str | None:
        """Return the problem type that buying it would meet now."""
        if self.holder is None:
            return "too-many-declines" if self.must_wait else None
        return refusal_for(self.holder).slug


async def offer_addons(*, session: AsyncSession, workspace_id: str, brake: Brake = USUAL) -> Sequence[Offer]:
    """List every active add-on with what stands against buying it: not an open Checkout, which buying it would end."""
    now = datetime.now(UTC)
    holders = await ledger.holders(session, workspace_id)
    live = await checkouts.live(session, workspace_id)
    bundle = set(live.purchase_ids) if live else set()
    waiting = {addon_id: holder for addon_id, holder in holders.items() if str(holder.id) in bundle}
    is_open = live is not None and live.expires_at > now
    must_wait = await card_testing.refusal(session, workspace_id=workspace_id, now=now, brake=brake) is not None

    def offer(addon: Addon) -> Offer:
        if addon.id not in waiting:
            return Offer(addon, holders.get(addon.id), must_wait)
        others = [holder.addon_name for addon_id, holder in waiting.items() if addon_id != addon.id]
        return Offer(addon, None, must_wait, sorted(others) if is_open else None)

    return [offer(addon) for addon in await addons.active(session)]
