"""Customers, of which only those that Stripe no longer has concern us as facts; their cards, and their credit."""

from typing import Final

from contracts.stripe_facts.words import SETUP_INTENT_STATUSES
from stripe_reader.origin import StripeObject, read_origin
from stripe_reader.stripe_json import (
    Json,
    currency_of,
    flag,
    id_of,
    integer,
    part,
    required_id,
    required_word,
    text,
)
from stripe_reader.value import Value


class Customer(StripeObject):
    """A customer: an object that is its own customer."""


def read_customer(customer: Json) -> Customer:
    """Return what a customer says. Raises UnknownShape. Source: https://docs.stripe.com/api/customers/object."""
    origin = read_origin(customer)
    origin["customer_id"] = origin["object_id"]
    return Customer(**origin)


RUNNING: Final = frozenset({"active", "trialing", "past_due", "unpaid", "paused"})
"""Statuses of a subscription whose card was charged once."""


class DefaultCards(Value):
    """What a customer's invoices are charged to: a payment method, and the source of before there were any."""

    payment_method_id: str | None
    source_id: str | None


class SavedCard(Value):
    """A card that Checkout saved, and whose it is now; nobody's once it was removed."""

    payment_method_id: str
    customer_id: str | None


def read_default_cards(customer: Json) -> DefaultCards | None:
    """Return a customer's default cards; None of one that was deleted. Raises UnknownShape.

    Source: https://docs.stripe.com/api/customers/object.
    """
    if flag(customer, "deleted"):
        return None
    return DefaultCards(
        payment_method_id=id_of(part(customer, "invoice_settings").get("default_payment_method")),
        source_id=id_of(customer.get("default_source")),
    )


def read_running_card(subscription: Json) -> str | None:
    """Return the card of a subscription that was charged once; None where it has none. Raises UnknownShape."""
    running = text(subscription, "status") in RUNNING
    return id_of(subscription.get("default_payment_method")) if running else None


def read_saved_card(intent: Json) -> SavedCard | None:
    """Return what a setup intent saved, its card expanded; None of one that did not succeed. Raises UnknownShape.

    Source: https://docs.stripe.com/api/setup_intents/object.
    """
    card_id = id_of(intent.get("payment_method"))
    if required_word(intent, "status", known=SETUP_INTENT_STATUSES) != "succeeded" or card_id is None:
        return None
    return SavedCard(payment_method_id=card_id, customer_id=id_of(part(intent, "payment_method").get("customer")))


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
