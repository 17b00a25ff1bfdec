"""A customer's credit balance at Stripe: what it paid of an invoice, and what was given back to it."""

from collections.abc import Mapping
from dataclasses import dataclass

from stripe import StripeClient

from purchases.stripe_api.reading import Fetched, listed, request
from stripe_reader.invoices import read_invoice
from stripe_reader.payments import read_paid_by_credit


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
