"""A plan's product and prices at Stripe: found by lookup key, else made. A Stripe price is immutable."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import stripe
from stripe import StripeClient

from contracts import PlanPrice, PlanState

Say = Callable[[str], None]
EXISTS: Final = "resource_already_exists"


def lookup_key(*, instance: str, plan: str, price: PlanPrice) -> str:
    """Return what names the price at Stripe, whatever its id is."""
    return f"quittance:{instance}:{plan}:{price.interval}:{price.currency.lower()}"


async def provision_plan(
    *, client: StripeClient, plan: PlanState, instance: str, say: Say
) -> tuple[str, list[PlanPrice]]:
    """Find or make the plan's product and prices; its product's id, and its prices with theirs.

    A price that was edited is made as it is to be. Purchases may make the same at the same time: then that is found.
    """
    keys = {lookup_key(instance=instance, plan=plan.plan, price=price): _to_be(price) for price in plan.prices}
    found = {key: await _price_named(client, key) for key in keys}
    product = await _product(client, plan, instance, found, say)
    ids = {key: await _price_id(client, product, key, price, found[key], say) for key, price in keys.items()}
    return product, [price.model_copy(update={"stripe_price_id": ids[key]}) for key, price in keys.items()]


def _to_be(price: PlanPrice) -> PlanPrice:
    """Return what it costs as it was edited last."""
    wanted = price.pending_price_cents or price.price_cents
    return price.model_copy(update={"price_cents": wanted, "pending_price_cents": None})


async def _price_named(client: StripeClient, key: str) -> stripe.Price | None:
    listed = await client.v1.prices.list_async({"lookup_keys": [key], "limit": 1})
    return next(iter(listed.data), None)


async def _product(
    client: StripeClient, plan: PlanState, instance: str, found: Mapping[str, stripe.Price | None], say: Say
) -> str:
    """Return that of the prices which carry our keys, if any does; else one whose id is made of instance and plan."""
    id_ = next((str(price.product) for price in found.values() if price), f"quittance-{instance}-{plan.plan}")
    try:
        product = await client.v1.products.retrieve_async(id_)
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise
        return await _new_product(client, id_, plan, instance, say)
    if product.name != plan.name or not product.active:
        await client.v1.products.update_async(id_, {"name": plan.name, "active": True})
        say(f"{plan.plan}: updated product {id_}: {plan.name}")
    else:
        say(f"{plan.plan}: found product {id_}")
    return id_


async def _new_product(client: StripeClient, id_: str, plan: PlanState, instance: str, say: Say) -> str:
    metadata = {"quittance_instance": instance, "plan": plan.plan}
    try:
        await client.v1.products.create_async({"id": id_, "name": plan.name, "metadata": metadata})
    except stripe.InvalidRequestError as error:
        if error.code != EXISTS:
            raise
        say(f"{plan.plan}: found product {id_}")
        return id_
    say(f"{plan.plan}: made product {id_}")
    return id_


async def _price_id(
    client: StripeClient, product: str, key: str, price: PlanPrice, found: stripe.Price | None, say: Say
) -> str:
    if found and _fits(found, product, price):
        say(f"{key}: found {found.id}")
        return found.id
    try:
        made = await _make(client, product, key, price, instead=found is not None)
    except stripe.InvalidRequestError:
        meanwhile = await _price_named(client, key)
        if meanwhile is None or not _fits(meanwhile, product, price):
            raise
        say(f"{key}: found {meanwhile.id}")
        return meanwhile.id
    instead = f" instead of {found.id}, which stays as it is for its subscribers" if found else ""
    say(f"{key}: made {made.id}, {price.price_cents} {price.currency}{instead}")
    return made.id


async def _make(client: StripeClient, product: str, key: str, price: PlanPrice, *, instead: bool) -> stripe.Price:
    _, instance, plan, *_ = key.split(":")
    return await client.v1.prices.create_async(
        {
            "product": product,
            "currency": price.currency.lower(),
            "unit_amount": price.price_cents,
            "recurring": {"interval": price.interval},
            "lookup_key": key,
            "transfer_lookup_key": instead,
            "metadata": {"quittance_instance": instance, "plan": plan},
        }
    )


def _fits(found: stripe.Price, product: str, price: PlanPrice) -> bool:
    recurring: Any = found.recurring
    every = (recurring.interval, recurring.interval_count) if recurring else None
    held = (found.active, found.product, found.currency, found.unit_amount, every)
    return held == (True, product, price.currency.lower(), price.price_cents, (price.interval, 1))
