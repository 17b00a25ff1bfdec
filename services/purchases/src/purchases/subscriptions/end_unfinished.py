"""A subscription whose first payment nobody finished makes room for another: fetched and ended in one job."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from purchases.catalog_copy import plans
from purchases.jobs.kinds import CAME_LATE, EndUnfinished
from purchases.jobs.store import Task, enqueue
from purchases.jobs.stripe_context import DONE, Later, Result, StripeContext
from purchases.ledger import problems
from purchases.stripe_api.subscriptions import FirstPayment, end_first_payment, fetch_first_payment
from purchases.stripe_api.values import Snapshot
from purchases.subscriptions import end_extra
from purchases.subscriptions import store as subscriptions
from purchases.subscriptions.problems import already_subscribed, checkout_busy
from purchases.subscriptions.rules import ENDED, UNCONFIRMED
from purchases.subscriptions.sync_subscription import apply_fetched
from purchases.workspaces import store as workspaces

AFTER: Final = timedelta(seconds=30)
"""When the request that began has ended, or died: the job finishes what is left, and finds money that came late."""
NEVER_PAID: Final = "incomplete_expired"


class Found(StrEnum):
    """What a subscription is whose first payment was thought to be unfinished."""

    ENDED = "ended"
    RUNS = "runs"
    IN_PROGRESS = "in_progress"
    """Somebody is on its page at Stripe."""
    AT_THE_BANK = "at_the_bank"
    CHANGING = "changing"
    """An event came while it was being fetched."""


async def make_room(context: StripeContext, *, workspace_id: str) -> None:
    """End what stands unfinished in the way of another upgrade. Raises Problem 409 for what must not be ended."""
    async with context.database.reading() as session:
        waiting = await subscriptions.unfinished(session, workspace_id)
    for row in waiting:
        match await _fetch_and_end(context, row.stripe_subscription_id, workspace_id):
            case Found.RUNS:
                raise already_subscribed()
            case Found.IN_PROGRESS:
                raise problems.payment_in_progress()
            case Found.AT_THE_BANK:
                raise problems.bank_at_work()
            case Found.CHANGING:
                raise checkout_busy()


async def end_unfinished(context: StripeContext, task: Task[EndUnfinished]) -> Result:
    """Finish what a request began: end it, and pay back what arrived for it all the same."""
    job = task.job
    workspace_id = job.workspace_id
    match await _fetch_and_end(context, job.subscription_id, workspace_id):
        case Found.ENDED:
            return await end_extra.end_and_pay_back(context, task)
        case Found.CHANGING:
            return Later(timedelta(0))
    await _let_run(context, job.subscription_id, workspace_id)
    return DONE


async def _fetch_and_end(context: StripeContext, subscription_id: str, workspace_id: str) -> Found:
    found, payment = await _fetch(context, subscription_id, workspace_id)
    if found is not None:
        return found
    await _mark_ending(context, subscription_id, workspace_id)
    await end_first_payment(context.client, payment)
    found, _ = await _fetch(context, subscription_id, workspace_id)
    return found or Found.CHANGING


async def _fetch(context: StripeContext, subscription_id: str, workspace_id: str) -> tuple[Found | None, FirstPayment]:
    """Fetch it and store what it is now; None for one that can be ended."""
    async with context.database.reading() as session:
        prices = await plans.price_ids(session)
        row = await subscriptions.find(session, subscription_id)
        known_at = row.event_at if row else None
    payment = await fetch_first_payment(context.client, subscription_id, instance=context.instance, prices=prices)
    gone = Snapshot(subscription_id=subscription_id, status=NEVER_PAID) if payment.seen is None else None
    async with context.database.transaction() as session:
        result = await apply_fetched(session, payment.seen, workspace_id=workspace_id, known_at=known_at, missing=gone)
    status = payment.seen.snapshot.status if payment.seen else NEVER_PAID
    if isinstance(result, Later):
        return Found.CHANGING, payment
    if status != UNCONFIRMED:
        return Found.ENDED if status in ENDED else Found.RUNS, payment
    if payment.is_at_the_bank:
        return Found.AT_THE_BANK, payment
    return (Found.IN_PROGRESS if payment.page_is_open else None), payment


async def _mark_ending(context: StripeContext, subscription_id: str, workspace_id: str) -> None:
    """Store that it is to end before Stripe is called: what it is paid from now on goes back, also if we die here."""
    async with context.database.transaction() as session:
        await workspaces.lock_workspace(session, workspace_id)
        row = await subscriptions.find(session, subscription_id)
        if row is not None:
            row.is_extra = True
        await enqueue(
            session,
            EndUnfinished(subscription_id=subscription_id, workspace_id=workspace_id, reason=CAME_LATE),
            after=AFTER,
        )


async def _let_run(context: StripeContext, subscription_id: str, workspace_id: str) -> None:
    """Keep it, as somebody pays for it, or has, before it was ended: then it is the workspace's after all."""
    async with context.database.transaction() as session:
        workspace = await workspaces.lock_workspace(session, workspace_id)
        row = await subscriptions.find(session, subscription_id)
        if workspace is not None and row is not None:
            row.is_extra = False
