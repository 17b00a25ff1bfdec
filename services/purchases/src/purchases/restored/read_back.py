"""Reads a restored ledger back: what Kafka has of it in the order in which it happened, then all that Stripe knows.

Money is Stripe's to say: a purchase is paid, and money goes back, as they are found there. What people did is in no
object of Stripe's: it is repeated from the facts, as the doing of who did it, at its time. Everything is published once
more, under the new epoch's ids and higher numbers; mails go by business ids and are not sent again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.process.faults import sqlstate
from chassis.process.logs import get_logger
from chassis.process.settings import ServiceSettings
from chassis.recovery.epochs import UnreadEpoch
from chassis.recovery.read_back import lift
from contracts import purchase_facts as facts
from purchases.jobs.kinds import ReconcilePurchase, SyncRefunds
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import WorkerContext
from purchases.ledger import store as ledger
from purchases.ledger.money import REQUESTED
from purchases.ledger.move import move, note_failure
from purchases.ledger.publish import Cause, announce_state, refunded_cents, sale_payment_of
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Refused, Status, Trigger
from purchases.reconcile.reconcile import reconcile_stretch
from purchases.reconcile.reconcile_purchase import reconcile_purchase
from purchases.reconcile.reconcile_subscriptions import reconcile_subscriptions
from purchases.reconcile.rules import REACH
from purchases.refunds.request_refund import refundable_cents, start_refund
from purchases.refunds.sync_refunds import sync_refunds
from purchases.restored.catalog_back import reread_catalog
from purchases.restored.facts import Forgotten, read_forgotten
from purchases.restored.rows_back import cause_of, insert_purchase, insert_refund, insert_workspaces
from purchases.stripe_api.customers import find_lost_customer
from purchases.stripe_api.since import Stretch
from purchases.workspaces import store as workspaces

log = get_logger(__name__)

WHY: Final = "read back after the database was restored"
TAKEN: Final = "23505"
"""PostgreSQL's unique_violation: another purchase has the place."""
PAYS: Final = (facts.PurchasePaid, facts.PaymentReturned)
RETURNS: Final = (facts.PurchaseRefunded, facts.PurchaseRestored)
MOVES: Final[Mapping[type[facts.PurchaseFact], Trigger]] = {
    facts.PurchaseFailed: Trigger.PAYMENT_FAILED,
    facts.PurchaseCancelled: Trigger.CANCELLED,
    facts.PurchaseDelivered: Trigger.DELIVERED,
    facts.PurchaseReopened: Trigger.REOPENED,
}
"""What is repeated as it was published; every other fact is Stripe's to say again."""


async def read_back(
    unread: Sequence[UnreadEpoch],
    *,
    context: WorkerContext,
    settings: ServiceSettings,
    turned: Callable[[], None],
) -> None:
    """Give the ledger back what it had forgotten; safe to repeat. Raises OutcomeUnknown while Stripe is away."""
    forgotten = await read_forgotten(settings, unread, turned=turned)
    await reread_catalog(context, settings, turned=turned)
    async with context.database.transaction() as session:
        await insert_workspaces(session, forgotten.workspaces)
    async with context.database.transaction() as session:
        await lift(session, forgotten.sequences)
    await _find_customers(context, forgotten, turned)
    for fact in forgotten.happened:
        turned()
        await _repeat(context, forgotten, fact)
    await _read_stripe(context, turned)
    for fact in forgotten.happened:
        turned()
        if isinstance(fact, facts.PurchaseCancelled):
            await _request_lost_refund(context, fact)
    await _announce(context, forgotten)


async def _find_customers(context: WorkerContext, forgotten: Forgotten, turned: Callable[[], None]) -> None:
    """Find the customers of workspaces that have none here: only theirs may pay for them."""
    async with context.database.reading() as session:
        rows = [await workspaces.find(session, workspace_id) for workspace_id in sorted(forgotten.workspaces)]
    for workspace_id in [row.id for row in rows if row is not None and row.stripe_customer_id is None]:
        turned()
        customer_id = await find_lost_customer(
            context.client, instance=context.instance, workspace_id=workspace_id, back=REACH
        )
        if customer_id is not None:
            async with context.database.transaction() as session:
                await workspaces.store_customer(session, workspace_id=workspace_id, customer_id=customer_id)


async def _repeat(context: WorkerContext, forgotten: Forgotten, fact: facts.PurchaseFact) -> None:
    if not await _insert(context, forgotten, fact):
        return
    if isinstance(fact, PAYS):
        await _reconcile(context, fact)
    elif isinstance(fact, RETURNS):
        await _sync_refunds(context, fact, forgotten.refunds_of(fact))
    async with context.database.transaction() as session:
        purchase = await ledger.lock_purchase(session, fact.purchase_id)
        if purchase is None:
            return
        if isinstance(fact, facts.RefundIssued | facts.RefundFailed):
            await insert_refund(session, purchase, fact)
        elif type(fact) in MOVES:
            await _move(session, purchase, fact)


