"""Pages of purchases: a workspace's own, and what staff look for. Newest first, in a total order."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select, tuple_, union
from sqlalchemy.ext.asyncio import AsyncSession

from purchases.ledger.rows import Charge, Dispute, ParkedPayment, Payment, Purchase, Refund, Transition
from purchases.ledger.store import CHILDREN
from purchases.ledger.transitions import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseQuery:
    """What is looked for; all of it must fit. `started_before` is not part of the period."""

    workspace_id: str | None = None
    status: Status | None = None
    stripe_id: str | None = None
    started_from: datetime | None = None
    started_before: datetime | None = None


async def page(
    session: AsyncSession, query: PurchaseQuery, *, after: tuple[datetime, uuid.UUID] | None, limit: int
) -> Sequence[Purchase]:
    """Return up to `limit` purchases behind `after`."""
    found = (
        select(Purchase)
        .where(*_fits(query))
        .order_by(Purchase.started_at.desc(), Purchase.id.desc())
        .limit(limit)
        .options(*CHILDREN)
    )
    if after is not None:
        found = found.where(tuple_(Purchase.started_at, Purchase.id) < after)
    return (await session.execute(found)).scalars().all()


def _fits(wanted: PurchaseQuery) -> list[ColumnElement[bool]]:
    fits = []
    if wanted.workspace_id is not None:
        fits.append(Purchase.workspace_id == wanted.workspace_id)
    if wanted.status is not None:
        fits.append(Purchase.status == wanted.status)
    if wanted.stripe_id is not None:
        fits.append(Purchase.id.in_(_known_by(wanted.stripe_id)))
    if wanted.started_from is not None:
        fits.append(Purchase.started_at >= wanted.started_from)
    if wanted.started_before is not None:
        fits.append(Purchase.started_at < wanted.started_before)
    return fits


def _known_by(stripe_id: str) -> Select[tuple[uuid.UUID]]:
    """Return the purchases that this id of Stripe's names, whatever it is the id of; each column has an index.

    That includes what an event in the history named and changed nothing by.
    """
    own = (
        Purchase.stripe_customer_id,
        Purchase.stripe_checkout_session_id,
        Purchase.stripe_subscription_id,
        Purchase.stripe_invoice_id,
        Purchase.stripe_payment_intent_id,
        Purchase.stripe_charge_id,
        Purchase.stripe_price_id,
    )
    charged = (Charge.stripe_payment_intent_id, Charge.stripe_charge_id)
    named = union(
        select(Purchase.id).where(or_(*(column == stripe_id for column in own))),
        select(Payment.purchase_id).where(Payment.stripe_invoice_id == stripe_id),
        select(Charge.purchase_id).where(or_(*(column == stripe_id for column in charged))),
        select(ParkedPayment.purchase_id).where(ParkedPayment.stripe_invoice_id == stripe_id),
        select(Refund.purchase_id).where(Refund.stripe_refund_id == stripe_id),
        select(Dispute.purchase_id).where(Dispute.stripe_dispute_id == stripe_id),
        select(Transition.purchase_id).where(Transition.stripe_event_id == stripe_id),
    ).subquery()
    return select(named.c.id)


async def disputes_of(session: AsyncSession, purchase_id: uuid.UUID) -> Sequence[Dispute]:
    """Return the purchase's disputes, oldest first."""
    own = select(Dispute).where(Dispute.purchase_id == purchase_id)
    return (await session.execute(own.order_by(Dispute.opened_at, Dispute.stripe_dispute_id))).scalars().all()
