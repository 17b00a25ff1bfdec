"""Another team's subscriber hears of a purchase as the running product tells it, with each client of Kafka."""

from pathlib import Path

import pytest

from contracts.purchase_facts import PurchasePaid, PurchaseStarted
from sandbox.driver import Driver
from tests.subscribing import SUBSCRIBERS, heard


@pytest.mark.parametrize("subscriber", SUBSCRIBERS, ids=lambda path: path.stem)
async def test_a_subscriber_hears_that_a_purchase_was_paid(driver: Driver, subscriber: Path) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    purchase = (await driver.buy(shop, addon)).json()
    await driver.settle()
    published = [
        f"{envelope.id} {envelope.type} {purchase['id']}"
        for envelope, _ in await driver.inspector.facts(key=shop.workspace_id)
        if envelope.type in {PurchaseStarted.TYPE, PurchasePaid.TYPE}
    ]

    lines = await heard(subscriber, bootstrap=driver.stack.kafka_bootstrap_servers, until=published)

    assert published == [line for line in lines if purchase["id"] in line]
