"""Appliers of what Stripe says of Checkout sessions."""

import uuid
from collections.abc import Iterable

from chassis.kafka.records import Received
from contracts import stripe_facts
from purchases.batch.context import BatchContext, cause_of, count_outcome, fact_as
from purchases.checkout import store as checkouts
from purchases.checkout.end_checkout import apply_session
from purchases.checkout.rows import CheckoutSession
from purchases.customers.save_card import card_was_saved
from purchases.jobs.kinds import ReconcileCheckout
from purchases.jobs.store import enqueue
from purchases.ledger.rows import Purchase
from purchases.stripe_api.checkout import FAILED, FetchedSession

Complete = stripe_facts.CheckoutSessionCompleted | stripe_facts.CheckoutSessionPaid | stripe_facts.CheckoutSessionUnpaid


async def session_completed(context: BatchContext, received: Received) -> None:
    """Adopt the card that `setup` mode saved, or apply the sale of `subscription` mode: the plan, maybe add-ons."""
    fact = fact_as(stripe_facts.CheckoutSessionCompleted, received)
    if fact.mode == "setup":
        await card_was_saved(context, fact)
    else:
        await _apply(context, fact, _complete(fact, fact.payment_status))


async def session_paid(context: BatchContext, received: Received) -> None:
    """Apply a bank debit that came through; the invoice's own events pay the rows, or a job where they are lost."""
    fact = fact_as(stripe_facts.CheckoutSessionPaid, received)
    await _apply_sale(context, fact, _complete(fact, "paid"))


async def session_unpaid(context: BatchContext, received: Received) -> None:
    """Apply a bank debit that came to nothing: what was sold with it has failed."""
    fact = fact_as(stripe_facts.CheckoutSessionUnpaid, received)
    await _apply_sale(context, fact, _complete(fact, FAILED))


async def session_expired(context: BatchContext, received: Received) -> None:
    """Cancel what the session would have sold: nobody will pay on it."""
    fact = fact_as(stripe_facts.CheckoutSessionExpired, received)
    await _apply_sale(context, fact, _session_of(fact, "expired"))


def _complete(fact: Complete, payment_status: str | None) -> FetchedSession:
    return _session_of(
        fact,
        "complete",
        subscription_id=fact.subscription_id,
        invoice_id=fact.invoice_id,
        payment_status=payment_status,
    )


def _session_of(fact: stripe_facts.CheckoutSessionFact, status: str, **made: str | None) -> FetchedSession:
    known = {"subscription_id": None, "invoice_id": None} | made
    return FetchedSession(session_id=fact.session_id, status=status, url=None, **known)


async def _apply_sale(context: BatchContext, fact: stripe_facts.CheckoutSessionFact, seen: FetchedSession) -> None:
    """Apply it to what a session in `subscription` mode sells; in another mode it has no effect."""
    if fact.mode == "subscription":
        await _apply(context, fact, seen)
    else:
        count_outcome(fact, "no_effect")


async def _apply(context: BatchContext, fact: stripe_facts.CheckoutSessionFact, seen: FetchedSession) -> None:
    checkout = await checkouts.named(
        context.session, stripe_session_id=fact.session_id, checkout_id=_our_id(fact.client_reference_id)
    )
    purchases = context.purchases_of(fact)
    if not is_stored(fact.session_id, checkout, purchases):
        await _enqueue_fetch(context, fact, checkout)
        return
    learned = await apply_session(
        context.session, checkout=checkout, purchases=purchases, seen=seen, cause=cause_of(fact)
    )
    for purchase, ids in learned:
        context.learn(purchase, ids)
    count_outcome(fact, "applied")


def is_stored(session_id: str, checkout: CheckoutSession | None, purchases: Iterable[Purchase]) -> bool:
    """Return whether it is a session that we stored as Stripe made it, and not one that only says that it is ours."""
    stored = [checkout.stripe_session_id] if checkout is not None else []
    return session_id in (*stored, *(purchase.stripe_checkout_session_id for purchase in purchases))


async def _enqueue_fetch(
    context: BatchContext, fact: stripe_facts.CheckoutSessionFact, checkout: CheckoutSession | None
) -> None:
    """Enqueue a fetch of a Checkout whose session was never stored; of no Checkout of ours, it sells nothing.

    What its invoice pays, or its subscription grants, is fetched all the same, as soon as an event of either comes.
    """
    if checkout is None:
        count_outcome(fact, "not_ours")
        return
    await enqueue(context.session, ReconcileCheckout(checkout_id=checkout.id, heard=fact.session_id))
    count_outcome(fact, "asked")


def _our_id(reference: str | None) -> uuid.UUID | None:
    """Return the Checkout's id; None for any other reference, as somebody else's session may carry."""
    try:
        return uuid.UUID(reference or "")
    except ValueError:
        return None
