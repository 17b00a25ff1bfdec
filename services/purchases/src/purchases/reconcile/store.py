"""Whether the ledger knows what Stripe knows: of one object at a time."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import exists, func, select, union, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from purchases.ledger.money import FINAL
from purchases.ledger.plan_rows import SubscriptionCharge, SubscriptionInvoice, WorkspaceDispute, WorkspaceRefund
from purchases.ledger.rows import Dispute, Payment, Refund
from purchases.tables import PARKED

DECIDED: Final = sorted(FINAL)


async def payments_with(session: AsyncSession, invoice_id: str) -> int:
    """Return how many purchases have a payment by this invoice."""
    counted = select(func.count()).where(Payment.stripe_invoice_id == invoice_id)
    return (await session.execute(counted)).scalar_one()


async def has_plan_payment(session: AsyncSession, invoice_id: str) -> bool:
    """Return whether the invoice is recorded as paid for the plan."""
    paid = (SubscriptionInvoice.stripe_invoice_id == invoice_id, SubscriptionInvoice.paid_at.is_not(None))
    return bool(await session.scalar(select(exists().where(*paid))))


async def lacks_a_charge(session: AsyncSession, invoice_id: str) -> bool:
    """Return whether nothing is recorded of what paid the plan's invoice, though money did: its refund fits nothing."""
    charges = exists().where(SubscriptionCharge.stripe_invoice_id == SubscriptionInvoice.stripe_invoice_id)
    paid = (SubscriptionInvoice.stripe_invoice_id == invoice_id, SubscriptionInvoice.amount_paid_cents > 0)
    return bool(await session.scalar(select(exists().where(*paid, ~charges))))


async def open_disputes(session: AsyncSession, *, after: str, limit: int) -> Sequence[str]:
    """Return up to `limit` ids behind `after`, in their order: of disputes that the bank has not decided."""
    rows = (Dispute, WorkspaceDispute)
    still = [select(row.stripe_dispute_id).where(row.status.not_in(DECIDED)) for row in rows]
    ids = union(*still).subquery().c.stripe_dispute_id
    return (await session.execute(select(ids).where(ids > after).order_by(ids).limit(limit))).scalars().all()


async def has_refund(session: AsyncSession, refund_id: str, *, status: str, mark: str) -> bool:
    """Return whether the refund is recorded in this status, or was parked for staff, whatever they decided."""
    of_purchases = select(Refund.status).where(Refund.stripe_refund_id == refund_id)
    of_the_plan = select(WorkspaceRefund.status).where(WorkspaceRefund.stripe_refund_id == refund_id)
    statuses = (await session.execute(union_all(of_purchases, of_the_plan))).scalars()
    if (known := set(statuses)) and known <= {status, "failed", "canceled"}:
        return True
    waited = select(func.count()).where(PARKED.c.waits_for == mark)
    return (await session.execute(waited)).scalar_one() > 0


async def has_dispute(session: AsyncSession, dispute_id: str, *, status: str) -> bool:
    """Return whether the dispute is recorded in this status."""
    of_purchases = select(Dispute.status).where(Dispute.stripe_dispute_id == dispute_id)
    of_the_plan = select(WorkspaceDispute.status).where(WorkspaceDispute.stripe_dispute_id == dispute_id)
    return set((await session.execute(union_all(of_purchases, of_the_plan))).scalars()) == {status}
