"""Appliers of what Stripe says of money of the plan that goes back: of a subscription's charge, and of no purchase.

Each says whether the fact was the plan's; what was not is for the appliers of purchases.
"""

from chassis.records import Received
from contracts import stripe_facts as told
from contracts.workspace_facts import WorkspaceDisputeClosed, WorkspaceDisputeOpened, WorkspacePaymentRefunded
from purchases.domain.disputes import is_final, newer_dispute_status
from purchases.domain.money import COUNTS, newer_refund_status
from purchases.handlers.plan.follow_subscription import announce
from purchases.handlers.steps.work import Work, cause_of, count, fact_as
from purchases.store import plan_money
from purchases.store.rows import SubscriptionInvoice, Workspace, WorkspaceDispute, WorkspaceRefund

MoneyBack = told.ChargeRefunded | told.RefundChanged | told.DisputeChanged


async def charge_refunded(work: Work, received: Received) -> bool:
    """Old versions show the refunds; of others each has an event of its own, and the sum says nothing that they do not.

    Source: https://docs.stripe.com/upgrades#2022-11-15 (a charge's refunds are not expanded any more).
    """
    fact = fact_as(told.ChargeRefunded, received)
    workspace, invoice = await _whose(work, fact)
    if workspace is None or invoice is None:
        return False
    for refund in fact.refunds:
        await _take_refund(work, received, workspace, invoice, fact, refund)
    count(fact, "applied")
    return True


async def refund_changed(work: Work, received: Received) -> bool:
    """One refund, as it is now."""
    fact = fact_as(told.RefundChanged, received)
    workspace, invoice = await _whose(work, fact)
    if workspace is None or invoice is None:
        return False
    if await _take_refund(work, received, workspace, invoice, fact, fact.refund):
        count(fact, "applied")
    return True


async def dispute_changed(work: Work, received: Received) -> bool:
    """One dispute, as it is now."""
    fact = fact_as(told.DisputeChanged, received)
    workspace, invoice = await _whose(work, fact)
    if workspace is None or invoice is None:
        return False
    if await _fits(work, received, invoice, fact.currency):
        await _take_dispute(work, workspace, invoice, fact)
        count(fact, "applied")
    return True


async def _whose(work: Work, fact: MoneyBack) -> tuple[Workspace | None, SubscriptionInvoice | None]:
    """The locked workspace, and the invoice whose charge it is; of a charge that paid a purchase too, nothing."""
    workspace = work.homes.get(fact.stripe_event_id)
    if workspace is None or work.purchases_of(fact):
        return None, None
    paid_with = {"payment_intent_id": fact.payment_intent_id, "charge_id": fact.charge_id}
    return workspace, await plan_money.invoice_paid_with(work.session, **paid_with)


async def _fits(work: Work, received: Received, invoice: SubscriptionInvoice, currency: str) -> bool:
    """Money in another currency than the invoice's is for a person."""
    if currency.upper() == invoice.currency:
        return True
    await work.park(received, reason=f"of a subscription's charge in {invoice.currency}, in another currency")
    count(received.fact, "parked")
    return False


async def _take_refund(
    work: Work,
    received: Received,
    workspace: Workspace,
    invoice: SubscriptionInvoice,
    fact: told.ChargeRefunded | told.RefundChanged,
    refund: told.RefundSnapshot,
) -> bool:
    """Whether it was in the invoice's currency; told again, or late, it changes nothing."""
    if not await _fits(work, received, invoice, refund.currency):
        return False
    row = await plan_money.find_refund(work.session, refund.refund_id)
    before = row.status if row else None
    status = newer_refund_status(known=before, told=refund.status)
    if row is None:
        row = _new_refund(workspace, invoice, fact, refund)
        work.session.add(row)
    row.status, row.failure_reason = status, refund.failure_reason or row.failure_reason
    row.updated_at = max(row.updated_at, fact.occurred_at)
    _tell_refund(work, workspace, row, before, fact)
    return True


