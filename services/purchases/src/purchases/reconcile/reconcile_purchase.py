"""What Stripe says now of a purchase whose end was never reported, and closing what is over. It never pays."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.outbox import parked
from purchases.batch.parked_money import leave_money_back
from purchases.checkout import store as checkouts
from purchases.jobs.kinds import OfPurchase, ReconcilePurchase, VoidInvoice
from purchases.jobs.lease import database_now, is_leased
from purchases.jobs.store import Task, enqueue
from purchases.jobs.stripe_context import DONE, Later, Result, StripeContext
from purchases.ledger import store as ledger
from purchases.ledger.apply_payment import apply_invoice
from purchases.ledger.learn_ids import learn_ids, paid_mark, release_waiting
from purchases.ledger.money import Mismatch
from purchases.ledger.move import end_payable, move, note_failure, wait_for_bank, wait_for_customer
from purchases.ledger.park_payment import park_payment
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.reconcile.rules import BANK_IS_SILENT, PAID_IN_PART, Decision, Verdict, decide_on
from purchases.stripe_api.client import StripeRefused
from purchases.stripe_api.fetch import find_invoice
from purchases.stripe_api.invoices import close_invoice
from purchases.stripe_api.values import Finding, InvoiceState

SOON: Final = timedelta(milliseconds=500)
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(hours=1)
CLOSED: Final = frozenset({InvoiceState.PAID, InvoiceState.VOID, InvoiceState.NOTHING})
"""Nothing is left to close."""
STILL_WAITING: Final = frozenset({Verdict.WAIT, Verdict.PARK})
STATUS_AT_STRIPE: Final = {InvoiceState.DRAFT: "draft"}


async def reconcile_purchase(context: StripeContext, task: Task[ReconcilePurchase]) -> Result:
    """Look the purchase's invoice up and apply what is found; repeated until nothing is open."""
    async with context.database.reading() as session:
        purchase, now = await ledger.find(session, task.job.purchase_id), await database_now(session)
    if purchase is None or not _is_open(purchase):
        return DONE
    if await _is_in_checkout(context, purchase):
        return DONE  # until its Checkout is over, which is another job's to find out
    leased = is_leased(purchase.leased_until, now=now)
    finding = await find_invoice(context.client, ledger.sale_of(purchase), instance=context.instance)
    async with context.database.transaction() as session:
        locked = await _lock_with_its_bundle(session, purchase, finding)
        return await _apply(session, locked, finding, task, leased=leased)


async def void_invoice(context: StripeContext, task: Task[VoidInvoice]) -> Result:
    """Close at Stripe what a purchase that is over has left payable there; paid meanwhile, it is paid."""
    purchase = await _read(context, task.job)
    if purchase is None or purchase.status is Status.PENDING or not purchase.payable:
        return DONE
    if await _is_in_checkout(context, purchase):
        return Later(_wait(task))
    finding = await find_invoice(context.client, ledger.sale_of(purchase), instance=context.instance)
    if finding.state is InvoiceState.OPEN_PROCESSING:
        return Later(_wait(task))  # Stripe voids no invoice whose money is on its way
    if finding.state not in CLOSED | {InvoiceState.PAID_IN_PART}:
        finding = await _close(context, purchase, finding)
    async with context.database.transaction() as session:
        locked = await _lock_with_its_bundle(session, purchase, finding)
        return await _apply(session, locked, finding, task)


async def _close(context: StripeContext, purchase: Purchase, finding: Finding) -> Finding:
    """Delete or void, and look again. Stripe refuses what was paid or closed meanwhile: then that is what is found."""
    status = STATUS_AT_STRIPE.get(finding.state, "open")
    try:
        await close_invoice(context.client, invoice_id=str(finding.invoice_id), status=status)
    except StripeRefused:
        found = await find_invoice(context.client, ledger.sale_of(purchase), instance=context.instance)
        if found.state not in CLOSED:
            raise
        return found
    return await find_invoice(context.client, ledger.sale_of(purchase), instance=context.instance)


def _is_open(purchase: Purchase) -> bool:
    return purchase.status is Status.PENDING or purchase.payable or not purchase.payments


async def _read(context: StripeContext, job: OfPurchase) -> Purchase | None:
    async with context.database.reading() as session:
        return await ledger.find(session, job.purchase_id)


async def _lock_with_its_bundle(session: AsyncSession, purchase: Purchase, finding: Finding) -> list[Purchase]:
    """Lock it and whatever the same invoice may pay, and return it first: the money is recorded for all at once."""
    stripe_ids = set(filter(None, (purchase.stripe_checkout_session_id, finding.invoice_id)))
    names = await ledger.resolve(session, stripe_ids=stripe_ids, purchase_ids={purchase.id})
    locked = await ledger.lock_purchases(
        session, {purchase_id for named in names.by_id.values() for purchase_id in named}
    )
    return [locked.pop(purchase.id), *locked.values()]


async def _is_in_checkout(context: StripeContext, purchase: Purchase) -> bool:
    """Return whether somebody may still pay for it in an open Checkout."""
    async with context.database.reading() as session:
        return await checkouts.live_of_purchase(session, purchase) is not None


