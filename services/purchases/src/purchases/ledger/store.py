"""Questions about purchases: who is named by these Stripe ids, who holds the slot, how many declines."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    Text,
    Uuid,
    any_,
    bindparam,
    cast,
    exists,
    func,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, joinedload, selectinload

from chassis.database.counting import count_up_to
from purchases.ledger.rows import Charge, Dispute, Payment, Purchase, Refund, Transition
from purchases.ledger.transitions import HOLDS_SLOT, Status
from purchases.stripe_api.values import Sale, SoldAddon
from purchases.workspaces.rows import Workspace

CHILDREN: Final = (
    joinedload(Purchase.workspace, innerjoin=True),
    selectinload(Purchase.payments).selectinload(Payment.charges),
    selectinload(Purchase.refunds),
)

PURCHASES: Final = Purchase.metadata.tables[Purchase.__tablename__]
HELD: Final = or_(Purchase.payable, Purchase.status.in_(HOLDS_SLOT))


@dataclass(frozen=True, slots=True)
class PurchaseIndex:
    """By which ids the rows of a batch are known; filled by `resolve`, and by what the batch learns.

    An invoice, its payment, a Checkout session or a subscription may name several purchases: a bundle.
    """

    by_id: dict[str, tuple[uuid.UUID, ...]]

    def purchases_of(self, ids: Iterable[str]) -> tuple[uuid.UUID, ...]:
        """Return the purchases that any of `ids` names, in the order of their ids."""
        return tuple(sorted({purchase for one in ids for purchase in self.by_id.get(one, ())}))

    def add(self, purchase_id: uuid.UUID, ids: Iterable[str]) -> None:
        """Note that `purchase_id` is known by `ids` too."""
        for one in ids:
            known = self.by_id.get(one, ())
            if purchase_id not in known:
                self.by_id[one] = tuple(sorted((*known, purchase_id)))


def _named_by(*columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Return the condition with arrays, not lists of parameters: one statement for batches of every size."""
    stripe_ids = any_(bindparam("stripe_ids", type_=ARRAY(Text)))
    return or_(*(column == stripe_ids for column in columns))


ROW_IDS: Final = (
    Purchase.stripe_checkout_session_id,
    Purchase.stripe_subscription_id,
    Purchase.stripe_invoice_id,
    Purchase.stripe_payment_intent_id,
    Purchase.stripe_charge_id,
)
CHARGE_IDS: Final = (Charge.stripe_payment_intent_id, Charge.stripe_charge_id)
NAMED_INVOICES: Final = union_all(
    select(Payment.stripe_invoice_id).where(_named_by(Payment.stripe_invoice_id)),
    select(Charge.stripe_invoice_id).where(_named_by(*CHARGE_IDS)),
)
NAMED: Final[CompoundSelect[Any]] = union_all(
    select(Purchase.id, *ROW_IDS).where(
        or_(Purchase.id == any_(bindparam("purchase_ids", type_=ARRAY(Uuid))), _named_by(*ROW_IDS))
    ),
    select(Payment.purchase_id, null(), null(), Payment.stripe_invoice_id, *CHARGE_IDS)
    .outerjoin(Payment.charges)
    .where(Payment.stripe_invoice_id.in_(NAMED_INVOICES)),
)
"""The purchases that are named, and with a payment every purchase that the same invoice paid."""


async def resolve(
    session: AsyncSession, *, stripe_ids: Collection[str], purchase_ids: Collection[uuid.UUID]
) -> PurchaseIndex:
    """Find the purchases that these ids name, without locking; a purchase is also known by its own id."""
    names = PurchaseIndex({})
    if not stripe_ids and not purchase_ids:
        return names
    parameters = {"stripe_ids": list(stripe_ids), "purchase_ids": list(purchase_ids)}
    rows = [tuple(row) for row in await session.execute(NAMED, parameters)]
    for purchase_id, *ids in rows:
        names.add(purchase_id, filter(None, ids))
        names.by_id[str(purchase_id)] = (purchase_id,)
    for _, _, _, invoice_id, *payment in rows:
        # Who knows the invoice only is also meant by the payment that another one knows.
        for sibling in names.by_id.get(invoice_id, ()):
            names.add(sibling, filter(None, payment))
    return names


