"""Carries out `stripe_commands` after their commit: lease, call, apply; back-off for what may pass."""

import asyncio
from collections import Counter as Counts
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from prometheus_client import Counter

from chassis.outbox.fates import FATES, Fate, fate_of
from chassis.process.faults import named_fault
from chassis.process.health import Health
from chassis.process.logs import get_logger
from chassis.process.process import background
from chassis.process.retrying import backs_off
from purchases.buying import card_testing
from purchases.buying.card_testing import USUAL, Brake
from purchases.catalog_copy.provision_plan import provision_plan
from purchases.catalog_copy.rename_product import rename_product
from purchases.checkout.end_checkout import reconcile_checkout
from purchases.customers.save_card import adopt_card
from purchases.jobs import store as commands
from purchases.jobs.store import Command
from purchases.jobs.stripe_context import Later, Result, WorkerDesk
from purchases.reconcile import reconcile_purchase as settle
from purchases.reconcile.reconcile import EVERY, reconcile, reconcile_day
from purchases.reconcile.reconcile_subscriptions import reconcile_running
from purchases.reconcile.sync_invoice import sync_invoice, sync_payment
from purchases.refunds.make_refund import make_refund
from purchases.refunds.match_refund import match_refund_to_payment
from purchases.refunds.refund_unmatched_payment import refund_unmatched_payment
from purchases.refunds.return_credit import return_credit
from purchases.refunds.sync_refunds import sync_refunds
from purchases.stripe_api.client import OutcomeUnknown, StripeRefused, UnknownShape
from purchases.stripe_budgets import store as budgets
from purchases.subscriptions import end_extra, end_unfinished
from purchases.subscriptions import sync_subscription as look_at_subscription
from purchases.subscriptions.fetch_next_charge import fetch_next_charge

log = get_logger(__name__)

CARRIERS: Final = 4
POLL_SECONDS: Final = 0.5
PLAN_SECONDS: Final = 3600.0
PLAN_AGAIN_SECONDS: Final = 10.0
BRAKE_SECONDS: Final = 15.0
SET_ASIDE_AFTER: Final = 20
"""Failures in a row of one command that nothing names: about an hour, after which it is taken for a fault of ours."""
MOST_COUNTED: Final = 10_000
CARRIED: Final = Counter("billing_stripe_commands_total", "Commands to Stripe by outcome.", ["kind", "outcome"])

COMMANDS: Final[Mapping[str, Callable[[WorkerDesk, Command], Awaitable[Result]]]] = {
    "settle": settle.reconcile_purchase,
    "void": settle.void_invoice,
    "look_at_charge": sync_refunds,
    "look_at_invoice": sync_invoice,
    "look_at_payment": sync_payment,
    "identify": match_refund_to_payment,
    "return_payment": refund_unmatched_payment,
    "return_credit": return_credit,
    "refund": make_refund,
    "adopt_card": adopt_card,
    "rename_product": rename_product,
    "provision_plan": provision_plan,
    "sweep": reconcile,
    "sweep_day": reconcile_day,
    "sweep_subscriptions": reconcile_running,
    "settle_checkout": reconcile_checkout,
    "look_at_subscription": look_at_subscription.sync_subscription,
    "fetch_next_charge": fetch_next_charge,
    "adopt_subscriptions": look_at_subscription.adopt_subscriptions,
    "compare_subscriptions": end_extra.compare_subscriptions,
    "end_subscription": end_extra.end_and_pay_back,
    "end_unfinished": end_unfinished.end_unfinished,
}


