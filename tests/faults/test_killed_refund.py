"""The worker dies around Stripe's answer to a refund that staff asked for: it is made once, and all reconciles."""

import asyncpg
import pytest

from sandbox.driver import Driver
from tests.faults.conftest import KilledAt
from tests.givens import given_a_paid_purchase


async def the_lease_ends(driver: Driver) -> None:
    """Three minutes later the job may be taken by another worker."""
    connection = await asyncpg.connect(driver.stack.database_urls["purchases"])
    try:
        await connection.execute("update stripe_commands set leased_until = now() where state = 'open'")
    finally:
        await connection.close()


@pytest.mark.parametrize("webhooks", ["arrive", "are all lost"])
@pytest.mark.parametrize("point", ["stripe.list_refunds", "stripe.refund"])
async def test_killed_around_stripes_answer_a_refund_is_made_once(
    driver: Driver, killed_at: KilledAt, point: str, webhooks: str, agreed: None
) -> None:
    shop, purchase = await given_a_paid_purchase(driver)
    if webhooks == "are all lost":
        await driver.stripe.drop_webhooks()

    async with killed_at("purchases-worker", point):
        asked = await driver.move(purchase["id"], "refund", amount_cents=10_000, reason="half of it")
    await the_lease_ends(driver)
    await driver.settle()

    record = await driver.record(purchase["id"])
    assert [(one["id"], one["status"]) for one in record["refunds"]] == [(asked["id"], "succeeded")]
    assert (record["status"], record["refunded_cents"], record["refundable_cents"]) == ("paid", 10_000, 39_900)
    (figures,) = (await driver.stripe.sums())["customers"][shop.customer_id].values()
    assert (figures["refunded"], figures["refunds"]) == (10_000, 1)
