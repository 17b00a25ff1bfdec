"""Commands: of two subscriptions of one workspace the extra one is ended, and what was paid for it goes back."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.workspace_facts import ExtraSubscriptionEnded
from purchases.catalog_copy import plans
from purchases.jobs import store as commands
from purchases.jobs.store import Command
from purchases.jobs.stripe_context import DONE, Later, Result, StripeDesk
from purchases.ledger.publish import Cause, announce_of_workspace
from purchases.stripe_api.client import OutcomeUnknown, StripeRefused
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
ANOTHER_RUNS: Final = "the workspace has another subscription"
CAME_LATE: Final = "it was paid after it had been ended, unfinished, for another one"


async def compare_subscriptions(desk: StripeDesk, command: Command) -> Result:
    """Ask Stripe for each that is not known to have ended; if two still run, have all but the best ended."""
    async with desk.database.reading() as session:
        prices = await plans.price_ids(session)
        owned = await subscriptions.of_workspace(session, command.subject)
    for row in (one for one in owned if one.status not in ENDED):
        seen = await fetch_subscription(desk.client, row.stripe_subscription_id, instance=desk.instance, prices=prices)
        async with desk.database.transaction() as session:
            result = await apply_fetched(session, seen, workspace_id=command.subject, known_at=row.event_at)
        if isinstance(result, Later):
            return result
    return await _mark(desk, command)


async def _mark(desk: StripeDesk, command: Command) -> Result:
    """Under the workspace's lock."""
    async with desk.database.transaction() as session:
        workspace = await workspaces.lock_workspace(session, command.subject)
        owned = await _owned(session, command.subject)
        for subscription_id in in_order_of_keeping(_running(one) for one in owned.values())[1:]:
            owned[subscription_id].is_extra = True
            if workspace is not None:
                await commands.ask(session, kind="end_subscription", subject=subscription_id, workspace_id=workspace.id)
    return DONE


async def end_and_pay_back(desk: StripeDesk, command: Command) -> Result:
    """End it at Stripe, then pay back what it took for the plan; add-ons that were bought with it stay bought."""
    workspace_id = command.arguments["workspace_id"]
    await end_subscription(desk.client, command.subject)
    async with desk.database.transaction() as session:
        await enqueue_sync(session, command.subject, workspace_id)
    returned, refused = await _pay_all_back(desk, command, await plan_payments(desk.client, command.subject))
    await _tell(desk, command, returned)
    if refused is not None:
        raise refused
    return DONE


async def _pay_all_back(
    desk: StripeDesk, command: Command, payments: Sequence[PlanPayment]
) -> tuple[list[PlanPayment], StripeRefused | None]:
    """Return what has gone back, and the first refusal: what Stripe refuses of one payment holds up no other."""
    returned, refused = [], None
    for payment in payments:
        try:
            await _pay_back(desk, command, payment)
        except StripeRefused as error:
            if error.code != ALREADY_BACK:
                refused = refused or error
                continue
        returned.append(payment)
    return returned, refused


async def _tell(desk: StripeDesk, command: Command, payments: Sequence[PlanPayment]) -> None:
    """Once per subscription, and again where more money came, however often the command is repeated.

    Nobody is told of an unfinished one that was never paid.
    """
    reason = command.arguments.get("reason", ANOTHER_RUNS)
    if not payments and reason == CAME_LATE:
        return
    async with desk.database.transaction() as session:
        workspace = await workspaces.lock_workspace(session, command.arguments["workspace_id"])
        owned = await _owned(session, command.arguments["workspace_id"])
        row = owned.pop(command.subject, None)
        returned = sum(payment.plan_cents for payment in payments)
        if workspace is None or row is None or (row.returned_cents is not None and row.returned_cents >= returned):
            return
        before, row.returned_cents = row.returned_cents, returned
        announce_of_workspace(
            session,
            workspace,
            ExtraSubscriptionEnded,
            cause=Cause(actor="quittance", at=datetime.now(UTC), reason=reason),
            stripe_subscription_id=command.subject,
            kept_subscription_id=next(iter(in_order_of_keeping(_running(one) for one in owned.values())), None),
            returned_cents=returned,
            returned_before_cents=before,
            currency=row.currency or next((payment.currency for payment in payments), "EUR"),
        )


async def _owned(session: AsyncSession, workspace_id: str) -> dict[str, Subscription]:
    return {one.stripe_subscription_id: one for one in await subscriptions.of_workspace(session, workspace_id)}


async def _pay_back(desk: StripeDesk, command: Command, payment: PlanPayment) -> None:
    """The attempt's number grows only when Stripe has answered 5xx, which it repeats for ever under the old one."""
    attempt = int(command.arguments.get("attempt", 1))
    try:
        await pay_back(
            desk.client,
            payment,
            instance=desk.instance,
            workspace_id=command.arguments["workspace_id"],
            subscription_id=command.subject,
            attempt=attempt,
        )
    except OutcomeUnknown as error:
        if error.stored:
            async with desk.database.transaction() as session:
                await commands.next_attempt(session, command, attempt=attempt + 1)
        raise


def _running(row: Subscription) -> Running:
    return Running(
        subscription_id=row.stripe_subscription_id, status=row.status, started_at=row.started_at or row.recorded_at
    )
