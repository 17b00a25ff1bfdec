"""Money back that waits for a person: the team is mailed once about each, however often it is looked at."""

from typing import Any

from chassis.logs import get_logger
from chassis.records import Received
from contracts import Fact
from contracts import stripe_facts as told
from contracts.purchase_facts import MoneyBackParked
from contracts.workspace_facts import WorkspaceMoneyBackParked
from purchases.handlers.steps.work import Work
from purchases.publisher import Cause, announce, announce_of_workspace
from purchases.store.parked_references import is_referred_to, keep_references
from purchases.store.rows import Purchase, SubscriptionInvoice, Workspace

log = get_logger(__name__)


async def tell_plan_money_back(
    work: Work, received: Received, workspace: Workspace, invoice: SubscriptionInvoice, *, cause: Cause
) -> None:
    """Announce the same of a subscription's charge; `workspace` is locked."""
    about = {name: getattr(invoice, name) for name in ("stripe_subscription_id", "stripe_invoice_id")}
    for known, money in await _not_told_yet(work, received):
        log.error("plan_money_back_parked", workspace=workspace.id, **known, reason=cause.reason)
        announce_of_workspace(work.session, workspace, WorkspaceMoneyBackParked, cause=cause, **known, **money, **about)


async def tell_money_back(work: Work, received: Received, purchase: Purchase, *, cause: Cause) -> None:
    """Announce each refund or dispute that the fact tells of, once; `purchase` is locked, `cause` says why it waits.

    A `charge.refunded` without its refunds announces nothing: each has an event of its own, or the sweep finds it.
    """
    for known, money in await _not_told_yet(work, received):
        log.error("money_back_parked", purchase=str(purchase.id), **known, reason=cause.reason)
        announce(work.session, purchase, MoneyBackParked, cause=cause, **known, **money)


async def _not_told_yet(work: Work, received: Received) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """Each refund or dispute of the fact that was not announced before, marked as announced now."""
    news = []
    for known, cents, currency in _told(received.fact):
        (stripe_id,) = known.values()
        mark = f"told:{stripe_id}"
        if not await is_referred_to(work.session, mark):
            await keep_references(work.session, received.envelope.id, [mark])
            news.append((known, {"money_back_cents": cents, "money_back_currency": currency.upper()}))
    return news


def _told(fact: Fact) -> list[tuple[dict[str, str], int, str]]:
    """Stripe's id under the field that holds it, the amount in minor units, and the currency, of each."""
    if isinstance(fact, told.DisputeChanged):
        return [({"stripe_dispute_id": fact.dispute_id}, fact.amount, fact.currency)]
    refunds: list[told.RefundSnapshot] = []
    if isinstance(fact, told.RefundChanged):
        refunds = [fact.refund]
    elif isinstance(fact, told.ChargeRefunded):
        refunds = list(fact.refunds)
    return [({"stripe_refund_id": one.refund_id}, one.amount, one.currency) for one in refunds]
