"""Appliers of what Stripe says of invoices: paid, failed, waiting for the customer, given up, linked to a payment."""

from collections.abc import Collection, Iterable

from chassis.kafka.records import Received
from contracts import stripe_facts
from purchases.batch.context import BatchContext, cause_of, count_outcome, fact_as, was_fetched
from purchases.batch.references import is_renewal, names_in
from purchases.jobs.kinds import ReconcilePurchase, SyncInvoice, VoidInvoice
from purchases.jobs.store import enqueue
from purchases.ledger.apply_payment import apply_invoice, has_payment
from purchases.ledger.learn_ids import is_own_invoice, learn_ids, learn_of_invoice, paid_mark
from purchases.ledger.money import Mismatch, is_paid_in_full
from purchases.ledger.move import end_payable, move_or_record_stale, note_failure, wait_for_customer
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status, Trigger
from purchases.stripe_api.paid_invoices import paid_invoice
from purchases.stripe_api.values import Part


async def invoice_paid(context: BatchContext, received: Received) -> None:
    fact = fact_as(stripe_facts.InvoicePaid, received)
    purchases = context.purchases_of(fact)
    if not purchases:
        await _park_if_ours(context, received, fact)
        return
    if not was_fetched(received) and (new := [one for one in purchases if not has_payment(one, fact.invoice_id)]):
        goes_back = any(one.status is not Status.PENDING for one in new)
        if any(one.stripe_invoice_id != fact.invoice_id for one in new) or (goes_back and not says_what_paid(fact)):
            # Nobody is mailed that money goes back before it is known that it came through Stripe.
            await _enqueue_sync(context, fact, new)
            return
        if not (fact.lines_complete and says_paid(fact)):
            # Some of the lines only, or not surely paid: the invoice is fetched as it is.
            await _enqueue_reconcile(context, fact, new)
            return
    invoice = paid_invoice(fact, fact)
    paid = await apply_invoice(context.session, purchases=purchases, invoice=invoice, cause=cause_of(fact))
    for purchase in purchases:
        outcome = paid.get(purchase.id, [])
        context.learn(purchase, [] if isinstance(outcome, Mismatch) else outcome)
        if not was_fetched(received):
            context.note_unexplained(purchase, fact)
    reasons = {outcome.reason for outcome in paid.values() if isinstance(outcome, Mismatch)}
    if reasons:
        await context.park(received, reason="; ".join(sorted(reasons)))
    count_outcome(fact, "parked" if reasons else "applied" if paid else "no_line")


async def _enqueue_sync(context: BatchContext, fact: stripe_facts.InvoicePaid, purchases: Iterable[Purchase]) -> None:
    """Enqueue a fetch of the invoice before it pays: only what it says of itself connects it with a purchase."""
    await enqueue(
        context.session,
        SyncInvoice(
            invoice_id=fact.invoice_id,
            purchase_ids=tuple(purchase.id for purchase in purchases),
            amount_paid=fact.amount_paid,
            currency=fact.currency,
        ),
    )
    count_outcome(fact, "asked")


def says_paid(fact: stripe_facts.InvoicePaid) -> bool:
    """Return whether the event says that nothing is left to be paid."""
    return is_paid_in_full(
        status=fact.status,
        amount_due=fact.amount_due,
        amount_paid=fact.amount_paid,
        amount_remaining=fact.amount_remaining,
    )


async def _enqueue_reconcile(
    context: BatchContext, fact: stripe_facts.InvoiceFact, purchases: Iterable[Purchase]
) -> None:
    """Enqueue the reconciling of each; one that is paid in part neither fails nor is voided."""
    for purchase in purchases:
        await enqueue(context.session, ReconcilePurchase(purchase_id=purchase.id))
    count_outcome(fact, "asked")


