"""What the buyer does on the page, whatever the session is for: press the button, answer the bank."""

from sandbox.stripe import bank
from sandbox.stripe.call import Call
from sandbox.stripe.checkout import buying, saving, sessions
from sandbox.stripe.checkout.model import CheckoutSession, SetupIntent
from sandbox.stripe.model import PaymentIntent
from sandbox.stripe.thing import Json


def submit(*, call: Call, session: CheckoutSession, card: str) -> CheckoutSession:
    """Save `card`, or pay with it. Raises Refusal for a session that is over."""
    sessions.refuse_closed(session)
    act = saving.submit if session.mode == "setup" else buying.submit
    return act(call=call, session=session, card=card)


def answer_bank(*, call: Call, session: CheckoutSession, authorised: bool) -> CheckoutSession:
    """Answer the bank for the buyer. Raises Refusal when the bank asked nothing."""
    sessions.refuse_closed(session)
    if session.mode == "setup":
        return saving.answer_bank(call=call, session=session, authorised=authorised)
    intent = call.account.payment_intents.get(str(session.intent))
    bank.answer(call=call, intent=intent, authorised=authorised)
    return call.account.checkout_sessions.get(session.id)


def waits_for_bank(*, call: Call, session: CheckoutSession) -> bool:
    """Return whether the bank wants to see the buyer."""
    intent = _intent(call=call, session=session)
    return session.status == "open" and intent is not None and intent.status == "requires_action"


def error_of(*, call: Call, session: CheckoutSession) -> Json | None:
    """Why the last card was refused."""
    intent = _intent(call=call, session=session)
    if isinstance(intent, SetupIntent):
        return intent.last_setup_error
    return intent.last_payment_error if intent else None


def _intent(*, call: Call, session: CheckoutSession) -> SetupIntent | PaymentIntent | None:
    if session.mode == "setup":
        return saving.intent_of(call=call, session=session)
    return call.account.payment_intents.get(session.intent) if session.intent else None
