"""The ledger's database is replaced by a backup while everything runs: it is read back, and nobody notices for long."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from contracts.topics import PURCHASE_EVENTS, PURCHASE_STATE
from sandbox.driver import Driver
from sandbox.stack import EmbeddedStack
from tests.givens import given_a_paid_purchase
from tests.seen import captured, problem_of

Json = dict[str, Any]
BACKUP: Final = "purchases_backup"
LOST: Final = "purchases_lost"
OPEN: Final = "select count(*) from epochs where ended_at is null"
REMEMBERED: Final = ("status", "paid_cents", "refunded_cents", "delivered_at", "cancelled_at")


@asynccontextmanager
async def nobody_in(stack: EmbeddedStack, database: str) -> AsyncIterator[Any]:
    """A superuser's connection, while nobody else has one to `database`: as it is when a server goes."""
    connection = await asyncpg.connect(stack.infrastructure.postgres.admin_url)
    try:
        await connection.execute(f"alter database {database} with allow_connections false")
        await connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", database)
        yield connection
    finally:
        await connection.close()


async def given_a_backup(stack: EmbeddedStack) -> None:
    async with nobody_in(stack, "purchases") as connection:
        await until_nobody_is_in(connection, f"create database {BACKUP} template purchases owner purchases")
        await connection.execute("alter database purchases with allow_connections true")


async def when_restored(stack: EmbeddedStack) -> None:
    async with nobody_in(stack, "purchases") as connection:
        await until_nobody_is_in(connection, f"alter database purchases rename to {LOST}")
        await connection.execute(f"alter database {BACKUP} rename to purchases")
        await connection.execute(f"drop database {LOST} with (force)")


async def until_nobody_is_in(connection: Any, statement: str) -> None:
    """An autovacuum worker leaves by itself."""
    async with asyncio.timeout(60):
        while True:
            try:
                await connection.execute(statement)
                break
            except asyncpg.ObjectInUseError:
                await asyncio.sleep(0.1)


async def epochs(driver: Driver, query: str) -> int:
    """What the ledger's database says, once it can be reached."""
    try:
        [row] = await driver.inspector.rows("purchases", query)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return -1
    return int(row["count"])


async def remembered(driver: Driver, purchases: Sequence[Json]) -> list[Any]:
    """What must not be forgotten of each purchase, as staff sees it."""
    found = []
    for purchase in purchases:
        record = await driver.record(purchase["id"])
        refunds = sorted((one["id"], one["status"], one["refund_cents"], one["reason"]) for one in record["refunds"])
        lines = [(line["trigger"], line["actor"], line["reason"]) for line in record["history"] if not line["stale"]]
        by_people = [line for line in lines if line[1].startswith(("staff:", "user:"))]
        found.append(([record[name] for name in REMEMBERED], refunds, by_people))
    return found


async def mails(driver: Driver, purchases: Sequence[Json]) -> Counter[tuple[str, str, str]]:
    found = Counter[tuple[str, str, str]]()
    for purchase in purchases:
        for mail in await driver.mails_naming(purchase["id"]):
            found[purchase["id"], mail["To"][0]["Address"], mail["Subject"]] += 1
    return found


async def test_a_restored_backup_charges_nobody_again_and_forgets_neither_a_mail_nor_a_status(
    stack: EmbeddedStack, driver: Driver
) -> None:
    _, refunded = await given_a_paid_purchase(driver)
    _, delivered = await given_a_paid_purchase(driver)
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    await driver.move(refunded["id"], "refund", amount_cents=1_100, reason="the first")
    await driver.settle()
    await given_a_backup(stack)
    await driver.until(lambda: answers(driver, refunded), "the API has found its database again", seconds=60)
    await driver.move(refunded["id"], "refund", amount_cents=2_200, reason="the second")
    await driver.deliver(delivered["id"])
    newcomer, gone = await given_a_paid_purchase(driver)
    bought = (await driver.buy(shop, addon, key="k-once")).json()
    await driver.move(gone["id"], "cancel", reason="the wrong one")
    await driver.settle()
    known = (refunded, delivered, gone, bought)
    before, mailed, sums = await remembered(driver, known), await mails(driver, known), await driver.stripe.sums()

    await when_restored(stack)
    await driver.until(lambda: has_begun(driver), "the relay has noticed", seconds=90)
    repeated = await driver.until(lambda: sold(driver, shop, addon), "selling goes on", seconds=180)
    await driver.until(lambda: has_ended(driver), "all is read back", seconds=90)
    await driver.settle(seconds=90)

    assert repeated.status_code in {200, 201} or problem_of(repeated) == "already-purchased"
    assert await remembered(driver, known) == before
    assert await mails(driver, known) == mailed
    assert (await driver.stripe.sums())["customers"] == sums["customers"]
    assert await captured(driver, newcomer) == (49_900, 1)
    await driver.move(refunded["id"], "refund", amount_cents=3_300, reason="the third")
    await driver.settle(seconds=90)
    assert (await mails(driver, known)).total() == mailed.total() + 1
    await no_id_has_two_bodies(driver)
    await topics_say_what_the_rows_say(driver, known)


async def answers(driver: Driver, purchase: Json) -> bool:
    try:
        await driver.record(purchase["id"])
    except Exception:
        return False
    return True


async def has_begun(driver: Driver) -> bool:
    return await epochs(driver, "select count(*) from epochs where epoch > 0") > 0


async def has_ended(driver: Driver) -> bool:
    return await epochs(driver, OPEN) == 0


async def sold(driver: Driver, shop: Any, addon: Json) -> Any:
    """The buyer's request, repeated under its key until it is answered otherwise than by *try again*."""
    answer = await driver.buy(shop, addon, key="k-once")
    return None if answer.status_code == 503 else answer


async def no_id_has_two_bodies(driver: Driver) -> None:
    bodies: dict[Any, set[bytes]] = defaultdict(set)
    for envelope, body in await driver.inspector.facts(PURCHASE_EVENTS, PURCHASE_STATE):
        bodies[envelope.id].add(body)
    assert [fact for fact, different in bodies.items() if len(different) > 1] == []


async def topics_say_what_the_rows_say(driver: Driver, purchases: Sequence[Json]) -> None:
    """The last state of each key, and the one with the greatest number, is the row's."""
    states = [json.loads(body) for _, body in await driver.inspector.facts(PURCHASE_STATE)]
    for purchase in purchases:
        own = [state for state in states if state["purchase_id"] == purchase["id"]]
        record = await driver.record(purchase["id"])
        assert max(own, key=lambda state: state["sequence"]) == own[-1]
        assert (own[-1]["status"], own[-1]["refunded_cents"]) == (record["status"], record["refunded_cents"])