async def lock_purchases(
    session: AsyncSession, purchase_ids: Collection[uuid.UUID], *, workspace_ids: Collection[str] = ()
) -> dict[uuid.UUID, Purchase]:
    """Lock the workspaces, then the purchases, each in id order, and load them with their money.

    The workspaces are those of the purchases, and `workspace_ids`.
    """
    if not purchase_ids and not workspace_ids:
        return {}
    wanted = Purchase.id == any_(cast(list(purchase_ids), ARRAY(Uuid)))
    # One array, and not `in (select …) or in (…)`, which no index answers: it would read every workspace there is.
    owners = func.array(select(cast(Purchase.workspace_id, Text)).where(wanted).scalar_subquery())
    named = func.array_cat(owners, cast(list(workspace_ids), ARRAY(Text)), type_=ARRAY(Text))
    workspaces = (
        select(Workspace.id).where(Workspace.id == any_(named)).order_by(Workspace.id).with_for_update(key_share=True)
    )
    await session.execute(workspaces)
    if not purchase_ids:
        return {}
    locked = (
        select(Purchase)
        .where(wanted)
        .order_by(Purchase.id)
        .with_for_update(key_share=True, of=Purchase)
        .options(*CHILDREN)
        .execution_options(populate_existing=True)
    )
    return {purchase.id: purchase for purchase in (await session.execute(locked)).scalars()}


async def lock_purchase(session: AsyncSession, purchase_id: uuid.UUID) -> Purchase | None:
    """Lock one purchase and its workspace; None when there is no such row."""
    return (await lock_purchases(session, [purchase_id])).get(purchase_id)


async def find(session: AsyncSession, purchase_id: uuid.UUID, *, workspace_id: str | None = None) -> Purchase | None:
    """Return one purchase, unlocked; of this workspace only when one is named."""
    wanted = select(Purchase).where(Purchase.id == purchase_id).options(*CHILDREN)
    if workspace_id is not None:
        wanted = wanted.where(Purchase.workspace_id == workspace_id)
    return (await session.execute(wanted)).scalar_one_or_none()


async def find_request(session: AsyncSession, *, workspace_id: str, idempotency_key: str) -> Purchase | None:
    """Return the purchase that a request with this key made."""
    made = (
        select(Purchase)
        .where(Purchase.workspace_id == workspace_id, Purchase.idempotency_key == idempotency_key)
        .options(*CHILDREN)
    )
    return (await session.execute(made)).scalar_one_or_none()


async def slot_holder(session: AsyncSession, *, workspace_id: str, addon_id: uuid.UUID) -> Purchase | None:
    """Return the purchase that keeps this add-on from being bought by this workspace; the index allows one."""
    holder = select(Purchase).where(Purchase.workspace_id == workspace_id, Purchase.plan_addon_id == addon_id, HELD)
    return (await session.execute(holder)).scalar_one_or_none()


async def slot_is_taken(session: AsyncSession, purchase: Purchase) -> bool:
    """Return whether another purchase holds the slot that this one would need. The workspace's lock keeps it so."""
    other = exists().where(
        Purchase.workspace_id == purchase.workspace_id,
        Purchase.plan_addon_id == purchase.plan_addon_id,
        Purchase.id != purchase.id,
        HELD,
    )
    return bool(await session.scalar(select(other)))


async def is_paid_with(session: AsyncSession, invoice_id: str) -> bool:
    """Return whether this invoice's payment is recorded for any purchase."""
    return bool(await session.scalar(select(exists().where(Payment.stripe_invoice_id == invoice_id))))


async def payment_with(session: AsyncSession, invoice_id: str) -> Payment | None:
    """Return a payment that this invoice made, of whichever purchase; None when none is recorded."""
    made = select(Payment).where(Payment.stripe_invoice_id == invoice_id).order_by(Payment.purchase_id).limit(1)
    return (await session.execute(made.options(selectinload(Payment.charges)))).scalar_one_or_none()


