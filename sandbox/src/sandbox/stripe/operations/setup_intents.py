"""Setup intents (https://docs.stripe.com/api/setup_intents), which only Checkout makes."""

from sandbox.stripe.call import Call
from sandbox.stripe.checkout.model import SetupIntent
from sandbox.stripe.listing import filtered, page
from sandbox.stripe.thing import Json


def retrieve(call: Call) -> SetupIntent:
    return call.account.setup_intents.get(call.id, param="intent")


def list_(call: Call) -> Json:
    """List by customer or payment method."""
    account, method = call.account, call.params.text("payment_method")
    things = filtered(held=account.setup_intents, call=call, by="customer", known=account.customers)
    kept = (one for one in things if method in (None, one.payment_method))
    return page(call=call, things=kept, url="/v1/setup_intents")
