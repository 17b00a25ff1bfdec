"""The plan's share of money that goes back: all of it, or what falls on none of the purchases that its charge paid."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from contracts import stripe_facts
from contracts.workspace_facts import WorkspaceDisputeClosed, WorkspaceDisputeOpened, WorkspacePaymentRefunded
from purchases.ledger import plan_money
from purchases.ledger.apply_refund import StripeRefund
from purchases.ledger.money import COUNTS, is_final, newer_dispute_status, newer_refund_status
from purchases.ledger.plan_rows import SubscriptionInvoice, WorkspaceDispute, WorkspaceRefund
from purchases.ledger.publish import Cause, announce_of_workspace
from purchases.ledger.rows import Payment, Purchase
from purchases.refunds.rules import Shares, of_the_plan
from purchases.subscriptions import store as subscriptions
from purchases.workspaces.rows import Workspace


async def share_with_the_plan(
    session: AsyncSession,
    *,
    purchase: Purchase,
    payment: Payment,
    refund: StripeRefund,
    shares: Shares | None,
    cause: Cause,
) -> None:
    """Record what a refund of a charge that paid the locked `purchase` leaves for the plan, if its invoice sold one.

    `shares` is what falls on purchases; None while nobody can say.
    """
    if not refund.is_of_the_charge or refund.is_a_sum:
        return
    invoice = await _invoice_of(session, purchase, payment)
    if invoice is None:
        return
    known = await plan_money.find_refund(session, refund.refund_id)
    cents = of_the_plan(
        refund_cents=refund.refund_cents,
        shares=shares,
        counts=refund.status in COUNTS,
        says_so=refund.of_the_plan,
        known=known.refund_cents if known else 0,
    )
    if known is not None or cents:
        await keep_refund(session, purchase.workspace, invoice, refund, cents=cents, cause=cause, at=cause.at)


async def share_dispute_with_the_plan(
    session: AsyncSession,
    *,
    purchase: Purchase,
    payment: Payment,
    dispute: stripe_facts.DisputeChanged,
    cents: int,
    cause: Cause,
) -> None:
    """Record the plan's `cents` of a dispute of a charge that paid the locked `purchase`, if its invoice sold one."""
    invoice = await _invoice_of(session, purchase, payment)
    if invoice is not None and (cents or await plan_money.find_dispute(session, dispute.dispute_id) is not None):
        await keep_dispute(session, purchase.workspace, invoice, dispute, cents=cents, cause=cause)


async def _invoice_of(session: AsyncSession, purchase: Purchase, payment: Payment) -> SubscriptionInvoice | None:
    invoice = await subscriptions.find_invoice(session, payment.stripe_invoice_id)
    return invoice if invoice is not None and invoice.workspace_id == purchase.workspace_id else None


async def keep_refund(
    session: AsyncSession,
    workspace: Workspace,
    invoice: SubscriptionInvoice,
    refund: StripeRefund,
    *,
    cents: int,
    cause: Cause,
    at: datetime,
) -> None:
    """Record the plan's `cents` of a refund as it is now, and announce what is new; a repeat changes nothing."""
    row = await plan_money.find_refund(session, refund.refund_id)
    before, reported_cents = (row.status, row.refund_cents) if row else (None, cents)
    status = newer_refund_status(known=before, reported=refund.status)
    if row is None:
        row = _new_refund(workspace, invoice, refund, cents=cents, at=at)
        session.add(row)
    row.status, row.failure_reason = status, refund.failure_reason or row.failure_reason
    row.updated_at = max(row.updated_at, at)
    if cents != reported_cents:
        row.refund_cents, row.corrected_at = cents, cause.at
        _announce_refund(session, workspace, row, cause, previously_cents=reported_cents)
    elif row.status != before and not (before in COUNTS and row.status in COUNTS) and row.refund_cents:
        _announce_refund(session, workspace, row, cause)


def _announce_refund(
    session: AsyncSession,
    workspace: Workspace,
    row: WorkspaceRefund,
    cause: Cause,
    *,
    previously_cents: int | None = None,
) -> None:
    """Announce it when it first counts, when it turns out to have failed, and where its share was another one."""
    announce_of_workspace(
        session,
        workspace,
        WorkspacePaymentRefunded,
        cause=cause,
        stripe_refund_id=row.stripe_refund_id,
        stripe_subscription_id=row.stripe_subscription_id,
        stripe_invoice_id=row.stripe_invoice_id,
        refund_cents=row.refund_cents,
        previously_cents=previously_cents,
        currency=row.currency,
        outcome="refunded" if row.status in COUNTS else "failed",
        failure_reason=row.failure_reason,
        automatic=row.automatic,
    )


