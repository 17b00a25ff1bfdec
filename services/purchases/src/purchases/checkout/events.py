"""Appliers of what Stripe says of Checkout sessions."""

import uuid
from collections.abc import Iterable

from chassis.kafka.records import Received
from contracts import stripe_facts as told
from purchases.batch.work import Work, cause_of, count, fact_as
from purchases.checkout import store as checkouts
from purchases.checkout.end_checkout import follow
from purchases.checkout.rows import CheckoutSession
from purchases.customers.save_card import card_was_saved
from purchases.jobs import store as commands
from purchases.ledger.rows import Purchase
from purchases.stripe_api.checkout import FAILED, SessionSeen

Complete = told.CheckoutSessionCompleted | told.CheckoutSessionPaid | told.CheckoutSessionUnpaid


async def session_completed(work: Work, received: Received) -> None:
    """In `setup` mode a card was saved; in `subscription` mode the plan was bought, alone or with add-ons."""
    fact = fact_as(told.CheckoutSessionCompleted, received)
    if fact.mode == "setup":
        await card_was_saved(work, fact)
    else:
        await _follow(work, fact, _complete(fact, fact.payment_status))


async def session_paid(work: Work, received: Received) -> None:
    """A bank debit came through: the invoice's own events pay the rows, and settling does where they are lost."""
    fact = fact_as(told.CheckoutSessionPaid, received)
    if fact.mode == "subscription":
        await _follow(work, fact, _complete(fact, "paid"))
    else:
        count(fact, "no_effect")


async def session_unpaid(work: Work, received: Received) -> None:
    """A bank debit came to nothing: what was sold with it has failed."""
    fact = fact_as(told.CheckoutSessionUnpaid, received)
    if fact.mode == "subscription":
        await _follow(work, fact, _complete(fact, FAILED))
    else:
        count(fact, "no_effect")


async def session_expired(work: Work, received: Received) -> None:
    """Nobody will pay on it: what it would have sold is cancelled."""
    fact = fact_as(told.CheckoutSessionExpired, received)
    if fact.mode == "subscription":
        await _follow(work, fact, _seen(fact, "expired"))
    else:
        count(fact, "no_effect")


def _complete(fact: Complete, payment_status: str | None) -> SessionSeen:
    return _seen(
        fact,
        "complete",
        subscription_id=fact.subscription_id,
        invoice_id=fact.invoice_id,
        payment_status=payment_status,
    )


def _seen(fact: told.CheckoutSessionFact, status: str, **made: str | None) -> SessionSeen:
    known = {"subscription_id": None, "invoice_id": None} | made
    return SessionSeen(session_id=fact.session_id, status=status, url=None, **known)


async def _follow(work: Work, fact: told.CheckoutSessionFact, seen: SessionSeen) -> None:
    checkout = await checkouts.named(
        work.session, stripe_session_id=fact.session_id, checkout_id=_our_id(fact.client_reference_id)
    )
    purchases = work.purchases_of(fact)
    if not is_stored(fact.session_id, checkout, purchases):
        await _look_first(work, fact, checkout)
        return
    learned = await follow(work.session, checkout=checkout, purchases=purchases, seen=seen, cause=cause_of(fact))
    for purchase, ids in learned:
        work.learn(purchase, ids)
    count(fact, "applied")


def is_stored(session_id: str, checkout: CheckoutSession | None, purchases: Iterable[Purchase]) -> bool:
    """Return whether it is a session that we stored as Stripe made it, and not one that only says that it is ours."""
    stored = [checkout.stripe_session_id] if checkout is not None else []
    return session_id in (*stored, *(one.stripe_checkout_session_id for one in purchases))


async def _look_first(work: Work, fact: told.CheckoutSessionFact, checkout: CheckoutSession | None) -> None:
    """Have a Checkout whose session was never stored looked up at Stripe; of no Checkout of ours, it sells nothing.

    What its invoice pays, or its subscription grants, is looked up all the same, as soon as either is told of.
    """
    if checkout is None:
        count(fact, "not_ours")
        return
    await commands.ask(work.session, kind="settle_checkout", subject=str(checkout.id), heard=fact.session_id)
    count(fact, "asked")


def _our_id(reference: str | None) -> uuid.UUID | None:
    """Somebody else's session may carry any reference."""
    try:
        return uuid.UUID(reference or "")
    except ValueError:
        return None