async def refunded_payment_with(session: AsyncSession, invoice_id: str) -> Payment | None:
    """Return a payment by this invoice of which something went back or is disputed; None when nothing is."""
    of_it = (
        exists().where(kind.purchase_id == Payment.purchase_id, kind.stripe_invoice_id == invoice_id)
        for kind in (Refund, Dispute)
    )
    made = select(Payment).where(Payment.stripe_invoice_id == invoice_id, or_(*of_it)).order_by(Payment.purchase_id)
    return (await session.execute(made.limit(1).options(selectinload(Payment.charges)))).scalar_one_or_none()


async def holders(session: AsyncSession, workspace_id: str) -> dict[uuid.UUID, Purchase]:
    """Return, by add-on, the purchases that keep this workspace from buying it."""
    holding = select(Purchase).where(Purchase.workspace_id == workspace_id, HELD)
    return {purchase.plan_addon_id: purchase for purchase in (await session.execute(holding)).scalars()}


async def declines_since(session: AsyncSession, *, workspace_id: str, since: datetime) -> Sequence[datetime]:
    """Return when this workspace's cards were declined, oldest first."""
    declined = (
        select(Purchase.declined_at)
        .where(Purchase.workspace_id == workspace_id, Purchase.declined_at > since)
        .order_by(Purchase.declined_at)
    )
    return [at for at in (await session.execute(declined)).scalars() if at is not None]


async def attempts_under_way(session: AsyncSession, *, workspace_id: str) -> int:
    """Return how many buying requests of this workspace are at work: what they end as is not known yet."""
    leased = select(func.count()).where(
        Purchase.workspace_id == workspace_id,
        HELD,
        Purchase.status == Status.PENDING,
        Purchase.leased_until > func.now(),
    )
    return (await session.execute(leased)).scalar_one()


async def renew_lease(session: AsyncSession, *, purchase_id: uuid.UUID, lease: timedelta) -> bool:
    """Renew the buying request's lease; False where the purchase is decided, or the lease let go of or over."""
    ours = (Purchase.id == purchase_id, Purchase.status == Status.PENDING, Purchase.leased_until > func.now())
    renewed = update(Purchase).where(*ours).values(leased_until=func.clock_timestamp() + lease).returning(Purchase.id)
    return (await session.execute(renewed)).first() is not None


async def declines_of_all(session: AsyncSession, *, since: datetime, at_most: int) -> int:
    """Return how many cards of all workspaces were declined since then; no more than `at_most` are counted."""
    return (await session.scalar(select(count_up_to(PURCHASES, Purchase.declined_at > since, at_most=at_most)))) or 0


async def has_paid(session: AsyncSession, workspace_id: str) -> bool:
    """Return whether this workspace has ever paid for a purchase."""
    paid = select(Purchase.id).where(Purchase.workspace_id == workspace_id, Purchase.paid_at.is_not(None))
    return (await session.execute(paid.limit(1))).first() is not None


async def history(session: AsyncSession, purchase_id: uuid.UUID) -> Sequence[Transition]:
    """Return the purchase's history, oldest first."""
    lines = select(Transition).where(Transition.purchase_id == purchase_id).order_by(Transition.id)
    return (await session.execute(lines)).scalars().all()


def sale_of(purchase: Purchase) -> Sale:
    """Return the purchase as its objects at Stripe know it."""
    return Sale(
        purchase_id=purchase.id,
        workspace_id=purchase.workspace_id,
        addon_slug=purchase.addon_slug,
        addon_name=purchase.addon_name,
        price_cents=purchase.price_cents,
        currency=purchase.currency,
        started_at=purchase.started_at,
        customer_id=purchase.stripe_customer_id,
        invoice_id=purchase.stripe_invoice_id,
        checkout_session_id=purchase.stripe_checkout_session_id,
    )


def sold_addon_of(purchase: Purchase) -> SoldAddon:
    """Return what the purchase sold, at its own price."""
    return SoldAddon(
        addon_id=purchase.plan_addon_id,
        slug=purchase.addon_slug,
        name=purchase.addon_name,
        price_cents=purchase.price_cents,
        currency=purchase.currency,
    )
