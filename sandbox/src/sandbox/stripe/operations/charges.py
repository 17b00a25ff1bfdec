"""Charges (https://docs.stripe.com/api/charges), which only payment intents make."""

from dataclasses import replace

from sandbox.stripe.call import Call
from sandbox.stripe.listing import filtered, page
from sandbox.stripe.model import Charge, Json


def retrieve(call: Call) -> Charge:
    return call.account.charges.get(call.id)


def update(call: Call) -> Charge:
    """Metadata and description."""
    before = call.account.charges.get(call.id)
    description = call.params.unset_or_text("description", current=before.description)
    changed = replace(before, metadata=call.params.metadata(current=before.metadata), description=description)
    call.save(changed)
    call.emit("charge.updated", changed, before=before)
    return changed


def list_(call: Call) -> Json:
    """Charges by payment intent or customer."""
    account = call.account
    things = filtered(held=account.charges, call=call, by="customer", known=account.customers)
    known = account.payment_intents
    things = filtered(held=account.charges, call=call, by="payment_intent", known=known, rest=things)
    return page(call=call, things=things, url="/v1/charges")
