"""Every change is one row, one fact in the outbox and, with the relay, one record on Kafka: all three say the same."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from catalog.tables import Addon
from chassis.outbox.relay import Relay
from chassis.process.health import Health
from chassis.process.settings import ServiceSettings
from contracts import AddonState, Envelope, read
from contracts.topics import ADDON_STATE
from tests.integration.catalog.conftest import Catalog


@pytest.fixture
async def relayed(catalog: Catalog, kafka_bootstrap: str) -> AsyncIterator[Catalog]:
    """Provide the catalog with its relay."""
    settings = ServiceSettings(app_env="testing", kafka_bootstrap_servers=kafka_bootstrap)
    async with Relay(database=catalog.database, settings=settings, health=Health()).running():
        yield catalog


async def records_of(addon_id: str, *, count: int, bootstrap: str) -> list[Any]:
    """Return the first `count` records of one add-on, as any subscriber that starts from nothing gets them."""
    found: list[Any] = []
    consumer = AIOKafkaConsumer(ADDON_STATE.name, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    async with asyncio.timeout(30), consumer:
        async for record in consumer:
            if record.key == addon_id.encode():
                found.append(record)
            if len(found) == count:
                break
    return found


def stated(row: Any) -> dict[str, Any]:
    """Return the fact that a row of plan_addons should be published as."""
    columns = {column.name: getattr(row, column.name) for column in Addon.__table__.columns}
    del columns["created_at"]
    renamed = {"addon_id": columns.pop("id"), "occurred_at": columns.pop("updated_at")}
    return columns | renamed | {"bullets": tuple(columns["bullets"] or ())}


async def test_the_row_and_the_waiting_fact_agree(catalog: Catalog) -> None:
    await catalog.given_an_addon(description="What it is", bullets=["one", "two"], is_active=True, sort_order=7)

    [row], [waiting] = await catalog.rows(), await catalog.outbox()

    assert stated(row) == AddonState.model_validate_json(waiting.payload).model_dump()
    assert (ADDON_STATE.name, str(row.id)) == (waiting.topic, waiting.key)


async def test_each_change_is_one_fact_with_the_next_sequence(catalog: Catalog) -> None:
    addon = await catalog.given_an_addon()
    edited = (await catalog.edit(addon, {"price": "599.00"})).json()
    await catalog.edit(edited, {"is_active": True})
    await catalog.withdraw(edited | {"sequence": 3})

    published = [json.loads(waiting.payload) for waiting in await catalog.outbox()]

    assert [fact["sequence"] for fact in published] == [1, 2, 3, 4]
    assert [(fact["price_cents"], fact["is_active"]) for fact in published] == [
        (49900, False),
        (59900, False),
        (59900, True),
        (59900, False),
    ]
    assert stated((await catalog.rows())[0]) == AddonState.model_validate(published[-1]).model_dump()


async def test_an_edit_that_fails_tells_nothing(catalog: Catalog) -> None:
    addon = await catalog.given_an_addon()

    await catalog.edit(addon, {"name": "Changed", "price": "0.01"})

    assert len(await catalog.outbox()) == 1


async def test_on_kafka_the_facts_are_those_of_the_rows_in_order(relayed: Catalog, kafka_bootstrap: str) -> None:
    addon = await relayed.given_an_addon(name="Onboarding", bullets=["one"])
    edited = (await relayed.edit(addon, {"price": "599.00", "is_active": True})).json()
    await relayed.withdraw(edited)

    records = await records_of(addon["id"], count=3, bootstrap=kafka_bootstrap)

    facts = [read(type=AddonState.TYPE, value=record.value) for record in records]
    assert [fact.model_dump()["sequence"] for fact in facts] == [1, 2, 3]
    assert stated((await relayed.rows())[0]) == facts[-1].model_dump()
    envelopes = [Envelope.from_headers(record.headers) for record in records]
    assert [fact.id for fact in facts] == [envelope.id for envelope in envelopes]
    assert {("/quittance/catalog", AddonState.TYPE, addon["id"])} == {
        (envelope.source, envelope.type, envelope.subject) for envelope in envelopes
    }
    assert envelopes[-1].time == facts[-1].model_dump()["occurred_at"]
    assert len({record.partition for record in records}) == 1


async def test_what_kafka_has_leaves_the_outbox(relayed: Catalog, kafka_bootstrap: str) -> None:
    addon = await relayed.given_an_addon()
    await records_of(addon["id"], count=1, bootstrap=kafka_bootstrap)

    async with asyncio.timeout(5):
        while await relayed.outbox():  # noqa: ASYNC110 - the relay tells nobody that it deleted a row
            await asyncio.sleep(0.01)
