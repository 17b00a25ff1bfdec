"""Questions about purchases: who is named by these Stripe ids, who holds the slot, how many declines."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Select, Text, Uuid, any_, bindparam, exists, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from purchases.domain.transitions import HOLDS_SLOT
from purchases.store.rows import Payment, Purchase, Transition, Workspace

CHILDREN: Final = (selectinload(Purchase.payments), selectinload(Purchase.refunds), selectinload(Purchase.workspace))


HELD: Final = or_(Purchase.payable, Purchase.status.in_(HOLDS_SLOT))


@dataclass(frozen=True, slots=True)
class Names:
    """By which Stripe ids the rows of a batch are known; filled by `resolve`, and by what the batch learns."""

    by_id: dict[str, uuid.UUID]

    def purchase_of(self, *ids: str | None) -> uuid.UUID | None:
        """The purchase that the first known one of `ids` names."""
        return next((self.by_id[one] for one in ids if one is not None and one in self.by_id), None)


def _named_by(table: type[Purchase | Payment]) -> ColumnElement[bool]:
    """Arrays and not lists of parameters: one statement for batches of every size, and no limit to their number."""
    stripe_ids = any_(bindparam("stripe_ids", type_=ARRAY(Text)))
    columns = (table.stripe_invoice_id, table.stripe_payment_intent_id, table.stripe_charge_id)
    return or_(*(column == stripe_ids for column in columns))


def _names_in(table: type[Purchase | Payment], purchase_id: Any) -> Select[Any]:
    return select(purchase_id, table.stripe_invoice_id, table.stripe_payment_intent_id, table.stripe_charge_id)


NAMED: Final = union_all(
    _names_in(Purchase, Purchase.id).where(
        or_(Purchase.id == any_(bindparam("purchase_ids", type_=ARRAY(Uuid))), _named_by(Purchase))
    ),
    _names_in(Payment, Payment.purchase_id).where(_named_by(Payment)),
)


async def resolve(session: AsyncSession, *, stripe_ids: Collection[str], purchase_ids: Collection[uuid.UUID]) -> Names:
    """Find the purchases that these ids name, without locking; a purchase is also known by its own id."""
    if not stripe_ids and not purchase_ids:
        return Names({})
    parameters = {"stripe_ids": list(stripe_ids), "purchase_ids": list(purchase_ids)}
    by_id: dict[str, uuid.UUID] = {}
    for purchase_id, *ids in await session.execute(NAMED, parameters):
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


async def slot_holder(session: AsyncSession, *, workspace_id: str, addon_id: uuid.UUID) -> Purchase | None:
    """The purchase that keeps this add-on from being bought by this workspace; the index allows one."""
    holder = select(Purchase).where(Purchase.workspace_id == workspace_id, Purchase.plan_addon_id == addon_id, HELD)
    return (await session.execute(holder)).scalar_one_or_none()


async def slot_is_taken(session: AsyncSession, purchase: Purchase) -> bool:
    """Whether another purchase holds the slot that this one would need. The workspace's lock keeps it so."""
    other = exists().where(
        Purchase.workspace_id == purchase.workspace_id,
        Purchase.plan_addon_id == purchase.plan_addon_id,
        Purchase.id != purchase.id,
        HELD,
    )
    return bool(await session.scalar(select(other)))


async def holders(session: AsyncSession, workspace_id: str) -> dict[uuid.UUID, Purchase]:
    """By add-on: the purchases that keep this workspace from buying it."""
    holding = select(Purchase).where(Purchase.workspace_id == workspace_id, HELD)
    return {purchase.plan_addon_id: purchase for purchase in (await session.execute(holding)).scalars()}


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
