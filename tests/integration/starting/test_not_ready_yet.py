"""What may still come, migrations, topics and the broker, is *not ready* and named; the doctor waits for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import httpx
import pytest

from chassis.database.schema_check import outdated_revisions
from contracts.topics import ALL_TOPICS
from purchases.main import MIGRATIONS
from sandbox import places
from sandbox.brokers import Broker, broker_choice, start_broker
from sandbox.topics import create_topics
from tests.integration.starting.commands import checks_of, end_of, run, serving, started
from tests.stack.postgres import NewDatabase

LATE: Final = {"migrations": "failed", "topics": "failed"}


@pytest.fixture
async def bare_broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """A broker of our own, on which nobody has made topics."""
    directory = tmp_path_factory.mktemp("broker")
    broker = await start_broker(
        broker_choice(), topics=(), directory=directory, cache=places.maven_cache(), log=directory / "kafka.log"
    )
    yield broker
    await broker.stop()


def given_settings(broker: Broker, url: str) -> dict[str, str]:
    return {
        "APP_ENV": "testing",
        "DATABASE_URL": url,
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
        "JWT_ISSUER": "https://issuer.example",
        "JWT_AUDIENCE": "quittance",
        "JWKS_URL": "http://127.0.0.1:9/jwks.json",
    }


async def test_what_has_not_come_yet_is_named_and_waited_for(bare_broker: Broker, database_url: NewDatabase) -> None:
    ours = given_settings(bare_broker, await database_url())
    async with serving("catalog", given_settings=ours) as operator:
        before, now = await checks_of(operator), await run("catalog", "doctor", given_settings=ours)
        waiting = await started("catalog", "doctor", "--wait", given_settings=ours)

        assert (await run("catalog", "migrate", given_settings=ours)).status == 0
        between = await checks_of(operator)
        await create_topics(bare_broker.bootstrap, ALL_TOPICS)
        waited, after = await end_of(waiting), await _until_ready(operator)

    assert before[0] == 503
    assert LATE.items() <= before[1].items()
    assert (before[1]["database"], before[1]["broker"]) == ("ok", "ok")
    assert (now.status, "catalog: not ready: migrations, topics" in now.output) == (3, True), now.output
    assert (between[0], between[1]["migrations"], between[1]["topics"]) == (503, "ok", "failed")
    assert (waited.status, "catalog: nothing is wrong" in waited.output) == (0, True), waited.output
    assert after == 200


async def _until_ready(operator: httpx.AsyncClient) -> int:
    async with asyncio.timeout(60):
        while True:
            status, _ = await checks_of(operator)
            if status == 200:
                return status
            await asyncio.sleep(0.1)


def test_a_newer_revision_than_ours_is_no_reason_to_stop() -> None:
    """During a rollout the migrations run first, and what ran before goes on."""
    outdated = outdated_revisions(MIGRATIONS)

    assert "0001" in outdated
    assert len(outdated) == len(list((MIGRATIONS / "versions").glob("0*.py"))) - 1
    assert "9999" not in outdated
