"""What a Checkout has come to: by an event, fetched, or ended since it is in somebody's way."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession
from stripe import StripeClient

from chassis.database.database import Database
from chassis.problems import Problem
from purchases.checkout import store as checkouts
from purchases.checkout.rows import CheckoutSession
from purchases.customers.usable_customer import refused_by_stripe
from purchases.jobs.kinds import ReconcileCheckout, ReconcilePurchase, SyncSubscription, VoidInvoice
from purchases.jobs.lease import database_now, is_leased
from purchases.jobs.store import Task, enqueue
from purchases.jobs.stripe_context import DONE, Later, Result, StripeContext
from purchases.ledger import store as ledger
from purchases.ledger.learn_ids import learn_ids, release_waiting
from purchases.ledger.move import end_payable, move, move_or_record_stale, note_failure, wait_for_bank
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status, Step, Trigger
from purchases.stripe_api.checkout import UNPAID, FetchedSession, expire_session, fetch_checkout
from purchases.stripe_api.client import OutcomeUnknown, StripeRefused
from purchases.subscriptions.problems import checkout_busy
from purchases.workspaces import store as workspaces

PAID_AFTER: Final = timedelta(seconds=30)
"""When an invoice's events have had their time, its purchases are reconciled."""
EXPIRED_AFTER: Final = timedelta(minutes=1)
OPEN_AGAIN: Final = timedelta(seconds=90)
"""An open page lives for 33 minutes: one that is paid, and whose event is lost, is found by then."""
LONGEST_WAIT: Final = timedelta(minutes=10)
OVER: Final = frozenset({Status.CANCELLED, Status.FAILED})

Learned = list[tuple[Purchase, list[str]]]


async def apply_session(
    session: AsyncSession,
    *,
    checkout: CheckoutSession | None,
    purchases: Sequence[Purchase],
    seen: FetchedSession,
    cause: Cause,
) -> Learned:
    """Do what `seen` means for the Checkout and its locked purchases; return the ids that they learned."""
    if checkout is not None:
        _store_session(checkout, seen, cause.at)
    learned: Learned = []
    for purchase in purchases:
        ids = learn_ids(
            purchase,
            checkout_session_id=seen.session_id,
            subscription_id=seen.subscription_id,
            invoice_id=seen.invoice_id,
        )
        learned.append((purchase, ids))
        if purchase.stripe_checkout_session_id == seen.session_id:
            await _move(session, purchase, seen, cause)
    return learned


def _store_session(checkout: CheckoutSession, seen: FetchedSession, now: datetime) -> None:
    """Store what was seen; what is complete stays so, and nothing opens again."""
    checkout.stripe_session_id = seen.session_id
    checkout.url = seen.url or checkout.url
    if seen.status == "complete":
        checkout.payment_status = _payment_status(checkout, seen)
    if seen.status == "complete" or (checkout.state in checkouts.LIVE and checkout.state != seen.status):
        checkout.state = seen.status
    checkout.leased_until, checkout.updated_at = None, now


def _payment_status(checkout: CheckoutSession, seen: FetchedSession) -> str | None:
    """Return the payment's status; what is paid or has failed stays so, in whatever order the events come."""
    known = checkout.payment_status
    return known if known not in {None, UNPAID} and seen.payment_status in {None, UNPAID} else seen.payment_status


async def _move(session: AsyncSession, purchase: Purchase, seen: FetchedSession, cause: Cause) -> None:
    if seen.status == "open":
        return
    if seen.is_at_the_bank or seen.has_failed:
        await _wait_for_bank(session, purchase, seen, cause)
        return
    end_payable(purchase)
    if seen.status == "expired" and purchase.status not in OVER:
        move_or_record_stale(session, purchase, Trigger.SESSION_EXPIRED, cause=cause)
    if seen.status == "complete" and purchase.status is Status.PENDING:
        await enqueue(session, ReconcilePurchase(purchase_id=purchase.id), after=PAID_AFTER)


async def _wait_for_bank(session: AsyncSession, purchase: Purchase, seen: FetchedSession, cause: Cause) -> None:
    """Wait for what is complete and unpaid: its invoice can be paid until it is void; reconciling finds what came."""
    if purchase.status is not Status.PENDING:
        return
    if seen.is_at_the_bank:
        wait_for_bank(purchase)
        await enqueue(session, ReconcilePurchase(purchase_id=purchase.id), after=PAID_AFTER)
    elif isinstance(move(session, purchase, Trigger.PAYMENT_FAILED, cause=cause), Step):
        await enqueue(session, VoidInvoice(purchase_id=purchase.id))


def nothing_was_opened(
    session: AsyncSession,
    *,
    checkout: CheckoutSession,
    purchases: Sequence[Purchase],
    cause: Cause,
    code: str | None = None,
) -> None:
    """End a Checkout of which Stripe has no session, or refused to make one: nobody can pay on it."""
    checkout.state, checkout.leased_until, checkout.updated_at = "expired", None, cause.at
    for purchase in purchases:
        end_payable(purchase)
        if purchase.status is Status.PENDING:
            note_failure(purchase, code=code)
            move(session, purchase, Trigger.NOTHING_AT_STRIPE, cause=cause)