async def invoice_payment_failed(context: BatchContext, received: Received) -> None:
    fact = fact_as(stripe_facts.InvoicePaymentFailed, received)
    for purchase in await _charged(context, received, fact):
        if fact.amount_paid:
            await _enqueue_reconcile(context, fact, [purchase])
        elif fact.needs_customer:
            count_outcome(fact, "needs_customer")
        elif fact.needs_customer is None and purchase.status is Status.PENDING:
            # The payload does not part a decline from a missing authentication: a job fetches it after the commit.
            await _enqueue_reconcile(context, fact, [purchase])
        else:
            await _fail(context, purchase, fact)


async def _charged(context: BatchContext, received: Received, fact: stripe_facts.InvoiceFact) -> list[Purchase]:
    """Return the purchases whose own invoice it is, its ids learned; park or count it when there is none.

    What a subscription's invoice means for what was sold with it, Checkout says: an open session may still be paid.
    """
    named = context.purchases_of(fact)
    if not named:
        await _park_if_ours(context, received, fact)
        return []
    if fact.subscription_id is not None:
        await _leave_to_checkout(context, fact, named)
        return []
    own = [purchase for purchase in named if is_own_invoice(purchase, fact.invoice_id)]
    for purchase in own:
        if purchase.stripe_invoice_id == fact.invoice_id:
            # Not of an invoice that only its metadata connects with the purchase: a payment is believed by this id.
            context.learn(purchase, learn_ids(purchase, payment_intent_id=fact.payment_intent_id))
    if not own:
        # They are named, but are paid by another invoice: their fate is not this one's.
        count_outcome(fact, "another_invoice")
    return own


async def _leave_to_checkout(
    context: BatchContext, fact: stripe_facts.InvoiceFact, purchases: Iterable[Purchase]
) -> None:
    if isinstance(
        fact, stripe_facts.InvoiceVoided | stripe_facts.InvoiceDeleted | stripe_facts.InvoiceMarkedUncollectible
    ):
        for purchase in purchases:
            await enqueue(context.session, ReconcilePurchase(purchase_id=purchase.id))
    count_outcome(fact, "left_to_checkout")


async def _fail(context: BatchContext, purchase: Purchase, fact: stripe_facts.InvoicePaymentFailed) -> None:
    cause = cause_of(fact)
    if purchase.status in {Status.PENDING, Status.FAILED}:
        # One that failed for another reason first, say by the void, has this reason all the same.
        note_failure(purchase, code=fact.failure_code, declined_at=cause.at)
    moved = move_or_record_stale(context.session, purchase, Trigger.PAYMENT_FAILED, cause=cause)
    if moved:
        await enqueue(context.session, VoidInvoice(purchase_id=purchase.id))
    count_outcome(fact, "applied" if moved else "stale")


async def invoice_payment_action_required(context: BatchContext, received: Received) -> None:
    fact = fact_as(stripe_facts.InvoicePaymentActionRequired, received)
    for purchase in await _charged(context, received, fact):
        if purchase.status is Status.PENDING and purchase.waiting_for is not None:
            # The bank had it when it was fetched last; whether it wants the customer now, only Stripe knows.
            await enqueue(context.session, ReconcilePurchase(purchase_id=purchase.id))
        elif purchase.status is Status.PENDING and purchase.action_url is None:
            # Our own URL, which brings the buyer back, is better than the invoice's page, which does not.
            wait_for_customer(purchase, action_url=fact.action_url or fact.hosted_invoice_url)
        count_outcome(fact, "applied")


async def invoice_voided(context: BatchContext, received: Received) -> None:
    fact = fact_as(stripe_facts.InvoiceVoided, received)
    for purchase in await _charged(context, received, fact):
        _gone(context, purchase, fact, Trigger.INVOICE_VOIDED)


async def invoice_deleted(context: BatchContext, received: Received) -> None:
    """Fail the purchase of a draft that is gone: there is nothing at Stripe to be paid."""
    fact = fact_as(stripe_facts.InvoiceDeleted, received)
    for purchase in await _charged(context, received, fact):
        _gone(context, purchase, fact, Trigger.NOTHING_AT_STRIPE)


