"""Money of the plan that went back, or is disputed: of a subscription's charge, and of no purchase."""

from collections.abc import Collection, Sequence

from sqlalchemy import ARRAY, Text, any_, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from purchases.store.rows import SubscriptionInvoice, WorkspaceDispute, WorkspaceRefund

SHOWN = 50
"""Rows of each kind on a page."""


async def workspaces_by_payment(session: AsyncSession, ids: Collection[str]) -> dict[str, str]:
    """Return, by payment intent and by charge, the workspace whose subscription it paid for."""
    if not ids:
        return {}
    named = any_(cast(list(ids), ARRAY(Text)))
    paid_with = (SubscriptionInvoice.stripe_payment_intent_id, SubscriptionInvoice.stripe_charge_id)
    rows = await session.execute(
        select(SubscriptionInvoice.workspace_id, *paid_with).where(or_(*(column == named for column in paid_with)))
    )
    return {one: workspace for workspace, *payment in rows.tuples() for one in payment if one is not None}


async def invoice_paid_with(
    session: AsyncSession, *, payment_intent_id: str | None, charge_id: str | None
) -> SubscriptionInvoice | None:
    """Return the subscription's invoice that this payment paid; None when none is known."""
    named = {
        SubscriptionInvoice.stripe_payment_intent_id: payment_intent_id,
        SubscriptionInvoice.stripe_charge_id: charge_id,
    }
    # An id that is absent names nothing: compared with null it would name every invoice without one.
    paid_with = [column == one for column, one in named.items() if one is not None]
    if not paid_with:
        return None
    return (await session.execute(select(SubscriptionInvoice).where(or_(*paid_with)).limit(1))).scalar_one_or_none()


async def find_refund(session: AsyncSession, refund_id: str) -> WorkspaceRefund | None:
    """Return the refund as it is now; who changes it holds the workspace's lock."""
    return await session.get(WorkspaceRefund, refund_id, populate_existing=True)


async def find_dispute(session: AsyncSession, dispute_id: str) -> WorkspaceDispute | None:
    """Return the dispute as it is now; who changes it holds the workspace's lock."""
    return await session.get(WorkspaceDispute, dispute_id, populate_existing=True)


async def refunds_of(session: AsyncSession, workspace_id: str) -> Sequence[WorkspaceRefund]:
    """Return the workspace's newest refunds."""
    own = select(WorkspaceRefund).where(WorkspaceRefund.workspace_id == workspace_id)
    newest = own.order_by(WorkspaceRefund.recorded_at.desc(), WorkspaceRefund.stripe_refund_id).limit(SHOWN)
    return (await session.execute(newest)).scalars().all()


async def disputes_of(session: AsyncSession, workspace_id: str) -> Sequence[WorkspaceDispute]:
    """Return the workspace's newest disputes."""
    own = select(WorkspaceDispute).where(WorkspaceDispute.workspace_id == workspace_id)
    newest = own.order_by(WorkspaceDispute.opened_at.desc(), WorkspaceDispute.stripe_dispute_id).limit(SHOWN)
    return (await session.execute(newest)).scalars().all()
