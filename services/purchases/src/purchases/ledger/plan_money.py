"""Money of the plan that went back, or is disputed, and the charges that paid for it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import ARRAY, BigInteger, Text, and_, any_, cast, exists, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from purchases.ledger.plan_rows import SubscriptionCharge, SubscriptionInvoice, WorkspaceDispute, WorkspaceRefund
from purchases.ledger.rows import Dispute, Payment
from purchases.stripe_api.values import Part

RowT = TypeVar("RowT", WorkspaceRefund, WorkspaceDispute)
Place = tuple[InstrumentedAttribute[datetime], InstrumentedAttribute[str]]
Behind = tuple[datetime, str]
"""The moment and Stripe's id of the last row of the page before."""
COLUMNS: Final = SubscriptionCharge.__table__.columns

SHOWN = 50
"""Rows of each kind on a page."""


async def workspaces_by_payment(session: AsyncSession, ids: Collection[str]) -> dict[str, str]:
    """Return, by payment intent and by charge, the workspace whose subscription it paid for."""
    if not ids:
        return {}
    named = any_(cast(list(ids), ARRAY(Text)))
    paid_with = (SubscriptionCharge.paid_with, SubscriptionCharge.stripe_charge_id)
    rows = await session.execute(
        select(SubscriptionInvoice.workspace_id, *paid_with)
        .join(SubscriptionCharge, SubscriptionCharge.stripe_invoice_id == SubscriptionInvoice.stripe_invoice_id)
        .where(or_(*(column == named for column in paid_with)))
    )
    return {one: workspace for workspace, *payment in rows.tuples() for one in payment if one is not None}


async def invoice_paid_with(
    session: AsyncSession, *, payment_intent_id: str | None, charge_id: str | None
) -> SubscriptionInvoice | None:
    """Return the subscription's invoice that this charge paid, or a part of; None when none is known."""
    # An id that is absent names nothing: compared with null it would name every charge without one.
    ids = [one for one in (payment_intent_id, charge_id) if one is not None]
    if not ids:
        return None
    named = or_(SubscriptionCharge.paid_with.in_(ids), SubscriptionCharge.stripe_charge_id.in_(ids))
    paid = select(SubscriptionInvoice).where(
        SubscriptionInvoice.stripe_invoice_id.in_(select(SubscriptionCharge.stripe_invoice_id).where(named))
    )
    return (await session.execute(paid.limit(1))).scalar_one_or_none()


async def learn_charges(session: AsyncSession, invoice_id: str, parts: Iterable[Part]) -> list[str]:
    """Keep what is said of the charges that paid the subscription's invoice; return the ids that are new.

    An invoice that is not known here has none.
    """
    found = [await _learn(session, invoice_id, part) for part in parts]
    return list(dict.fromkeys(one for ids in found for one in ids))


async def _learn(session: AsyncSession, invoice_id: str, part: Part) -> list[str]:
    paid_with = part.payment_intent_id or part.charge_id
    if paid_with is None:
        return []
    known = select(
        SubscriptionInvoice.stripe_invoice_id,
        literal(paid_with, Text),
        literal(part.charge_id, Text),
        literal(part.cents, BigInteger),
    ).where(SubscriptionInvoice.stripe_invoice_id == invoice_id)
    statement = insert(SubscriptionCharge).from_select([column.name for column in COLUMNS], known)
    new, old = statement.excluded, SubscriptionCharge
    news = or_(
        and_(old.stripe_charge_id.is_(None), new.stripe_charge_id.is_not(None)),
        and_(new.amount_cents.is_not(None), new.amount_cents.is_distinct_from(old.amount_cents)),
    )
    kept = statement.on_conflict_do_update(
        index_elements=[old.stripe_invoice_id, old.paid_with],
        set_={
            "stripe_charge_id": func.coalesce(old.stripe_charge_id, new.stripe_charge_id),
            "amount_cents": func.coalesce(new.amount_cents, old.amount_cents),
        },
        where=news,
    )
    learned = (await session.execute(kept.returning(old.paid_with))).first()
    return [one for one in (paid_with, part.charge_id) if one is not None and learned is not None]


