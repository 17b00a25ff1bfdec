"""List a charge's refunds as they are now, for what its events do not show."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.outbox import parked
from chassis.process.logs import get_logger
from contracts.stripe_facts import DisputeChanged, RefundChanged
from purchases.batch.context import BatchContext, cause_of
from purchases.batch.fetched_facts import dispute_fact, park_unknown_shape, received_from_stripe, refund_fact
from purchases.batch.parked_money import announce_money_back_parked
from purchases.batch.parking import allocation_mark, is_set_aside, waits_as
from purchases.jobs.kinds import SyncRefunds
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import DONE, Result, StripeContext, WorkerContext
from purchases.ledger import plan_money
from purchases.ledger import store as ledger
from purchases.ledger.apply_refund import OF_THE_CHARGE, StripeRefund, book_charge_sum
from purchases.ledger.learn_ids import release_waiting
from purchases.ledger.money import refunded_cents
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Charge, Purchase
from purchases.refunds.allocate_refund import (
    Paid,
    allocate_refund,
    allocate_refunds,
    exceeds,
    in_currency_of,
    paid_with,
)
from purchases.refunds.events import MORE_THAN_THE_CHARGE, OF_ONE_OF_SEVERAL, set_aside, stripe_refund
from purchases.refunds.rules import Shares
from purchases.refunds.whose_payment import is_foreign
from purchases.stripe_api.client import ObjectMissing, UnknownShape
from purchases.stripe_api.fetch import fetch_dispute
from purchases.stripe_api.money_back import ChargeIds, refunds_of
from purchases.stripe_api.reading import Fetched

log = get_logger(__name__)


async def sync_refunds(context: WorkerContext, task: Task[SyncRefunds]) -> Result:
    """Apply the refunds of every charge of the payment; of one that Stripe does not know, what its events said."""
    job = task.job
    refunds = await _refunds(context, job.payment)
    if refunds is not None:
        for subject in await _other_charges(context, job):
            refunds += await _refunds(context, subject) or []
    async with context.database.transaction() as session:
        index = await ledger.resolve(session, stripe_ids={job.payment}, purchase_ids={job.purchase_id})
        purchases = await ledger.lock_purchases(
            session, {purchase_id for ids in index.by_id.values() for purchase_id in ids}
        )
        batch = BatchContext(session, context.instance, index, purchases)
        paid = _paid_by(job, batch.purchases.values())
        if paid:
            readable = None if refunds is None else await _readable(batch, paid, refunds)
            shares = await _apply(session, paid, readable, job)
            await _end_waiting(batch, paid, readable or (), shares)
    await _sync_disputes(context, {sale.payment.stripe_invoice_id for sale in paid})
    return DONE


async def _sync_disputes(context: WorkerContext, invoice_ids: Collection[str]) -> None:
    """Apply the disputes of what was found to have paid more than was known when their events came."""
    async with context.database.reading() as session:
        known = [dispute for invoice in sorted(invoice_ids) for dispute in await plan_money.to_share(session, invoice)]
    for dispute_id in known:
        fact = await _dispute(context, dispute_id)
        if fact is not None:
            async with context.database.transaction() as session:
                await context.apply(session, [received_from_stripe(fact)])


async def _dispute(context: StripeContext, dispute_id: str) -> DisputeChanged | None:
    try:
        return dispute_fact(await fetch_dispute(context.client, dispute_id))
    except ObjectMissing:
        log.warning("dispute_not_at_stripe", dispute=dispute_id)
        return None


async def _readable(context: BatchContext, paid: Sequence[Paid], refunds: Sequence[Fetched]) -> list[RefundChanged]:
    """Return the refunds that can be taken; park one in another currency, or that nobody understands, by itself."""
    taken: list[RefundChanged] = []
    for refund in refunds:
        try:
            fact = refund_fact(refund)
        except UnknownShape as error:
            await park_unknown_shape(context, refund, "refund", error)
            continue
        if in_currency_of(paid, fact.refund.currency):
            taken.append(fact)
        elif not await is_set_aside(context.session, received_from_stripe(fact)):
            await is_foreign(
                context, received_from_stripe(fact), fact, paid, what="refund", currency=fact.refund.currency
            )
    return taken


async def _other_charges(context: StripeContext, job: SyncRefunds) -> list[str]:
    """Return what else paid the same invoice: everything has gone back once all of them have."""
    async with context.database.reading() as session:
        index = await ledger.resolve(session, stripe_ids={job.payment}, purchase_ids={job.purchase_id})
        found = [await ledger.find(session, purchase_id) for purchase_id in index.purchases_of([job.payment])]
    paid = _paid_by(job, [purchase for purchase in found if purchase is not None])
    charges = [charge for sale in paid for charge in sale.payment.charges]
    named = [charge for charge in charges if job.payment not in _ids(charge)]
    return list(dict.fromkeys(ids[0] for charge in named if (ids := _ids(charge))))


def _ids(charge: Charge) -> list[str]:
    return list(filter(None, (charge.stripe_payment_intent_id, charge.stripe_charge_id)))


async def _refunds(context: StripeContext, subject: str) -> list[Fetched] | None:
    """List them; None when Stripe does not know the charge, or the intent."""
    try:
        return await refunds_of(context.client, _charge(subject))
    except ObjectMissing:
        return None


def _paid_by(job: SyncRefunds, purchases: Iterable[Purchase]) -> list[Paid]:
    charge = _charge(job.payment)
    return paid_with(purchases, payment_intent_id=charge.payment_intent_id, charge_id=charge.charge_id)


def _charge(subject: str) -> ChargeIds:
    intent, charge = (subject, None) if subject.startswith("pi_") else (None, subject)
    return ChargeIds(payment_intent_id=intent, charge_id=charge)


async def _apply(
    session: AsyncSession, paid: Sequence[Paid], refunds: Sequence[RefundChanged] | None, job: SyncRefunds
) -> dict[str, Shares | None]:
    cause = Cause(actor="stripe", at=datetime.now(UTC), reason="the charge's refunds as Stripe lists them")
    for sale in paid if refunds is None else ():
        for said in _unexplained(sale, job):
            await allocate_refund(session, paid=[sale], seen=said, cause=cause)
    seen = [stripe_refund(fact.refund, of=fact) for fact in refunds or ()]
    shares = await allocate_refunds(session, paid=paid, refunds=seen, cause=cause)
    for sale in paid:
        # What is known one by one is the truth now; an older cumulative figure must not stand above it.
        await book_charge_sum(session, purchase=sale.purchase, payment=sale.payment, cents=0, cause=cause)
    return shares


def _unexplained(sale: Paid, job: SyncRefunds) -> list[StripeRefund]:
    """Make one refund per cumulative amount, for what the refunds that are known do not explain."""
    seen = sale.payment.charge_refunded_cents
    missing = seen - refunded_cents(refunds=_known(sale), charge_refunded_cents=0)
    if missing <= 0:
        return []
    return [
        StripeRefund(
            refund_id=f"{job.payment}:{seen}",
            refund_cents=missing,
            currency=job.currency,
            status="succeeded",
            purchase_id=str(sale.purchase.id),
            payment_intent_id=_charge(job.payment).payment_intent_id,
            charge_id=_charge(job.payment).charge_id,
        )
    ]


def _known(sale: Paid) -> list[tuple[str, int]]:
    seen = (row for row in sale.purchase.refunds if row.stripe_refund_id and row.kind in OF_THE_CHARGE)
    return [(row.status, row.refund_cents) for row in seen if row.stripe_invoice_id == sale.payment.stripe_invoice_id]


async def _end_waiting(
    context: BatchContext, paid: Sequence[Paid], refunds: Sequence[RefundChanged], shares: dict[str, Shares | None]
) -> None:
    """Release what waited to be allocated, or end it; park what nobody can allocate but staff."""
    for fact in refunds:
        refund_id = fact.refund.refund_id
        mark, share = allocation_mark(refund_id), shares[refund_id]
        if share is None:
            too_much = exceeds(paid, stripe_refund(fact.refund, of=fact))
            why = MORE_THAN_THE_CHARGE if too_much else OF_ONE_OF_SEVERAL
            await set_aside(context, received_from_stripe(fact), refund_id, reason=why)
            cause, waiting = cause_of(fact, reason=why), await waits_as(context.session, mark)
            purchases = [sale.purchase for sale in paid]
            await announce_money_back_parked(
                context.session, received_from_stripe(fact), purchases, cause=cause, parked_as=waiting
            )
        elif share:
            await release_waiting(context.session, [mark])
        else:
            await parked.discard(context.session, ids=[mark], resolution="of the charge, but of no purchase")
