"""Staff looks at what is parked, and has it tried again or ends it; each decision is kept with its actor.

A form decides once, and as it was seen: the same form sent again is known by the item's decisions.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import Database
from chassis.outbox import parked
from chassis.problems import Problem
from chassis.process.logs import get_logger
from purchases.batch.context import CONSUMER
from purchases.jobs import store as jobs
from purchases.jobs.kinds import ReconcilePurchase, SyncInvoice
from purchases.jobs.store import enqueue
from purchases.ledger.rows import ParkedPayment, Purchase
from purchases.parked import store as parked_items
from purchases.parked.rows import ParkedDecision
from purchases.parked.store import Kind, ParkedItem, Reference

log = get_logger(__name__)


async def retry_parked(*, session: AsyncSession, item_id: str, actor: str) -> ParkedItem:
    """Have one item tried again after this commit, or its payment looked at. Raises Problem 404 or 409."""
    item = await _lock_open_item(session, item_id)
    if not await _retry(session, _reference(item_id)):
        raise not_parked_any_more()
    return await _decided(session, item, ParkedDecision(item=item_id, decision="retry", actor=actor))


async def discard_parked(*, session: AsyncSession, item_id: str, actor: str, reason: str) -> ParkedItem:
    """End one item unapplied. Raises Problem 404 or 409."""
    item = await _lock_open_item(session, item_id)
    if not await _discard(session, _reference(item_id)):
        raise not_parked_any_more()
    decision = ParkedDecision(item=item_id, decision="discard", actor=actor, reason=reason)
    return await _decided(session, item, decision)


async def _lock_open_item(session: AsyncSession, item_id: str) -> ParkedItem:
    reference = _reference(item_id)
    if reference.kind is Kind.PAYMENT:
        await _lock_payment(session, reference)
    return await open_item(session, item_id)


async def open_item(session: AsyncSession, item_id: str) -> ParkedItem:
    """Return an item that nothing was decided about. Raises Problem 404 or 409."""
    item = await parked_items.find(session, item_id)
    if item is None:
        raise parked_not_found()
    if item.resolved_at is not None:
        raise not_parked_any_more()
    return item


def _reference(item_id: str) -> Reference:
    reference = parked_items.reference_of(item_id)
    if reference is None:
        raise parked_not_found()
    return reference


async def _lock_payment(session: AsyncSession, reference: Reference) -> None:
    """Lock the row, so that two decisions about one payment take turns."""
    row = select(ParkedPayment.purchase_id).where(
        ParkedPayment.purchase_id == reference.purchase_id, ParkedPayment.stripe_invoice_id == reference.invoice_id
    )
    await session.execute(row.with_for_update())


async def _retry(session: AsyncSession, reference: Reference) -> bool:
    match reference.kind:
        case Kind.FACT:
            return await parked.retry_one(session, parked_id=reference.number, consumer=CONSUMER)
        case Kind.COMMAND:
            return await jobs.reopen(session, reference.number)
        case Kind.PAYMENT:
            await _look_again(session, reference)
            return True


async def _look_again(session: AsyncSession, reference: Reference) -> None:
    """Have the purchase reconciled with its own invoice, or the other invoice fetched after which it was parked."""
    purchase_id, invoice_id = reference.purchase_id, reference.invoice_id
    own = await session.scalar(select(Purchase.stripe_invoice_id).where(Purchase.id == purchase_id))
    said = await session.get(ParkedPayment, (purchase_id, invoice_id))
    if own == invoice_id or said is None:
        await enqueue(session, ReconcilePurchase(purchase_id=purchase_id))
        return
    await enqueue(
        session,
        SyncInvoice(
            invoice_id=invoice_id,
            purchase_ids=(purchase_id,),
            amount_paid=said.amount_paid_cents,
            currency=said.currency,
        ),
    )


async def _discard(session: AsyncSession, reference: Reference) -> bool:
    match reference.kind:
        case Kind.FACT:
            return await parked.discard_one(session, parked_id=reference.number, consumer=CONSUMER)
        case Kind.COMMAND:
            return await jobs.discard(session, reference.number)
        case Kind.PAYMENT:
            return True


async def _decided(session: AsyncSession, item: ParkedItem, decision: ParkedDecision) -> ParkedItem:
    session.add(decision)
    await session.flush()
    log.info("parked_item_decided", item=item.id, decision=decision.decision, actor=decision.actor)
    return await parked_items.find(session, item.id) or item


def parked_not_found() -> Problem:
    return Problem(404, "parked-not-found", "There is no such parked item")


def not_parked_any_more() -> Problem:
    """Return what meets who decides about an item that was applied or discarded meanwhile."""
    return Problem(409, "not-parked", "This is not parked any more", "Look at what became of it.")


def decided_meanwhile() -> Problem:
    """Return what meets who has not seen the last decision about an item that is parked still, or again."""
    return Problem(409, "decided-meanwhile", "Something was decided about this meanwhile", "Look at what became of it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody decides about an item, of which they saw the first `seen` decisions."""

    name: str
    item_id: str
    actor: str
    seen: int
    reason: str | None = None

    def is_last_of(self, item: ParkedItem) -> bool:
        """Return whether this very form was carried out before, and nobody has decided otherwise since."""
        since = [(one["decision"], one["actor"], one["reason"]) for one in item.decisions[self.seen :]]
        return since[-1:] == [(self.name, self.actor, self.reason)]


async def decide_once(
    *, database: Database, decision: Decision, carry_out: Callable[[AsyncSession], Awaitable[object]]
) -> None:
    """Carry the decision out once, and only where nobody has decided since `seen`. Raises Problem 404, 409, 422."""
    item = await _item(database, decision.item_id)
    try:
        if item.decisions[decision.seen :]:
            raise not_parked_any_more() if item.resolved_at else decided_meanwhile()
        async with database.transaction() as session:
            await carry_out(session)
    except Problem:
        if not decision.is_last_of(await _item(database, decision.item_id)):
            raise


async def _item(database: Database, item_id: str) -> ParkedItem:
    async with database.reading() as session:
        item = await parked_items.find(session, item_id)
    if item is None:
        raise parked_not_found()
    return item
