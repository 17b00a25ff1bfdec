"""Charges (https://docs.stripe.com/api/charges), which only payment intents make."""

from dataclasses import replace

from sandbox.stripe.call import Call
from sandbox.stripe.listing import page
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
    intent, customer = call.params.text("payment_intent"), call.params.text("customer")
    held = call.account.charges
    things = held.where("payment_intent", intent) if intent else held.newest_first()
    return page(call=call, things=(one for one in things if customer in (None, one.customer)), url="/v1/charges")
