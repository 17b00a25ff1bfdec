"""Customer events: one that Stripe no longer has."""

from contracts.stripe_facts import CustomerDeleted
from webhook_gateway.stripe_event import StripeEvent, origin
from webhook_gateway.told import Told, tell


def customer_deleted(event: StripeEvent) -> Told:
    """`customer.deleted`: the object is the customer itself. Source: https://docs.stripe.com/api/customers/object."""
    fields = origin(event)
    return tell(CustomerDeleted, **{**fields, "customer_id": fields["object_id"]})
