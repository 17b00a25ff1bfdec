"""Money that is at Stripe and not in the ledger: noted before it is applied, so that it is seen where that fails."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, exists, func, not_, or_, select, union
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.stripe_facts import InvoicePaid, UnrecognisedEvent
from purchases.batch.context import CONSUMER
from purchases.batch.rows import ParkedReference
from purchases.ledger.plan_rows import SubscriptionInvoice
from purchases.ledger.rows import ParkedPayment, Payment
from purchases.reconcile.rows import UnrecordedPayment
from purchases.reconcile.rules import REACH
from purchases.tables import PARKED

TYPES: Final = (InvoicePaid.TYPE, UnrecognisedEvent.TYPE)
SEEN_FOR: Final = REACH + timedelta(days=1)
"""The sweep compares whole days; what is older is not noted again."""
_DISCARDED: Final = PARKED.c.resolution == "discarded"


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """How many payments the ledger lacks, and when the first of them was paid."""

    payments: int
    oldest_invoiced_at: datetime | None


async def note(session: AsyncSession, fact: InvoicePaid, *, purchases: int, of_plan: bool = False) -> None:
    """Note that the ledger lacks this payment, of so many purchases and of the plan; the first note stands."""
    row = insert(UnrecordedPayment).values(
        stripe_invoice_id=fact.invoice_id,
        purchases=purchases,
        of_plan=of_plan,
        amount_paid_cents=fact.amount_paid,
        currency=fact.currency.upper(),
        invoiced_at=fact.occurred_at,
    )
    await session.execute(row.on_conflict_do_nothing())


async def still_unrecorded(session: AsyncSession) -> Unrecorded:
    """Return what is noted, not recorded since, and not set aside for staff, who know of that."""
    wanted = select(func.count(), func.min(UnrecordedPayment.invoiced_at)).where(
        not_(_is_recorded(or_parked=True)), not_(_has_fact(or_(PARKED.c.resolved_at.is_(None), _DISCARDED)))
    )
    payments, oldest = (await session.execute(wanted)).one()
    return Unrecorded(payments, oldest)


async def prune(session: AsyncSession, _kept: timedelta, limit: int) -> int:
    """Delete up to `limit` notes: of what is recorded by now, or discarded and older than what the sweep looks back.

    They are no history. A note has to go before the fact that staff discarded does, or it would count as missing
    again, and for good: facts are kept for longer than the sweep looks back.
    """
    discarded = and_(UnrecordedPayment.invoiced_at < func.now() - SEEN_FOR, _has_fact(_DISCARDED))
    over = select(UnrecordedPayment.stripe_invoice_id).where(or_(_is_recorded(), discarded)).limit(limit)
    gone = delete(UnrecordedPayment).where(UnrecordedPayment.stripe_invoice_id.in_(over))
    return len((await session.execute(gone.returning(UnrecordedPayment.stripe_invoice_id))).all())


def _is_recorded(*, or_parked: bool = False) -> ColumnElement[bool]:
    """Return whether it is for each purchase that it names, and for its plan; `or_parked`: staff may have some of them.

    A purchase may have both, and is counted once. A fact that is parked holds the whole invoice: `_has_fact`.
    """
    rows = (Payment, ParkedPayment) if or_parked else (Payment,)
    known = union(*(select(row.purchase_id).where(_of_note(row)).correlate(UnrecordedPayment) for row in rows))
    of_purchases = select(func.count()).select_from(known.subquery()).scalar_subquery() >= UnrecordedPayment.purchases
    return and_(of_purchases, or_(not_(UnrecordedPayment.of_plan), _is_kept_for_the_plan()))


def _is_kept_for_the_plan() -> ColumnElement[bool]:
    return exists().where(
        SubscriptionInvoice.stripe_invoice_id == UnrecordedPayment.stripe_invoice_id,
        SubscriptionInvoice.paid_at.is_not(None),
    )


def _of_note(row: type[Payment] | type[ParkedPayment]) -> ColumnElement[bool]:
    return row.stripe_invoice_id == UnrecordedPayment.stripe_invoice_id


def _has_fact(state: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether a fact that names it was parked and is in that state."""
    return exists().where(
        ParkedReference.reference == UnrecordedPayment.stripe_invoice_id,
        PARKED.c.consumer == CONSUMER,
        PARKED.c.fact_id == ParkedReference.fact_id,
        PARKED.c.type.in_(TYPES),
        state,
    )
