"""The third level of recovery: Stripe's paid invoices, refunds and disputes are compared with the ledger."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.process.logs import get_logger
from contracts.stripe_facts import DisputeChanged, RefundChanged
from purchases.batch.context import BatchContext
from purchases.batch.fetched_facts import (
    dispute_fact,
    invoice_fact,
    park_unknown_shape,
    received_from_stripe,
    refund_fact,
)
from purchases.batch.parking import allocation_mark, is_set_aside
from purchases.batch.references import ids_of, names_in
from purchases.jobs.kinds import Reconcile, ReconcileDay, ReconcileSubscriptions
from purchases.jobs.store import Task, enqueue
from purchases.jobs.stripe_context import DONE, Later, Result, WorkerContext
from purchases.ledger import plan_money
from purchases.ledger import store as ledger
from purchases.reconcile import store as known
from purchases.reconcile import unrecorded
from purchases.reconcile.adopt import adopt
from purchases.reconcile.missed import note_missed
from purchases.reconcile.rules import REACH
from purchases.stripe_api.client import UnknownShape
from purchases.stripe_api.fetch import whole_invoice, with_all_pages
from purchases.stripe_api.reading import Fetched
from purchases.stripe_api.since import Stretch, disputes, paid_invoices, refunds
from stripe_reader.invoices import read_invoice_origin
from stripe_reader.unknown_shapes import owner_hints_of

log = get_logger(__name__)

A_DAY: Final = timedelta(days=1)
EVERY: Final = timedelta(hours=6)
APART: Final = timedelta(seconds=20)
"""One day after the other, so that they do not use up what Stripe allows."""

MoneyBack = RefundChanged | DisputeChanged
Found = Counter[str]
"""How many of each kind Stripe knew better than the ledger."""


async def reconcile(context: WorkerContext, _: Task[Reconcile]) -> Result:
    """Have each of the last days compared, and what runs now, again and again."""
    today = datetime.now(UTC).date()
    async with context.database.transaction() as session:
        for ago in range(REACH.days + 1):
            await enqueue(session, ReconcileDay(day=today - ago * A_DAY), after=ago * APART)
        await enqueue(session, ReconcileSubscriptions(instance=context.instance))
    return Later(EVERY)


async def reconcile_day(context: WorkerContext, task: Task[ReconcileDay]) -> Result:
    """Compare what was made at Stripe on one day, by UTC."""
    start = datetime.combine(task.job.day, time(), UTC)
    await reconcile_stretch(context, Stretch(start, start + A_DAY))
    return DONE


async def reconcile_stretch(context: WorkerContext, stretch: Stretch) -> Found:
    """Compare, and apply what is missed: a payment first, since its refunds and disputes need it. Safe to repeat."""
    found = Found(payments=0, refunds=0, disputes=0)
    async for invoice in paid_invoices(context.client, stretch):
        found["payments"] += await _take_payment(context, invoice)
    async for refund in refunds(context.client, stretch):
        found["refunds"] += await _take_money_back(context, refund, "refund", refund_fact)
    async for dispute in disputes(context.client, stretch):
        found["disputes"] += await _take_money_back(context, dispute, "dispute", dispute_fact)
    log.info("swept", start=stretch.start.isoformat(), end=stretch.end.isoformat(), **found)
    return found


async def _take_payment(context: WorkerContext, listed: Fetched) -> bool:
    """Apply a payment that the ledger lacks; park one of ours that nobody understands, so that it holds up no other."""
    try:
        return await _take_invoice(context, listed)
    except UnknownShape as error:
        await _keep_unknown(context, listed, "invoice", error)
        return False


async def _take_invoice(context: WorkerContext, listed: Fetched) -> bool:
    """Make the rows that our payment names and the ledger lacks, and apply it; return whether that was tried."""
    if listed.read(read_invoice_origin)["quittance_instance"] != context.instance:
        return False
    names = set(names_in(invoice_fact(await with_all_pages(context.client, listed))))
    async with context.database.reading() as session:
        before = await known.payments_with(session, listed.id)
        if not names or before >= len(names):
            return False
    fact = invoice_fact(await whole_invoice(context.client, listed.id))
    async with context.database.transaction() as session:
        await unrecorded.note(session, fact, purchases=len(names))
    async with context.database.transaction() as session:
        await adopt(session, fact)
        await context.apply(session, [received_from_stripe(fact)])
        taken = await known.payments_with(session, listed.id) > before
    if taken:
        note_missed("payment", fact.invoice_id)
    return True


async def _take_money_back(
    context: WorkerContext, thing: Fetched, kind: str, read: Callable[[Fetched], MoneyBack]
) -> bool:
    """Apply money back that the ledger lacks; park what nobody understands, if it is of a payment of ours."""
    try:
        return await _take(context, read(thing))
    except UnknownShape as error:
        await _keep_unknown(context, thing, kind, error)
        return False


async def _keep_unknown(context: WorkerContext, thing: Fetched, kind: str, error: UnknownShape) -> None:
    said = owner_hints_of(thing.payload)
    ids = set(said.ids)
    async with context.database.transaction() as session:
        names = await ledger.resolve(session, stripe_ids=ids, purchase_ids=set())
        if said.has_our_metadata or names.by_id or await plan_money.workspaces_by_payment(session, ids):
            await park_unknown_shape(BatchContext(session, context.instance, names, {}), thing, kind, error)


async def _take(context: WorkerContext, fact: MoneyBack) -> bool:
    if fact.quittance_instance not in (None, context.instance):
        return False
    async with context.database.transaction() as session:
        if await _is_known(session, fact) or not await _is_ours(session, fact):
            return False
        if await is_set_aside(session, received_from_stripe(fact)):
            return False
        await context.apply(session, [received_from_stripe(fact)])
    if isinstance(fact, DisputeChanged):
        note_missed("dispute", fact.dispute_id)
    else:
        note_missed("refund", fact.refund.refund_id)
    return True


async def _is_known(session: AsyncSession, fact: MoneyBack) -> bool:
    if isinstance(fact, DisputeChanged):
        return await known.has_dispute(session, fact.dispute_id, status=fact.status)
    refund = fact.refund
    mark = allocation_mark(refund.refund_id)
    return await known.has_refund(session, refund.refund_id, status=refund.status, mark=mark)


async def _is_ours(session: AsyncSession, fact: MoneyBack) -> bool:
    """Return whether the ledger has its payment by now, after all payments were compared; else it is a stranger's."""
    ids = set(ids_of(fact)) - {fact.purchase_id}
    if (await ledger.resolve(session, stripe_ids=ids, purchase_ids=set())).by_id:
        return True
    return bool(await plan_money.workspaces_by_payment(session, ids))
