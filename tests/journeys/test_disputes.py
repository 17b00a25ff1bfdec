"""A cardholder's bank takes money back: the team is told, the owner is not, and a lost dispute counts like a refund."""

import pytest

from sandbox.driver import TEAM, Scene
from tests.givens import given_a_paid_purchase
from tests.journeys.test_refunds import subjects


@pytest.mark.parametrize(("end", "status", "refunded"), [("lost", "refunded", 49_900), ("won", "paid", 0)])
async def test_the_team_hears_of_a_dispute_and_of_its_end(scene: Scene, end: str, status: str, refunded: int) -> None:
    shop, purchase = await given_a_paid_purchase(scene)
    record = await scene.record(purchase["id"])

    dispute = await scene.stripe.open_dispute(invoice=record["stripe_invoice_id"])
    await scene.settle()
    await scene.stripe.close_dispute(dispute["id"], status=end)
    await scene.settle()

    ended = await scene.purchase(shop, purchase["id"])
    assert (ended["status"], ended["refunded_cents"]) == (status, refunded)
    to_team = [subject for subject in await subjects(scene, TEAM, purchase) if subject.startswith("Dispute")]
    assert [subject.split(":")[0] for subject in to_team] == ["Dispute opened", f"Dispute closed ({end})"]
    assert await subjects(scene, shop.owner_email, purchase) == []