async def lock_checkout(
    session: AsyncSession, *, checkout_id: uuid.UUID, workspace_id: str
) -> tuple[CheckoutSession, list[Purchase]]:
    """Lock the workspace, and with it the Checkout and its purchases, which come in their order."""
    await workspaces.lock_workspace(session, workspace_id)
    checkout = await checkouts.find(session, checkout_id)
    assert checkout is not None  # noqa: S101 - no Checkout is ever deleted
    ids = [uuid.UUID(one) for one in checkout.purchase_ids]
    held = await ledger.lock_purchases(session, ids)
    return checkout, [held[one] for one in ids]


async def reconcile_checkout(context: StripeContext, task: Task[ReconcileCheckout]) -> Result:
    """Fetch the Checkout's session and apply it; repeated until it is over. It never pays."""
    async with context.database.reading() as session:
        checkout, now = await checkouts.find(session, task.job.checkout_id), await database_now(session)
    if checkout is None or (checkout.state not in checkouts.LIVE and task.job.heard is None):
        return DONE  # unless an event names a session of it that was never stored
    if checkout.leased_until is not None and is_leased(checkout.leased_until, now=now):
        return Later(_left(checkout.leased_until - now))
    seen = await fetch_checkout(context.client, checkouts.sale_of(checkout))
    cause = Cause(actor="stripe", at=datetime.now(UTC), reason="found by looking at its Checkout")
    state = await apply_fetched_session(context.database, checkout, seen, cause)
    if state not in checkouts.LIVE:
        return DONE
    over = checkout.expires_at + EXPIRED_AFTER
    return Later(min(_left(over - now), OPEN_AGAIN) if over > now else _overdue(task))


async def apply_fetched_session(
    database: Database, checkout: CheckoutSession, seen: FetchedSession | None, cause: Cause
) -> str:
    """Apply what was fetched, under the workspace's lock, and return the Checkout's state afterwards."""
    async with database.transaction() as session:
        row, purchases = await lock_checkout(session, checkout_id=checkout.id, workspace_id=checkout.workspace_id)
        if seen is not None:
            learned = await apply_session(session, checkout=row, purchases=purchases, seen=seen, cause=cause)
            await release_waiting(session, [one for _, ids in learned for one in ids])
            await enqueue_subscription_sync(session, row, seen)
        elif row.state == "asking" and not is_leased(row.leased_until, now=await database_now(session)):
            nothing_was_opened(session, checkout=row, purchases=purchases, cause=cause)
        return row.state


async def enqueue_subscription_sync(session: AsyncSession, checkout: CheckoutSession, seen: FetchedSession) -> None:
    """Enqueue a sync of the subscription that was sold: it must not be sold once more while no event has come."""
    if seen.status == "complete" and seen.subscription_id is not None:
        await enqueue(
            session, SyncSubscription(subscription_id=seen.subscription_id, workspace_id=checkout.workspace_id)
        )


async def expire_checkout(*, database: Database, client: StripeClient, checkout: CheckoutSession, cause: Cause) -> None:
    """End a live Checkout that is in the way, and wait for Stripe's answer.

    Raises Problem 409: `already-purchased` when it was completed, `checkout-busy` when Stripe does not say.
    """
    if await is_opening(database, checkout):
        raise checkout_busy()
    try:
        seen = await fetch_checkout(client, checkouts.sale_of(checkout))
        if seen is not None and seen.status == "open":
            seen = await expire_session(client, seen.session_id)
    except OutcomeUnknown as error:
        raise checkout_busy() from error
    except StripeRefused as error:
        raise await refused_by_stripe(database, error, workspace_id=checkout.workspace_id) from error
    state = await apply_fetched_session(database, checkout, seen, cause)
    if state == "complete":
        raise checkout_completed(checkout.purchase_ids)


async def is_opening(database: Database, checkout: CheckoutSession) -> bool:
    """Return whether the request that opens the session is still at work."""
    if checkout.leased_until is None:
        return False
    async with database.reading() as session:
        return is_leased(checkout.leased_until, now=await database_now(session))


def _overdue(task: Task[ReconcileCheckout]) -> timedelta:
    """Return how long to wait where its time is up, and Stripe does not say so: ever longer, up to `LONGEST_WAIT`."""
    return min(EXPIRED_AFTER * (1 << min(task.attempts, 10)), LONGEST_WAIT)


def _left(left: timedelta) -> timedelta:
    return min(max(left, timedelta(seconds=1)), LONGEST_WAIT)


def checkout_completed(purchase_ids: Sequence[str]) -> Problem:
    """Return a 409: the Checkout that was in the way has been paid."""
    return Problem(
        409,
        "already-purchased",
        "It was bought in another Checkout",
        "Nothing was charged here.",
        purchase_ids=list(purchase_ids),
    )
