"""Fetch whose payment went back, and apply what is found as an event."""

import uuid
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.outbox import parked
from chassis.process.logs import get_logger
from contracts.stripe_facts import InvoicePaid
from purchases.batch.fetched_facts import invoice_fact, received_from_stripe
from purchases.batch.parked_money import Concerns, leave_to_staff
from purchases.batch.references import is_uuid, names_in
from purchases.catalog_copy import plans
from purchases.jobs.kinds import MatchRefundToPayment
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import DONE, Result, WorkerContext
from purchases.ledger import plan_money
from purchases.ledger import store as ledger
from purchases.ledger.plan_rows import SubscriptionInvoice
from purchases.refunds.allocate_refund import paid_with
from purchases.stripe_api.client import ObjectMissing
from purchases.stripe_api.fetch import PAYABLE, fetch_charge, invoice_of_charge, invoice_of_intent
from purchases.stripe_api.reading import Fetched
from purchases.stripe_api.values import Part
from purchases.subscriptions import store as subscriptions
from purchases.subscriptions.workspaces_by_event import workspaces_by_event
from purchases.workspaces import store as workspaces
from stripe_reader.charges import read_charge
from stripe_reader.invoices import read_invoice, read_invoice_origin, read_invoice_status, read_subscription_id

log = get_logger(__name__)


async def match_refund_to_payment(context: WorkerContext, task: Task[MatchRefundToPayment]) -> Result:
    """Find the payment's invoice and its purchases; what waits for the payment is released, or ended as not ours.

    Released only where the ledger knows the payment now, else it would come back here at once. What is ours is never
    ended: it waits while its invoice is open, or its purchase has no row (a restored backup: the sweep adopts it). The
    rest is for staff. Raises OutcomeUnknown.
    """
    job = task.job
    charge_id = job.charge_id
    intent_id, invoice = await _paid_with(context, job.payment_intent_id, charge_id)
    fact = _paid_invoice(invoice)
    async with context.database.transaction() as session:
        if invoice is None or not await _is_ours(session, invoice, fact, instance=context.instance):
            await parked.lock_ids(session, [job.subject])
            ended = await parked.discard(session, ids=[job.subject], resolution="not ours")
            log.info("left_alone", subject=job.subject, why="not ours", facts=ended)
        elif fact is not None:
            await _take_payment(session, context, job, fact, intent_id, charge_id)
        elif invoice.read(read_invoice_status) not in PAYABLE:
            values = invoice.read(read_invoice)
            names = [*values.purchase_ids, values.purchase_id or ""]
            why = f"money of the invoice {values.invoice_id}, which is {values.status},"
            await _leave_to_staff(session, job, values.invoice_id, why, names=names)
    return DONE


async def _take_payment(
    session: AsyncSession,
    context: WorkerContext,
    job: MatchRefundToPayment,
    fact: InvoicePaid,
    intent_id: str | None,
    charge_id: str | None,
) -> None:
    await context.apply(session, [received_from_stripe(fact)])
    await session.flush()
    if await _is_known(session, intent_id, charge_id) or await _paid_the_plan(session, fact, intent_id, charge_id):
        ids = [job.subject, *filter(None, (intent_id, charge_id))]
        await parked.lock_ids(session, (), stored=ids)
        await parked.release(session, ids=ids)
    elif await ledger.is_paid_with(session, fact.invoice_id):
        why = f"money of a payment that Stripe does not list for its invoice {fact.invoice_id}"
        await _leave_to_staff(session, job, fact.invoice_id, why, names=names_in(fact))
    elif not names_in(fact):
        why = f"money of a subscription's charge that is not known as its invoice's: {fact.invoice_id}"
        await _leave_to_staff(session, job, fact.invoice_id, why, names=names_in(fact))
    elif await _have_rows(session, names_in(fact)):
        why = f"money of the invoice {fact.invoice_id}, which does not fit what it was to pay,"
        await _leave_to_staff(session, job, fact.invoice_id, why, names=names_in(fact))


