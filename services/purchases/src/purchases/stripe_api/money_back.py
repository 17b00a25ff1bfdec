"""Money sent back at Stripe, as a refund or as a customer's credit: found by what we wrote on it, or made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stripe import StripeClient

from purchases.stripe_api.reading import Fetched, listed, request
from stripe_reader.invoices import read_invoice
from stripe_reader.payments import read_paid_by_credit


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeIds:
    """A charge of Stripe's, by its payment intent where it has one, else by itself.

    Stripe takes either (https://docs.stripe.com/api/refunds/create); old invoices were paid without an intent
    (https://docs.stripe.com/api/invoice-payment/object).
    """

    payment_intent_id: str | None
    charge_id: str | None

    @property
    def named(self) -> Mapping[str, str]:
        """Return it as a parameter of Stripe's. Raises ValueError where no id is known."""
        if self.payment_intent_id is not None:
            return {"payment_intent": self.payment_intent_id}
        if self.charge_id is None:
            raise ValueError("a charge without an id")
        return {"charge": self.charge_id}


async def refunds_of(client: StripeClient, charge: ChargeIds) -> list[Fetched]:
    """List every refund of the charge as it is now. Raises ObjectMissing."""
    params: Any = {**charge.named, "limit": 100}
    return [refund async for refund in listed("list_refunds", client.v1.refunds.list_async(params=params))]


async def find_refund(client: StripeClient, *, charge: ChargeIds, known_by: Mapping[str, str]) -> Fetched | None:
    """Find the charge's refund whose metadata has all of `known_by`: what an earlier, lost request made."""
    return next((refund for refund in await refunds_of(client, charge) if refund.has_metadata(known_by)), None)


async def create_refund(
    client: StripeClient, *, charge: ChargeIds, amount: int, metadata: Mapping[str, str], idempotency_key: str
) -> Fetched:
    """Refund `amount` minor units of the charge. Raises StripeRefused, also where less than that is left of it."""
    params: Any = {**charge.named, "amount": amount, "metadata": dict(metadata)}
    options: Any = {"idempotency_key": idempotency_key}
    return await request("refund", client.v1.refunds.create_async(params=params, options=options))


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedCredit:
    """What the credit of `customer_id` paid of an invoice; minor units of `currency` (ISO 4217, upper case)."""

    customer_id: str
    cents: int
    currency: str


async def fetch_applied_credit(client: StripeClient, invoice_id: str) -> AppliedCredit:
    """Fetch what credit paid of the invoice. Raises ObjectMissing, or UnknownShape."""
    answer = await request("look_at_invoice", client.v1.invoices.retrieve_async(invoice_id))
    invoice, cents = answer.read(read_invoice), answer.read(read_paid_by_credit)
    return AppliedCredit(customer_id=str(invoice.customer_id), cents=cents or 0, currency=invoice.currency)


async def fetch_given_back(client: StripeClient, *, customer_id: str, known_by: Mapping[str, str]) -> list[Fetched]:
    """List the customer's balance transactions whose metadata has all of `known_by`: what earlier requests made."""
    moves = client.v1.customers.balance_transactions.list_async(customer_id, params={"limit": 100})
    return [move async for move in listed("list_balance_transactions", moves) if move.has_metadata(known_by)]


async def give_credit(
    client: StripeClient,
    *,
    customer_id: str,
    amount: int,
    currency: str,
    metadata: Mapping[str, str],
    idempotency_key: str,
) -> Fetched:
    """Add `amount` minor units of credit to the customer's balance. Raises StripeRefused."""
    credit = client.v1.customers.balance_transactions.create_async(
        customer_id,
        params={"amount": -amount, "currency": currency.lower(), "metadata": dict(metadata)},
        options={"idempotency_key": idempotency_key},
    )
    return await request("give_credit", credit)
