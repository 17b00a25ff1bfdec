"""Turns a purchase, or a workspace's plan, and what happened to it into facts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.outbox.outbox import publish
from contracts import purchase_facts as facts
from contracts.workspace_facts import WorkspaceFact
from purchases.ledger import money
from purchases.ledger.rows import Payment, Purchase, Refund
from purchases.ledger.transitions import Announcement
from purchases.workspaces.rows import Workspace

FACTS: Final[Mapping[Announcement, type[facts.PurchaseFact]]] = {
    announcement: getattr(facts, announcement.value) for announcement in Announcement
}


COLUMNS: Final = frozenset(facts.PurchaseState.model_fields) & frozenset(Purchase.__table__.columns.keys()) - {"status"}
"""What a fact carries under the column's own name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Who did it, when, and why: every transition and every fact records it."""

    actor: str
    at: datetime
    stripe_event_id: str | None = None
    reason: str | None = None

    def because(self, reason: str) -> "Cause":
        """Return the same with a reason for people."""
        return replace(self, reason=reason)

    def by(self, actor: str, reason: str | None) -> "Cause":
        """Return the same as the doing of somebody who gave a reason."""
        return replace(self, actor=actor, reason=reason)


def refunded_cents(purchase: Purchase) -> int:
    """Return what of the sale's money went back at Stripe's word, to disputes too; no returned duplicates."""
    return card_refunded_cents(purchase) + credit_refunded_cents(purchase)


def card_refunded_cents(purchase: Purchase) -> int:
    """Return what of it went back through the sale's charges."""
    rows = [refund for refund in _refunds(purchase, of_sale=True) if refund.kind != "credit"]
    disputes = [row for row in rows if row.kind == "dispute"]
    sale = sale_payment_of(purchase)
    return money.refunded_cents(
        refunds=[(row.status, row.refund_cents) for row in rows if row.kind != "dispute"],
        charge_refunded_cents=sum(
            payment.charge_refunded_cents for payment in purchase.payments if not payment.returned
        ),
        disputed_cents=sum(dispute.refund_cents for dispute in disputes if dispute.status in money.COUNTS),
        paid_cents=sale.card_cents if sale else 0,
    )


def credit_refunded_cents(purchase: Purchase) -> int:
    """Return what of it was given back to the customer's credit balance."""
    given = (
        refund
        for refund in _refunds(purchase, of_sale=True)
        if refund.kind == "credit" and refund.status in money.COUNTS
    )
    return sum(one.refund_cents for one in given)


def _refunds(purchase: Purchase, *, of_sale: bool) -> list[Refund]:
    """Return the refunds that Stripe named: of the sale's money, or of what was returned since it paid for nothing."""
    late = {payment.stripe_invoice_id for payment in purchase.payments if payment.returned}
    named = (refund for refund in purchase.refunds if refund.stripe_refund_id)
    return [refund for refund in named if (refund.stripe_invoice_id not in late) is of_sale]


def sale_payment_of(purchase: Purchase) -> Payment | None:
    """Return the payment that settled the purchase; None before there is one."""
    return next((payment for payment in purchase.payments if not payment.returned), None)


def charged_cents(purchase: Purchase) -> int:
    """Return what of the price can go back through Stripe: to the charges and the credit balance that paid it."""
    sale = sale_payment_of(purchase)
    return sale.returnable_cents if sale else 0


def paid_by_credit_cents(purchase: Purchase) -> int:
    """Return what of the sale's price the customer's credit balance paid."""
    sale = sale_payment_of(purchase)
    return sale.credit_cents if sale else 0


def paid_outside_stripe_cents(purchase: Purchase) -> int:
    """Return what of the sale's price was paid outside of Stripe."""
    sale = sale_payment_of(purchase)
    return sale.off_stripe_cents if sale else 0


def over_returned_cents(purchase: Purchase) -> int:
    """Return what went back of the sale beyond what it brought: refunds and lost disputes stand beside each other."""
    gone = sum(refund.refund_cents for refund in _refunds(purchase, of_sale=True) if refund.status in money.COUNTS)
    return max(0, gone - charged_cents(purchase))


def returned_cents(purchase: Purchase) -> int:
    """Return what paid for nothing and went back at Stripe's word, to disputes too: no part of the sale's money."""
    return sum(refund.refund_cents for refund in _refunds(purchase, of_sale=False) if refund.status in money.COUNTS)


def returning_cents(purchase: Purchase) -> int:
    """Return what paid for nothing and has not gone back yet."""
    late = [payment for payment in purchase.payments if payment.returned]
    came = sum(payment.returnable_cents for payment in late)
    return max(0, came - returned_cents(purchase))


def announce(
    session: AsyncSession, purchase: Purchase, fact: type[facts.PurchaseFact], *, cause: Cause, **details: Any
) -> None:
    """Publish `fact` of the purchase as it is now, and its state with it; `sequence` grows by one."""
    purchase.sequence += 1
    purchase.updated_at = cause.at
    members = _members(purchase, cause)
    outgoing = fact.model_validate(members | details)
    publish(session, outgoing, facts.PurchaseState.model_validate(members), occurred_at=cause.at)


def announce_state(session: AsyncSession, purchase: Purchase, *, cause: Cause) -> None:
    """Publish the state of the purchase as it is now, which nothing has just changed; `sequence` grows by one."""
    purchase.sequence += 1
    publish(session, facts.PurchaseState.model_validate(_members(purchase, cause)), occurred_at=cause.at)


def announce_of_workspace(
    session: AsyncSession, workspace: Workspace, fact: type[WorkspaceFact], *, cause: Cause, **details: Any
) -> None:
    """Publish `fact` of the locked workspace as it is now; its `sequence` grows by one."""
    workspace.sequence += 1
    members = {
        "workspace_id": workspace.id,
        "sequence": workspace.sequence,
        "occurred_at": cause.at,
        "workspace_name": workspace.name,
        "owner_email": workspace.owner_email,
        "plan": workspace.plan,
        "actor": cause.actor,
        "reason": cause.reason,
        "stripe_event_id": cause.stripe_event_id,
    }
    publish(session, fact.model_validate(members | details), occurred_at=cause.at)


def _members(purchase: Purchase, cause: Cause) -> dict[str, Any]:
    """Return everything that a fact may say; each takes what it has a field for."""
    columns = {name: getattr(purchase, name) for name in COLUMNS}
    return columns | {
        "purchase_id": purchase.id,
        "occurred_at": cause.at,
        "workspace_name": purchase.workspace.name,
        "owner_email": purchase.workspace.owner_email,
        "addon": {"id": purchase.plan_addon_id, "slug": purchase.addon_slug, "name": purchase.addon_name},
        "status": purchase.status.value,
        "refunded_cents": refunded_cents(purchase),
        "returned_cents": returned_cents(purchase),
        "returning_cents": returning_cents(purchase),
        "paid_outside_stripe_cents": paid_outside_stripe_cents(purchase),
        "actor": cause.actor,
        "reason": cause.reason,
        "stripe_event_id": cause.stripe_event_id,
    }
