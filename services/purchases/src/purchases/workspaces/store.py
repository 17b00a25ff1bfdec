"""The registered workspaces."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ARRAY, Text, and_, any_, cast, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from purchases.workspaces.rows import Workspace


async def find(session: AsyncSession, workspace_id: str) -> Workspace | None:
    """Return the workspace, unlocked."""
    return await session.get(Workspace, workspace_id)


async def with_customers(session: AsyncSession, customer_ids: Collection[str]) -> set[str]:
    """Return those of `customer_ids` that are a workspace's."""
    if not customer_ids:
        return set()
    known = select(Workspace.stripe_customer_id).where(
        Workspace.stripe_customer_id == any_(cast(list(customer_ids), ARRAY(Text)))
    )
    return set(filter(None, (await session.execute(known)).scalars()))


async def registered(session: AsyncSession, workspace_ids: Collection[str]) -> set[str]:
    """Return those of `workspace_ids` that are known here."""
    if not workspace_ids:
        return set()
    return set((await session.execute(select(Workspace.id).where(Workspace.id.in_(workspace_ids)))).scalars())


async def names(session: AsyncSession, workspace_ids: Collection[str]) -> dict[str, str]:
    """Return the names of those of `workspace_ids` that are known here, by id."""
    if not workspace_ids:
        return {}
    called = select(Workspace.id, Workspace.name).where(Workspace.id.in_(workspace_ids))
    return dict((await session.execute(called)).tuples().all())


async def by_customer(session: AsyncSession, customer_ids: Collection[str]) -> dict[str, str]:
    """Return workspace ids by Stripe customer."""
    if not customer_ids:
        return {}
    known = select(Workspace.stripe_customer_id, Workspace.id).where(Workspace.stripe_customer_id.in_(customer_ids))
    return {str(customer): workspace for customer, workspace in await session.execute(known)}


async def read_locked(session: AsyncSession, workspace_ids: Collection[str]) -> dict[str, Workspace]:
    """Read workspaces that the caller has locked, as they are under the lock."""
    if not workspace_ids:
        return {}
    rows = select(Workspace).where(Workspace.id.in_(workspace_ids)).execution_options(populate_existing=True)
    return {row.id: row for row in (await session.execute(rows)).scalars()}


async def lock_workspace(session: AsyncSession, workspace_id: str) -> Workspace | None:
    """Lock the workspace and return it; None for an unknown one. Its lock is taken before any of its purchases'."""
    row = select(Workspace).where(Workspace.id == workspace_id).with_for_update(key_share=True)
    return (await session.execute(row.execution_options(populate_existing=True))).scalar_one_or_none()


async def store_customer(session: AsyncSession, *, workspace_id: str, customer_id: str) -> str:
    """Remember the Stripe customer, unless another request was first; return the one that is stored."""
    first = (
        update(Workspace)
        .where(Workspace.id == workspace_id, Workspace.stripe_customer_id.is_(None))
        .values(stripe_customer_id=customer_id)
        .returning(Workspace.stripe_customer_id)
    )
    stored = (await session.execute(first)).scalar_one_or_none()
    if stored is not None:
        return stored
    known = select(Workspace.stripe_customer_id).where(Workspace.id == workspace_id)
    return (await session.execute(known)).scalar_one() or customer_id


async def forget_customer(session: AsyncSession, *, customer_id: str) -> bool:
    """Forget a customer that was deleted at Stripe, and return whether a workspace had it; the next need makes one."""
    forgotten = (
        update(Workspace)
        .where(Workspace.stripe_customer_id == customer_id)
        .values(stripe_customer_id=None, customer_asked_at=None)
        .returning(Workspace.id)
    )
    return (await session.execute(forgotten)).first() is not None


async def keep_saved_card(
    session: AsyncSession, *, customer_id: str | None, setup_intent_id: str | None, saved_at: datetime
) -> str | None:
    """Store the card that was saved last; return the workspace's id, or None for a stranger and for an older card.

    Of two that were saved in one second the greater id counts, so that the order of their events does not matter.
    """
    same_second = and_(Workspace.card_saved_at == saved_at, Workspace.card_setup_intent_id < setup_intent_id)
    newer = or_(Workspace.card_saved_at.is_(None), Workspace.card_saved_at < saved_at, same_second)
    kept = (
        update(Workspace)
        .where(Workspace.stripe_customer_id == customer_id, newer)
        .values(card_setup_intent_id=setup_intent_id, card_saved_at=saved_at)
        .returning(Workspace.id)
    )
    return (await session.execute(kept)).scalar_one_or_none()
