"""Of two subscriptions of one workspace the extra one is ended, and what was paid for it goes back."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.workspace_facts import ExtraSubscriptionEnded
from purchases.catalog_copy import plans
from purchases.jobs.kinds import CAME_LATE, CompareSubscriptions, EndSubscription
from purchases.jobs.store import Task, enqueue
from purchases.jobs.stripe_context import DONE, Later, Result, StripeContext, number_tries
from purchases.ledger.publish import Cause, announce_of_workspace
from purchases.stripe_api.client import StripeRefused
from purchases.stripe_api.subscriptions import (
    PlanPayment,
    end_subscription,
    fetch_subscription,
    pay_back,
    plan_payments,
)
from purchases.subscriptions import store as subscriptions
from purchases.subscriptions.rows import Subscription
from purchases.subscriptions.rules import ENDED, Running, in_order_of_keeping
from purchases.subscriptions.store_snapshot import enqueue_sync
from purchases.subscriptions.sync_subscription import apply_fetched
from purchases.workspaces import store as workspaces

ALREADY_BACK: Final = "charge_already_refunded"
"""Stripe's code where the Dashboard was first: the money is with the customer."""


async def compare_subscriptions(context: StripeContext, task: Task[CompareSubscriptions]) -> Result:
    """Fetch each that is not known to have ended; if two still run, enqueue the end of all but the best."""
    job = task.job
    async with context.database.reading() as session:
        prices = await plans.price_ids(session)
        owned = await subscriptions.of_workspace(session, job.workspace_id)
    for row in (row for row in owned if row.status not in ENDED):
        seen = await fetch_subscription(
            context.client, row.stripe_subscription_id, instance=context.instance, prices=prices
        )
        async with context.database.transaction() as session:
            result = await apply_fetched(session, seen, workspace_id=job.workspace_id, known_at=row.event_at)
        if isinstance(result, Later):
            return result
    return await _mark_extra(context, job)


async def _mark_extra(context: StripeContext, job: CompareSubscriptions) -> Result:
    """Mark all but the best as extra, under the workspace's lock, and enqueue their end."""
    async with context.database.transaction() as session:
        workspace = await workspaces.lock_workspace(session, job.workspace_id)
        owned = await _owned(session, job.workspace_id)
        for subscription_id in in_order_of_keeping(_running(one) for one in owned.values())[1:]:
            owned[subscription_id].is_extra = True
            if workspace is not None:
                await enqueue(session, EndSubscription(subscription_id=subscription_id, workspace_id=workspace.id))
    return DONE


async def end_and_pay_back(context: StripeContext, task: Task[EndSubscription]) -> Result:
    """End it at Stripe, then pay back what it took for the plan; add-ons that were bought with it stay bought.

    Raises StripeRefused for what could not be paid back, after the rest was.
    """
    job = task.job
    workspace_id = job.workspace_id
    await end_subscription(context.client, job.subscription_id)
    async with context.database.transaction() as session:
        await enqueue_sync(session, job.subscription_id, workspace_id)
    returned, refused = await _pay_all_back(context, task, await plan_payments(context.client, job.subscription_id))
    await _announce(context, job, returned)
    if refused is not None:
        raise refused
    return DONE


async def _pay_all_back(
    context: StripeContext, task: Task[EndSubscription], payments: Sequence[PlanPayment]
) -> tuple[list[PlanPayment], StripeRefused | None]:
    """Return what has gone back, and the first refusal: what Stripe refuses of one payment holds up no other."""
    returned, refused = [], None
    for payment in payments:
        try:
            await _pay_back(context, task, payment)
        except StripeRefused as error:
            if error.code != ALREADY_BACK:
                refused = refused or error
                continue
        returned.append(payment)
    return returned, refused


async def _announce(context: StripeContext, job: EndSubscription, payments: Sequence[PlanPayment]) -> None:
    """Announce it once per subscription, and again where more money came, however often the job is repeated.

    An unfinished one that was never paid is announced to nobody.
    """
    if not payments and job.reason == CAME_LATE:
        return
    async with context.database.transaction() as session:
        workspace = await workspaces.lock_workspace(session, job.workspace_id)
        owned = await _owned(session, job.workspace_id)
        row = owned.pop(job.subscription_id, None)
        returned = sum(payment.plan_cents for payment in payments)
        if workspace is None or row is None or (row.returned_cents is not None and row.returned_cents >= returned):
            return
        before, row.returned_cents = row.returned_cents, returned
        announce_of_workspace(
            session,
            workspace,
            ExtraSubscriptionEnded,
            cause=Cause(actor="quittance", at=datetime.now(UTC), reason=job.reason),
            stripe_subscription_id=job.subscription_id,
            kept_subscription_id=next(iter(in_order_of_keeping(_running(one) for one in owned.values())), None),
            returned_cents=returned,
            returned_before_cents=before,
            currency=row.currency or next((payment.currency for payment in payments), "EUR"),
        )


async def _owned(session: AsyncSession, workspace_id: str) -> dict[str, Subscription]:
    return {row.stripe_subscription_id: row for row in await subscriptions.of_workspace(session, workspace_id)}


async def _pay_back(context: StripeContext, task: Task[EndSubscription], payment: PlanPayment) -> None:
    job = task.job
    refund = pay_back(
        context.client,
        payment,
        instance=context.instance,
        workspace_id=job.workspace_id,
        subscription_id=job.subscription_id,
        attempt=job.attempt,
    )
    await number_tries(context, task, refund)


def _running(row: Subscription) -> Running:
    return Running(
        subscription_id=row.stripe_subscription_id, status=row.status, started_at=row.started_at or row.recorded_at
    )
