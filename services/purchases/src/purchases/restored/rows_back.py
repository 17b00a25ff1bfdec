"""Makes rows again that are gone: workspaces, purchases and staff's refunds, each under its own id."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import purchase_facts as facts
from contracts.workspace_facts import WorkspaceFact
from purchases.jobs.kinds import MakeRefund, ReconcilePurchase
from purchases.jobs.store import enqueue
from purchases.ledger import store as ledger
from purchases.ledger.apply_refund import enqueue_credit
from purchases.ledger.learn_ids import learn_ids
from purchases.ledger.money import REQUESTED
from purchases.ledger.publish import Cause, sale_payment_of
from purchases.ledger.rows import Purchase, Refund
from purchases.ledger.start import start_purchase
from purchases.stripe_api.values import SoldAddon
from purchases.workspaces import store as workspaces
from purchases.workspaces.rows import UNKNOWN_OWNER, Workspace

BY_STRIPE: Final = frozenset({"stripe", "quittance"})
"""Actors that are no person: what they did, Stripe still knows."""
RefundFact = facts.RefundIssued | facts.RefundFailed


def cause_of(fact: facts.PurchaseFact) -> Cause:
    """Return who did it, when and why, as it was published."""
    return Cause(actor=fact.actor, at=fact.occurred_at, stripe_event_id=fact.stripe_event_id, reason=fact.reason)


async def insert_workspaces(session: AsyncSession, named: Mapping[str, facts.PurchaseFact | WorkspaceFact]) -> None:
    """Insert those that are gone. Their plan and customer come back with what Stripe says of them."""
    rows = [
        {
            "id": workspace_id,
            "name": fact.workspace_name,
            "owner_user_id": UNKNOWN_OWNER,
            "owner_email": fact.owner_email,
        }
        for workspace_id, fact in sorted(named.items())
    ]
    if rows:
        await session.execute(insert(Workspace).values(rows).on_conflict_do_nothing())


async def insert_purchase(
    session: AsyncSession, fact: facts.PurchaseFact, *, state: facts.PurchaseState | None, sequence: int
) -> None:
    """Insert the purchase that `fact` is of, pending, unless it is there; what happened to it is applied next.

    Raises IntegrityError, at the caller's next statement, where another purchase has its place.
    """
    workspace = await workspaces.lock_workspace(session, fact.workspace_id)
    if workspace is None or await ledger.find(session, fact.purchase_id) is not None:
        return
    sold = SoldAddon(
        addon_id=fact.addon.id,
        slug=fact.addon.slug,
        name=fact.addon.name,
        price_cents=fact.price_cents,
        currency=fact.currency,
    )
    purchase = start_purchase(
        session,
        workspace=workspace,
        sold=sold,
        cause=cause_of(fact),
        idempotency_key=f"restored:{fact.purchase_id}",
        request_fingerprint="",
        stripe_customer_id=workspace.stripe_customer_id,
        stripe_price_id=None,
        purchase_id=fact.purchase_id,
        started_at=state.started_at if state else fact.occurred_at,
        sequence=sequence,
    )
    if state is not None:
        learn_ids(
            purchase,
            invoice_id=state.stripe_invoice_id,
            payment_intent_id=state.stripe_payment_intent_id,
            checkout_session_id=state.stripe_checkout_session_id,
            subscription_id=state.stripe_subscription_id,
        )
    await enqueue(session, ReconcilePurchase(purchase_id=purchase.id))


async def insert_refund(session: AsyncSession, purchase: Purchase, fact: RefundFact) -> None:
    """Insert staff's refund under its own id, by which Stripe's metadata and its mail know it, unless it is there.

    It is requested once more: the job finds the one that was made, and sends no other. One that Stripe would not make
    stays failed.
    """
    sale = sale_payment_of(purchase)
    if sale is None or fact.actor in BY_STRIPE or any(one.id == fact.refund_id for one in purchase.refunds):
        return
    if any(
        one.stripe_refund_id is not None and one.stripe_refund_id == fact.stripe_refund_id for one in purchase.refunds
    ):
        return
    refused = isinstance(fact, facts.RefundFailed) and fact.stripe_refund_id is None
    refund = Refund(
        id=fact.refund_id,
        purchase_id=purchase.id,
        kind="credit" if fact.returned_to == "credit_balance" else "refund",
        refund_cents=fact.refund_cents,
        currency=purchase.currency,
        status="failed" if refused else REQUESTED,
        stripe_invoice_id=sale.stripe_invoice_id,
        requested_by=fact.actor,
        reason=fact.reason,
        failure_reason=fact.failure_reason if isinstance(fact, facts.RefundFailed) else None,
        recorded_at=fact.occurred_at,
        updated_at=fact.occurred_at,
    )
    purchase.refunds.append(refund)
    if refused:
        return
    if refund.kind == "credit":
        await enqueue_credit(session, refund)
    else:
        invoice_id = sale.stripe_invoice_id
        await enqueue(session, MakeRefund(refund_id=refund.id, purchase_id=purchase.id, invoice_id=invoice_id))
