"""The life of a Checkout session: open, then complete or expired."""

from dataclasses import replace
from typing import Any, Final

from sandbox.stripe import payments
from sandbox.stripe.call import Call, outside
from sandbox.stripe.checkout import card_setup
from sandbox.stripe.checkout.model import CheckoutSession
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
            expire(call=outside(call.account, known), session=known)

    call.account.alarm(session.expires_at - call.now, act)
    return session


def complete(*, call: Call, session: CheckoutSession, **made: Any) -> CheckoutSession:
    """Complete the session; `made` is what came of it."""
    done = replace(session, status="complete", **made)
    done = call.save(replace(done, customer_details=_details(call=call, session=done)))
    call.emit("checkout.session.completed", done)
    return done


def expire(*, call: Call, session: CheckoutSession) -> CheckoutSession:
    """Nothing can come of it any more. Raises Stripe's refusal for a session that is over already."""
    if session.status != "open":
        message = (
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"`{session.status}`."
        )
        raise Refusal(message)
    _cancel_intents(call=call, session=session)
    expired = call.save(replace(session, status="expired"))
    call.emit("checkout.session.expired", expired)
    return expired


def refuse_closed(session: CheckoutSession) -> None:
    """Raise a complaint about a session that is complete or expired."""
    if session.status != "open":
        raise Refusal(f"This Checkout Session is {session.status}.")


def _cancel_intents(*, call: Call, session: CheckoutSession) -> None:
    if session.setup_intent:
        card_setup.cancel(call=call, intent=call.account.setup_intents.get(session.setup_intent))
    if session.intent:
        intent = call.account.payment_intents.get(session.intent)
        payments.cancel(call=call, intent=intent, reason="abandoned")


def _details(*, call: Call, session: CheckoutSession) -> Json:
    """Who the buyer said he is."""
    customer = call.account.customers.find(session.customer) if session.customer else None
    return {
        "email": customer.email if customer else session.customer_email,
        "name": customer.name if customer else None,
        "tax_exempt": customer.tax_exempt if customer else "none",
    }