def _new_refund(
    workspace: Workspace, invoice: SubscriptionInvoice, refund: StripeRefund, *, cents: int, at: datetime
) -> WorkspaceRefund:
    return WorkspaceRefund(
        stripe_refund_id=refund.refund_id,
        workspace_id=workspace.id,
        stripe_subscription_id=invoice.stripe_subscription_id,
        stripe_invoice_id=invoice.stripe_invoice_id,
        refund_cents=cents,
        whole_cents=refund.refund_cents,
        currency=invoice.currency,
        status=refund.status,
        automatic=refund.of_the_plan,
        recorded_at=at,
        updated_at=at,
    )


async def keep_dispute(
    session: AsyncSession,
    workspace: Workspace,
    invoice: SubscriptionInvoice,
    dispute: stripe_facts.DisputeChanged,
    *,
    cents: int,
    cause: Cause,
) -> None:
    """Record the plan's `cents` of a dispute as it is now, and announce what is new of it."""
    row = await plan_money.find_dispute(session, dispute.dispute_id)
    before = row.status if row else None
    status = newer_dispute_status(known=before, reported=dispute.status)
    if row is None:
        row = _new_dispute(workspace, invoice, dispute, cents=cents)
        session.add(row)
    was_shared, reported_cents = row.dispute_cents < row.whole_cents, row.dispute_cents
    row.opened_at = min(row.opened_at, dispute.occurred_at)
    row.evidence_due_at = dispute.evidence_due_at or row.evidence_due_at
    if status == dispute.status:
        row.status, row.dispute_cents, row.whole_cents, row.reason = status, cents, dispute.amount, dispute.reason
        row.closed_at = dispute.occurred_at if is_final(status) else None
    elif cents < row.whole_cents:
        row.dispute_cents = cents
    if row.dispute_cents != reported_cents and (was_shared or row.dispute_cents < row.whole_cents):
        row.corrected_at = cause.at
        _announce_dispute(session, workspace, row, cause, previously_cents=reported_cents)
    elif _is_news(row, before):
        _announce_dispute(session, workspace, row, cause)


def _is_news(row: WorkspaceDispute, before: str | None) -> bool:
    """Return whether to announce it: opened once, unless its end came first; closed once for each word of the bank."""
    return bool(row.dispute_cents) and (row.status != before if is_final(row.status) else before is None)


def _announce_dispute(
    session: AsyncSession,
    workspace: Workspace,
    row: WorkspaceDispute,
    cause: Cause,
    *,
    previously_cents: int | None = None,
) -> None:
    dispute = {
        "stripe_dispute_id": row.stripe_dispute_id,
        "stripe_subscription_id": row.stripe_subscription_id,
        "stripe_invoice_id": row.stripe_invoice_id,
        "dispute_cents": row.dispute_cents,
        "previously_cents": previously_cents,
        "currency": row.currency,
        "dispute_reason": row.reason,
    }
    if is_final(row.status):
        announce_of_workspace(session, workspace, WorkspaceDisputeClosed, cause=cause, **dispute, outcome=row.status)
    else:
        due = row.evidence_due_at
        announce_of_workspace(session, workspace, WorkspaceDisputeOpened, cause=cause, **dispute, evidence_due_at=due)


def _new_dispute(
    workspace: Workspace, invoice: SubscriptionInvoice, dispute: stripe_facts.DisputeChanged, *, cents: int
) -> WorkspaceDispute:
    return WorkspaceDispute(
        stripe_dispute_id=dispute.dispute_id,
        workspace_id=workspace.id,
        stripe_subscription_id=invoice.stripe_subscription_id,
        stripe_invoice_id=invoice.stripe_invoice_id,
        dispute_cents=cents,
        whole_cents=dispute.amount,
        currency=invoice.currency,
        status=dispute.status,
        reason=dispute.reason,
        evidence_due_at=dispute.evidence_due_at,
        opened_at=dispute.occurred_at,
    )
