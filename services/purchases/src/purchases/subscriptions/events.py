"""Appliers of what Stripe says of subscriptions: the whole of one, a completed Checkout, its invoices."""

from datetime import datetime
from typing import Any

from chassis.kafka.records import Received
from contracts import stripe_facts
from contracts.workspace_facts import RenewalFailed
from purchases.batch.context import BatchContext, cause_of, count_outcome, fact_as, was_fetched
from purchases.batch.references import FIRST_INVOICE
from purchases.invoices.events import says_paid
from purchases.jobs.kinds import ANOTHER_RUNS, CAME_LATE, AdoptSubscriptions, EndSubscription
from purchases.jobs.store import enqueue
from purchases.ledger import plan_money
from purchases.ledger import store as ledger
from purchases.ledger.apply_payment import enqueue_refund_sync
from purchases.ledger.learn_ids import learn_ids
from purchases.ledger.plan_rows import SubscriptionInvoice
from purchases.ledger.publish import announce_of_workspace
from purchases.stripe_api.paid_invoices import parts_of
from purchases.stripe_api.snapshots import snapshot_of
from purchases.stripe_api.values import Part
from purchases.subscriptions import store as subscriptions
from purchases.subscriptions.fetch_next_charge import forget_next_charge
from purchases.subscriptions.plan import GRANTING, plan_of
from purchases.subscriptions.rows import Subscription
from purchases.subscriptions.rules import ENDED, OWING, UNCONFIRMED, News
from purchases.subscriptions.store_snapshot import (
    apply_subscription_event,
    confirm,
    enqueue_renewal_sync,
    enqueue_sync,
    extend,
)
from purchases.workspaces import store as workspaces
from purchases.workspaces.rows import Workspace


async def subscription_changed(context: BatchContext, received: Received) -> None:
    fact = fact_as(stripe_facts.SubscriptionChanged, received)
    workspace = context.workspaces_by_event.get(fact.stripe_event_id)
    if workspace is None:
        await _wait_for_workspace(context, received, fact)
        return
    if not await _is_proven(context, received, fact.subscription_id):
        await _wait_for_proof(context, received, fact, workspace, fact.subscription_id)
        return
    _stamp_purchases(context, fact)
    news = await apply_subscription_event(
        context.session,
        workspace,
        snapshot_of(fact, prices=context.plan_prices, instance=context.instance),
        event_at=fact.occurred_at,
        event_id=fact.stripe_event_id,
        cause=cause_of(fact),
    )
    count_outcome(fact, {News.TAKE: "applied", News.STALE: "stale", News.FETCH: "asked"}[news])


async def _wait_for_workspace(context: BatchContext, received: Received, fact: stripe_facts.StripeFact) -> None:
    """Park what its metadata says is ours, of a workspace that nobody registered here (a restored backup)."""
    if names_workspace(fact, instance=context.instance):
        await context.park(received, reason="a subscription of an unknown workspace", waits_for=fact.workspace_id)
        count_outcome(fact, "waits")
    else:
        count_outcome(fact, "not_ours")


async def _is_proven(context: BatchContext, received: Received, subscription_id: str) -> bool:
    """Return whether it is a subscription that we stored as Stripe answered it to us, and not by an event's word."""
    return was_fetched(received) or await subscriptions.find(context.session, subscription_id) is not None


async def _wait_for_proof(
    context: BatchContext, received: Received, fact: stripe_facts.StripeFact, workspace: Workspace, subscription_id: str
) -> None:
    """Park the fact until the subscription is fetched: only what it says of itself connects it with the workspace.

    The sync ends the waiting: it stores the subscription and releases the fact, or leaves it to staff.
    """
    await context.park(received, reason="a subscription that only says that it is ours", waits_for=subscription_id)
    await enqueue_sync(context.session, subscription_id, workspace.id)
    count_outcome(fact, "asked")


def names_workspace(fact: stripe_facts.StripeFact, *, instance: str) -> bool:
    """Return whether its metadata says that it is of a workspace of ours, known or not."""
    return fact.quittance_instance == instance and bool(fact.workspace_id)


def _stamp_purchases(context: BatchContext, fact: stripe_facts.SubscriptionChanged) -> None:
    """Find what the bundle sells besides the plan by the subscription from now on."""
    for purchase in context.purchases_of(fact):
        if purchase.workspace_id == context.workspaces_by_event[fact.stripe_event_id].id:
            context.learn(purchase, learn_ids(purchase, subscription_id=fact.subscription_id))


