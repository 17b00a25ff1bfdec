"""Money back that waits for a person: the team is mailed once about each, however often it is looked at."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.kafka.records import Received, decode
from chassis.outbox import parked
from chassis.process.logs import get_logger
from contracts import Fact, stripe_facts
from contracts.purchase_facts import MoneyBackParked
from contracts.workspace_facts import WorkspaceMoneyBackParked
from purchases.batch.context import cause_of
from purchases.batch.parking import is_referred_to, keep_references
from purchases.ledger.plan_rows import SubscriptionInvoice
from purchases.ledger.publish import Cause, announce, announce_of_workspace
from purchases.ledger.rows import Purchase
from purchases.workspaces.rows import Workspace

log = get_logger(__name__)


async def announce_plan_money_back_parked(
    session: AsyncSession, received: Received, workspace: Workspace, invoice: SubscriptionInvoice, *, cause: Cause
) -> None:
    """Publish each refund or dispute of a subscription's charge, once, of the locked `workspace`."""
    about = {name: getattr(invoice, name) for name in ("stripe_subscription_id", "stripe_invoice_id")}
    for known, money in await _new_money_back(session, received, received.envelope.id):
        log.error("plan_money_back_parked", workspace=workspace.id, **known, reason=cause.reason)
        announce_of_workspace(session, workspace, WorkspaceMoneyBackParked, cause=cause, **known, **money, **about)


async def announce_money_back_parked(
    session: AsyncSession,
    received: Received,
    purchases: Sequence[Purchase],
    *,
    cause: Cause,
    parked_as: uuid.UUID | None = None,
) -> None:
    """Publish each refund or dispute of the fact, once, of the first of the locked `purchases`.

    `purchases` are those that it may concern, `cause` says why it waits. `parked_as` is the fact that waits for staff
    where it is another one of the same: with its row goes the mark that this was published. A `charge.refunded`
    without its refunds publishes nothing: each has an event of its own, or reconciling finds it.
    """
    first, addons = purchases[0], [purchase.addon_name for purchase in purchases]
    for known, money in await _new_money_back(session, received, parked_as or received.envelope.id):
        log.error("money_back_parked", purchase=str(first.id), **known, reason=cause.reason)
        announce(session, first, MoneyBackParked, cause=cause, addons=addons, **known, **money)


async def _new_money_back(
    session: AsyncSession, received: Received, fact_id: uuid.UUID
) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """Return each refund or dispute of the fact that was not published before, and mark it as published."""
    news = []
    for known, cents, currency in _money_back(received.fact):
        (stripe_id,) = known.values()
        mark = f"told:{stripe_id}"
        if not await is_referred_to(session, mark):
            await keep_references(session, fact_id, [mark])
            news.append((known, {"money_back_cents": cents, "money_back_currency": currency.upper()}))
    return news


def _money_back(fact: Fact) -> list[tuple[dict[str, str], int, str]]:
    """Return of each Stripe's id under its field, the amount in minor units, and the currency."""
    if isinstance(fact, stripe_facts.DisputeChanged):
        return [({"stripe_dispute_id": fact.dispute_id}, fact.amount, fact.currency)]
    refunds: list[stripe_facts.RefundSnapshot] = []
    if isinstance(fact, stripe_facts.RefundChanged):
        refunds = [fact.refund]
    elif isinstance(fact, stripe_facts.ChargeRefunded):
        refunds = list(fact.refunds)
    return [({"stripe_refund_id": refund.refund_id}, refund.amount, refund.currency) for refund in refunds]


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
    await _publish(session, left, subject=subject, reason=reason, concerns=concerns)


async def leave_money_back(session: AsyncSession, *, mark: str, reason: str, purchase: Purchase) -> None:
    """Leave money back that waits for a payment to staff; should the payment come all the same, it is tried again."""
    types = [one.TYPE for one in MONEY_BACK]
    left = await parked.leave_to_staff(session, ids=[mark], reason=reason, types=types)
    await _publish(session, left, subject=mark, reason=reason, concerns=Concerns([purchase]))


async def _publish(
    session: AsyncSession, left: parked.Records, *, subject: str, reason: str, concerns: Concerns
) -> None:
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
