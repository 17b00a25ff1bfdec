"""A customer's balance: each move of it is a transaction (https://docs.stripe.com/billing/customer/balance)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id
from sandbox.stripe.model import BalanceTransaction, Customer

DEFAULT_CURRENCY: Final = "usd"
"""Of a customer who was never billed, where a request names none."""


def move(
    *,
    call: Call,
    customer: Customer,
    amount: int,
    currency: str | None = None,
    type: str = "adjustment",  # noqa: A002 - Stripe's word
    invoice: str | None = None,
    description: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> BalanceTransaction:
    """Add `amount` (negative is credit) to the balance; the customer is saved with it."""
    moved = call.save(replace(customer, balance=customer.balance + amount))
    return call.save(
        BalanceTransaction(
            id=new_id(prefix="cbtxn"),
            created=call.now,
            customer=customer.id,
            amount=amount,
            currency=currency or customer.currency or DEFAULT_CURRENCY,
            ending_balance=moved.balance,
            type=type,
            invoice=invoice,
            description=description,
            metadata=dict(metadata or {}),
        )
    )
