"""What an actor may do: buyers, staff, the Dashboard, banks, Stripe's webhooks, the worker."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from chassis.problems import Problem
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.stripe_api.client import OutcomeUnknown, StripeRefused
from sandbox.stripe.control import ControlError
from tests.integration.purchases.moves import ask_for_a_refund, cancel_it, deliver_it
from tests.simulation.world import ADDONS, World

KEYS: Final = 3
"""So few that buyers repeat a request often."""
MOST_FACTS: Final = 6
ENDINGS: Final = (Problem, SQLAlchemyError, OSError, TimeoutError, OutcomeUnknown, StripeRefused, ControlError)
"""How a request, or a turn of a loop, may end when something fails. Anything else is a fault of ours."""


async def buys(world: World) -> None:
    """A buyer, who may press again with the same key after anything."""
    workspace, key = world.random.choice(world.workspaces), f"key-{world.random.randrange(KEYS)}"
    slug = world.random.choice([slug for slug in ADDONS if slug in world.harness.addons])
    bought = await world.harness.buy(world.harness.order(workspace, slug, key=f"{slug}-{key}"))
    world.said.purchases.setdefault((workspace, f"{slug}-{key}"), bought.purchase.id)
    assert world.said.purchases[workspace, f"{slug}-{key}"] == bought.purchase.id, "one key, two purchases"
    if bought.purchase.status in {Status.PAID, Status.DELIVERED}:
        world.said.paid.add(bought.purchase.id)


async def cancels(world: World) -> None:
    if purchase := await _any_purchase(world):
        await cancel_it(world.harness, purchase)


async def delivers(world: World) -> None:
    if purchase := await _any_purchase(world):
        await deliver_it(world.harness, purchase)


async def asks_for_a_refund(world: World) -> None:
    if purchase := await _any_purchase(world):
        amount = world.random.choice([None, 1, 20_000])
        await ask_for_a_refund(world.harness, purchase, amount, key=f"refund-{world.random.randrange(KEYS)}")


async def refunds_in_the_dashboard(world: World) -> None:
    if charge := await _any(world, "charge", lambda one: one["paid"] and not one["refunded"]):
        left = charge["amount"] - charge["amount_refunded"]
        await world.control.refund_as_dashboard(
            charge=charge["id"], amount=world.random.choice([left, max(1, left // 3)])
        )


async def disputes(world: World) -> None:
    if charge := await _any(world, "charge", lambda one: one["paid"] and not one["disputed"]):
        await world.control.open_dispute(charge=charge["id"])


async def ends_a_dispute(world: World) -> None:
    if dispute := await _any(world, "dispute", lambda one: one["status"] == "needs_response"):
        await world.control.close_dispute(dispute["id"], status=world.random.choice(["won", "lost"]))


async def says_yes_or_no_at_the_bank(world: World) -> None:
    if intent := await _any(world, "payment_intent", lambda one: one["status"] in {"requires_action", "processing"}):
        yes = world.random.random() < 0.6
        if intent["status"] == "processing":
            await world.control.settle_debit(intent["id"], succeeded=yes)
        else:
            await (world.control.authenticate if yes else world.control.fail_authentication)(intent["id"])


async def forgets_its_keys(world: World) -> None:
    """Stripe, after 24 hours."""
    await world.control.forget_idempotency_keys()


async def reports(world: World) -> None:
    """Webhooks: some, in any order, some of them again; what is never chosen is lost."""
    facts = await world.events_to_deliver()
    if facts:
        await world.harness.deliver(*world.random.choices(facts, k=world.random.randint(1, MOST_FACTS)))


async def does_jobs(world: World) -> None:
    """A worker, for whom time has passed: what was to wait is due, and the leases of the dead are over."""
    await _time_passes(world)
    for _ in range(world.random.randint(1, 4)):
        if not await world.harness.loop.do_one():
            return


async def tries_parked_facts_again(world: World) -> None:
    await world.harness.execute("update parked set retry_at = now() where resolved_at is null")
    await world.harness.consumer._retry_one()


async def _time_passes(world: World) -> None:
    await world.harness.execute("update stripe_commands set due_at = now() where state = 'open'")
    if world.random.random() < 0.3:
        await world.harness.execute("update stripe_commands set leased_until = null where state = 'open'")
        await world.harness.execute("update workspace_addon_purchases set leased_until = null")


async def _any_purchase(world: World) -> Purchase | None:
    ids = await world.harness.rows("select id from workspace_addon_purchases order by started_at, id")
    return await world.harness.purchase(world.random.choice(ids)["id"]) if ids else None


async def _any(world: World, kind: str, fits: Callable[[Any], bool]) -> Any:
    found = [one for one in (await world.control.objects(kind=kind)).get(kind, []) if fits(one)]
    return world.random.choice(found) if found else None


ACTS: Final[dict[Callable[[World], Awaitable[None]], int]] = {
    buys: 8,
    cancels: 2,
    delivers: 2,
    asks_for_a_refund: 3,
    refunds_in_the_dashboard: 2,
    disputes: 1,
    ends_a_dispute: 2,
    says_yes_or_no_at_the_bank: 3,
    forgets_its_keys: 1,
    reports: 8,
    does_jobs: 8,
    tries_parked_facts_again: 3,
}
"""By how often it is chosen."""


async def act(world: World, doing: Callable[[World], Awaitable[None]]) -> None:
    """Do it, as a process does that answers an error, or logs it, and goes on."""
    with suppress(*ENDINGS):
        await doing(world)
