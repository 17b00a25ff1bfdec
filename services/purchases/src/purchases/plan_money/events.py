"""Appliers of what Stripe says of money that goes back of a subscription's charge that paid the plan alone.

Each returns whether it took the fact; what its charge paid besides the plan is for the appliers of purchases.
"""

from dataclasses import dataclass
from typing import Final

from chassis.kafka.records import Received
from chassis.process.logs import get_logger
from contracts import stripe_facts
from purchases.batch.context import BatchContext, cause_of, count_outcome, fact_as
from purchases.batch.parked_money import announce_plan_money_back_parked
from purchases.batch.parking import is_set_aside
from purchases.jobs.kinds import SyncInvoice
from purchases.jobs.store import is_open
from purchases.ledger import plan_money
from purchases.ledger import store as ledger
from purchases.ledger.plan_rows import SubscriptionInvoice
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.refunds.events import stripe_refund
from purchases.refunds.plan_share import keep_dispute, keep_refund
from purchases.stripe_api.values import Part
from purchases.workspaces.rows import Workspace

log = get_logger(__name__)

MoneyBack = stripe_facts.ChargeRefunded | stripe_facts.RefundChanged | stripe_facts.DisputeChanged
BEING_READ: Final = "money of a subscription's charge went back, and what its invoice paid is being read at Stripe"


@dataclass(frozen=True, slots=True)
class Paid:
    """The locked workspace, and its subscription's invoice that the charge paid."""

    workspace: Workspace
    invoice: SubscriptionInvoice


async def charge_refunded(context: BatchContext, received: Received) -> bool:
    """Record the refunds that old versions show; of others each has an event of its own, and the sum adds nothing.

    Source: https://docs.stripe.com/upgrades#2022-11-15 (a charge's refunds are not expanded any more).
    """
    fact = fact_as(stripe_facts.ChargeRefunded, received)
    paid = await _paid_by(context, fact)
    if paid is None:
        return False
    if await _can_be_taken(context, received, fact, paid, *(refund.currency for refund in fact.refunds)):
        for refund in fact.refunds:
            await _keep(context, paid, fact, refund)
        count_outcome(fact, "applied")
    return True


async def refund_changed(context: BatchContext, received: Received) -> bool:
    """Record one refund as it is now."""
    fact = fact_as(stripe_facts.RefundChanged, received)
    paid = await _paid_by(context, fact)
    if paid is None:
        return False
    if await _can_be_taken(context, received, fact, paid, fact.refund.currency):
        await _keep(context, paid, fact, fact.refund)
        count_outcome(fact, "applied")
    return True


async def dispute_changed(context: BatchContext, received: Received) -> bool:
    """Record one dispute as it is now."""
    fact = fact_as(stripe_facts.DisputeChanged, received)
    paid = await _paid_by(context, fact)
    if paid is None:
        return False
    if await _can_be_taken(context, received, fact, paid, fact.currency):
        await keep_dispute(context.session, paid.workspace, paid.invoice, fact, cents=fact.amount, cause=cause_of(fact))
        count_outcome(fact, "applied")
    return True


async def _keep(
    context: BatchContext,
    paid: Paid,
    fact: stripe_facts.ChargeRefunded | stripe_facts.RefundChanged,
    refund: stripe_facts.RefundSnapshot,
) -> None:
    await keep_refund(
        context.session,
        paid.workspace,
        paid.invoice,
        stripe_refund(refund, of=fact),
        cents=refund.amount,
        cause=cause_of(fact),
        at=fact.occurred_at,
    )


async def _paid_by(context: BatchContext, fact: MoneyBack) -> Paid | None:
    """Return what the charge paid, if that is the plan alone as far as is known; the payment is surer than metadata."""
    workspace = context.workspaces_by_event.get(fact.stripe_event_id)
    if workspace is None:
        return None
    ids = {"payment_intent_id": fact.payment_intent_id, "charge_id": fact.charge_id}
    invoice = await plan_money.invoice_paid_with(context.session, **ids)
    if invoice is None or await ledger.is_paid_with(context.session, invoice.stripe_invoice_id):
        return None
    named = context.purchases_of(fact)
    if context.index.purchases_of(one for one in ids.values() if one) or any(_may_be_paid(one) for one in named):
        return None
    if named:
        log.warning("refund_names_another_charges_purchase", object=fact.object_id, purchase=str(named[0].id))
    part = Part(payment_intent_id=fact.payment_intent_id, charge_id=fact.charge_id)
    await plan_money.learn_charges(context.session, invoice.stripe_invoice_id, [part])
    return Paid(workspace, invoice)


def _may_be_paid(purchase: Purchase) -> bool:
    """Return whether the charge may have paid the purchase that only the refund's metadata names: nothing else has."""
    return not purchase.payments and (purchase.payable or purchase.status is Status.PENDING)


async def _can_be_taken(
    context: BatchContext, received: Received, fact: MoneyBack, paid: Paid, *currencies: str
) -> bool:
    """Return whether it can; else park it: while its invoice is being fetched, or in another currency, for a person."""
    subject = fact.payment_intent_id or fact.charge_id
    if await is_open(context.session, SyncInvoice, paid.invoice.stripe_invoice_id):
        await context.park(received, reason=BEING_READ, waits_for=subject)
        count_outcome(fact, "waits")
        return False
    if {currency.upper() for currency in currencies} <= {paid.invoice.currency}:
        return True
    if await is_set_aside(context.session, received):
        count_outcome(fact, "parked_already")
        return False
    reason = f"of a subscription's charge in {paid.invoice.currency}, in another currency"
    await context.park(received, reason=reason)
    cause = cause_of(fact, reason=reason)
    await announce_plan_money_back_parked(context.session, received, paid.workspace, paid.invoice, cause=cause)
    count_outcome(fact, "parked")
    return False