async def _apply(
    session: AsyncSession, locked: Sequence[Purchase], finding: Finding, task: Task[OfPurchase], *, leased: bool = False
) -> Result:
    """Apply what was found. `leased`: a buyer was at work when Stripe was asked, so that it may be old by now."""
    purchase = locked[0]
    learned = learn_ids(purchase, invoice_id=finding.invoice_id, payment_intent_id=finding.payment_intent_id)
    if finding.paid is not None:
        return await _apply_payment(session, locked, finding, learned)
    now = await database_now(session)
    leased = leased or is_leased(purchase.leased_until, now=now)
    verdict = decide_on(
        status=purchase.status,
        finding=finding,
        leased=leased,
        started_at=purchase.started_at,
        now=now,
    )
    await _follow(session, purchase, finding, verdict, now, task.job)
    if verdict.verdict is Verdict.NOTHING_OPEN and not purchase.payments:
        why = f"money of an invoice that is {finding.state.replace('_', ' ')} at Stripe went back"
        await _leave_waiting(session, purchase, learned, why, ended=True)
    else:
        await release_waiting(session, learned)
    if verdict.verdict not in STILL_WAITING and not (isinstance(task.job, VoidInvoice) and purchase.payable):
        return DONE
    return Later(_until_lease_ends(purchase, task, now) if leased else _wait(task))


async def _apply_payment(
    session: AsyncSession, locked: Sequence[Purchase], finding: Finding, learned: list[str]
) -> Result:
    assert finding.paid is not None  # noqa: S101 - narrowed by the caller
    cause = Cause(actor="stripe", at=datetime.now(UTC), reason="found paid by settling")
    outcomes = await apply_invoice(session, purchases=locked, invoice=finding.paid, cause=cause)
    for outcome in outcomes.values():
        learned += [] if isinstance(outcome, Mismatch) else outcome
    mine = outcomes.get(locked[0].id)
    if isinstance(mine, Mismatch):
        await _leave_waiting(session, locked[0], learned, f"money went back that is set aside: {mine.reason}")
    else:
        await release_waiting(session, learned)
    # The team was mailed about money that does not fit, and another look would find the same.
    return DONE


async def _leave_waiting(
    session: AsyncSession, purchase: Purchase, learned: list[str], why: str, *, ended: bool = False
) -> None:
    """Leave to staff the money back that waits for this payment, and would only have the same asked again.

    `ended`: nobody will pay the invoice, so that whatever else waits for that is tried once more, and ends.
    """
    mark = paid_mark(purchase)
    await session.flush()
    await parked.lock_ids(session, [mark], stored=learned)
    await parked.release(session, ids=[*learned, mark] if ended else learned)
    await leave_money_back(session, mark=mark, reason=why, purchase=purchase)


async def _follow(
    session: AsyncSession, purchase: Purchase, finding: Finding, said: Decision, now: datetime, job: OfPurchase
) -> None:
    if said.trigger is not None:
        declined = finding.state is InvoiceState.OPEN_DECLINED
        note_failure(purchase, code=finding.failure_code, declined_at=now if declined else None)
        reason = f"found at Stripe: {finding.state.replace('_', ' ')}"
        move(session, purchase, said.trigger, cause=Cause(actor="stripe", at=now, reason=reason))
    elif purchase.status is Status.PENDING:
        _note_who_is_awaited(purchase, finding)
    if said.verdict is Verdict.PARK:
        reason = PAID_IN_PART if finding.state is InvoiceState.PAID_IN_PART else BANK_IS_SILENT
        await park_payment(
            session,
            purchase=purchase,
            invoice_id=str(finding.invoice_id),
            paid_cents=finding.paid_cents,
            currency=finding.currency or purchase.currency,
            cause=Cause(actor="stripe", at=now, reason=reason),
        )
    if said.verdict is Verdict.NOTHING_OPEN:
        end_payable(purchase)
    if said.verdict is Verdict.CLOSE_AT_STRIPE and not isinstance(job, VoidInvoice):
        await enqueue(session, VoidInvoice(purchase_id=purchase.id))


def _note_who_is_awaited(purchase: Purchase, finding: Finding) -> None:
    """Note the customer, who has a page to go to, or the bank, which nobody can hurry."""
    if finding.state is InvoiceState.OPEN_PROCESSING:
        wait_for_bank(purchase)
    elif finding.state is InvoiceState.OPEN_NEEDS_CUSTOMER:
        wait_for_customer(purchase, action_url=purchase.action_url or finding.action_url)


def _until_lease_ends(purchase: Purchase, task: Task[OfPurchase], now: datetime) -> timedelta:
    """Return how long the buyer's request may still be at work: each of its calls renews the lease."""
    left = (purchase.leased_until or now) - now
    return min(max(left, SOON), _wait(task))


def _wait(task: Task[OfPurchase]) -> timedelta:
    return min(FIRST_WAIT * (1 << min(task.attempts - 1, 10)), LONGEST_WAIT)
