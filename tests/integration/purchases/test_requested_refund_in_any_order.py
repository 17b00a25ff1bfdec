"""A refund that staff asked for is one row, published once, however Stripe's events and our answer are mixed."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.purchase_facts import RefundFailed, RefundIssued
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases.moves import ask_for_a_refund, left_of, refunds_of
from tests.integration.purchases.scenarios import VERSIONS
from tests.rounds import rounds

pytestmark = pytest.mark.timeout(600)

OURS = -1
"""In an order of facts: the moment when the worker takes the job again."""


@pytest.mark.parametrize(
    ("card", "amount", "ends", "status"),
    [
        ("pm_card_visa", 20_000, "succeeded", Status.PAID),
        ("pm_card_visa", None, "succeeded", Status.REFUNDED),
        ("pm_card_refundFail", None, "failed", Status.PAID),
    ],
    ids=["in part", "in full", "failed at the bank"],
)
@settings(
    max_examples=rounds(2, every=20),
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_however_events_and_answer_are_mixed(
    harness: Harness, card: str, amount: int | None, ends: str, status: Status, data: st.DataObject
) -> None:
    seen = len(await harness.facts())
    purchase = await harness.given_a_purchase(card)
    requested = await ask_for_a_refund(harness, purchase, amount)
    await harness.control.fault("close_after", operation="refunds.create")
    await harness.run_jobs()
    if ends == "failed":
        await harness.control.settle_refund((await harness.refunds_at_stripe())[-1]["id"], status="failed")
    facts = (await harness.facts(version=data.draw(st.sampled_from(VERSIONS))))[seen:]

    again = data.draw(st.lists(st.integers(0, len(facts) - 1), max_size=3))
    for index in data.draw(st.permutations([OURS, *range(len(facts)), *again])):
        if index == OURS:
            await harness.run_jobs()
        else:
            await harness.deliver(facts[index])
    await harness.settle_everything()

    (row,) = await refunds_of(harness, purchase)
    assert (row.id, row.status) == (requested.refund.id, ends)
    assert (await harness.purchase(purchase.id)).status is status
    assert await left_of(harness, purchase) == PRICE - (0 if ends == "failed" else row.refund_cents)
    published = {kind: await _times(harness, str(purchase.id), kind) for kind in (RefundIssued, RefundFailed)}
    assert published[RefundFailed] == (1 if ends == "failed" else 0)
    assert published[RefundIssued] == 1 or (ends == "failed" and published[RefundIssued] == 0)


async def _times(harness: Harness, purchase_id: str, kind: type[RefundIssued] | type[RefundFailed]) -> int:
    return len([fact for fact in await harness.published(kind=kind) if fact["purchase_id"] == purchase_id])
