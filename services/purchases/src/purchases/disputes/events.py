"""Applier of what Stripe says of disputes: recorded, announced, and a lost one counts like a refund."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.kafka.records import Received
from contracts import purchase_facts, stripe_facts
from purchases.batch.context import BatchContext, cause_of, count_outcome, fact_as
from purchases.ledger.apply_refund import StripeRefund
from purchases.ledger.money import LOST, is_final, newer_dispute_status
from purchases.ledger.publish import announce
from purchases.ledger.rows import Dispute
from purchases.refunds.allocate_refund import Paid, allocate_refund, charge_of
from purchases.refunds.events import set_aside
from purchases.refunds.plan_share import share_dispute_with_the_plan
from purchases.refunds.whose_payment import is_foreign, paid_by


async def dispute_changed(context: BatchContext, received: Received) -> None:
    fact = fact_as(stripe_facts.DisputeChanged, received)
    paid = await paid_by(context, received, fact)
    if not paid:
        return
    if await is_foreign(context, received, fact, paid, what="dispute", currency=fact.currency):
        return
    (was, status), *_ = [await _record(context.session, sale, paid, fact) for sale in paid]
    await _share_with_the_plan(context.session, paid, fact)
    if LOST not in (was, status):
        count_outcome(fact, "applied")
        return
    refund = as_refund(fact, "succeeded" if status == LOST else "canceled")
    if await allocate_refund(context.session, paid=paid, seen=refund, cause=cause_of(fact)) is None:
        await set_aside(context, received, fact.dispute_id)
    else:
        count_outcome(fact, "applied")


def as_refund(fact: stripe_facts.DisputeChanged, status: str) -> StripeRefund:
    """Return the dispute as a refund: a lost one took its money; one that was won after all gave it back."""
    return StripeRefund(
        kind="dispute", refund_id=fact.dispute_id, refund_cents=fact.amount, currency=fact.currency, status=status
    )


async def _record(
    session: AsyncSession, sale: Paid, paid: list[Paid], fact: stripe_facts.DisputeChanged
) -> tuple[str | None, str]:
    """Store what the dispute is now, and announce what is new of it; return its status before and after."""
    row = await session.get(Dispute, (sale.purchase.id, fact.dispute_id))
    before = row.status if row else None
    status = newer_dispute_status(known=before, reported=fact.status)
    if row is None:
        row = _new_row(sale, fact)
        session.add(row)
    row.opened_at = min(row.opened_at, fact.occurred_at)
    if status == fact.status:
        row.status, row.dispute_cents, row.reason = status, _cents(sale, paid, fact), fact.reason
        row.closed_at = fact.occurred_at if is_final(status) else None
    _announce(session, sale, row, before, fact)
    return before, status


async def _share_with_the_plan(session: AsyncSession, paid: list[Paid], fact: stripe_facts.DisputeChanged) -> None:
    """Record for the plan what the purchases leave of a whole charge; of a part nobody knows whose it is."""
    first, charge = paid[0], charge_of(paid)
    left = max(0, fact.amount - sum(charge.paid.values())) if fact.amount >= charge.charge_cents else 0
    await share_dispute_with_the_plan(
        session,
        purchase=first.purchase,
        payment=first.payment,
        dispute=fact,
        cents=left if charge.shared else 0,
        cause=cause_of(fact),
    )


def _announce(
    session: AsyncSession, sale: Paid, row: Dispute, before: str | None, fact: stripe_facts.DisputeChanged
) -> None:
    """Announce it as opened once, unless its end came first, and as closed once for each word of the bank."""
    dispute = {
        "stripe_dispute_id": row.stripe_dispute_id,
        "dispute_cents": row.dispute_cents,
        "dispute_reason": row.reason,
    }
    cause = cause_of(fact)
    if is_final(row.status):
        if row.status != before:
            announce(session, sale.purchase, purchase_facts.DisputeClosed, cause=cause, **dispute, outcome=row.status)
    elif before is None:
        due = fact.evidence_due_at
        announce(session, sale.purchase, purchase_facts.DisputeOpened, cause=cause, **dispute, evidence_due_at=due)


def _cents(sale: Paid, paid: list[Paid], fact: stripe_facts.DisputeChanged) -> int:
    """Return, of a whole charge that is disputed, what was for this purchase; else what the bank named."""
    charge = charge_of(paid)
    return sale.payment.card_cents if charge.shared and fact.amount >= charge.charge_cents else fact.amount


def _new_row(sale: Paid, fact: stripe_facts.DisputeChanged) -> Dispute:
    return Dispute(
        purchase_id=sale.purchase.id,
        stripe_dispute_id=fact.dispute_id,
        dispute_cents=fact.amount,
        currency=fact.currency.upper(),
        status=fact.status,
        reason=fact.reason,
        stripe_invoice_id=sale.payment.stripe_invoice_id,
        opened_at=fact.occurred_at,
    )
