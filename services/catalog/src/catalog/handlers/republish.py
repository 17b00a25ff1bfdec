"""Publishes every state as it is, under the id and number that it has: readers that know it drop it."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.publisher import State, addon_state, plan_state
from catalog.tables import Addon, Plan
from chassis.database.database import Database
from chassis.outbox.outbox import publish, waits


async def republish_states(database: Database) -> int:
    """Put the state of each add-on and plan into the outbox, unless it waits there; return how many."""
    async with database.transaction() as session:
        states = [await _locked_states(session, kind) for kind in (Addon, Plan)]
        facts = [state for of_kind in states for state in of_kind]
        waiting = await waits(session, [fact.id for fact in facts])
        again = [fact for fact in facts if fact.id not in waiting]
        publish(session, *again, occurred_at=datetime.now(UTC))
    return len(again)


async def _locked_states(session: AsyncSession, kind: type[Addon] | type[Plan]) -> list[State]:
    """Return what is true now: nobody changes it before this is committed, and a later state comes later."""
    if kind is Addon:
        return [addon_state(row) for row in await session.scalars(select(Addon).order_by(Addon.id).with_for_update())]
    return [plan_state(row) for row in await session.scalars(select(Plan).order_by(Plan.slug).with_for_update())]
