"""Kafka is lost with all that nobody had read: facts are published again, and no mail is missing or sent twice."""

import asyncio
import sys
from collections import Counter
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from contracts.topics import ALL_TOPICS
from sandbox.driver import TEAM, Driver
from sandbox.stack import EmbeddedStack
from sandbox.topics import create_topics, topic_names
from tests.faults.conftest import becomes
from tests.givens import given_a_paid_purchase, given_a_pending_purchase
from tests.reconciliation_check import check_reconciliation
from tests.seen import captured

Json = dict[str, Any]
SERVICES = ("catalog", "purchases-api", "purchases-worker", "notifier", "webhook-gateway")


async def run(stack: EmbeddedStack, service: str, *words: str) -> str:
    """Run a command as an operator does, with the settings of a process that is there."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *words, env=stack.settings_for(service), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed
    return printed.decode()


async def when_kafka_is_lost(stack: EmbeddedStack) -> None:
    """Every topic with its records, and what the groups had read of them; then the topics' job."""
    names = sorted({topic.name for topic in ALL_TOPICS})
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.broker.bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(names)
        async with asyncio.timeout(60):
            while await topic_names(stack.broker.bootstrap) & set(names):  # noqa: ASYNC110 - nothing tells us
                await asyncio.sleep(0.1)
    finally:
        await admin.close()
    await create_topics(stack.broker.bootstrap, ALL_TOPICS)


async def sent_by(driver: Driver, database: str) -> None:
    """Wait until Kafka has confirmed all that the service published."""

    async def nothing_waits() -> bool:
        return not await driver.inspector.rows(database, "select id from outbox limit 1")

    await driver.until(nothing_waits, f"{database} has sent its facts", seconds=60)


async def mails(driver: Driver, purchases: list[Json]) -> Counter[tuple[str, str]]:
    found = Counter[tuple[str, str]]()
    for purchase in purchases:
        for mail in await driver.mails_naming(purchase["id"]):
            found[purchase["id"], mail["To"][0]["Address"]] += 1
    return found


@pytest.mark.timeout(240)
async def test_kafka_lost_with_what_nobody_had_read_costs_neither_a_mail_nor_a_price(
    stack: EmbeddedStack, driver: Driver
) -> None:
    """Given mailed and unmailed purchases, a price that nobody read, and a payment that nobody applied."""
    _, mailed = await given_a_paid_purchase(driver)
    _, at_the_bank = await given_a_pending_purchase(driver)
    addon = await driver.given_an_addon(price="499.00")
    buyers = [await driver.given_a_workspace() for _ in range(3)]
    await driver.settle()
    await stack.stop_process("notifier")
    bought = [(await driver.buy(buyer, addon)).json() for buyer in buyers]
    await sent_by(driver, "purchases")
    await stack.stop_process("purchases-worker")
    changed = await driver.change_addon(addon, price="20.00")
    await sent_by(driver, "catalog")
    await driver.answer_bank(at_the_bank["action_url"])
    assert await driver.stripe.quiet(timeout=30)

    await when_kafka_is_lost(stack)
    for service in SERVICES:
        await stack.restart(service)
    await run(stack, "catalog", "catalog", "republish")
    await run(stack, "purchases-worker", "purchases", "republish", "--since", "1d")
    await run(stack, "purchases-worker", "purchases", "sweep", "--since", "1d")
    await becomes(driver, at_the_bank["id"], "paid", seconds=120)
    await driver.settle(seconds=120)

    every = [mailed, at_the_bank, *bought]
    assert await mails(driver, every) == {(purchase["id"], TEAM): 1 for purchase in every}
    newcomer = await driver.given_a_workspace()
    sale = await driver.buy(newcomer, changed)
    assert (sale.status_code, sale.json().get("paid_cents")) == (201, 2_000)
    assert await captured(driver, newcomer) == (2_000, 1)
    await driver.settle()
    await check_reconciliation(driver, *driver.shops, facts_may_repeat=True)


async def test_a_reading_of_all_again_applies_nothing_twice(stack: EmbeddedStack, driver: Driver) -> None:
    _, purchase = await given_a_paid_purchase(driver)
    before = await driver.record(purchase["id"])

    for service, words in (("purchases-worker", "purchases"), ("notifier", "notifier"), ("catalog", "catalog")):
        assert ", 0 of them applied" in await run(stack, service, words, "reread", "--since", "1d")
    await driver.settle()

    assert await driver.record(purchase["id"]) == before
    assert await mails(driver, [purchase]) == {(purchase["id"], TEAM): 1}
