"""A ledger that is a copy of before gets back what Kafka and Stripe know of it, and only then sells again."""

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from chassis.kafka.kafka import Producer
from chassis.problems import Problem
from chassis.process.settings import ServiceSettings
from chassis.recovery import epochs
from contracts import AddonState, seal
from contracts.topics import ADDON_STATE, PURCHASE_EVENTS, PURCHASE_STATE
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status, Trigger
from purchases.main import MIGRATIONS
from sandbox.stripe.control import StripeControl
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.restorable import (
    Restorable,
    given_paid,
    restored,
    shape,
    when_cancelled,
    when_moved,
    when_refunded,
)
from tests.stack.postgres import NewDatabase, Template


@pytest.fixture
async def service(
    database_url: NewDatabase,
    template: Template,
    kafka_bootstrap: str,
    client: stripe.StripeClient,
    control: StripeControl,
) -> AsyncIterator[Restorable]:
    await control.reset()
    settings = ServiceSettings(app_env="testing", kafka_bootstrap_servers=kafka_bootstrap)
    async with AsyncExitStack() as stack:
        open_on = lambda database: Harness(database=database, client=client, control=control)  # noqa: E731
        yield Restorable(stack, database_url, settings, open_on)


@pytest.fixture
async def lost(service: Restorable, database_url: NewDatabase, template: Template) -> Harness:
    harness = await service.opened(await database_url(like=await template(MIGRATIONS)))
    await harness.given_an_addon()
    await service.relay(harness)
    return harness


async def test_nothing_is_sold_until_the_ledger_was_read_back(service: Restorable, lost: Harness) -> None:
    backup = await service.copy(lost)
    await given_paid(lost)
    await service.relay(lost)

    copy = await restored(service, backup)
    order = copy.order(await copy.given_a_workspace())
    with pytest.raises(Problem) as refused:
        await copy.buy(order)
    assert (refused.value.status, refused.value.slug, refused.value.retry_after) == (503, "recovering", 30)

    assert await service.read_back(copy)
    assert (await copy.buy(order)).purchase.status is Status.PAID


async def test_what_staff_did_and_why_comes_back(service: Restorable, lost: Harness) -> None:
    """Deliveries, cancellations with and without a refund, refunds under their own ids, and who gave which reason."""
    delivered, cancelled, returned, refunded, reopened = [await given_paid(lost) for _ in range(5)]
    await service.relay(lost)
    backup = await service.copy(lost)
    await when_moved(lost, delivered, Trigger.DELIVERED, "done")
    await when_cancelled(lost, cancelled)
    await when_cancelled(lost, returned, refund=True)
    await when_refunded(lost, refunded, 100)
    await when_moved(lost, reopened, Trigger.DELIVERED, "done")
    await when_moved(lost, reopened, Trigger.REOPENED, "again")
    await lost.settle_everything()
    await service.relay(lost)
    known = (delivered, cancelled, returned, refunded, reopened)
    before, sent = [await shape(lost, one) for one in known], len(await lost.refunds_at_stripe())

    copy = await restored(service, backup)
    await service.read_back(copy)
    await copy.settle_everything()

    assert [await shape(copy, one) for one in known] == before
    assert len(await copy.refunds_at_stripe()) == sent


async def test_a_purchase_that_is_gone_comes_back_under_its_own_id(service: Restorable, lost: Harness) -> None:
    """With its workspace, its payment, what was done to it, and in its place: it cannot be bought again."""
    backup = await service.copy(lost)
    paid, delivered, refunded = [await given_paid(lost) for _ in range(3)]
    await when_moved(lost, delivered, Trigger.DELIVERED, "done")
    await when_refunded(lost, refunded, refunded.price_cents)
    await lost.settle_everything()
    await service.relay(lost)
    known = (paid, delivered, refunded)
    before = [await shape(lost, one) for one in known]

    copy = await restored(service, backup)
    await service.read_back(copy)
    await copy.settle_everything()

    assert [await shape(copy, one) for one in known] == before
    await copy.register(paid.workspace_id)
    with pytest.raises(Problem) as refused:
        await copy.buy(copy.order(paid.workspace_id))
    assert refused.value.slug == "already-purchased"


