"""Kafka gone and back, the gateway killed at its worst moments: what Stripe was answered holds, and nothing is lost."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from contracts.topics import ALL_TOPICS
from sandbox import places
from sandbox.brokers import Broker, broker_choice, start_broker
from tests.integration.webhook_gateway.conftest import SECRET, Gateway, Start, new_event, published, running_gateway


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """Provide a broker of our own, which may be taken down."""
    directory = tmp_path_factory.mktemp("broker")
    broker = await start_broker(
        broker_choice(),
        topics=ALL_TOPICS,
        directory=directory,
        cache=places.maven_cache(),
        log=directory / "kafka.log",
    )
    yield broker
    await broker.stop()


async def accepted(gateway: Gateway, body: bytes) -> bool:
    return (await gateway.post(body)).status_code == 200


async def test_while_kafka_is_gone_stripe_is_answered_503_and_then_nothing_is_lost(
    broker: Broker, tmp_path: Path
) -> None:
    settings = {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap, "STRIPE_WEBHOOK_SECRETS": SECRET}
    async with running_gateway(tmp_path, **settings) as gateway:
        before, body_before = new_event()
        await gateway.process.until(lambda: accepted(gateway, body_before), within=20)

        await broker.take_down()
        during = [new_event() for _ in range(20)]
        started = time.monotonic()
        refused = await asyncio.gather(*[gateway.post(body) for _, body in during])
        took = time.monotonic() - started
        readiness = (await gateway.ops.get("/readyz")).status_code
        liveness = (await gateway.ops.get("/livez")).status_code

        await broker.bring_back()
        _, body_back = new_event()
        await gateway.process.until(lambda: accepted(gateway, body_back), within=30)
        again = await asyncio.gather(*[gateway.post(body) for _, body in during])
        records = await published(broker.bootstrap, before, *[event_id for event_id, _ in during])

    assert {503} == {answer.status_code for answer in refused}
    assert {"10"} == {answer.headers["retry-after"] for answer in refused}
    assert took < 8
    assert (readiness, liveness) == (503, 200)
    assert {200} == {answer.status_code for answer in again}
    assert {before, *[event_id for event_id, _ in during]} == {fact.stripe_event_id for _, fact, _ in records}
    assert len({envelope.id for envelope, _, _ in records}) == 21


async def test_a_gateway_that_starts_before_kafka_answers_503_until_it_is_there(broker: Broker, tmp_path: Path) -> None:
    await broker.take_down()
    settings = {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap, "STRIPE_WEBHOOK_SECRETS": SECRET}
    async with running_gateway(tmp_path, **settings) as gateway:
        _, body = new_event()
        early = await gateway.post(body)
        await broker.bring_back()
        await gateway.process.until(lambda: accepted(gateway, body), within=30)

    assert early.status_code == 503


async def test_a_gateway_stops_in_bounded_time_while_kafka_is_gone(broker: Broker, tmp_path: Path) -> None:
    settings = {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap, "STRIPE_WEBHOOK_SECRETS": SECRET}
    async with running_gateway(tmp_path, **settings) as gateway:
        _, body = new_event()
        await gateway.process.until(lambda: accepted(gateway, body), within=20)
        await broker.take_down()
        await gateway.post(body)
        started = time.monotonic()
        await gateway.process.stop(grace=20)
        took = time.monotonic() - started
    await broker.bring_back()

    assert took < 15
    assert gateway.process.exit_code == 0


@pytest.mark.parametrize("point", ["gateway.before-ack", "gateway.after-ack"])
async def test_killed_around_the_acknowledgement_it_has_promised_nothing(
    start: Start, kafka_bootstrap: str, point: str
) -> None:
    """Stripe got no answer and sends the event again: at least one record, one id."""
    event_id, body = new_event()
    async with start(APP_ENV="testing", KILL_AT=point) as gateway:
        with pytest.raises(httpx.TransportError):
            await gateway.post(body)
        await gateway.process.wait(within=5)
        assert gateway.process.exit_code == -9
    async with start() as gateway:
        assert (await gateway.post(body)).status_code == 200

    records = await published(kafka_bootstrap, event_id)
    assert len(records) >= (2 if point == "gateway.after-ack" else 1)
    assert len({envelope.id for envelope, _, _ in records}) == 1


@pytest.mark.parametrize("environment", [None, ""])
async def test_a_deployment_that_says_nothing_of_itself_has_no_kill_points(
    start: Start, environment: str | None
) -> None:
    async with start(APP_ENV=environment, KILL_AT="gateway.before-ack") as gateway:
        _, body = new_event()

        assert (await gateway.post(body)).status_code == 200
        assert gateway.process.running
