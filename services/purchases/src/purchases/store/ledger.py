"""Questions about purchases: who is named by these Stripe ids, who holds the slot, how many declines."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from purchases.domain.transitions import HOLDS_SLOT
from purchases.store.rows import Payment, Purchase, Transition, Workspace

CHILDREN: Final = (selectinload(Purchase.payments), selectinload(Purchase.refunds), selectinload(Purchase.workspace))


@dataclass(frozen=True, slots=True)
class Names:
    """By which Stripe ids the rows of a batch are known; filled by `resolve`."""

    by_id: Mapping[str, uuid.UUID]

    def purchase_of(self, *ids: str | None) -> uuid.UUID | None:
        """The purchase that the first known one of `ids` names."""
        return next((self.by_id[one] for one in ids if one is not None and one in self.by_id), None)


async def resolve(session: AsyncSession, *, stripe_ids: Collection[str], purchase_ids: Collection[uuid.UUID]) -> Names:
    """Find the purchases that these ids name, without locking; a purchase is also known by its own id."""
    if not stripe_ids and not purchase_ids:
        return Names({})
    rows = Purchase.__table__
    paid = Payment.__table__
    of_rows = select(
        rows.c.id, rows.c.stripe_invoice_id, rows.c.stripe_payment_intent_id, rows.c.stripe_charge_id
    ).where(
        or_(
            rows.c.id.in_(purchase_ids),
            rows.c.stripe_invoice_id.in_(stripe_ids),
            rows.c.stripe_payment_intent_id.in_(stripe_ids),
            rows.c.stripe_charge_id.in_(stripe_ids),
        )
    )
    of_payments = select(
        paid.c.purchase_id, paid.c.stripe_invoice_id, paid.c.stripe_payment_intent_id, paid.c.stripe_charge_id
    ).where(
        or_(
            paid.c.stripe_invoice_id.in_(stripe_ids),
            paid.c.stripe_payment_intent_id.in_(stripe_ids),
            paid.c.stripe_charge_id.in_(stripe_ids),
        )
    )
    by_id: dict[str, uuid.UUID] = {}
    for purchase_id, *ids in await session.execute(union_all(of_rows, of_payments)):
        by_id |= {one: purchase_id for one in (*ids, str(purchase_id)) if one is not None}
    return Names(by_id)


async def lock(session: AsyncSession, purchase_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Purchase]:
    """Lock the workspaces, then the purchases, each in id order, and load them with their money."""
    if not purchase_ids:
        return {}
    workspaces = (
        select(Workspace.id)
        .where(Workspace.id.in_(select(Purchase.workspace_id).where(Purchase.id.in_(purchase_ids))))
        .order_by(Workspace.id)
        .with_for_update(key_share=True)
    )
    await session.execute(workspaces)
    locked = (
        select(Purchase)
        .where(Purchase.id.in_(purchase_ids))
        .order_by(Purchase.id)
        .with_for_update(key_share=True)
        .options(*CHILDREN)
        .execution_options(populate_existing=True)
    )
    return {purchase.id: purchase for purchase in (await session.execute(locked)).scalars()}


async def lock_one(session: AsyncSession, purchase_id: uuid.UUID) -> Purchase | None:
    """Lock one purchase and its workspace; None when there is no such row."""
    return (await lock(session, [purchase_id])).get(purchase_id)


async def find(session: AsyncSession, purchase_id: uuid.UUID, *, workspace_id: str | None = None) -> Purchase | None:
    """One purchase, unlocked; of this workspace only when one is named."""
    wanted = select(Purchase).where(Purchase.id == purchase_id).options(*CHILDREN)
    if workspace_id is not None:
        wanted = wanted.where(Purchase.workspace_id == workspace_id)
    return (await session.execute(wanted)).scalar_one_or_none()


async def find_request(session: AsyncSession, *, workspace_id: str, idempotency_key: str) -> Purchase | None:
    """The purchase that a request with this key made."""
    made = (
        select(Purchase)
        .where(Purchase.workspace_id == workspace_id, Purchase.idempotency_key == idempotency_key)
        .options(*CHILDREN)
    )
    return (await session.execute(made)).scalar_one_or_none()


async def of_workspace(session: AsyncSession, workspace_id: str, *, limit: int = 200) -> Sequence[Purchase]:
    """The workspace's purchases, newest first."""
    owned = (
        select(Purchase)
        .where(Purchase.workspace_id == workspace_id)
        .order_by(Purchase.started_at.desc(), Purchase.id)
        .limit(limit)
        .options(*CHILDREN)
    )
    return (await session.execute(owned)).scalars().all()


async def slot_holder(
    session: AsyncSession, *, workspace_id: str, addon_id: uuid.UUID, other_than: uuid.UUID | None = None
) -> Purchase | None:
    """The purchase that keeps this add-on from being bought by this workspace."""
    holder = select(Purchase).where(
        Purchase.workspace_id == workspace_id,
        Purchase.plan_addon_id == addon_id,
        or_(Purchase.payable, Purchase.status.in_(HOLDS_SLOT)),
    )
    if other_than is not None:
        holder = holder.where(Purchase.id != other_than)
    return (await session.execute(holder.limit(1))).scalar_one_or_none()


async def declines_since(session: AsyncSession, *, workspace_id: str, since: datetime) -> Sequence[datetime]:
    """When this workspace's cards were declined, oldest first."""
    declined = (
        select(Purchase.declined_at)
        .where(Purchase.workspace_id == workspace_id, Purchase.declined_at > since)
        .order_by(Purchase.declined_at)
    )
    return [at for at in (await session.execute(declined)).scalars() if at is not None]


async def history(session: AsyncSession, purchase_id: uuid.UUID) -> Sequence[Transition]:
    """The purchase's history, oldest first."""
    lines = select(Transition).where(Transition.purchase_id == purchase_id).order_by(Transition.id)
    return (await session.execute(lines)).scalars().all()


async def count_pending(session: AsyncSession) -> int:
    """Purchases whose end is not known yet."""
    return (await session.execute(select(func.count()).where(Purchase.status == "pending"))).scalar_one()
