"""Gives a restored copy what it had published: the states on the compacted topics are what buyers and others know."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from catalog import store
from catalog.numbered import LEDGER
from catalog.publisher import addon_state, plan_state
from catalog.tables import Addon, Plan, PlanPrice
from chassis.database.database import Database
from chassis.outbox.outbox import publish
from chassis.process.settings import ServiceSettings
from chassis.recovery.epochs import UnreadEpoch
from chassis.recovery.read_back import published_facts
from contracts import AddonState, PlanState

ADDON_COLUMNS: Final = (
    "slug",
    "name",
    "description",
    "price_cents",
    "currency",
    "stripe_price_id",
    "is_active",
    "sort_order",
)


async def read_back(
    unread: Sequence[UnreadEpoch], *, database: Database, settings: ServiceSettings, turned: Callable[[], None]
) -> None:
    """Take over the newest states that were published, and publish all states anew, above every number before."""
    states: dict[str, AddonState | PlanState] = {}
    async for received in published_facts(settings, LEDGER, unread):
        turned()
        fact = received.fact
        if isinstance(fact, AddonState | PlanState):
            known = states.get(fact.subject)
            states[fact.subject] = fact if known is None or known.sequence < fact.sequence else known
    async with database.transaction() as session:
        for _, state in sorted(states.items()):
            if isinstance(state, AddonState):
                await _take_addon(session, state)
            else:
                await _take_plan(session, state)
        await _publish_all(session, now=datetime.now(UTC))


async def _take_addon(session: AsyncSession, state: AddonState) -> None:
    addon = await store.lock_addon(session, state.addon_id)
    if addon is None:
        addon = Addon(id=state.addon_id, sequence=0, created_at=state.occurred_at)
        session.add(addon)
    if addon.sequence < state.sequence:
        for column in ADDON_COLUMNS:
            setattr(addon, column, getattr(state, column))
        addon.bullets = list(state.bullets) or None
        addon.sequence, addon.updated_at = state.sequence, state.occurred_at


async def _take_plan(session: AsyncSession, state: PlanState) -> None:
    plan = await store.lock_plan(session, state.plan)
    if plan is None:
        plan = Plan(slug=state.plan, sequence=0, created_at=state.occurred_at, prices=[])
        session.add(plan)
    if plan.sequence >= state.sequence:
        return
    plan.name, plan.caps, plan.stripe_product_id = state.name, dict(state.caps), state.stripe_product_id
    held = {(price.interval, price.currency): price for price in plan.prices}
    plan.prices = []
    for said in state.prices:
        price = held.get((said.interval, said.currency)) or PlanPrice(interval=said.interval, currency=said.currency)
        price.price_cents, price.pending_price_cents = said.price_cents, said.pending_price_cents
        price.stripe_price_id = said.stripe_price_id
        plan.prices.append(price)
    plan.sequence, plan.updated_at = state.sequence, state.occurred_at


async def _publish_all(session: AsyncSession, *, now: datetime) -> None:
    """Publish every state with the next number: what was published is the last of its key again."""
    await session.flush()
    addons = (await session.scalars(select(Addon).order_by(Addon.id).with_for_update())).all()
    plans = (await session.scalars(select(Plan).order_by(Plan.slug).with_for_update())).all()
    for addon in addons:
        addon.sequence, addon.updated_at = addon.sequence + 1, now
        publish(session, addon_state(addon), occurred_at=now)
    for plan in plans:
        plan.sequence, plan.updated_at = plan.sequence + 1, now
        publish(session, plan_state(plan), occurred_at=now)
