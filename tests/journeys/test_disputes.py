"""A cardholder's bank takes money back: the team is mailed, the owner is not, and a lost one counts like a refund."""

import pytest

from sandbox.driver import TEAM, Driver
from tests.givens import given_a_paid_purchase
from tests.journeys.test_refunds import subjects


@pytest.mark.parametrize(("end", "status", "refunded"), [("lost", "refunded", 49_900), ("won", "paid", 0)])
async def test_the_team_hears_of_a_dispute_and_of_its_end(driver: Driver, end: str, status: str, refunded: int) -> None:
    shop, purchase = await given_a_paid_purchase(driver)
    record = await driver.record(purchase["id"])

    dispute = await driver.stripe.open_dispute(invoice=record["stripe_invoice_id"])
    await driver.settle()
    await driver.stripe.close_dispute(dispute["id"], status=end)
    await driver.settle()

    ended = await driver.purchase(shop, purchase["id"])
    assert (ended["status"], ended["refunded_cents"]) == (status, refunded)
    to_team = [subject for subject in await subjects(driver, TEAM, purchase) if subject.startswith("Dispute")]
    assert [subject.split(":")[0] for subject in to_team] == ["Dispute opened", f"Dispute closed ({end})"]
    assert await subjects(driver, shop.owner_email, purchase) == []
