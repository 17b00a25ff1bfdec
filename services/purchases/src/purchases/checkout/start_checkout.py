"""An upgrade: whether it is for sale, whether its slots are free, and the rows that are committed for it."""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.problems import Problem
from purchases.catalog_copy import plans
from purchases.catalog_copy.availability import price_changed, sellable
from purchases.catalog_copy.rows import Addon
from purchases.checkout import store as checkouts
from purchases.checkout.rows import CheckoutSession
from purchases.checkout.upgrade_begun import Stage, upgrade_begun
from purchases.jobs.kinds import ReconcileCheckout
from purchases.jobs.lease import database_now
from purchases.jobs.store import enqueue
from purchases.ledger import problems
from purchases.ledger import store as ledger
from purchases.ledger.problems import refusal_for
from purchases.ledger.publish import Cause
from purchases.ledger.start import start_purchase
from purchases.stripe_api.keys import id_of_request
from purchases.subscriptions import store as subscriptions
from purchases.subscriptions.problems import already_subscribed, checkout_busy
from purchases.workspaces import store as workspaces
from purchases.workspaces.problems import workspace_not_found

OPEN_FOR: Final = timedelta(minutes=33)
"""Stripe wants half an hour at least, counted from when the request reaches it."""
CONFIRMED_WITHIN: Final = timedelta(hours=1)
"""So long a completed Checkout without a subscription keeps the workspace from another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """The owner's request.

    `currency` None: that of the add-ons, else the workspace's, else the plan's first; of the latter what is sold.
    """

    workspace_id: str
    plan: str
    interval: str
    currency: str | None
    addons: tuple[str, ...]
    success_url: str
    cancel_url: str
    idempotency_key: str
    buyer: str

    def checkout_id(self, instance: str) -> uuid.UUID:
        """Return the Checkout's id, which follows from the request: repeated, it is the same session at Stripe."""
        return id_of_request(instance, "checkout", self.workspace_id, self.idempotency_key, self.fingerprint)

    @property
    def fingerprint(self) -> str:
        """Return the body's digest: the same key with another body is refused."""
        body = [self.plan, self.interval, self.currency, self.addons, self.success_url, self.cancel_url]
        return hashlib.sha256(json.dumps(body).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CheckoutItems:
    """What the catalog says of it."""

    currency: str
    stripe_price_id: str
    addons: tuple[Addon, ...]


async def repeated(session: AsyncSession, upgrade: Upgrade) -> CheckoutSession | None:
    """Return the Checkout that an earlier request with this key began. Raises Problem 422 for another body."""
    known = await checkouts.of_request(
        session, workspace_id=upgrade.workspace_id, idempotency_key=upgrade.idempotency_key
    )
    if known is not None and known.request_fingerprint != upgrade.fingerprint:
        raise problems.key_reused()
    return known


async def items_of(session: AsyncSession, upgrade: Upgrade) -> CheckoutItems:
    """Read the plan's price and the add-ons. Raises Problem 404 or 409 for what is not sold, or not in the currency."""
    plan = await plans.find(session, upgrade.plan)
    if plan is None:
        raise plan_not_found(upgrade.plan)
    bundle = tuple([await sellable(session, slug) for slug in upgrade.addons])
    offered = {price["currency"]: price["stripe_price_id"] for price in plan.prices if _sells(price, upgrade.interval)}
    currency = upgrade.currency or next((one.currency for one in bundle), None)
    currency = currency or await _default_currency(session, upgrade.workspace_id, tuple(offered))
    price_id = offered.get(currency or "")
    if currency is None or price_id is None:
        raise plan_not_sold(plan=upgrade.plan, interval=upgrade.interval, currency=currency)
    for addon in bundle:
        if addon.currency != currency:
            raise currency_mismatch(addon, currency=currency)
    return CheckoutItems(currency, str(price_id), bundle)


def _sells(price: Mapping[str, Any], interval: str) -> bool:
    """Return whether one can subscribe at it: at this interval, and it is at Stripe."""
    return bool(price["interval"] == interval and price["stripe_price_id"])


async def _default_currency(session: AsyncSession, workspace_id: str, sold: Sequence[str]) -> str | None:
    """Return that of the workspace's last subscription, else the first; only what can be sold is a default."""
    before = {row.currency for row in await subscriptions.of_workspace(session, workspace_id)}
    return next((currency for currency in sold if currency in before), next(iter(sold), None))


async def refuse_if_taken(
    session: AsyncSession, upgrade: Upgrade, items: CheckoutItems, *, excluding: CheckoutSession | None = None
) -> None:
    """Raise Problem 409 for a running subscription or a slot that is held.

    `excluding`: what that Checkout sells is free as soon as it is ended.
    """
    await _refuse_if_confirming(session, upgrade.workspace_id)
    if await checkouts.runs_a_subscription(session, upgrade.workspace_id):
        raise already_subscribed()
    ending = set(excluding.purchase_ids) if excluding else set()
    for addon in items.addons:
        holder = await ledger.slot_holder(session, workspace_id=upgrade.workspace_id, addon_id=addon.id)
        if holder is not None and str(holder.id) not in ending:
            raise refusal_for(holder)


async def _refuse_if_confirming(session: AsyncSession, workspace_id: str) -> None:
    """Raise Problem 409 while no event has come of what the last Checkout sold; after an hour none will come."""
    begun = await upgrade_begun(session=session, workspace_id=workspace_id, key=None)
    if begun is not None and begun.stage is Stage.AT_THE_BANK:
        if await subscriptions.unfinished(session, workspace_id):
            return  # whether the bank is still at work on it is fetched before it is ended
        raise problems.bank_at_work()
    if begun is None or begun.stage is not Stage.CONFIRMING:
        return
    if datetime.now(UTC) - begun.checkout.updated_at < CONFIRMED_WITHIN:
        raise checkout_confirming()


async def start(
    session: AsyncSession,
    upgrade: Upgrade,
    lease: timedelta,
    instance: str,
    customer_id: str,
    prices: dict[uuid.UUID, str],
) -> CheckoutSession:
    """Commit to the Checkout and its bundle before Stripe is called. Everything is checked again, under the lock.

    Raises Problem 404 or 409.
    """
    workspace = await workspaces.lock_workspace(session, upgrade.workspace_id)
    if workspace is None:
        raise workspace_not_found()
    if await repeated(session, upgrade) or await checkouts.live(session, upgrade.workspace_id):
        raise checkout_busy()
    await problems.refuse_while_recovering(session)
    items = await items_of(session, upgrade)
    await refuse_if_taken(session, upgrade, items)
    if await subscriptions.unfinished(session, upgrade.workspace_id):
        raise checkout_busy()
    now = await database_now(session)
    cause = Cause(actor=upgrade.buyer, at=now, reason="in a Checkout of the plan")
    checkout_id = upgrade.checkout_id(instance)
    bundle = [
        start_purchase(
            session,
            purchase_id=id_of_request(instance, "bundle", str(checkout_id), str(addon.id)),
            workspace=workspace,
            sold=addon.sold,
            cause=cause,
            idempotency_key=f"checkout:{checkout_id}:{number}",
            request_fingerprint=upgrade.fingerprint,
            stripe_customer_id=customer_id,
            stripe_price_id=_price_shown(addon, prices),
            return_url=upgrade.success_url,
        )
        for number, addon in enumerate(items.addons)
    ]
    checkout = CheckoutSession(
        id=checkout_id,
        workspace_id=upgrade.workspace_id,
        stripe_customer_id=customer_id,
        state="asking",
        plan=upgrade.plan,
        interval=upgrade.interval,
        currency=items.currency,
        stripe_price_id=items.stripe_price_id,
        purchase_ids=[str(purchase.id) for purchase in bundle],
        success_url=upgrade.success_url,
        cancel_url=upgrade.cancel_url,
        idempotency_key=upgrade.idempotency_key,
        request_fingerprint=upgrade.fingerprint,
        asked_by=upgrade.buyer,
        leased_until=now + lease,
        expires_at=now + OPEN_FOR,
        created_at=now,
        updated_at=now,
    )
    session.add(checkout)
    await enqueue(session, ReconcileCheckout(checkout_id=checkout_id), after=lease)
    return checkout


def _price_shown(addon: Addon, prices: Mapping[uuid.UUID, str]) -> str:
    """Return the price that Checkout will show. Raises Problem 409 if it has changed since it was read."""
    price_id = prices.get(addon.id)
    if price_id is None or addon.stripe_price_id not in (None, price_id):
        raise price_changed(addon)
    return price_id


def plan_not_found(slug: str) -> Problem:
    return Problem(404, "plan-not-found", "There is no such plan", plan=slug)


def plan_not_sold(*, plan: str, interval: str, currency: str | None) -> Problem:
    """Return a 409: it has no price for this, or none at Stripe yet."""
    return Problem(
        409,
        "plan-not-sold",
        "The plan is not sold like this",
        "Nothing was charged. Choose another interval or currency.",
        plan=plan,
        interval=interval,
        currency=currency,
    )


def currency_mismatch(addon: Addon, *, currency: str) -> Problem:
    """Return a 409: a Checkout has one currency; the add-on can be bought later, by itself."""
    return Problem(
        409,
        "currency-mismatch",
        "This add-on has another currency than the plan",
        "Nothing was charged. It can be bought by itself.",
        addon=addon.slug,
        addon_currency=addon.currency,
        currency=currency,
    )


def checkout_confirming() -> Problem:
    """Return a 409: the last Checkout has been paid, and Stripe has not said yet what came of it."""
    return Problem(
        409,
        "checkout-busy",
        "A Checkout has been paid, and its subscription is on its way",
        "Nothing was charged here. Look at the plan again in a few seconds.",
        retry_after=3,
    )
