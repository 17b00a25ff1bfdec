"""What can be done to plans: list, show, edit, and keep what `bootstrap-stripe` made for one."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from catalog import store
from catalog.actors import BOOTSTRAP, Actor
from catalog.etags import etag_of, require_match
from catalog.plan_bodies import PlanEdit, PlanPriceGiven
from catalog.prices import price_of
from catalog.publisher import Action, plan_state, tell
from catalog.tables import Plan, PlanPrice
from chassis.problems import Problem
from contracts import PlanPrice as PriceNow

FREE: Final = "free"
Slot = tuple[str, str]
"""Interval and currency: a plan has one price in each."""


class PlanUnknown(Problem):
    """There is no plan of this slug."""

    def __init__(self) -> None:
        super().__init__(404, "plan-unknown", "There is no such plan")


class PriceGivenTwice(Problem):
    """An edit gave two prices for the same interval and currency."""

    def __init__(self) -> None:
        detail = "Give at most one price for each interval and currency."
        super().__init__(422, "price-given-twice", "A price is given twice", detail, field="prices")


class FreePlanPriced(Problem):
    """The plan that workspaces have without a subscription cannot be charged for."""

    def __init__(self) -> None:
        super().__init__(422, "free-plan-priced", "The free plan has no price", field="prices")


async def list_plans(*, session: AsyncSession) -> Sequence[Plan]:
    """The plans, the free one first."""
    return await store.all_plans(session)


async def show_plan(*, session: AsyncSession, slug: str) -> Plan:
    """One plan. Raises PlanUnknown."""
    plan = await store.plan_by_slug(session, slug)
    if plan is None:
        raise PlanUnknown
    return plan


async def edit_plan(
    *, session: AsyncSession, slug: str, if_match: str | None, edit: PlanEdit, by: Actor, now: datetime
) -> Plan:
    """Change what `edit` names; nothing is told when that changes nothing.

    Raises PlanUnknown, PreconditionRequired, PreconditionFailed, PriceGivenTwice, FreePlanPriced, PriceRefused.
    """
    plan = await _locked(session, slug)
    require_match(if_match=if_match, etag=etag_of(sequence=plan.sequence))
    prices = None if edit.prices is None else _wanted(plan, edit.prices)

    def change() -> None:
        for field, value in edit.given.items():
            setattr(plan, field, value)
        if prices is not None:
            _set_prices(plan, prices)

    _change(session, plan, change, action="edited", by=by, now=now)
    return plan


async def keep_stripe_ids(
    *, session: AsyncSession, slug: str, product_id: str, made: Sequence[PriceNow], now: datetime
) -> None:
    """Store what `bootstrap-stripe` found or made, where the plan still costs that. Raises PlanUnknown."""
    plan = await _locked(session, slug)
    ids: dict[tuple[str, str, int], str | None] = {
        (one.interval, one.currency, one.price_cents): one.stripe_price_id for one in made
    }

    def change() -> None:
        plan.stripe_product_id = product_id
        for price in plan.prices:
            known = (price.interval, price.currency, price.price_cents)
            price.stripe_price_id = ids.get(known, price.stripe_price_id)

    _change(session, plan, change, action="price-provisioned", by=BOOTSTRAP, now=now)


async def _locked(session: AsyncSession, slug: str) -> Plan:
    plan = await store.locked_plan(session, slug)
    if plan is None:
        raise PlanUnknown
    return plan


def _wanted(plan: Plan, given: Sequence[PlanPriceGiven]) -> Mapping[Slot, int]:
    wanted: dict[Slot, int] = {}
    for one in given:
        price = price_of(major=one.price, cents=one.price_cents, currency=one.currency)
        wanted[one.interval, price.currency] = price.cents
    if len(wanted) < len(given):
        raise PriceGivenTwice
    if wanted and plan.slug == FREE:
        raise FreePlanPriced
    return wanted


def _set_prices(plan: Plan, wanted: Mapping[Slot, int]) -> None:
    """Rows are kept where there are some: with the same price also their Stripe price, which is immutable."""
    held: dict[Slot, PlanPrice] = {(price.interval, price.currency): price for price in plan.prices}
    for (interval, currency), cents in wanted.items():
        price = held.setdefault((interval, currency), PlanPrice(interval=interval, currency=currency))
        if price.price_cents != cents:
            price.price_cents, price.stripe_price_id = cents, None
    plan.prices = [price for slot, price in held.items() if slot in wanted]


def _change(
    session: AsyncSession, plan: Plan, change: Callable[[], None], *, action: Action, by: Actor, now: datetime
) -> None:
    before = plan_state(plan)
    change()
    if plan_state(plan) == before:
        return
    plan.sequence += 1
    plan.updated_at = now
    tell(session, action=action, by=by, before=before, after=plan_state(plan), occurred_at=now)
