"""A session in `setup` mode: its setup intent saves the card that the buyer chose."""

from sandbox.stripe.call import Call
from sandbox.stripe.checkout import card_setup, sessions
from sandbox.stripe.checkout.model import CheckoutSession, SetupIntent
from sandbox.stripe.refusals import Refusal


def submit(*, call: Call, session: CheckoutSession, card: str) -> CheckoutSession:
    """Complete, unless the card's bank says no or wants to see the buyer first."""
    intent = intent_of(call=call, session=session)
    intent = card_setup.attempt(call=call, intent=intent, card=card, bank=f"{session.url}/bank")
    return _follow(call=call, session=session, intent=intent)


def answer_bank(*, call: Call, session: CheckoutSession, authorised: bool) -> CheckoutSession:
    """Answer the bank's page for the buyer. Raises Refusal when the bank asked nothing."""
    intent = intent_of(call=call, session=session)
    if intent.status != "requires_action":
        raise Refusal(f"This SetupIntent does not wait for the customer: it has a status of {intent.status}.")
    intent = card_setup.answer_bank(call=call, intent=intent, authorised=authorised)
    return _follow(call=call, session=session, intent=intent)


def intent_of(*, call: Call, session: CheckoutSession) -> SetupIntent:
    """Return the setup intent of a session that saves a card."""
    return call.account.setup_intents.get(str(session.setup_intent))


def _follow(*, call: Call, session: CheckoutSession, intent: SetupIntent) -> CheckoutSession:
    return sessions.complete(call=call, session=session) if intent.status == "succeeded" else session
