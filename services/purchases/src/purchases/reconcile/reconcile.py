"""The third level of recovery: Stripe's paid invoices, refunds and disputes are compared with the ledger."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.process.logs import get_logger
from contracts.stripe_facts import DisputeChanged, InvoicePaid, RefundChanged
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
from purchases.catalog_copy import plans
from purchases.jobs.kinds import ReconcileDay
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import DONE, Result, WorkerContext
from purchases.ledger import plan_money
from purchases.ledger import store as ledger
from purchases.reconcile import store as known
from purchases.reconcile import unrecorded
from purchases.reconcile.adopt import adopt
from purchases.reconcile.missed import note_missed
from purchases.reconcile.reconcile_subscriptions import take_subscription
from purchases.stripe_api.client import UnknownShape
from purchases.stripe_api.fetch import whole_invoice, with_all_pages
from purchases.stripe_api.reading import Fetched
from purchases.stripe_api.since import Stretch, disputes, paid_invoices, refunds
from purchases.subscriptions import store as subscriptions
from purchases.subscriptions.workspaces_by_event import workspaces_by_event
from stripe_reader.invoices import read_invoice_origin, read_paid_at, read_subscription_id
from stripe_reader.unknown_shapes import owner_hints_of

log = get_logger(__name__)

A_DAY: Final = timedelta(days=1)
MoneyBack = RefundChanged | DisputeChanged
Found = Counter[str]
"""How many of each kind Stripe knew better than the ledger."""


@dataclass(frozen=True, slots=True)
class _Lacking:
    """What the ledger lacks of a paid invoice: payments of so many purchases; for the plan, its own or a charge."""

    purchases: int
    of_plan: bool = False
    a_charge: bool = False
    workspace_id: str | None = None
    """Whose plan it paid; None where nobody here is known to have it."""


async def reconcile_day(context: WorkerContext, task: Task[ReconcileDay]) -> Result:
    """Compare what was made at Stripe on one day, by UTC."""
    start = datetime.combine(task.job.day, time(), UTC)
    await reconcile_stretch(context, Stretch(start, start + A_DAY))
    return DONE


async def reconcile_stretch(context: WorkerContext, stretch: Stretch) -> Found:
    """Compare, and apply what is missed: a payment first, since its refunds and disputes need it. Safe to repeat."""
    found = Found(payments=0, refunds=0, disputes=0)
    async for invoice in paid_invoices(context.client, stretch):
        found["payments"] += await take_payment(context, invoice)
    async for refund in refunds(context.client, stretch):
        found["refunds"] += await take_refund(context, refund)
    async for dispute in disputes(context.client, stretch):
        found["disputes"] += await take_dispute(context, dispute)
    log.info("swept", start=stretch.start.isoformat(), end=stretch.end.isoformat(), **found)
    return found


async def take_payment(context: WorkerContext, listed: Fetched, *, paid_before: datetime | None = None) -> bool:
    """Apply a payment that the ledger lacks; park one of ours that nobody understands, so that it holds up no other.

    What was paid at `paid_before` or later is left to its event. Returns whether something was lacking.
    """
    try:
        paid_at = listed.read(read_paid_at)
        if paid_before is not None and paid_at is not None and paid_at >= paid_before:
            return False
        return await _take_invoice(context, listed)
    except UnknownShape as error:
        await _keep_unknown(context, listed, "invoice", error)
        return False


async def take_refund(context: WorkerContext, refund: Fetched) -> bool:
    """Apply a refund that the ledger lacks, or knows otherwise; return whether it did."""
    return await _take_money_back(context, refund, "refund", refund_fact)


async def take_dispute(context: WorkerContext, dispute: Fetched) -> bool:
    """Apply a dispute that the ledger lacks, or knows otherwise; return whether it did."""
    return await _take_money_back(context, dispute, "dispute", dispute_fact)


async def _take_invoice(context: WorkerContext, listed: Fetched) -> bool:
    """Make the rows that our payment names and the ledger lacks, and apply it; return whether that was tried."""
    instance = listed.read(read_invoice_origin)["quittance_instance"]
    is_of_subscription = listed.read(read_subscription_id) is not None
    if instance != context.instance and (instance is not None or not is_of_subscription):
        return False
    lacking = await _lacking(context, invoice_fact(await with_all_pages(context.client, listed)))
    if lacking is None:
        return False
    fact = invoice_fact(await whole_invoice(context.client, listed.id))
    if lacking.workspace_id is not None:
        await _store_subscription(context, str(fact.subscription_id), lacking.workspace_id)
    if lacking.purchases or lacking.of_plan:
        async with context.database.transaction() as session:
            await unrecorded.note(session, fact, purchases=lacking.purchases, of_plan=lacking.of_plan)
    async with context.database.transaction() as session:
        if lacking.purchases:
            await adopt(session, fact)
        before = await known.payments_with(session, fact.invoice_id)
        await context.apply(session, [received_from_stripe(fact)])
        taken = await known.payments_with(session, fact.invoice_id) > before
        taken_for_plan = lacking.of_plan and await known.has_plan_payment(session, fact.invoice_id)
    if taken:
        note_missed("payment", fact.invoice_id)
    if taken_for_plan:
        note_missed("plan_payment", fact.invoice_id)
    return bool(lacking.purchases) or taken_for_plan


async def _lacking(context: WorkerContext, fact: InvoicePaid) -> _Lacking | None:
    """Return what the ledger lacks of it; None where it lacks nothing, or it is a stranger's."""
    names = set(names_in(fact)) if fact.quittance_instance == context.instance else set()
    async with context.database.reading() as session:
        is_lacked = await known.payments_with(session, fact.invoice_id) < len(names)
        purchases = len(names) if is_lacked else 0
        if fact.subscription_id is None:
            return _Lacking(purchases) if purchases else None
        of_plan = not await known.has_plan_payment(session, fact.invoice_id)
        a_charge = not of_plan and await known.lacks_a_charge(session, fact.invoice_id)
        if not (purchases or of_plan or a_charge):
            return None
        prices = await plans.price_ids(session)
        owners = await workspaces_by_event(session, [fact], instance=context.instance, prices=prices)
        owner = owners.get(fact.stripe_event_id)
    is_ours = owner is not None or fact.quittance_instance == context.instance
    return _Lacking(purchases, of_plan, a_charge, owner if of_plan else None) if is_ours else None


async def _store_subscription(context: WorkerContext, subscription_id: str, workspace_id: str) -> None:
    """Store it as it is now, if it never was: its invoice alone would have it run, and it may have ended long ago."""
    async with context.database.reading() as session:
        is_stored = await subscriptions.find(session, subscription_id) is not None
    if not is_stored:
        await take_subscription(context, subscription_id, workspace_id)


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
