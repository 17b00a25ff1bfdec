"""Lazy prices: the first purchase of an add-on has its price made at Stripe, and that is published."""

import uuid
from datetime import UTC, datetime

from chassis.outbox.outbox import publish
from contracts import AddonPriceProvisioned
from purchases.catalog_copy import store as addons
from purchases.jobs.kinds import RenameProduct
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import DONE, Result, StripeContext
from purchases.stripe_api.catalog.prices import is_sellable, name_product, provide_price
from purchases.stripe_api.client import OutcomeUnknown, StripeRefused
from purchases.stripe_api.values import SoldAddon


async def provision_price(context: StripeContext, *, sold: SoldAddon, asked_for: uuid.UUID) -> str:
    """Return the Stripe price of `sold`, stored in our copy of the catalog and published to the catalog.

    `asked_for` is the purchase or the Checkout that needs it. Raises OutcomeUnknown or StripeRefused.
    """
    price_id = await provide_price(context.client, instance=context.instance, sold=sold, asked_for=asked_for)
    async with context.database.transaction() as session:
        sequence = await addons.keep_price(
            session,
            addon_id=sold.addon_id,
            price_cents=sold.price_cents,
            currency=sold.currency,
            stripe_price_id=price_id,
        )
        if sequence is not None:
            now = datetime.now(UTC)
            publish(session, _fact(sold, context.instance, price_id, sequence, now), occurred_at=now)
    return price_id


async def forget_dead_price(context: StripeContext, *, addon_id: uuid.UUID, stripe_price_id: str) -> None:
    """Drop a price that Stripe takes no more, after a refusal: the next purchase has another one made."""
    try:
        dead = not await is_sellable(context.client, stripe_price_id)
    except (OutcomeUnknown, StripeRefused):
        return
    if dead:
        async with context.database.transaction() as session:
            await addons.forget_price(session, addon_id=addon_id, stripe_price_id=stripe_price_id)


def _fact(sold: SoldAddon, instance: str, price_id: str, sequence: int, now: datetime) -> AddonPriceProvisioned:
    return AddonPriceProvisioned(
        addon_id=sold.addon_id,
        sequence=sequence,
        occurred_at=now,
        stripe_price_id=price_id,
        price_cents=sold.price_cents,
        currency=sold.currency,
        quittance_instance=instance,
    )


async def rename_product(context: StripeContext, task: Task[RenameProduct]) -> Result:
    """Give the product of a renamed add-on its name of now; what was sold keeps the name that it was sold under."""
    addon_id = task.job.addon_id
    async with context.database.reading() as session:
        name = await addons.name_of(session, addon_id)
    if name is not None:
        await name_product(context.client, instance=context.instance, addon_id=addon_id, name=name)
    return DONE
