"""Transactions of a customer's credit balance."""

from stripe_reader.stripe_json import Json, currency_of, integer, required_id
from stripe_reader.value import Value


class Credit(Value):
    """What was given to the balance; `cents` in minor units of `currency`, below zero where it was taken."""

    transaction_id: str
    cents: int
    currency: str


def read_credit(transaction: Json) -> Credit:
    """Return what a transaction gave; Stripe counts credit below zero. Raises UnknownShape.

    Source: https://docs.stripe.com/api/customer_balance_transactions/object.
    """
    return Credit(
        transaction_id=required_id(transaction, "id"),
        cents=-integer(transaction, "amount"),
        currency=currency_of(transaction),
    )
