"""Customers, of which only those that Stripe no longer has concern us."""

from stripe_reader.origin import StripeObject, read_origin
from stripe_reader.stripe_json import Json


class Customer(StripeObject):
    """A customer: an object that is its own customer."""


def read_customer(customer: Json) -> Customer:
    """Return what a customer says. Raises UnknownShape. Source: https://docs.stripe.com/api/customers/object."""
    origin = read_origin(customer)
    origin["customer_id"] = origin["object_id"]
    return Customer(**origin)
