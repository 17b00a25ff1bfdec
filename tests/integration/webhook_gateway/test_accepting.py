"""A signed event is durable in Kafka before Stripe hears yes; what is not ours is only counted."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.stripe_facts import InvoicePaid, UnrecognisedEvent
from tests.fixtures.stripe_events import BASIL, FILES, LEGACY
from tests.integration.webhook_gateway.conftest import Gateway, Start, new_event, published

ALL_FILES = sorted(file.name.removesuffix(".json") for file in FILES.glob("*.json"))


async def test_a_signed_event_lands_on_the_topic_with_its_headers(gateway: Gateway, kafka_bootstrap: str) -> None:
    event_id, body = new_event()

    answer = await gateway.post(body)
    [(envelope, fact, key)] = await published(kafka_bootstrap, event_id)

    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert isinstance(fact, InvoicePaid)
    assert (fact.id, "billing.stripe.invoice_paid.v1") == (envelope.id, envelope.type)
    assert ("/quittance/webhook-gateway", fact.invoice_id) == (envelope.source, envelope.subject)
    assert datetime.fromtimestamp(json.loads(body)["created"], UTC) == envelope.time
    assert key == b"cus_TRk7gFhYqK2m4N"


async def test_every_fixture_is_published_and_recognised(gateway: Gateway, kafka_bootstrap: str) -> None:
    events = [new_event(*name.rsplit(".", 1)) for name in ALL_FILES]

    answers = [await gateway.post(body) for _, body in events]
    records = await published(kafka_bootstrap, *[event_id for event_id, _ in events])

    assert {200} == {answer.status_code for answer in answers}
    assert len(events) == len(records)
    assert not [fact for _, fact, _ in records if isinstance(fact, UnrecognisedEvent)]


@pytest.mark.parametrize("path", ["/webhooks/stripe-billing", "/webhooks/stripe-billing/", "/billing/webhook/"])
async def test_the_alias_and_a_slash_behind_either_are_the_same_door(
    gateway: Gateway, kafka_bootstrap: str, path: str
) -> None:
    event_id, body = new_event()

    assert (await gateway.post(body, path=path)).status_code == 200
    assert (await gateway.client.post(path, content=body)).status_code == 403
    assert (await gateway.client.get(path)).status_code == 405
    assert len(await published(kafka_bootstrap, event_id)) == 1


async def test_twenty_replays_in_parallel_carry_one_id(gateway: Gateway, kafka_bootstrap: str) -> None:
    event_id, body = new_event()

    answers = await asyncio.gather(*[gateway.post(body) for _ in range(20)])
    records = await published(kafka_bootstrap, event_id)

    assert {200} == {answer.status_code for answer in answers}
    assert len(records) == 20
    assert len({envelope.id for envelope, _, _ in records}) == 1


async def test_nothing_is_lost_and_nothing_mixed_up_among_many(gateway: Gateway, kafka_bootstrap: str) -> None:
    events = [new_event(era=era) for era in (LEGACY, BASIL) for _ in range(150)]

    answers = await asyncio.gather(*[gateway.post(body) for _, body in events])
    records = await published(kafka_bootstrap, *[event_id for event_id, _ in events])

    assert {200} == {answer.status_code for answer in answers}
    assert sorted(event_id for event_id, _ in events) == sorted(fact.stripe_event_id for _, fact, _ in records)


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"type": "customer.tax_id.created"}, "unhandled"),
        ({"livemode": True}, "wrong-mode"),
        ({"object": "v2.core.event", "data": None}, "thin"),
        ({"id": "evt_00000000000000"}, "dashboard-test"),
    ],
)
async def test_what_is_not_for_us_is_counted_and_not_published(
    gateway: Gateway, kafka_bootstrap: str, change: dict[str, Any], outcome: str
) -> None:
    event_id, body = new_event(**change)

    assert (await gateway.post(body)).status_code == 200
    assert await published(kafka_bootstrap, event_id) == []
    assert f'outcome="{outcome}"' in await gateway.metrics()


async def test_thin_events_are_a_warning_that_says_what_to_do(start: Start) -> None:
    """They are answered 200 for ever, and would be missed in silence."""
    thin: dict[str, Any] = {
        "object": "v2.core.event",
        "type": "v2.core.account.updated",
        "created": "2026-03-04T10:30:03.000Z",
        "context": None,
        "data": None,
        "related_object": {"id": "acct_1", "type": "v2.core.account", "url": "/v2/core/accounts/acct_1"},
    }
    event_id, body = new_event(**thin)

    async with start() as gateway:
        answer = await gateway.post(body)
        log, metrics = gateway.log(), await gateway.metrics()

    assert answer.status_code == 200
    (line,) = [line for line in map(json.loads, log.splitlines()) if line.get("outcome") == "thin"]
    assert (line["level"], line["event_id"]) == ("warning", event_id)
    assert "snapshot" in line["remedy"]
    assert 'billing_webhooks_total{outcome="thin",type="v2.core.account.updated"} 1.0' in metrics


OTHERS = "acct_1OtherSQ2kLkdIwHu"
OURS = "acct_1OursSVq2kLkdIwHu7"


@pytest.mark.parametrize(
    "names",
    [{"account": OTHERS}, {"account": OTHERS, "context": OTHERS}, {"account": OURS}, {"account": 7}, {"account": ""}],
)
async def test_an_event_of_another_account_is_answered_and_never_published(
    gateway: Gateway, kafka_bootstrap: str, names: dict[str, Any]
) -> None:
    """Without STRIPE_ACCOUNT_ID every account that an event names is another one: ours name none."""
    event_id, body = new_event(**names)

    assert (await gateway.post(body)).status_code == 200
    assert await published(kafka_bootstrap, event_id) == []
    assert 'outcome="other-account"' in await gateway.metrics()


async def test_of_a_known_account_only_its_own_events_are_published(start: Start, kafka_bootstrap: str) -> None:
    foreign = [{"account": OTHERS}, {"context": OTHERS}, {"account": OURS, "context": OTHERS}, {"context": "org_1"}]
    own: list[dict[str, Any]] = [{}, {"account": None, "context": None}, {"context": OURS}]
    own += [{"account": OURS}, {"account": OURS, "context": OURS}]
    theirs = [new_event(**names) for names in foreign]
    ours = [new_event(**names) for names in own]

    async with start(STRIPE_ACCOUNT_ID=OURS) as gateway:
        answers = [await gateway.post(body) for _, body in (*theirs, *ours)]
        log = gateway.log()
    records = await published(kafka_bootstrap, *[event_id for event_id, _ in (*theirs, *ours)])

    assert {200} == {answer.status_code for answer in answers}
    assert [event_id for event_id, _ in ours] == [fact.stripe_event_id for _, fact, _ in records]
    [line] = [json.loads(one) for one in log.splitlines() if "other-account" in one]
    assert ("error", OTHERS, theirs[0][0]) == (line["level"], line["account"], line["event_id"])


async def test_a_context_that_is_not_configured_is_published_with_a_warning(start: Start, kafka_bootstrap: str) -> None:
    """An organization's endpoint names a context in each event, those of our own account too."""
    event_id, body = new_event(context=OTHERS)

    async with start() as gateway:
        assert (await gateway.post(body)).status_code == 200
        log = gateway.log()

    assert len(await published(kafka_bootstrap, event_id)) == 1
    [line] = [json.loads(one) for one in log.splitlines() if "event_of_unchecked_account" in one]
    assert ("warning", OTHERS, event_id) == (line["level"], line["account"], line["event_id"])