async def _have_rows(session: AsyncSession, names: Sequence[str]) -> bool:
    """Return whether a named purchase is in the ledger; for one that is not (restored backup) the sweep makes a row."""
    named = {uuid.UUID(name) for name in names if is_uuid(name)}
    return bool((await ledger.resolve(session, stripe_ids=(), purchase_ids=named)).by_id)


async def _is_known(session: AsyncSession, intent_id: str | None, charge_id: str | None) -> bool:
    """Return whether what waits for the payment would find it now."""
    ids = set(filter(None, (intent_id, charge_id)))
    named = (await ledger.resolve(session, stripe_ids=ids, purchase_ids=set())).purchases_of(ids)
    found = [await ledger.find(session, purchase_id) for purchase_id in named]
    purchases = [purchase for purchase in found if purchase is not None]
    return bool(paid_with(purchases, payment_intent_id=intent_id, charge_id=charge_id))


def _paid_invoice(invoice: Fetched | None) -> InvoicePaid | None:
    """Return the invoice as its event would show it; None for one that is not paid."""
    is_paid = invoice is not None and invoice.read(read_invoice_status) == "paid"
    return invoice_fact(invoice) if invoice is not None and is_paid else None


async def _is_ours(session: AsyncSession, invoice: Fetched, fact: InvoicePaid | None, *, instance: str) -> bool:
    """Return whether our metadata names it, or where none does, a subscription of ours: one that moved in has none.

    One that nobody knows here (made in the Dashboard, and its events lost) is ours by our plan's price and customer.
    """
    named = invoice.read(read_invoice_origin)["quittance_instance"]
    subscription_id = invoice.read(read_subscription_id)
    if named is not None or subscription_id is None:
        return named == instance
    if await subscriptions.workspaces_of(session, {subscription_id}):
        return True
    prices = await plans.price_ids(session)
    return fact is not None and bool(await workspaces_by_event(session, [fact], instance=instance, prices=prices))


async def _paid_with(
    context: WorkerContext, intent_id: str | None, charge_id: str | None
) -> tuple[str | None, Fetched | None]:
    """Fetch the payment's intent, which an old one has not, and the invoice that it paid; None for what is unknown."""
    if intent_id is None:
        charge = await fetch_charge(context.client, charge_id) if charge_id is not None else None
        intent_id = charge.read(read_charge).payment_intent_id if charge is not None else None
        if intent_id is None:
            return None, await invoice_of_charge(context.client, charge) if charge is not None else None
    try:
        return intent_id, await invoice_of_intent(context.client, intent_id)
    except ObjectMissing:
        return intent_id, None


async def _leave_to_staff(
    session: AsyncSession, job: MatchRefundToPayment, invoice_id: str, why: str, *, names: Sequence[str]
) -> None:
    """Park it for staff, as fetching again shows no more, and mail the team what the invoice paid or `names`."""
    named = {uuid.UUID(name) for name in names if is_uuid(name)}
    known = await ledger.resolve(session, stripe_ids={invoice_id}, purchase_ids=named)
    purchases = await ledger.lock_purchases(
        session, {purchase_id for ids in known.by_id.values() for purchase_id in ids}
    )
    plan = await session.get(SubscriptionInvoice, invoice_id) if not purchases else None
    workspace = await workspaces.lock_workspace(session, plan.workspace_id) if plan is not None else None
    await parked.lock_ids(session, [job.subject])
    log.error("not_identified", subject=job.subject, why=why)
    concerns = Concerns(list(purchases.values()), workspace, plan)
    await leave_to_staff(session, subject=job.subject, reason=f"{why} went back", concerns=concerns)


async def _paid_the_plan(
    session: AsyncSession, fact: InvoicePaid, intent_id: str | None, charge_id: str | None
) -> bool:
    """Return whether it is known by now as what paid for a subscription, and no purchase: what waits will find it.

    Of a charge that Stripe names the intent of, what waits may name the charge only.
    """
    if await ledger.is_paid_with(session, fact.invoice_id):
        return False
    if not await plan_money.workspaces_by_payment(session, set(filter(None, (intent_id, charge_id)))):
        return False
    part = Part(payment_intent_id=intent_id, charge_id=charge_id)
    await plan_money.learn_charges(session, fact.invoice_id, [part])
    return True
