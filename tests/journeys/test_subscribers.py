"""Another team's subscriber hears of a purchase as the running product tells it, with each client of Kafka."""

from pathlib import Path

import pytest

from contracts.purchase_facts import PurchasePaid, PurchaseStarted
from sandbox.driver import Scene
from tests.subscribing import SUBSCRIBERS, heard


@pytest.mark.parametrize("subscriber", SUBSCRIBERS, ids=lambda path: path.stem)
async def test_a_subscriber_hears_that_a_purchase_was_paid(scene: Scene, subscriber: Path) -> None:
    shop, addon = await scene.given_a_workspace(), await scene.given_an_addon()
    purchase = (await scene.buy(shop, addon)).json()
    await scene.settle()
    told = [
        f"{envelope.id} {envelope.type} {purchase['id']}"
        for envelope, _ in await scene.witness.facts(key=shop.workspace_id)
        if envelope.type in {PurchaseStarted.TYPE, PurchasePaid.TYPE}
    ]

    lines = await heard(subscriber, bootstrap=scene.stack.kafka_bootstrap_servers, until=told)

    assert told == [line for line in lines if purchase["id"] in line]
