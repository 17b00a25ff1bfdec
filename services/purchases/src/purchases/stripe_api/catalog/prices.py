"""An add-on's price at Stripe: found by its lookup key, else made. A Stripe price is immutable."""

import uuid
from collections.abc import Mapping
from typing import Any, Final

from stripe import StripeClient

from purchases.stripe_api.client import ObjectMissing, StripeRefused
from purchases.stripe_api.keys import idempotency_key
from purchases.stripe_api.reading import request
from purchases.stripe_api.values import SoldAddon
from stripe_reader.prices import Price, read_price

EXISTS: Final = "resource_already_exists"


async def provide_price(client: StripeClient, *, instance: str, sold: SoldAddon, asked_for: uuid.UUID) -> str:
    """Return the price at which `sold` is sold, whoever makes it first: Stripe gives a lookup key to one price only.

    `asked_for` is the purchase or the Checkout that needs it. Raises OutcomeUnknown or StripeRefused.
    """
    key = f"quittance:{instance}:addon:{sold.addon_id}:{sold.price_cents}:{sold.currency.lower()}"
    held = await price_with_key(client, key)
    if held is not None and _fits(held, sold):
        return held.price_id
    terms = {
        "product": await _ensure_product(client, instance=instance, sold=sold),
        "unit_amount": sold.price_cents,
        "currency": sold.currency.lower(),
        "transfer_lookup_key": held is not None,
        "metadata": _metadata(instance, sold),
    }
    try:
        made = await create_price(
            client, "price", key, terms, under=idempotency_key(instance, asked_for, f"price-{sold.slug}")
        )
    except StripeRefused:
        made_meanwhile = await price_with_key(client, key)
        if made_meanwhile is None or not _fits(made_meanwhile, sold):
            raise
        return made_meanwhile.price_id
    return made.price_id


async def is_sellable(client: StripeClient, price_id: str) -> bool:
    """Return whether Stripe still takes the price: it may have been archived, or be of another account."""
    try:
        return (await request("look_at_price", client.v1.prices.retrieve_async(price_id))).read(read_price).active
    except ObjectMissing:
        return False


async def name_product(client: StripeClient, *, instance: str, addon_id: uuid.UUID, name: str) -> None:
    """Rename the add-on's product, which Checkout's page shows; one that was never made is left so."""
    try:
        product = client.v1.products.update_async(_product_id(instance, addon_id), params={"name": name})
        await request("name_product", product)
    except ObjectMissing:
        return


def _product_id(instance: str, addon_id: uuid.UUID) -> str:
    return f"quittance-{instance}-addon-{addon_id}"


async def price_with_key(client: StripeClient, key: str, *, call: str = "look_for_price") -> Price | None:
    """Return the price that has the lookup key; None where none has. `call` names the call in metrics and logs."""
    found = await request(call, client.v1.prices.list_async(params={"lookup_keys": [key], "limit": 1}))
    return next((price.read(read_price) for price in found.entries("data")), None)


async def create_price(client: StripeClient, call: str, key: str, terms: Mapping[str, Any], *, under: str) -> Price:
    """Create a price that has the lookup key; one that had it stays as it is for its subscribers.

    `under` is the idempotency key.
    """
    params: Any = {**terms, "lookup_key": key}
    price = await request(call, client.v1.prices.create_async(params, {"idempotency_key": under}))
    return price.read(read_price)


def _fits(held: Price, sold: SoldAddon) -> bool:
    """Return whether `held` sells it: not one that was archived, or whose key was moved in the Dashboard."""
    terms = (held.active, held.unit_amount, held.currency, held.interval)
    return terms == (True, sold.price_cents, sold.currency, None)


async def _ensure_product(client: StripeClient, *, instance: str, sold: SoldAddon) -> str:
    """Return the add-on's one product, its id made of the add-on's: that of an earlier price stays."""
    product_id = _product_id(instance, sold.addon_id)
    product = client.v1.products.create_async(
        params={"id": product_id, "name": sold.name, "metadata": _metadata(instance, sold)}
    )
    try:
        await request("product", product)
    except StripeRefused as error:
        if error.code != EXISTS:
            raise
    return product_id


def _metadata(instance: str, sold: SoldAddon) -> dict[str, str]:
    return {"quittance_instance": instance, "addon_id": str(sold.addon_id), "addon_slug": sold.slug}
