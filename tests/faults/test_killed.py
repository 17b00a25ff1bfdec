"""SIGKILL at each named point of the path from the webhook to the mail: the same ledger, facts and mail as without."""

import pytest

from sandbox.driver import TEAM, Driver
from tests.faults.conftest import KilledAt, becomes
from tests.givens import given_a_pending_purchase
from tests.reconciliation_check import check_reconciliation
from tests.seen import captured


async def pays_at_the_bank(driver: Driver, killed_at: KilledAt, name: str, point: str) -> str:
    """A pending purchase whose payment event meets the death of one process; its id, once it is paid all the same."""
    shop, purchase = await given_a_pending_purchase(driver)
    await driver.settle()
    await driver.stripe.drop_webhooks("invoice_payment.paid")
    await driver.stripe.drop_webhooks("invoice.payment_succeeded")
    async with killed_at(name, point):
        await driver.answer_bank(purchase["action_url"])
    await driver.settle()

    record = await driver.record(purchase["id"])
    assert [line["to_status"] for line in record["history"]] == ["pending", "paid"]
    assert await captured(driver, shop) == (49_900, 1)
    return str(purchase["id"])


@pytest.mark.parametrize("point", ["gateway.before-ack", "gateway.after-ack"])
async def test_the_gateway_killed_around_the_ack_loses_and_doubles_nothing(
    driver: Driver, killed_at: KilledAt, point: str, agreed: None
) -> None:
    """Stripe heard no 200 and sends the event again; what Kafka has twice is applied once."""
    purchase_id = await pays_at_the_bank(driver, killed_at, "webhook-gateway", point)

    assert [mail["To"][0]["Address"] for mail in await driver.mails_naming(purchase_id)] == [TEAM]


@pytest.mark.parametrize("point", ["consumer.inside-transaction", "consumer.after-commit-before-offset"])
@pytest.mark.parametrize("name", ["purchases-worker", "notifier"])
async def test_a_consumer_killed_around_its_commit_loses_and_doubles_nothing(
    driver: Driver, killed_at: KilledAt, name: str, point: str, agreed: None
) -> None:
    purchase_id = await pays_at_the_bank(driver, killed_at, name, point)

    assert [mail["To"][0]["Address"] for mail in await driver.mails_naming(purchase_id)] == [TEAM]


async def test_the_relay_killed_between_ack_and_delete_repeats_facts_under_their_ids(
    driver: Driver, killed_at: KilledAt, agreed: None
) -> None:
    purchase_id = await pays_at_the_bank(driver, killed_at, "purchases-worker", "relay.between-ack-and-delete")

    assert [mail["To"][0]["Address"] for mail in await driver.mails_naming(purchase_id)] == [TEAM]
    published = [e.id for e, body in await driver.inspector.facts() if purchase_id.encode() in body]
    assert len(published) > len(set(published))


async def test_the_catalogs_relay_killed_between_ack_and_delete_tells_of_the_addon(
    driver: Driver, killed_at: KilledAt, agreed: None
) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="10.00")
    async with killed_at("catalog", "relay.between-ack-and-delete"):
        changed = await driver.change_addon(addon, price="20.00")
    await driver.settle()

    assert (await driver.buy(shop, changed)).json()["paid_cents"] == 2_000


async def test_the_notifier_killed_before_smtp_sends_one_mail(
    driver: Driver, killed_at: KilledAt, agreed: None
) -> None:
    purchase_id = await pays_at_the_bank(driver, killed_at, "notifier", "notifier.before-smtp")

    assert len(await driver.mails_naming(purchase_id)) == 1


async def test_the_notifier_killed_after_smtp_repeats_the_mail_under_its_message_id(
    driver: Driver, killed_at: KilledAt
) -> None:
    """The one window in which a mail goes out twice."""
    purchase_id = await pays_at_the_bank(driver, killed_at, "notifier", "notifier.after-smtp")

    first, second = await driver.mails_naming(purchase_id)
    assert first["MessageID"] == second["MessageID"]
    await check_reconciliation(driver, *driver.shops, facts_may_repeat=True, mails_may_repeat=True)


async def test_a_refund_survives_the_death_of_the_worker_inside_its_transaction(
    driver: Driver, killed_at: KilledAt, agreed: None
) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    purchase = (await driver.buy(shop, addon)).json()
    await driver.settle()
    async with killed_at("purchases-worker", "consumer.inside-transaction"):
        await driver.refund(purchase)
    await becomes(driver, purchase["id"], "refunded")
    await driver.settle()

    assert len(await driver.mails_to(shop.owner_email)) == 1
