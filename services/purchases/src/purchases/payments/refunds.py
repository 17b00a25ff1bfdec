"""Money sent back at Stripe: found by what we wrote on it, or made."""

from collections.abc import Mapping
from typing import Any

from stripe import StripeClient

from purchases.payments.client import metadata_of_object, phase
from purchases.payments.look import refunds_of_intent


async def find_refund(client: StripeClient, *, payment_intent_id: str, known_by: Mapping[str, str]) -> Any | None:
    """The payment's refund whose metadata has all of `known_by`: what an earlier, lost request made."""
    for refund in await refunds_of_intent(client, payment_intent_id):
        if known_by.items() <= metadata_of_object(refund).items():
            return refund
    return None


async def create_refund(
    client: StripeClient, *, payment_intent_id: str, amount: int, metadata: Mapping[str, str], idempotency_key: str
) -> Any:
    """Refund `amount` minor units of the payment. Raises StripeRefused, also where less than that is left of it."""
    async with phase("refund"):
        return await client.v1.refunds.create_async(
            params={"payment_intent": payment_intent_id, "amount": amount, "metadata": dict(metadata)},
            options={"idempotency_key": idempotency_key},
        )