async def test_an_unknown_shape_is_published_raw(gateway: Gateway, kafka_bootstrap: str) -> None:
    event_id, body = new_event(data={"object": {"id": "in_1", "object": "invoice", "lines": "soon"}})

    assert (await gateway.post(body)).status_code == 200
    [(_, fact, _)] = await published(kafka_bootstrap, event_id)

    assert isinstance(fact, UnrecognisedEvent)
    assert body.decode() == fact.body


async def test_the_body_is_in_no_log(gateway: Gateway) -> None:
    _, body = new_event()
    await gateway.post(body, secret="whsec_wrong1")
    await gateway.post(body[:-40])

    assert "cus_TRk7gFhYqK2m4N" not in gateway.log()
    assert "whsec_" not in gateway.log()


async def test_operations_see_a_ready_and_live_process(gateway: Gateway) -> None:
    assert (await gateway.ops.get("/readyz")).status_code == 200
    assert (await gateway.ops.get("/livez")).status_code == 200
    assert "billing_webhook_secret_missing 0.0" in await gateway.metrics()


async def test_everything_else_is_the_frameworks(gateway: Gateway) -> None:
    assert (await gateway.client.get("/")).json() == {"service": "webhook-gateway"}
    assert (await gateway.client.get("/openapi.json")).status_code == 404  # it is protected, and nobody asked for it

    unknown = await gateway.client.get("/billing/webhooks")
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")