def _gone(context: BatchContext, purchase: Purchase, fact: stripe_facts.InvoiceFact, trigger: Trigger) -> None:
    """Free the slot of a purchase whose invoice can never be paid again; a pending one has failed."""
    end_payable(purchase)
    if purchase.status in {Status.FAILED, Status.CANCELLED}:
        count_outcome(fact, "applied")
        return
    moved = move_or_record_stale(context.session, purchase, trigger, cause=cause_of(fact))
    count_outcome(fact, "applied" if moved else "stale")


async def invoice_marked_uncollectible(context: BatchContext, received: Received) -> None:
    """Fail the purchase, then enqueue the void of its invoice: given up, it could still be paid."""
    fact = fact_as(stripe_facts.InvoiceMarkedUncollectible, received)
    for purchase in await _charged(context, received, fact):
        if fact.amount_paid:
            await _enqueue_reconcile(context, fact, [purchase])
            continue
        moved = move_or_record_stale(context.session, purchase, Trigger.PAYMENT_FAILED, cause=cause_of(fact))
        if purchase.payable:
            await enqueue(context.session, VoidInvoice(purchase_id=purchase.id))
        count_outcome(fact, "applied" if moved else "stale")


async def invoice_payment_linked(context: BatchContext, received: Received) -> None:
    fact = fact_as(stripe_facts.InvoicePaymentLinked, received)
    purchases = context.purchases_of(fact)
    part = Part(payment_intent_id=fact.payment_intent_id, charge_id=fact.charge_id, cents=fact.amount_paid)
    early = next((one for one in purchases if _is_early_part(one, fact)), None)
    for purchase in purchases:
        context.learn(purchase, learn_of_invoice(purchase, invoice_id=fact.invoice_id, parts=[part]))
    if early is not None:
        await context.park(received, reason="a part of an invoice that is not paid yet", waits_for=paid_mark(early))
        await enqueue(context.session, ReconcilePurchase(purchase_id=early.id))
    count_outcome(fact, "waits" if early else "applied" if purchases else "not_ours")


def _is_early_part(purchase: Purchase, fact: stripe_facts.InvoicePaymentLinked) -> bool:
    """Return whether another intent than its invoice was made with has paid some of it, and not the rest so far."""
    if any(payment.stripe_invoice_id == fact.invoice_id for payment in purchase.payments):
        return False
    other = purchase.stripe_payment_intent_id not in (None, fact.payment_intent_id)
    return other and (purchase.payable or purchase.status is Status.PENDING)


async def _park_if_ours(context: BatchContext, received: Received, fact: stripe_facts.InvoiceFact) -> None:
    """Park a fact of no known purchase when it must be ours; leave it alone when it is somebody else's."""
    if may_wait(fact, instance=context.instance, our_customers=context.our_customers, our_prices=context.our_prices):
        waits_for = next(filter(None, (*names_in(fact), fact.subscription_id, fact.invoice_id)))
        await context.park(received, reason="an invoice of ours without a purchase", waits_for=waits_for)
        count_outcome(fact, "waits")
    else:
        count_outcome(fact, "not_ours")


def may_wait(
    fact: stripe_facts.InvoiceFact, *, instance: str, our_customers: Collection[str], our_prices: Collection[str]
) -> bool:
    """Return whether an invoice without a purchase is ours and can have one.

    Ours by its metadata; of a customer that we share with other software, by what it names or by a price of ours.
    """
    sold = any(line.price_id in our_prices or line.addon_slug for line in fact.lines)
    shared = fact.customer_id in our_customers and (bool(names_in(fact)) or sold)
    return (fact.quittance_instance == instance or shared) and (
        fact.subscription_id is None or _sells_more_than_a_plan(fact)
    )


def _sells_more_than_a_plan(fact: stripe_facts.InvoiceFact) -> bool:
    return not is_renewal(fact) and (bool(names_in(fact)) or len(fact.lines) > 1 or not fact.lines_complete)


def says_what_paid(fact: stripe_facts.InvoicePaid) -> bool:
    """Return whether the event says which charges paid it, or that nobody paid anything at Stripe."""
    return bool(fact.paid_by or fact.charge_id or not fact.amount_paid or fact.paid_off_stripe)
