"""Appliers of what Stripe says of invoices: paid, failed, waiting for the customer, void, linked to a payment."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.records import Received
from contracts import stripe_facts as told
from purchases.domain.money import Line, Mismatch, PaidInvoice
from purchases.domain.transitions import Status, Trigger
from purchases.handlers.apply_payment import apply_payment
from purchases.handlers.learn_ids import is_own_invoice, learn_ids, learn_of_invoice
from purchases.handlers.move_purchase import move_or_record_stale
from purchases.handlers.references import references_of
from purchases.handlers.work import Work, cause_of, count, fact_as
from purchases.publisher import Cause
from purchases.store import commands
from purchases.store.rows import Purchase


async def invoice_paid(work: Work, received: Received) -> None:
    fact = fact_as(told.InvoicePaid, received)
    purchase = work.purchase_of(*references_of(fact))
    if purchase is None:
        await _park_if_ours(work, received, fact)
        return
    if not fact.lines_complete and is_own_invoice(purchase, fact.invoice_id):
        await _read_whole(work, purchase, fact)
        return
    outcome = await apply_payment(work.session, purchase=purchase, invoice=paid_invoice(fact), cause=cause_of(fact))
    if isinstance(outcome, Mismatch):
        await work.park(received, reason=outcome.reason)
        count(fact, "parked")
        return
    work.learn(purchase, outcome)
    count(fact, "applied")


async def _read_whole(work: Work, purchase: Purchase, fact: told.InvoicePaid) -> None:
    """The event shows some of the lines only: Stripe is asked for the invoice with all of them."""
    work.learn(purchase, learn_ids(purchase, invoice_id=fact.invoice_id))
    await commands.ask(work.session, kind="settle", subject=str(purchase.id))
    count(fact, "asked")


async def invoice_payment_failed(work: Work, received: Received) -> None:
    fact = fact_as(told.InvoicePaymentFailed, received)
    purchase = work.purchase_of(*references_of(fact))
    if purchase is None:
        await _park_if_ours(work, received, fact)
        return
    if _is_of_another_invoice(purchase, fact):
        return
    ids = learn_ids(purchase, invoice_id=fact.invoice_id, payment_intent_id=fact.payment_intent_id)
    work.learn(purchase, ids)
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
    other = not is_own_invoice(purchase, fact.invoice_id)
    if other:
        count(fact, "another_invoice")
    return other


async def _fail(work: Work, purchase: Purchase, fact: told.InvoicePaymentFailed) -> None:
    cause = cause_of(fact)
    if purchase.status in {Status.PENDING, Status.FAILED}:
        # One that failed for another reason first, say by the void, has this reason all the same.
        purchase.failure_code = purchase.failure_code or fact.failure_code
        purchase.declined_at = purchase.declined_at or cause.at
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
    ids = learn_ids(purchase, invoice_id=fact.invoice_id, payment_intent_id=fact.payment_intent_id)
    work.learn(purchase, ids)
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
    work.learn(purchase, learn_ids(purchase, invoice_id=fact.invoice_id))
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
    ids = learn_of_invoice(
        purchase,
        invoice_id=fact.invoice_id,
        payment_intent_id=fact.payment_intent_id,
        charge_id=fact.charge_id,
    )
    work.learn(purchase, ids)
    count(fact, "applied")


async def _park_if_ours(work: Work, received: Received, fact: told.InvoiceFact) -> None:
    """No purchase of ours: set aside when it must be ours, left alone when it is somebody else's."""
    if may_wait(fact, instance=work.instance, our_customers=work.our_customers):
        waits_for = fact.purchase_id or fact.invoice_id
        await work.park(received, reason="an invoice of ours without a purchase", waits_for=waits_for)
        count(fact, "waits")
    else:
        count(fact, "not_ours")


def may_wait(fact: told.InvoiceFact, *, instance: str, our_customers: Collection[str]) -> bool:
    """Whether an invoice without a purchase is ours: by its metadata, or by its customer."""
    ours = fact.quittance_instance == instance or fact.customer_id in our_customers
    return ours and fact.subscription_id is None


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
