"""Appliers of what Stripe says of invoices: paid, failed, waiting for the customer, void, linked to a payment."""

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.records import Received
from contracts import stripe_facts as told
from contracts.purchase_facts import PaymentParked
from purchases.domain.money import Line, Mismatch, PaidInvoice
from purchases.domain.transitions import Status, Trigger
from purchases.handlers.apply_payment import apply_payment
from purchases.handlers.learn_ids import learn_ids, learn_payment_ids
from purchases.handlers.move_purchase import move_or_record_stale
from purchases.handlers.references import references_of
from purchases.handlers.work import Work, cause_of, count, fact_as
from purchases.publisher import Cause, announce
from purchases.store import commands
from purchases.store.rows import Purchase, Workspace


async def invoice_paid(work: Work, received: Received) -> None:
    fact = fact_as(told.InvoicePaid, received)
    purchase = work.purchase_of(*references_of(fact))
    if purchase is None:
        await _park_if_ours(work, received, fact)
        return
    cause = cause_of(fact)
    outcome = await apply_payment(work.session, purchase=purchase, invoice=paid_invoice(fact), cause=cause)
    if isinstance(outcome, Mismatch):
        await _park_money(work, received, purchase, fact, outcome)
        return
    work.learned += outcome
    count(fact, "applied")


async def _park_money(
    work: Work, received: Received, purchase: Purchase, fact: told.InvoicePaid, mismatch: Mismatch
) -> None:
    """Money that is not surely this purchase's: nothing moves, the team is told, staff decides."""
    cause = cause_of(fact, reason=mismatch.reason)
    announce(
        work.session,
        purchase,
        PaymentParked,
        cause=cause,
        stripe_invoice_id=fact.invoice_id,
        amount_paid_cents=fact.amount_paid,
        amount_paid_currency=fact.currency.upper(),
    )
    await work.park(received, reason=mismatch.reason)
    count(fact, "parked")


async def invoice_payment_failed(work: Work, received: Received) -> None:
    fact = fact_as(told.InvoicePaymentFailed, received)
    purchase = work.purchase_of(*references_of(fact))
    if purchase is None:
        await _park_if_ours(work, received, fact)
        return
    if _is_of_another_invoice(purchase, fact):
        return
    work.learned += learn_ids(purchase, invoice_id=fact.invoice_id, payment_intent_id=fact.payment_intent_id)
    if fact.needs_customer:
        count(fact, "needs_customer")
    elif fact.needs_customer is None and purchase.status is Status.PENDING:
        # The payload cannot tell a decline from a missing authentication: Stripe is asked after the commit.
        await commands.ask(work.session, kind="settle", subject=str(purchase.id))
        count(fact, "asked")
    else:
        await _fail(work, purchase, fact)


def _is_of_another_invoice(purchase: Purchase, fact: told.InvoiceFact) -> bool:
    """It names the purchase, but the purchase is paid by another invoice: its fate is not this one's."""
    other = purchase.stripe_invoice_id not in (None, fact.invoice_id)
    if other:
        count(fact, "another_invoice")
    return other


async def _fail(work: Work, purchase: Purchase, fact: told.InvoicePaymentFailed) -> None:
    cause = cause_of(fact)
    if purchase.status is Status.PENDING:
        purchase.failure_code = fact.failure_code
        purchase.declined_at = cause.at
    moved = move_or_record_stale(work.session, purchase, Trigger.PAYMENT_FAILED, cause=cause)
    if moved:
        await commands.ask(work.session, kind="void", subject=str(purchase.id))
    count(fact, "applied" if moved else "stale")


async def invoice_payment_action_required(work: Work, received: Received) -> None:
    fact = fact_as(told.InvoicePaymentActionRequired, received)
    purchase = work.purchase_of(*references_of(fact))
    if purchase is None:
        await _park_if_ours(work, received, fact)
        return
    if _is_of_another_invoice(purchase, fact):
        return
    work.learned += learn_ids(purchase, invoice_id=fact.invoice_id, payment_intent_id=fact.payment_intent_id)
    if purchase.status is Status.PENDING and purchase.action_url is None:
        # Our own URL, which brings the buyer back, is better than the invoice's page, which does not.
        purchase.action_url = fact.action_url or fact.hosted_invoice_url
    count(fact, "applied")


async def invoice_voided(work: Work, received: Received) -> None:
    fact = fact_as(told.InvoiceVoided, received)
    purchase = work.purchase_of(*references_of(fact))
    if purchase is None:
        await _park_if_ours(work, received, fact)
        return
    work.learned += learn_ids(purchase, invoice_id=fact.invoice_id)
    count(fact, "applied" if void(work.session, purchase, fact.invoice_id, cause=cause_of(fact)) else "stale")


def void(session: AsyncSession, purchase: Purchase, invoice_id: str, *, cause: Cause) -> bool:
    """The purchase's invoice can never be paid again: its slot is free, and a pending one has failed."""
    if purchase.stripe_invoice_id != invoice_id:
        return False
    purchase.payable = False
    if purchase.status in {Status.FAILED, Status.CANCELLED}:
        return True
    return move_or_record_stale(session, purchase, Trigger.INVOICE_VOIDED, cause=cause)


async def invoice_payment_linked(work: Work, received: Received) -> None:
    fact = fact_as(told.InvoicePaymentLinked, received)
    purchase = work.purchase_of(fact.invoice_id)
    if purchase is None:
        count(fact, "not_ours")
        return
    ids = {"payment_intent_id": fact.payment_intent_id, "charge_id": fact.charge_id}
    if purchase.stripe_invoice_id == fact.invoice_id:
        work.learned += learn_ids(purchase, **ids)
    for payment in purchase.payments:
        if payment.stripe_invoice_id == fact.invoice_id:
            work.learned += learn_payment_ids(payment, **ids)
    count(fact, "applied")


async def _park_if_ours(work: Work, received: Received, fact: told.InvoiceFact) -> None:
    """No purchase of ours: set aside when it must be ours, left alone when it is somebody else's."""
    subscription = fact.subscription_id is not None
    ours = fact.quittance_instance == work.instance or (
        not subscription and fact.customer_id is not None and await _our_customer(work.session, fact.customer_id)
    )
    if ours and not subscription:
        waits_for = fact.purchase_id or fact.invoice_id
        reason = "an invoice of ours without a purchase"
        await work.park(received, reason=reason, waits_for=waits_for)
    count(fact, "waits" if ours and not subscription else "not_ours")


async def _our_customer(session: AsyncSession, customer_id: str) -> bool:
    return bool(await session.scalar(select(exists().where(Workspace.stripe_customer_id == customer_id))))


def paid_invoice(fact: told.InvoicePaid) -> PaidInvoice:
    """The event's invoice as the domain knows it."""
    return PaidInvoice(
        invoice_id=fact.invoice_id,
        customer_id=fact.customer_id,
        amount_paid=fact.amount_paid,
        currency=fact.currency,
        lines=tuple(
            Line(
                amount=line.amount,
                currency=line.currency,
                price_id=line.price_id,
                purchase_id=line.purchase_id,
                discount_cents=line.discount_cents,
                tax_cents=line.tax_cents,
            )
            for line in fact.lines
        ),
        lines_complete=fact.lines_complete,
        payment_intent_id=fact.payment_intent_id,
        charge_id=fact.charge_id,
    )
