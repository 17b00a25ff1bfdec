"""An add-on's price at Stripe: found by its lookup key, else made. A Stripe price is immutable."""

from typing import Any, Final

from stripe import StripeClient

from purchases.payments.client import StripeRefused, phase
from purchases.payments.keys import idempotency_key
from purchases.store.rows import Purchase

EXISTS: Final = "resource_already_exists"


async def provide_price(client: StripeClient, *, instance: str, sold: Purchase) -> str:
    """The price at which `sold` is sold, whoever makes it first: Stripe gives a lookup key to one price only.

    Raises OutcomeUnknown or StripeRefused.
    """
    key = f"quittance:{instance}:addon:{sold.plan_addon_id}:{sold.price_cents}:{sold.currency.lower()}"
    held = await _named(client, key)
    if held is not None and _fits(held, sold):
        return str(held.id)
    product_id = await _product(client, instance=instance, sold=sold)
    try:
        return await _make(client, instance=instance, sold=sold, product_id=product_id, key=key, instead=bool(held))
    except StripeRefused:
        made_meanwhile = await _named(client, key)
        if made_meanwhile is None or not _fits(made_meanwhile, sold):
            raise
        return str(made_meanwhile.id)


async def _named(client: StripeClient, key: str) -> Any | None:
    async with phase("look_for_price"):
        listed = await client.v1.prices.list_async(params={"lookup_keys": [key], "limit": 1})
    return next(iter(listed.data), None)


def _fits(held: Any, sold: Purchase) -> bool:
    """One that was archived, or whose key was moved in the Dashboard, cannot be sold."""
    costs = (held.unit_amount, held.currency.upper(), held.recurring)
    return bool(held.active) and costs == (sold.price_cents, sold.currency, None)


async def _product(client: StripeClient, *, instance: str, sold: Purchase) -> str:
    """One per add-on, its id made of the add-on's: that of an earlier price stays."""
    product_id = f"quittance-{instance}-addon-{sold.plan_addon_id}"
    try:
        async with phase("product"):
            await client.v1.products.create_async(
                params={"id": product_id, "name": sold.addon_name, "metadata": _metadata(instance, sold)}
            )
    except StripeRefused as error:
        if error.code != EXISTS:
            raise
    return product_id


async def _make(
    client: StripeClient, *, instance: str, sold: Purchase, product_id: str, key: str, instead: bool
) -> str:
    """`instead`: take the lookup key from the price that has it."""
    async with phase("price"):
        price = await client.v1.prices.create_async(
            params={
                "product": product_id,
                "unit_amount": sold.price_cents,
                "currency": sold.currency.lower(),
                "lookup_key": key,
                "transfer_lookup_key": instead,
                "metadata": _metadata(instance, sold),
            },
            options={"idempotency_key": idempotency_key(instance, sold.id, "price")},
        )
    return price.id


def _metadata(instance: str, sold: Purchase) -> dict[str, str]:
    return {"quittance_instance": instance, "addon_id": str(sold.plan_addon_id), "addon_slug": sold.addon_slug}