async def test_a_place_that_changed_hands_is_held_by_the_last(service: Restorable, lost: Harness) -> None:
    """What freed it, and what took it, is repeated in the order in which it happened."""
    first = await given_paid(lost)
    await service.relay(lost)
    backup = await service.copy(lost)
    await when_refunded(lost, first, first.price_cents)
    second = (await lost.buy(lost.order(first.workspace_id))).purchase
    await service.relay(lost)
    before = [await shape(lost, one) for one in (first, second)]

    copy = await restored(service, backup)
    await service.read_back(copy)
    await copy.settle_everything()

    assert [await shape(copy, one) for one in (first, second)] == before


async def test_states_are_announced_anew_above_every_number(service: Restorable, lost: Harness) -> None:
    """A reader that drops what is older than what it has ends with what the ledger says; no id has two bodies."""
    purchase = await given_paid(lost)
    await service.relay(lost)
    backup = await service.copy(lost)
    # As after an earlier restore: numbers may leap, so that repeating what happened does not reach them.
    await lost.execute("update workspace_addon_purchases set sequence = sequence + 50")
    await when_moved(lost, purchase, Trigger.DELIVERED, "done")
    await service.relay(lost)
    was = max(body["sequence"] for _, body in await service.on_topic(PURCHASE_STATE.name) if is_of(body, purchase))

    copy = await restored(service, backup)
    await service.read_back(copy)
    await service.relay(copy)

    states = [body for _, body in await service.on_topic(PURCHASE_STATE.name) if is_of(body, purchase)]
    last = max(states, key=lambda body: body["sequence"])
    assert last == states[-1]
    assert (last["status"], last["sequence"]) == ("delivered", (await copy.purchase(purchase.id)).sequence)
    assert last["sequence"] > was
    bodies: dict[uuid.UUID, set[str]] = {}
    for envelope, body in [*await service.on_topic(PURCHASE_STATE.name), *await service.on_topic(PURCHASE_EVENTS.name)]:
        bodies.setdefault(envelope.id, set()).add(json.dumps(body, sort_keys=True))
    assert {len(of_one_id) for of_one_id in bodies.values()} == {1}


async def test_the_catalogs_newest_state_is_taken_again(service: Restorable, lost: Harness) -> None:
    """It was taken off Kafka by the database that is gone, and the consumer's place there is behind it."""
    [addon_id] = lost.addons.values()
    backup = await service.copy(lost)
    raised = AddonState(
        addon_id=addon_id,
        sequence=2,
        occurred_at=datetime.now(UTC),
        slug="setup",
        name="Professional AI Setup",
        price_cents=60_000,
        currency="EUR",
        is_active=True,
        sort_order=0,
    )
    headers = seal(raised, occurred_at=raised.occurred_at).to_headers()
    async with Producer(service.settings) as producer:
        await producer.wait_connected()
        value = raised.model_dump_json().encode()
        await producer.produce(topic=ADDON_STATE.name, key=raised.key, headers=headers, value=value)
    await given_paid(lost)
    await service.relay(lost)

    copy = await restored(service, backup)
    await service.read_back(copy)

    order = copy.order(await copy.given_a_workspace(), expected_price_cents=60_000)
    assert (await copy.buy(order)).purchase.price_cents == 60_000


async def test_a_reading_that_was_cut_off_is_repeated_from_the_start(
    service: Restorable, lost: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sold meanwhile, and nothing is done twice."""
    purchase, gone = await given_paid(lost), None
    await service.relay(lost)
    backup = await service.copy(lost)
    await when_moved(lost, purchase, Trigger.DELIVERED, "done")
    gone = await given_paid(lost)
    await service.relay(lost)
    before = [await shape(lost, one) for one in (purchase, gone)]
    copy = await restored(service, backup)

    with monkeypatch.context() as patch:
        patch.setattr("purchases.restored.read_back.reconcile_subscriptions", _away)
        with pytest.raises(OSError, match="away"):
            await service.read_back(copy)
    async with copy.database.reading() as session:
        assert await epochs.is_recovering(session)
    await service.read_back(copy)
    await copy.settle_everything()

    assert [await shape(copy, one) for one in (purchase, gone)] == before


async def _away(_: object) -> int:
    raise OSError("away")


def is_of(body: dict[str, Any], purchase: Purchase) -> bool:
    return bool(body["purchase_id"] == str(purchase.id))