class JobsLoop:
    """A few carriers that take what is due; several processes may run it at once."""

    def __init__(self, *, desk: WorkerDesk, health: Health, brake: Brake = USUAL) -> None:
        self._desk = desk
        self._brake = brake
        self._health = health
        self._unnamed: Counts[int] = Counts()
        """By command, how often in a row this process met what nothing names."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Carry commands out until the block is left; one cut off is taken again when its lease ends."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(background("commands-listener", self._listen))
            await stack.enter_async_context(background("sweep-planner", self._plan_sweeps))
            await stack.enter_async_context(background("brake-watch", self._watch_brake))
            for number in range(CARRIERS):
                await stack.enter_async_context(background(f"commands-{number}", self._carry))
            yield

    async def _listen(self) -> None:
        await self._desk.database.listen(commands.CHANNEL)

    async def _plan_sweeps(self) -> None:
        """The sweep is a command that asks for itself again; here it is only made sure that there is one."""
        while True:
            try:
                async with self._desk.database.transaction() as session:
                    await commands.ask(session, kind="sweep", subject=self._desk.instance, after=EVERY)
            except Exception as error:
                backs_off("sweep-planner", error)
                await asyncio.sleep(PLAN_AGAIN_SECONDS)
                continue
            await asyncio.sleep(PLAN_SECONDS)

    async def _watch_brake(self) -> None:
        """The gauges say how it is now, also when nobody buys; full buckets go."""
        while True:
            try:
                await self.update_gauges()
            except Exception as error:
                backs_off("brake-watch", error)
            await asyncio.sleep(BRAKE_SECONDS)

    async def update_gauges(self) -> None:
        """Once."""
        async with self._desk.database.transaction() as session:
            await card_testing.is_on(session, self._brake, now=datetime.now(UTC))
            await budgets.forget_full(session)

    async def _carry(self) -> None:
        wake = self._desk.database.event(commands.CHANNEL)
        while True:
            self._health.beat("stripe-commands", limit=120)
            wake.clear()
            try:
                took = await self.do_one()
            except Exception as error:
                backs_off("stripe-commands", error)
                took = False
            if not took:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await wake.wait()

    async def do_one(self) -> bool:
        async with self._desk.database.transaction() as session:
            command = await commands.take(session, kinds=COMMANDS)
        if command is None:
            return False
        await self._carry_out(command)
        return True

    async def _carry_out(self, command: Command) -> None:
        try:
            result = await COMMANDS[command.kind](self._desk, command)
        except UnknownShape as error:
            await self._set_aside(command, error)
        except (OutcomeUnknown, OSError, TimeoutError) as error:
            await self._postpone(command, _backoff(command), error)
        except StripeRefused as error:
            await self._set_aside(command, error)
        except Exception as error:
            if fate_of(error) is Fate.RETRY and not self._has_failed_often(command, error):
                await self._postpone(command, _backoff(command), error)
            else:
                await self._set_aside(command, error)
        else:
            self._unnamed.pop(command.id, None)
            await self._close(command, result)

    def _has_failed_often(self, command: Command, error: Exception) -> bool:
        """Whether that came out of a driver, and comes so often that it is for staff: what passes has a name."""
        if named_fault(error) is not None or isinstance(error, tuple(FATES)):
            return False
        if len(self._unnamed) >= MOST_COUNTED:
            self._unnamed.clear()
        self._unnamed[command.id] += 1
        if self._unnamed[command.id] < SET_ASIDE_AFTER:
            return False
        del self._unnamed[command.id]
        return True

    async def _close(self, command: Command, result: Result) -> None:
        async with self._desk.database.transaction() as session:
            if isinstance(result, Later):
                await commands.postpone(session, command, due_in=result.due_in)
            else:
                await commands.end(session, command)
        CARRIED.labels(command.kind, "later" if isinstance(result, Later) else "done").inc()

    async def _postpone(self, command: Command, due_in: timedelta, error: Exception) -> None:
        log.warning("command_postponed", kind=command.kind, subject=command.subject, error=repr(error)[:500])
        async with self._desk.database.transaction() as session:
            await commands.postpone(session, command, due_in=due_in, error=repr(error)[:2000])
        CARRIED.labels(command.kind, "postponed").inc()

    async def _set_aside(self, command: Command, error: Exception) -> None:
        log.error("command_parked", kind=command.kind, subject=command.subject, error=repr(error)[:500])
        async with self._desk.database.transaction() as session:
            await commands.set_aside(session, command, error=_reason(error))
        CARRIED.labels(command.kind, "parked").inc()


def _reason(error: Exception) -> str:
    """What staff read: Stripe's own words, or what went wrong here."""
    return f"Stripe refused: {error.reason}" if isinstance(error, StripeRefused) else repr(error)


def _backoff(command: Command) -> timedelta:
    return timedelta(seconds=min(300.0, 0.5 * 2 ** min(command.attempts, 12)))
