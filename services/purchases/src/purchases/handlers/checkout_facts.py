"""Appliers of what Stripe says of Checkout sessions."""

from chassis.records import Received
from contracts import stripe_facts as told
from purchases.handlers.save_card import card_was_saved
from purchases.handlers.work import Work, count, fact_as


async def session_completed(work: Work, received: Received) -> None:
    """In `setup` mode a card was saved."""
    fact = fact_as(told.CheckoutSessionCompleted, received)
    if fact.mode == "setup" and fact.setup_intent_id is not None:
        await card_was_saved(work, fact)
    else:
        count(fact, "no_effect")