async def schedule_changed(context: BatchContext, received: Received) -> None:
    """Sync a subscription whose future was planned anew, and what it is charged next."""
    fact = fact_as(stripe_facts.SubscriptionScheduleChanged, received)
    workspace = context.workspaces_by_event.get(fact.stripe_event_id)
    row = await subscriptions.find(context.session, fact.subscription_id) if fact.subscription_id else None
    if workspace is None or row is None:
        count_outcome(fact, "not_ours")
        return
    await forget_next_charge(context.session, row)
    await enqueue_sync(context.session, row.stripe_subscription_id, workspace.id)
    count_outcome(fact, "asked")


async def invoice_paid(context: BatchContext, received: Received) -> None:
    """Confirm a new subscription, and extend one that goes on; whether a late payment heals it, a sync says."""
    fact = fact_as(stripe_facts.InvoicePaid, received)
    workspace = context.workspaces_by_event.get(fact.stripe_event_id)
    if fact.subscription_id is None or workspace is None:
        await _list_subscriptions(context, fact)
        return
    row, found = await subscriptions.find(context.session, fact.subscription_id), was_fetched(received)
    if not found and row is None:
        if says_paid(fact):
            # What paid it is said once, by its link, which may come before Stripe has answered. It grants nothing.
            await _keep_paid(context, fact, workspace)
        await _wait_for_proof(context, received, fact, workspace, fact.subscription_id)
        return
    if not found and not says_paid(fact):
        await enqueue_sync(context.session, fact.subscription_id, workspace.id)
        return
    await _keep_paid(context, fact, workspace)
    if await _was_ended_by_us(context, fact.subscription_id, workspace):
        return
    if not found and row is not None and row.status == UNCONFIRMED:
        # An event's word alone grants nothing new: the subscription is fetched, and only the answer counts.
        await enqueue_sync(context.session, fact.subscription_id, workspace.id)
        return
    if fact.billing_reason == FIRST_INVOICE:
        await confirm(context.session, workspace, fact.subscription_id, at=fact.occurred_at, cause=cause_of(fact))
        if row is None:
            # News once: this very fact may wait for the id too, and would be tried again for ever.
            context.learned.add(fact.subscription_id)
        await enqueue_charge_sync(context, workspace, fact.subscription_id)
        return
    if row is None:
        await enqueue_sync(context.session, fact.subscription_id, workspace.id)
    elif row.status in OWING:
        await enqueue_sync(context.session, fact.subscription_id, workspace.id, said="active")
    elif row.status not in ENDED:
        await extend(context.session, workspace, row, cause=cause_of(fact))


async def _keep_paid(context: BatchContext, fact: stripe_facts.InvoicePaid, workspace: Workspace) -> None:
    """Store the invoice; money of it that went back before is tried again, or shared out anew, by its charges."""
    known = await subscriptions.find_invoice(context.session, fact.invoice_id)
    was_paid = known is not None and known.paid_at is not None
    await subscriptions.keep_invoice(context.session, _invoice(fact, workspace, paid_at=fact.occurred_at))
    context.learned.update(
        await plan_money.learn_charges(context.session, fact.invoice_id, parts_of(fact, fact.paid_by))
    )
    if not was_paid and (payment := await ledger.refunded_payment_with(context.session, fact.invoice_id)) is not None:
        await enqueue_refund_sync(context.session, payment, parts=parts_of(fact, fact.paid_by))


async def _list_subscriptions(context: BatchContext, fact: stripe_facts.InvoiceFact) -> None:
    """Enqueue a listing of its customer's when the plan's price may be on a line that the event does not show.

    Only those at a price of ours are taken over.
    """
    if fact.subscription_id is None or fact.lines_complete or fact.customer_id is None:
        return
    workspace_id = (await workspaces.by_customer(context.session, {fact.customer_id})).get(fact.customer_id)
    if workspace_id is not None:
        await enqueue(context.session, AdoptSubscriptions(workspace_id=workspace_id))