async def _move(session: AsyncSession, purchase: Purchase, fact: facts.PurchaseFact) -> None:
    """Move it as it was moved; a failure with its code, a cancellation with what was to go back."""
    trigger, details = MOVES[type(fact)], dict[str, Any]()
    if await _was_done(session, fact, trigger):
        return
    if isinstance(fact, facts.PurchaseFailed) and purchase.status is Status.PENDING:
        note_failure(purchase, code=fact.failure_code)
    if isinstance(fact, facts.PurchaseCancelled):
        details["refund_requested_cents"] = fact.refund_requested_cents
    if isinstance(move(session, purchase, trigger, cause=cause_of(fact), **details), Refused):
        log.info("not_repeated", purchase=fact.subject, fact=fact.TYPE, status=purchase.status.value)


async def _insert(context: WorkerContext, forgotten: Forgotten, fact: facts.PurchaseFact) -> bool:
    """Insert the purchase if it is gone; return whether it is there. One without a place is adopted if it was paid."""
    try:
        async with context.database.transaction() as session:
            await insert_purchase(
                session,
                fact,
                state=forgotten.states.get(fact.subject),
                sequence=max(numbers.get(fact.subject, 0) for numbers in forgotten.sequences.values()),
            )
    except IntegrityError as error:
        if sqlstate(error) != TAKEN:
            raise
        log.warning("not_read_back", purchase=fact.subject, fact=fact.TYPE, reason="another purchase has its place")
        return False
    return True


async def _was_done(session: AsyncSession, fact: facts.PurchaseFact, trigger: Trigger) -> bool:
    """Return whether the history has it: it was not forgotten, or a reading before this one repeated it."""
    done = {Trigger.CANCELLED: _ENDS}.get(trigger, {trigger.value})
    lines = await ledger.history(session, fact.purchase_id)
    return any((one.at, one.actor) == (fact.occurred_at, fact.actor) and one.trigger in done for one in lines)


_ENDS: Final = {Trigger.CANCELLED.value, Trigger.SESSION_EXPIRED.value, Trigger.AUTHENTICATION_LAPSED.value}


async def _reconcile(context: WorkerContext, fact: facts.PurchaseFact) -> None:
    """Take the payment from Stripe, before what happened to the purchase once it was paid."""
    await reconcile_purchase(context, Task(id=0, attempts=1, job=ReconcilePurchase(purchase_id=fact.purchase_id)))


async def _sync_refunds(
    context: WorkerContext, fact: facts.PurchaseFact, requested: Sequence[facts.RefundIssued | facts.RefundFailed]
) -> None:
    """Take what went back from Stripe, once it is known again who had requested it."""
    async with context.database.transaction() as session:
        purchase = await ledger.lock_purchase(session, fact.purchase_id)
        if purchase is None:
            return
        for one in requested:
            await insert_refund(session, purchase, one)
    sale = sale_payment_of(purchase)
    for charge in sale.charges if sale else ():
        if subject := charge.stripe_payment_intent_id or charge.stripe_charge_id:
            job = SyncRefunds(payment=subject, purchase_id=fact.purchase_id, currency=fact.currency)
            await sync_refunds(context, Task(id=0, attempts=1, job=job))


async def _read_stripe(context: WorkerContext, turned: Callable[[], None]) -> None:
    """Compare the last days, one at a time, and what runs: what came by webhooks is in no fact of ours."""
    now = datetime.now(UTC)
    for ago in range(REACH.days, -1, -1):
        turned()
        start = now - timedelta(days=ago + 1)
        await reconcile_stretch(context, Stretch(start, start + timedelta(days=1, minutes=1)))
    turned()
    await reconcile_subscriptions(context)


async def _request_lost_refund(context: WorkerContext, fact: facts.PurchaseCancelled) -> None:
    """Request what staff asked for as they cancelled it, and Stripe has not sent."""
    async with context.database.transaction() as session:
        purchase = await ledger.lock_purchase(session, fact.purchase_id)
        if purchase is None or purchase.status is not Status.CANCELLED or not fact.refund_requested_cents:
            return
        requested = sum(one.refund_cents for one in purchase.refunds if one.status == REQUESTED)
        lacking = fact.refund_requested_cents - refunded_cents(purchase) - requested
        if (amount := min(lacking, refundable_cents(purchase))) > 0:
            await start_refund(session, purchase=purchase, amount=amount, cause=cause_of(fact))


async def _announce(context: WorkerContext, forgotten: Forgotten) -> None:
    """Publish each state anew, above every number that was published: it is the last of its key again."""
    for subject in forgotten.subjects:
        async with context.database.transaction() as session:
            purchase: Purchase | None = await ledger.lock_purchase(session, UUID(subject))
            if purchase is not None:
                cause = Cause(actor="quittance", at=datetime.now(UTC), reason=WHY)
                announce_state(session, purchase, cause=cause)