def _tell_refund(work: Work, workspace: Workspace, row: WorkspaceRefund, before: str | None, fact: MoneyBack) -> None:
    """When it first counts, and when it turns out to have failed; one that had failed when it was heard of, once."""
    counted = before in COUNTS
    if row.status == before or (counted and row.status in COUNTS):
        return
    announce(
        work.session,
        workspace,
        WorkspacePaymentRefunded,
        cause=cause_of(fact),
        stripe_refund_id=row.stripe_refund_id,
        stripe_subscription_id=row.stripe_subscription_id,
        stripe_invoice_id=row.stripe_invoice_id,
        refund_cents=row.refund_cents,
        currency=row.currency,
        outcome="refunded" if row.status in COUNTS else "failed",
        failure_reason=row.failure_reason,
        automatic=row.automatic,
    )


def _new_refund(
    workspace: Workspace, invoice: SubscriptionInvoice, fact: MoneyBack, refund: told.RefundSnapshot
) -> WorkspaceRefund:
    return WorkspaceRefund(
        stripe_refund_id=refund.refund_id,
        workspace_id=workspace.id,
        stripe_subscription_id=invoice.stripe_subscription_id,
        stripe_invoice_id=invoice.stripe_invoice_id,
        refund_cents=refund.amount,
        currency=invoice.currency,
        status=refund.status,
        automatic=refund.returned_invoice_id is not None,
        recorded_at=fact.occurred_at,
        updated_at=fact.occurred_at,
    )


async def _take_dispute(
    work: Work, workspace: Workspace, invoice: SubscriptionInvoice, fact: told.DisputeChanged
) -> None:
    row = await plan_money.find_dispute(work.session, fact.dispute_id)
    before = row.status if row else None
    status = newer_dispute_status(known=before, told=fact.status)
    if row is None:
        row = _new_dispute(workspace, invoice, fact)
        work.session.add(row)
    row.opened_at = min(row.opened_at, fact.occurred_at)
    row.evidence_due_at = fact.evidence_due_at or row.evidence_due_at
    if status == fact.status:
        row.status, row.dispute_cents, row.reason = status, fact.amount, fact.reason
        row.closed_at = fact.occurred_at if is_final(status) else None
    _tell_dispute(work, workspace, row, before, fact)


def _tell_dispute(
    work: Work, workspace: Workspace, row: WorkspaceDispute, before: str | None, fact: told.DisputeChanged
) -> None:
    """Opened once, unless its end was heard first; closed once for each word of the bank."""
    dispute = {
        "stripe_dispute_id": row.stripe_dispute_id,
        "stripe_subscription_id": row.stripe_subscription_id,
        "stripe_invoice_id": row.stripe_invoice_id,
        "dispute_cents": row.dispute_cents,
        "currency": row.currency,
        "dispute_reason": row.reason,
    }
    cause = cause_of(fact)
    if is_final(row.status):
        if row.status != before:
            announce(work.session, workspace, WorkspaceDisputeClosed, cause=cause, **dispute, outcome=row.status)
    elif before is None:
        due = row.evidence_due_at
        announce(work.session, workspace, WorkspaceDisputeOpened, cause=cause, **dispute, evidence_due_at=due)


def _new_dispute(workspace: Workspace, invoice: SubscriptionInvoice, fact: told.DisputeChanged) -> WorkspaceDispute:
    return WorkspaceDispute(
        stripe_dispute_id=fact.dispute_id,
        workspace_id=workspace.id,
        stripe_subscription_id=invoice.stripe_subscription_id,
        stripe_invoice_id=invoice.stripe_invoice_id,
        dispute_cents=fact.amount,
        currency=invoice.currency,
        status=fact.status,
        reason=fact.reason,
        evidence_due_at=fact.evidence_due_at,
        opened_at=fact.occurred_at,
    )