async def charges_of(session: AsyncSession, invoice_id: str) -> Sequence[str]:
    """Return what the subscription's invoice was paid with, as far as is known: intents, or charges without one."""
    paid_with = select(SubscriptionCharge.paid_with).where(SubscriptionCharge.stripe_invoice_id == invoice_id)
    return (await session.execute(paid_with.order_by(SubscriptionCharge.paid_with))).scalars().all()


async def ids_of(session: AsyncSession, workspace_id: str) -> set[str]:
    """Return the ids by which something parked may be about the workspace's plan: of its newest paid invoices."""
    newest = (
        select(SubscriptionInvoice.stripe_invoice_id, SubscriptionInvoice.stripe_subscription_id)
        .where(SubscriptionInvoice.workspace_id == workspace_id)
        .order_by(SubscriptionInvoice.recorded_at.desc())
        .limit(SHOWN)
        .subquery()
    )
    charges = SubscriptionCharge.stripe_invoice_id == newest.c.stripe_invoice_id
    paid_with = (SubscriptionCharge.paid_with, SubscriptionCharge.stripe_charge_id)
    rows = await session.execute(select(newest, *paid_with).outerjoin(SubscriptionCharge, charges))
    return {one for row in rows.tuples() for one in row if one is not None}


async def went_back(session: AsyncSession, invoice_id: str) -> bool:
    """Return whether a refund or dispute of this invoice is the plan's, as far as was known."""
    rows = (WorkspaceRefund.stripe_invoice_id, WorkspaceDispute.stripe_invoice_id)
    return bool(await session.scalar(select(or_(*(exists().where(column == invoice_id) for column in rows)))))


async def to_share(session: AsyncSession, invoice_id: str) -> Sequence[str]:
    """Return Stripe's ids of the disputes of this plan's invoice that are recorded as the plan's or as purchases' only.

    What a charge paid besides is heard of later; a dispute of the part of a charge is the purchases' alone.
    """
    mine = select(WorkspaceDispute.stripe_dispute_id).where(WorkspaceDispute.stripe_invoice_id == invoice_id)
    of_purchases = (
        select(Dispute.stripe_dispute_id)
        .join(Payment, Payment.purchase_id == Dispute.purchase_id)
        .join(SubscriptionInvoice, SubscriptionInvoice.stripe_invoice_id == Payment.stripe_invoice_id)
        .where(Payment.stripe_invoice_id == invoice_id, Dispute.stripe_invoice_id == invoice_id)
    )
    ids = [set((await session.execute(kind)).scalars()) for kind in (mine, of_purchases)]
    return sorted(ids[0] ^ ids[1])


async def find_refund(session: AsyncSession, refund_id: str) -> WorkspaceRefund | None:
    """Return the refund as it is now; who changes it holds the workspace's lock."""
    return await session.get(WorkspaceRefund, refund_id, populate_existing=True)


async def find_dispute(session: AsyncSession, dispute_id: str) -> WorkspaceDispute | None:
    """Return the dispute as it is now; who changes it holds the workspace's lock."""
    return await session.get(WorkspaceDispute, dispute_id, populate_existing=True)


async def refunds_of(
    session: AsyncSession, workspace_id: str | None, *, after: Behind | None = None, limit: int = SHOWN
) -> Sequence[WorkspaceRefund]:
    """Return a page of refunds, the newest first: of one workspace, or of all."""
    place = (WorkspaceRefund.recorded_at, WorkspaceRefund.stripe_refund_id)
    return await _page(session, WorkspaceRefund, place, workspace_id, after, limit)


async def disputes_of(
    session: AsyncSession, workspace_id: str | None, *, after: Behind | None = None, limit: int = SHOWN
) -> Sequence[WorkspaceDispute]:
    """Return a page of disputes, the newest first: of one workspace, or of all."""
    place = (WorkspaceDispute.opened_at, WorkspaceDispute.stripe_dispute_id)
    return await _page(session, WorkspaceDispute, place, workspace_id, after, limit)


async def _page(
    session: AsyncSession, row: type[RowT], place: Place, workspace_id: str | None, after: Behind | None, limit: int
) -> Sequence[RowT]:
    found = select(row).order_by(*(column.desc() for column in place)).limit(limit)
    if workspace_id is not None:
        found = found.where(row.workspace_id == workspace_id)
    if after is not None:
        found = found.where(tuple_(*place) < after)
    return (await session.execute(found)).scalars().all()
