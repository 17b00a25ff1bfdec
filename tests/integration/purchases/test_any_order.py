"""The final row and the money depend on the set of facts, not on their order, their number or Stripe's version (P5)."""

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.purchase_facts import RefundFailed, RefundIssued
from purchases.domain.transitions import TRANSITIONS, Status, Trigger
from tests.integration.purchases.stories import STORIES, VERSIONS, Story, Teller, told
from tests.integration.purchases.world import Json, World

EXAMPLES = int(os.environ.get("ANY_ORDER_EXAMPLES", "10"))
"""Of each story; more when somebody has the time."""


@pytest.fixture(params=STORIES, ids=lambda teller: teller.__name__)
async def story(world: World, request: pytest.FixtureRequest) -> Story:
    teller: Teller = request.param
    return await told(world, teller)


@st.composite
def hearings(draw: st.DrawFn, facts: int) -> list[tuple[list[int], bool]]:
    """Batches of facts, each heard at least once; after some of them the worker has time for everything else."""
    again = draw(st.lists(st.integers(0, facts - 1), max_size=3))
    order = draw(st.permutations([*range(facts), *again]))
    batches, rest = [], list(order)
    while rest:
        size = draw(st.integers(1, len(rest)))
        batches.append((rest[:size], draw(st.booleans())))
        rest = rest[size:]
    return batches


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_facts_in_any_order_end_in_the_same_row_and_the_same_money(
    world: World, story: Story, data: st.DataObject
) -> None:
    facts = story.facts[data.draw(st.sampled_from(VERSIONS))]
    refunds = await world.refunds_at_stripe()
    await world.put(story.purchase, story.start)

    for batch, at_leisure in data.draw(hearings(len(facts))):
        await world.tell(*[facts[index] for index in batch])
        if at_leisure:
            await world.settle_everything()
    await world.settle_everything()

    assert await _expected(world, story) == await _row(world)
    assert refunds == await world.refunds_at_stripe()
    assert await world.parked() == []
    await _history_replays_to_the_row(world)
    await _each_refund_is_told_once(world)


async def _expected(world: World, story: Story) -> Json:
    """What Stripe's own objects say."""
    objects = await world.control.objects()
    (invoice,) = objects["invoice"]
    is_paid = invoice["status"] == "paid"
    returned = story.start is Status.CANCELLED
    return {
        "status": story.end.value,
        "payable": False,
        "paid_cents": invoice["amount_paid"] if is_paid and not returned else None,
        "payments": [(invoice["id"], invoice["amount_paid"], returned)] if is_paid else [],
        "refunds": sorted((one["id"], one["status"], one["amount"]) for one in objects["refund"]),
    }


async def _row(world: World) -> Json:
    (row,) = await world.rows("select status, payable, paid_cents from workspace_addon_purchases")
    payments = await world.rows("select stripe_invoice_id, paid_cents, returned from purchase_payments")
    refunds = await world.rows("select stripe_refund_id, status, refund_cents from purchase_refunds order by 1")
    return row | {"payments": _tuples(payments), "refunds": _tuples(refunds)}


def _tuples(rows: Sequence[Json]) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in rows]


async def _history_replays_to_the_row(world: World) -> None:
    status: str | None = None
    for line in await world.rows("select * from purchase_transitions order by id"):
        assert status == line["from_status"]
        if line["stale"]:
            assert status == line["to_status"]
        elif status is not None:
            assert TRANSITIONS[Status(status), Trigger(line["trigger"])].status.value == line["to_status"]
        status = line["to_status"]
    (row,) = await world.rows("select status from workspace_addon_purchases")
    assert status == row["status"]


async def _each_refund_is_told_once(world: World) -> None:
    for kind in (RefundIssued, RefundFailed):
        ids = Counter(fact["stripe_refund_id"] for fact in await world.told(kind=kind))
        assert all(times == 1 for times in ids.values())
