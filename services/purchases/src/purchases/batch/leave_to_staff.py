"""Money back of which Stripe cannot say more: it waits for a person only, and the team is mailed once about each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.kafka.records import Received, decode
from chassis.outbox import parked
from chassis.process.logs import get_logger
from contracts import stripe_facts
from purchases.batch.announce_parked_money import announce_money_back_parked, announce_plan_money_back_parked
from purchases.batch.context import cause_of
from purchases.ledger.plan_rows import SubscriptionInvoice
from purchases.ledger.rows import Purchase
from purchases.workspaces.rows import Workspace

log = get_logger(__name__)

MONEY_BACK: Final = (stripe_facts.ChargeRefunded, stripe_facts.RefundChanged, stripe_facts.DisputeChanged)


@dataclass(frozen=True, slots=True)
class Concerns:
    """What the money may be of, locked: purchases, or a subscription's invoice with its workspace; or nobody knows."""

    purchases: Sequence[Purchase]
    workspace: Workspace | None = None
    invoice: SubscriptionInvoice | None = None


async def leave_to_staff(session: AsyncSession, *, subject: str, reason: str, concerns: Concerns) -> None:
    """Leave what waits for `subject` to staff; the caller holds its lock."""
    left = await parked.leave_to_staff(session, ids=[subject], reason=reason)
    await _tell(session, left, subject=subject, reason=reason, concerns=concerns)


async def leave_money_back(session: AsyncSession, *, mark: str, reason: str, purchase: Purchase) -> None:
    """Leave money back that waits for a payment to staff; should the payment come all the same, it is tried again."""
    types = [one.TYPE for one in MONEY_BACK]
    left = await parked.leave_to_staff(session, ids=[mark], reason=reason, types=types)
    await _tell(session, left, subject=mark, reason=reason, concerns=Concerns([purchase]))


async def _tell(session: AsyncSession, left: parked.Records, *, subject: str, reason: str, concerns: Concerns) -> None:
    for record in left:
        log.error("left_to_staff", subject=subject, reason=reason, topic=record.topic, offset=record.offset)
        received = decode(record)
        if not isinstance(received, Received) or not isinstance(received.fact, MONEY_BACK):
            continue
        cause = cause_of(received.fact, reason=reason)
        if concerns.purchases:
            await announce_money_back_parked(session, received, concerns.purchases, cause=cause)
        elif concerns.workspace is not None and concerns.invoice is not None:
            await announce_plan_money_back_parked(session, received, concerns.workspace, concerns.invoice, cause=cause)
