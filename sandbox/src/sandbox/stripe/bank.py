"""The bank's word: on a payment that waits for the customer, and on a debit."""

from sandbox.stripe import invoicing, payments
from sandbox.stripe.call import Call
from sandbox.stripe.checkout import buying
from sandbox.stripe.model import PaymentIntent


def settle(*, call: Call, intent: PaymentIntent, succeeded: bool) -> PaymentIntent:
    """End a debit, days later. Raises payment_intent_unexpected_state for any other intent."""
    settled = payments.settle(call=call, intent=intent, succeeded=succeeded)
    invoicing.follow(call=call, intent=settled)
    buying.follow_debit(call=call, intent=settled)
    return settled


def answer(*, call: Call, intent: PaymentIntent, authorised: bool) -> PaymentIntent:
    """Settle an intent in `requires_action`: charge its card, or fail its authentication.

    Raises Stripe's payment_intent_unexpected_state for an intent that waits for nobody.
    """
    if intent.status != "requires_action" or intent.payment_method is None:
        message = f"This PaymentIntent does not wait for the customer: it has a status of {intent.status}."
        raise payments.unexpected_state(call=call, intent=intent, message=message)
    method = call.account.payment_methods.get(intent.payment_method)
    settled = (
        payments.charge(call=call, intent=intent, method=method, authenticated=True)
        if authorised
        else payments.fail_authentication(call=call, intent=intent)
    )
    invoicing.follow(call=call, intent=settled)
    buying.follow(call=call, intent=settled)
    return settled
