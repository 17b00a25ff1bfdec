"""Whose payment a refund or dispute is about; it waits where that payment is not known yet."""

from collections.abc import Sequence

from chassis.kafka.records import Received
from contracts import stripe_facts
from purchases.batch.context import BatchContext, cause_of, count_outcome
from purchases.batch.parked_money import announce_money_back_parked
from purchases.jobs.kinds import MatchRefundToPayment, ReconcilePurchase
from purchases.jobs.store import enqueue
from purchases.ledger.learn_ids import learn_of_invoice, paid_mark
from purchases.ledger.rows import Purchase
from purchases.refunds.allocate_refund import Paid, in_currency_of, paid_with
from purchases.stripe_api.values import Part

MoneyBack = stripe_facts.ChargeRefunded | stripe_facts.RefundChanged | stripe_facts.DisputeChanged


async def paid_by(
    context: BatchContext, received: Received, fact: MoneyBack, *, invoice_id: str | None = None
) -> list[Paid]:
    """Return what the fact's charge paid; empty when the fact waits until that is known."""
    purchases = context.purchases_of(fact)
    ids = {"payment_intent_id": fact.payment_intent_id, "charge_id": fact.charge_id}
    paid = paid_with(purchases, **ids, invoice_id=invoice_id)
    for sale in paid:
        part = Part(**ids, cents=_part_cents(fact, sale))
        learned = learn_of_invoice(sale.purchase, invoice_id=sale.payment.stripe_invoice_id, parts=[part])
        context.learn(sale.purchase, learned)
    if not paid:
        unpaid = next((purchase for purchase in purchases if not purchase.payments), None)
        await (_wait_for_payment(context, received, unpaid) if unpaid else _enqueue_match(context, received, fact))
        count_outcome(fact, "waits")
    return paid


def _part_cents(fact: MoneyBack, sale: Paid) -> int | None:
    """Return the charge's amount where it took less than the invoice was paid with: it is one of several."""
    smaller = isinstance(fact, stripe_facts.ChargeRefunded) and fact.amount < sale.payment.invoice_paid_cents
    return fact.amount if isinstance(fact, stripe_facts.ChargeRefunded) and smaller else None


async def is_foreign(
    context: BatchContext, received: Received, fact: MoneyBack, paid: Sequence[Paid], *, what: str, currency: str
) -> bool:
    """Park money back that is not in the payment's currency: what it is worth, only staff can say."""
    if in_currency_of(paid, currency):
        return False
    reason = f"a {what} in {currency.upper()}, which is not the payment's currency"
    await context.park(received, reason=reason)
    purchases = [sale.purchase for sale in paid]
    await announce_money_back_parked(context.session, received, purchases, cause=cause_of(fact, reason=reason))
    count_outcome(fact, "parked")
    return True


async def _wait_for_payment(context: BatchContext, received: Received, purchase: Purchase) -> None:
    """Park money of a purchase whose payment is not known, and enqueue the search for it: it must be somewhere."""
    await context.park(received, reason="money went back before it came", waits_for=paid_mark(purchase))
    await enqueue(context.session, ReconcilePurchase(purchase_id=purchase.id))


async def _enqueue_match(context: BatchContext, received: Received, fact: MoneyBack) -> None:
    """Park money of a payment that is not known until the job that finds whose it is has run."""
    subject = fact.payment_intent_id or fact.charge_id
    await context.park(received, reason="money of an unknown payment went back", waits_for=subject)
    if subject is not None:
        await enqueue(
            context.session, MatchRefundToPayment(payment_intent_id=fact.payment_intent_id, charge_id=fact.charge_id)
        )
