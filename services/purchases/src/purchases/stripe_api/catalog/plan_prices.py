"""A plan's price at Stripe: found by its lookup key, else made. A Stripe price is immutable."""

from dataclasses import dataclass

from stripe import StripeClient

from purchases.stripe_api.catalog.prices import EXISTS, create_price, price_with_key
from purchases.stripe_api.client import ObjectMissing, StripeRefused
from purchases.stripe_api.keys import idempotency_key
from purchases.stripe_api.reading import request
from stripe_reader.prices import Price, read_is_active


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldPlan:
    """A plan at one of the prices that it is to be sold at; minor units of `currency`, which is upper case."""

    plan: str
    name: str
    product_id: str | None
    """As far as we know."""
    interval: str
    currency: str
    price_cents: int


async def provide_plan_price(
    client: StripeClient, *, instance: str, sold: SoldPlan, asked_for: str, attempt: int = 1
) -> Price:
    """Return the price at which `sold` is sold, whoever makes it first: Stripe gives a lookup key to one price only.

    The product is the one that the lookup key points at, so that an account that bills already can be taken over.
    `asked_for` and `attempt` make the idempotency key. Raises OutcomeUnknown or StripeRefused.
    """
    key = f"quittance:{instance}:{sold.plan}:{sold.interval}:{sold.currency.lower()}"
    held = await price_with_key(client, key, call="look_for_plan_price")
    if held is not None and await _can_be_sold(client, held, sold):
        return held
    product_id = held.product_id if held is not None else sold.product_id or f"quittance-{instance}-{sold.plan}"
    await _ensure_product(client, product_id, instance=instance, sold=sold)
    terms = {
        "product": product_id,
        "currency": sold.currency.lower(),
        "unit_amount": sold.price_cents,
        "recurring": {"interval": sold.interval},
        "transfer_lookup_key": True,
        "metadata": {"quittance_instance": instance, "plan": sold.plan},
    }
    under = idempotency_key(instance, asked_for, key, attempt)
    try:
        return await create_price(client, "plan_price", key, terms, under=under)
    except StripeRefused:
        meanwhile = await price_with_key(client, key, call="look_for_plan_price")
        if meanwhile is None or not _fits(meanwhile, sold):
            raise
        return meanwhile


def _fits(held: Price, sold: SoldPlan) -> bool:
    """Return whether `held` sells it: not one that was archived, or whose key was moved in the Dashboard."""
    terms = (held.active, held.currency, held.unit_amount, held.interval, held.interval_count)
    return terms == (True, sold.currency, sold.price_cents, sold.interval, 1)


async def _can_be_sold(client: StripeClient, held: Price, sold: SoldPlan) -> bool:
    """Return whether `held` fits, with its product active: Checkout sells no price of an archived one."""
    if not _fits(held, sold):
        return False
    await _activate_product(client, held.product_id)
    return True


async def _ensure_product(client: StripeClient, product_id: str, *, instance: str, sold: SoldPlan) -> None:
    """Have the plan's one product at Stripe, active."""
    try:
        await _activate_product(client, product_id)
    except ObjectMissing:
        await _create_product(client, product_id, instance=instance, sold=sold)


async def _activate_product(client: StripeClient, product_id: str) -> None:
    """Sell the product again if it was archived. Raises ObjectMissing."""
    product = await request("plan_product", client.v1.products.retrieve_async(product_id))
    if not product.read(read_is_active):
        await request("plan_product", client.v1.products.update_async(product_id, params={"active": True}))


async def _create_product(client: StripeClient, product_id: str, *, instance: str, sold: SoldPlan) -> None:
    metadata = {"quittance_instance": instance, "plan": sold.plan}
    product = client.v1.products.create_async(params={"id": product_id, "name": sold.name, "metadata": metadata})
    try:
        await request("plan_product", product)
    except StripeRefused as error:
        if error.code != EXISTS:
            raise