async def _was_ended_by_us(context: BatchContext, subscription_id: str, workspace: Workspace) -> bool:
    """Return whether it was; money that still arrives for it goes back."""
    row = await subscriptions.find(context.session, subscription_id)
    if row is None or not row.is_extra or row.status not in ENDED:
        return False
    await enqueue(
        context.session,
        EndSubscription(
            subscription_id=subscription_id,
            workspace_id=workspace.id,
            reason=CAME_LATE if row.confirmed_at is None else ANOTHER_RUNS,
        ),
    )
    return True


async def payment_linked(context: BatchContext, received: Received) -> None:
    """Learn what paid an invoice: since 2025-03-31.basil its link says so, and the invoice does not."""
    fact = fact_as(stripe_facts.InvoicePaymentLinked, received)
    if fact.payment_intent_id is None or context.purchases_of(fact):
        return
    part = Part(payment_intent_id=fact.payment_intent_id, charge_id=fact.charge_id, cents=fact.amount_paid)
    if await plan_money.learn_charges(context.session, fact.invoice_id, [part]):
        context.learned.add(fact.payment_intent_id)


async def invoice_payment_failed(context: BatchContext, received: Received) -> None:
    """Have a renewal that failed looked at; found open by that, it is announced once, while its subscription runs."""
    fact = fact_as(stripe_facts.InvoicePaymentFailed, received)
    workspace = context.workspaces_by_event.get(fact.stripe_event_id)
    if fact.subscription_id is None or workspace is None or fact.billing_reason == FIRST_INVOICE:
        return
    row = await subscriptions.find(context.session, fact.subscription_id)
    if row is None:
        await _wait_for_proof(context, received, fact, workspace, fact.subscription_id)
        return
    invoice = await subscriptions.keep_invoice(context.session, _invoice(fact, workspace))
    part = Part(payment_intent_id=fact.payment_intent_id, charge_id=fact.charge_id)
    await plan_money.learn_charges(context.session, fact.invoice_id, [part])
    if was_fetched(received):
        await _announce_failure(context, workspace, row, invoice, fact)
        return
    await forget_next_charge(context.session, row)
    if row.status not in ENDED and invoice.paid_at is None:
        await enqueue_sync(context.session, fact.subscription_id, workspace.id, said="past_due")
        await enqueue_renewal_sync(context.session, row, fact.invoice_id)


async def _announce_failure(
    context: BatchContext,
    workspace: Workspace,
    row: Subscription,
    invoice: SubscriptionInvoice,
    fact: stripe_facts.InvoicePaymentFailed,
) -> None:
    """Announce that the invoice is owed, unless that was done, or it was paid, or its subscription runs no more.

    `failed_at` says that it was announced: earlier versions store it as they announce, by an event's word.
    """
    if invoice.failed_at is not None or invoice.paid_at is not None or row.status not in GRANTING:
        return
    await subscriptions.keep_invoice(context.session, _invoice(fact, workspace, failed_at=fact.occurred_at))
    announce_of_workspace(
        context.session,
        workspace,
        RenewalFailed,
        cause=cause_of(fact),
        plan=plan_of([row.status]),
        stripe_subscription_id=invoice.stripe_subscription_id,
        stripe_invoice_id=invoice.stripe_invoice_id,
        amount_due_cents=invoice.amount_due_cents,
        currency=invoice.currency,
        next_attempt_at=fact.next_payment_attempt_at,
        billing_page_url=context.pages.billing(workspace.id),
    )


async def enqueue_charge_sync(context: BatchContext, workspace: Workspace, subscription_id: str) -> None:
    """Enqueue a sync of one of which no event showed the whole: neither a Checkout nor an invoice does."""
    row = await subscriptions.find(context.session, subscription_id)
    if row is not None and row.event_at is None:
        await enqueue_sync(context.session, subscription_id, workspace.id)


def _invoice(
    fact: stripe_facts.InvoiceFact,
    workspace: Workspace,
    *,
    paid_at: datetime | None = None,
    failed_at: datetime | None = None,
) -> dict[str, Any]:
    return {
        "stripe_invoice_id": fact.invoice_id,
        "stripe_subscription_id": fact.subscription_id,
        "workspace_id": workspace.id,
        "billing_reason": fact.billing_reason,
        "amount_due_cents": fact.amount_due,
        "amount_paid_cents": fact.amount_paid,
        "currency": fact.currency.upper(),
        "period_end": fact.subscription_period_end,
        "paid_at": paid_at,
        "failed_at": failed_at,
    }
