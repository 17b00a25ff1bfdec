"""The worker dies around Stripe's answer to a refund that staff asked for: it is made once, and the books agree."""

import asyncpg
import pytest

from sandbox.driver import Scene
from tests.faults.conftest import KilledAt
from tests.givens import given_a_paid_purchase


async def the_lease_ends(scene: Scene) -> None:
    """Three minutes later the command may be taken by another worker."""
    connection = await asyncpg.connect(scene.stack.database_urls["purchases"])
    try:
        await connection.execute("update stripe_commands set leased_until = now() where state = 'open'")
    finally:
        await connection.close()


@pytest.mark.parametrize("webhooks", ["arrive", "are all lost"])
@pytest.mark.parametrize("point", ["stripe.list_refunds", "stripe.refund"])
async def test_killed_around_stripes_answer_a_refund_is_made_once(
    scene: Scene, killed_at: KilledAt, point: str, webhooks: str, agreed: None
) -> None:
    shop, purchase = await given_a_paid_purchase(scene)
    if webhooks == "are all lost":
        await scene.stripe.drop_webhooks()

    async with killed_at("purchases-worker", point):
        asked = await scene.move(purchase["id"], "refund", amount_cents=10_000, reason="half of it")
    await the_lease_ends(scene)
    await scene.settle()

    record = await scene.record(purchase["id"])
    assert [(one["id"], one["status"]) for one in record["refunds"]] == [(asked["id"], "succeeded")]
    assert (record["status"], record["refunded_cents"], record["refundable_cents"]) == ("paid", 10_000, 39_900)
    (figures,) = (await scene.stripe.sums())["customers"][shop.customer_id].values()
    assert (figures["refunded"], figures["refunds"]) == (10_000, 1)
