"""The life of a Checkout session (https://docs.stripe.com/payments/checkout/how-checkout-works): open, then over."""

from dataclasses import replace
from typing import Final

from sandbox.stripe import card_setup
from sandbox.stripe.call import Call, outside
from sandbox.stripe.checkout_model import CheckoutSession, SetupIntent
from sandbox.stripe.refusals import Refusal
from sandbox.stripe.thing import Json

SHORTEST: Final = 30 * 60
LONGEST: Final = 24 * 3600
"""Seconds that a session may stay open; the longest is also the usual."""


def open_(*, call: Call, session: CheckoutSession) -> CheckoutSession:
    """Store the session, and let it expire in its time. No event tells of it, as at Stripe."""
    call.save(session)

    def act() -> None:
        known = call.account.checkout_sessions.find(session.id)
        if known and known.status == "open":
            expire(call=outside(call.account), session=known)

    call.account.alarm(session.expires_at - call.now, act)
    return session


def save_card(*, call: Call, session: CheckoutSession, card: str) -> CheckoutSession:
    """The buyer chose `card` and pressed Save: complete, unless its bank says no or wants to see him first."""
    refuse_closed(session)
    intent = card_setup.attempt(
        call=call, intent=intent_of(call=call, session=session), card=card, bank=f"{session.url}/bank"
    )
    return _follow(call=call, session=session, intent=intent)


def answer_bank(*, call: Call, session: CheckoutSession, authorised: bool) -> CheckoutSession:
    """The buyer's word at the bank's page. Raises Refusal when the bank asked nothing."""
    refuse_closed(session)
    intent = intent_of(call=call, session=session)
    if intent.status != "requires_action":
        raise Refusal(f"This SetupIntent does not wait for the customer: it has a status of {intent.status}.")
    intent = card_setup.answer_bank(call=call, intent=intent, authorised=authorised)
    return _follow(call=call, session=session, intent=intent)


def expire(*, call: Call, session: CheckoutSession) -> CheckoutSession:
    """Nothing can come of it any more. Raises Stripe's refusal for a session that is over already."""
    if session.status != "open":
        message = (
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"`{session.status}`."
        )
        raise Refusal(message)
    card_setup.cancel(call=call, intent=intent_of(call=call, session=session))
    expired = call.save(replace(session, status="expired"))
    call.emit("checkout.session.expired", expired)
    return expired


def intent_of(*, call: Call, session: CheckoutSession) -> SetupIntent:
    """The setup intent of a session that saves a card."""
    return call.account.setup_intents.get(str(session.setup_intent))


def refuse_closed(session: CheckoutSession) -> None:
    """Raise a complaint about a session that is complete or expired."""
    if session.status != "open":
        raise Refusal(f"This Checkout Session is {session.status}.")


def _follow(*, call: Call, session: CheckoutSession, intent: SetupIntent) -> CheckoutSession:
    if intent.status != "succeeded":
        return session
    complete = call.save(replace(session, status="complete", customer_details=_details(call=call, session=session)))
    call.emit("checkout.session.completed", complete)
    return complete


def _details(*, call: Call, session: CheckoutSession) -> Json:
    """Who the buyer said he is."""
    customer = call.account.customers.find(session.customer) if session.customer else None
    return {
        "email": customer.email if customer else session.customer_email,
        "name": customer.name if customer else None,
        "tax_exempt": customer.tax_exempt if customer else "none",
    }
