"""A payment of ours whose purchase has no row here, after a restored backup say: the row is rebuilt from Stripe."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.process.logs import get_logger
from contracts.stripe_facts import InvoiceLine, InvoicePaid
from purchases.batch.references import is_uuid, names_in
from purchases.catalog_copy import store as addons
from purchases.catalog_copy.rows import Addon
from purchases.ledger import store as ledger
from purchases.ledger.learn_ids import release_waiting
from purchases.ledger.move import end_payable, move
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Purchase
from purchases.ledger.start import start_purchase
from purchases.ledger.transitions import Trigger
from purchases.workspaces import store as workspaces
from purchases.workspaces.rows import Workspace

log = get_logger(__name__)

WHY: Final = "found paid at Stripe, and not in the ledger"
TOO_LATE: Final = "found paid at Stripe, while another purchase holds its place"


@dataclass(frozen=True, slots=True)
class _Lost:
    """A purchase without a row, and the line that was paid for it."""

    purchase_id: uuid.UUID
    line: InvoiceLine
    addon: Addon


async def adopt(session: AsyncSession, fact: InvoicePaid) -> None:
    """Insert the rows that the invoice's metadata names and the ledger lacks; what nothing says is left to staff.

    With its slot taken a purchase is adopted as cancelled: the money, applied to it next, goes back.
    """
    workspace = await workspaces.lock_workspace(session, fact.workspace_id) if fact.workspace_id else None
    for lost in await _lost(session, fact) if workspace else ():
        assert workspace is not None  # noqa: S101 - nothing is lost without one
        await _insert(session, fact, workspace, lost)


async def _lost(session: AsyncSession, fact: InvoicePaid) -> Sequence[_Lost]:
    named = [uuid.UUID(one) for one in dict.fromkeys(names_in(fact)) if is_uuid(one)]
    rows = (await session.execute(select(Purchase).where(Purchase.id.in_(named)))).scalars().all()
    missing = [purchase_id for purchase_id in named if purchase_id not in {row.id for row in rows}]
    sold = [(line, await _addon_of(session, line)) for line in fact.lines if not any(_pays(line, row) for row in rows)]
    lines = [(line, addon) for line, addon in sold if addon is not None]
    return [lost for purchase_id in missing if (lost := _found(purchase_id, missing, lines, fact)) is not None]


def _pays(line: InvoiceLine, row: Purchase) -> bool:
    return line.purchase_id == str(row.id) or (line.price_id is not None and line.price_id == row.stripe_price_id)


def _found(
    wanted: uuid.UUID, missing: Sequence[uuid.UUID], lines: Sequence[tuple[InvoiceLine, Addon]], fact: InvoicePaid
) -> _Lost | None:
    """Return what the line sells that names `wanted`, else the only unnamed one for the only one that is missing."""
    named = [_Lost(wanted, line, addon) for line, addon in lines if line.purchase_id == str(wanted)]
    unnamed = [_Lost(wanted, line, addon) for line, addon in lines if line.purchase_id is None]
    if named:
        return named[0]
    if len(unnamed) == len(missing) == 1:
        return unnamed[0]
    log.error("not_adopted", purchase=str(wanted), invoice=fact.invoice_id, reason="no line says what it was")
    return None


async def _addon_of(session: AsyncSession, line: InvoiceLine) -> Addon | None:
    if line.addon_slug is not None:
        return await addons.by_slug(session, line.addon_slug)
    priced = select(Addon).where(Addon.stripe_price_id == line.price_id)
    return (await session.execute(priced)).scalars().first() if line.price_id else None


async def _insert(session: AsyncSession, fact: InvoicePaid, workspace: Workspace, lost: _Lost) -> None:
    holder = await ledger.slot_holder(session, workspace_id=workspace.id, addon_id=lost.addon.id)
    cause = Cause(actor="quittance", at=datetime.now(UTC), reason=WHY if holder is None else TOO_LATE)
    purchase = start_purchase(
        session,
        workspace=workspace,
        sold=replace(lost.addon.sold, price_cents=lost.line.amount, currency=lost.line.currency.upper()),
        cause=cause,
        idempotency_key=f"adopted:{lost.purchase_id}",
        request_fingerprint="",
        stripe_customer_id=fact.customer_id,
        stripe_price_id=lost.line.price_id,
        stripe_subscription_id=fact.subscription_id,
        purchase_id=lost.purchase_id,
        started_at=fact.occurred_at,
    )
    if holder is not None:
        # Before anything is flushed: as `pending` the row would meet the holder in the index `purchase_slot`.
        end_payable(purchase)
        move(session, purchase, Trigger.CANCELLED, cause=cause)
    await release_waiting(session, [str(purchase.id)])
    log.warning("adopted", purchase=str(purchase.id), invoice=fact.invoice_id, status=purchase.status.value)
