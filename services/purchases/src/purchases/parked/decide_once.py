"""Staff decide about a parked item once, and as they saw it: the same form sent again is known by its decisions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database
from chassis.problems import Problem
from purchases.parked import store as parked_items
from purchases.parked.review_parked import decided_meanwhile, not_parked_any_more, parked_not_found
from purchases.parked.store import ParkedItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody decides about an item, of which they saw the first `seen` decisions."""

    name: str
    item_id: str
    actor: str
    seen: int
    reason: str | None = None

    def is_last_of(self, item: ParkedItem) -> bool:
        """Return whether this very form was carried out before, and nobody has decided otherwise since."""
        since = [(one["decision"], one["actor"], one["reason"]) for one in item.decisions[self.seen :]]
        return since[-1:] == [(self.name, self.actor, self.reason)]


async def decide_once(
    *, database: Database, decision: Decision, carry_out: Callable[[AsyncSession], Awaitable[object]]
) -> None:
    """Carry the decision out once, and only where nobody has decided since `seen`. Raises Problem 404, 409, 422."""
    item = await _item(database, decision.item_id)
    try:
        if item.decisions[decision.seen :]:
            raise not_parked_any_more() if item.resolved_at else decided_meanwhile()
        async with database.transaction() as session:
            await carry_out(session)
    except Problem:
        if not decision.is_last_of(await _item(database, decision.item_id)):
            raise


async def _item(database: Database, item_id: str) -> ParkedItem:
    async with database.reading() as session:
        item = await parked_items.find(session, item_id)
    if item is None:
        raise parked_not_found()
    return item
