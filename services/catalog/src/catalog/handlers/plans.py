"""What can be done to plans: show, edit, and keep what `bootstrap-stripe` made for one."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from catalog import store
from catalog.actors import BOOTSTRAP, PURCHASES, Actor
from catalog.etags import etag_of, require_match
from catalog.plan_bodies import PlanEdit, PlanPriceGiven
from catalog.prices import price_of
from catalog.publisher import Action, plan_state, publish_change
from catalog.tables import Plan, PlanPrice
from chassis.problems import Problem
from chassis.process.logs import get_logger
from contracts import PlanPrice as PriceNow
from contracts import PlanPriceProvisioned

log = get_logger(__name__)

FREE: Final = "free"
Slot = tuple[str, str]
"""Interval and currency: a plan has one price in each."""


class PlanNotFound(Problem):
    """There is no plan of this slug."""

    def __init__(self) -> None:
        super().__init__(404, "plan-not-found", "There is no such plan")


class PriceGivenTwice(Problem):
    """An edit gave two prices for the same interval and currency."""

    def __init__(self) -> None:
        detail = "Give at most one price for each interval and currency."
        super().__init__(422, "price-given-twice", "A price is given twice", detail, field="prices")


class FreePlanPriced(Problem):
    """The plan that workspaces have without a subscription cannot be charged for."""

    def __init__(self) -> None:
        super().__init__(422, "free-plan-priced", "The free plan has no price", field="prices")


async def show_plan(*, session: AsyncSession, slug: str) -> Plan:
    """Return one plan. Raises PlanNotFound."""
    plan = await store.plan_by_slug(session, slug)
    if plan is None:
        raise PlanNotFound
    return plan


async def edit_plan(
    *, session: AsyncSession, slug: str, if_match: str | None, edit: PlanEdit, by: Actor, now: datetime
) -> Plan:
    """Change what `edit` names; nothing is published when that changes nothing.

    Raises PlanNotFound, PreconditionRequired, PreconditionFailed, PriceGivenTwice, FreePlanPriced, PriceRefused.
    """
    plan = await _lock_plan(session, slug)
    require_match(if_match=if_match, etag=etag_of(sequence=plan.sequence))
    prices = None if edit.prices is None else _wanted(plan, edit.prices)

    def change() -> None:
        for field, value in edit.given.items():
            setattr(plan, field, value)
        if prices is not None:
            _set_prices(plan, prices)

    _change(session, plan, change, action="edited", by=by, now=now)
    return plan


async def store_stripe_ids(
    *, session: AsyncSession, slug: str, product_id: str, made: Sequence[PriceNow], now: datetime
) -> None:
    """Store what `bootstrap-stripe` found or made, where the plan costs that, or is to. Raises PlanNotFound."""
    plan = await _lock_plan(session, slug)

    def change() -> None:
        plan.stripe_product_id = product_id
        for price in made:
            _sell_at(plan, price)

    _change(session, plan, change, action="price-provisioned", by=BOOTSTRAP, now=now)


async def store_plan_price(*, session: AsyncSession, fact: PlanPriceProvisioned, instance: str, now: datetime) -> None:
    """Store what purchases found or made, where the plan costs that, or is to; anything else is left alone."""
    plan = await store.lock_plan(session, fact.plan) if fact.quittance_instance == instance else None
    sold = PriceNow(
        interval=fact.interval,
        currency=fact.currency,
        price_cents=fact.price_cents,
        stripe_price_id=fact.stripe_price_id,
    )
    if plan is None or not _fits(plan, sold):
        log.info("stripe_price_left_alone", plan=fact.plan, price=fact.stripe_price_id)
        return

    def change() -> None:
        plan.stripe_product_id = fact.stripe_product_id
        _sell_at(plan, sold)

    _change(session, plan, change, action="price-provisioned", by=PURCHASES, now=now)


def _fits(plan: Plan, sold: PriceNow) -> bool:
    """Return whether the plan costs that, or was edited to."""
    return any(sold.price_cents in (price.pending_price_cents, price.price_cents) for price in _at(plan, sold))


def _at(plan: Plan, sold: PriceNow) -> list[PlanPrice]:
    return [price for price in plan.prices if (price.interval, price.currency) == (sold.interval, sold.currency)]


def _sell_at(plan: Plan, sold: PriceNow) -> None:
    """Sell at the Stripe price from now on, where it is what the plan costs, or what it was edited to."""
    for price in _at(plan, sold):
        if sold.price_cents == price.pending_price_cents:
            price.price_cents, price.pending_price_cents = sold.price_cents, None
            price.stripe_price_id = sold.stripe_price_id
        elif sold.price_cents == price.price_cents:
            price.stripe_price_id = sold.stripe_price_id


async def _lock_plan(session: AsyncSession, slug: str) -> Plan:
    plan = await store.lock_plan(session, slug)
    if plan is None:
        raise PlanNotFound
    return plan


def _wanted(plan: Plan, given: Sequence[PlanPriceGiven]) -> Mapping[Slot, int]:
    wanted: dict[Slot, int] = {}
    for edited in given:
        price = price_of(major=edited.price, cents=edited.price_cents, currency=edited.currency)
        wanted[edited.interval, price.currency] = price.cents
    if len(wanted) < len(given):
        raise PriceGivenTwice
    if wanted and plan.slug == FREE:
        raise FreePlanPriced
    return wanted


def _set_prices(plan: Plan, wanted: Mapping[Slot, int]) -> None:
    """Set the prices on the rows there are: one that is sold sells on, until its new price has a Stripe price."""
    held: dict[Slot, PlanPrice] = {(price.interval, price.currency): price for price in plan.prices}
    for (interval, currency), cents in wanted.items():
        price = held.setdefault((interval, currency), PlanPrice(interval=interval, currency=currency))
        if price.stripe_price_id is None:
            price.price_cents = cents
        price.pending_price_cents = cents if price.price_cents != cents else None
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
    publish_change(session, action=action, by=by, before=before, after=plan_state(plan), occurred_at=now)
