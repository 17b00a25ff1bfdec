"""The silence alarm: what Stripe lists and the inbox has not is shown, and has a sweep started, once."""

import asyncio
import math
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

import pytest
from prometheus_client import REGISTRY

from chassis.process.health import Health
from chassis.process.process import background
from contracts import seal
from contracts.stripe_facts import StripeFact
from purchases.ledger.publish import refunded_cents
from purchases.ledger.transitions import Status
from purchases.reconcile import silence
from purchases.reconcile.silence import SilenceAlarm
from purchases.stripe_api.events import WATCHED, ListedEvent, newest_events
from tests.integration.purchases.harness import INSTANCE, PRICE, Harness
from webhook_gateway.stripe_events.normalisers import NORMALISERS


def alarm_of(harness: Harness, health: Health | None = None) -> SilenceAlarm:
    newest = partial(newest_events, harness.client)
    return SilenceAlarm(database=harness.database, instance=INSTANCE, newest=newest, health=health or Health())


def gauge(name: str = "billing_stripe_events_unapplied") -> float | None:
    return REGISTRY.get_sample_value(name)


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event of this moment counts as missing."""
    monkeypatch.setattr(silence, "GRACE", timedelta(0))


async def given_a_silent_refund(harness: Harness) -> None:
    """A purchase of which everything arrived, and a refund of the Dashboard of which nothing does."""
    purchase = await harness.given_a_purchase()
    await harness.deliver(*await harness.facts())
    charge = (await harness.control.objects(kind="charge"))["charge"][-1]["id"]
    await harness.control.refund_as_dashboard(charge=charge)
    assert (await harness.purchase(purchase.id)).status is Status.PAID


async def sweeps(harness: Harness) -> int:
    return len(await harness.jobs("sweep"))


def test_what_is_watched_is_what_the_gateway_handles_and_as_many_types_as_stripe_takes() -> None:
    assert set(WATCHED) <= set(NORMALISERS)
    assert len(WATCHED) <= 20


async def test_where_everything_arrived_nothing_is_missing_and_nothing_starts(harness: Harness, no_grace: None) -> None:
    await harness.given_a_purchase()
    await harness.deliver(*await harness.facts())
    health = Health()

    await alarm_of(harness, health).look()

    assert (gauge(), gauge("billing_stripe_events_unapplied_oldest_age_seconds")) == (0, 0)
    assert (await health.readiness())["webhooks"] == "ok"
    assert await sweeps(harness) == 0


async def test_what_did_not_arrive_is_a_gauge_and_a_detail_that_makes_nobody_unready_and_starts_one_sweep(
    harness: Harness, no_grace: None
) -> None:
    await given_a_silent_refund(harness)
    health = Health()
    alarm = alarm_of(harness, health)

    await alarm.look()
    first = (gauge(), await sweeps(harness), await health.readiness())
    await harness.settle_everything()
    done = [job["state"] for job in await harness.jobs("sweep")]
    await alarm.look()

    assert (first[0] or 0) > 0
    assert first[1] == 1
    assert (first[2]["webhooks"], health.decides("webhooks")) == ("failed", False)
    assert done == ["done"]
    assert [job["state"] for job in await harness.jobs("sweep")] == ["done"]


async def test_once_the_events_arrive_the_alarm_is_over(harness: Harness, no_grace: None) -> None:
    await given_a_silent_refund(harness)
    health = Health()
    alarm = alarm_of(harness, health)
    await alarm.look()

    await harness.deliver(*await harness.facts())
    await alarm.look()

    assert gauge() == 0
    assert (await health.readiness())["webhooks"] == "ok"


async def test_what_is_young_is_left_to_its_webhook(harness: Harness) -> None:
    await given_a_silent_refund(harness)

    await alarm_of(harness).look()

    assert gauge() == 0
    assert await sweeps(harness) == 0


async def test_what_newer_events_push_off_the_page_stays_missing(harness: Harness, no_grace: None) -> None:
    """Webhooks are back, and a busy hour follows: the lost ones are not forgotten."""
    await given_a_silent_refund(harness)
    listed = [event async for event in newest_events(harness.client, datetime.fromtimestamp(0).astimezone())]
    shown = listed

    async def newest(_: datetime) -> AsyncIterator[ListedEvent]:
        for event in shown:
            yield event

    alarm = SilenceAlarm(database=harness.database, instance=INSTANCE, newest=newest, health=Health())
    await alarm.look()
    missing = gauge()
    shown = []
    await alarm.look()

    assert (missing or 0) > 0
    assert gauge() == missing


async def test_while_stripe_does_not_answer_the_gauge_is_unknown_and_nothing_starts(harness: Harness) -> None:
    """Stripe away is no silence, and what was true before is not said to be true now."""
    alarm = alarm_of(harness)
    await alarm.look()
    before = gauge()
    await harness.control.fault("error_before", operation="events.list", times=None)
    try:
        async with background("silence-alarm", alarm.watch), asyncio.timeout(30):
            while not math.isnan(gauge() or 0):  # noqa: ASYNC110 - the loop says nothing else
                await asyncio.sleep(0.02)
    finally:
        await harness.control.reset_faults()

    assert before == 0
    assert await sweeps(harness) == 0


async def test_an_id_is_the_one_of_the_fact_that_the_gateway_makes(harness: Harness) -> None:
    await harness.given_a_purchase()
    facts = await harness.facts()

    assert facts
    for fact in facts:
        assert isinstance(fact, StripeFact)
        assert seal(fact, occurred_at=fact.occurred_at).id in set(silence.fact_ids_of(fact.stripe_event_id))


@pytest.mark.parametrize("silent", [timedelta(hours=1), timedelta(days=2, hours=23)], ids=["an hour", "three days"])
async def test_after_a_silence_the_alarm_starts_what_finds_the_money_and_the_list_ends_it(
    harness: Harness, silent: timedelta
) -> None:
    """Given webhooks that were dropped all the time: no purchase is known as paid, no refund of the Dashboard."""
    await harness.control.advance(seconds=-int(silent.total_seconds()))
    purchase = await harness.given_a_purchase()
    charge = (await harness.control.objects(kind="charge"))["charge"][-1]["id"]
    await harness.control.refund_as_dashboard(charge=charge)
    await harness.control.advance(seconds=int(silent.total_seconds()))
    alarm = alarm_of(harness)

    await alarm.look()
    missing, age = gauge(), gauge("billing_stripe_events_unapplied_oldest_age_seconds")
    await harness.settle_everything()
    found = await harness.purchase(purchase.id)
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()
    await alarm.look()

    assert (missing or 0) > 0
    assert silent.total_seconds() - 60 <= (age or 0) <= silent.total_seconds() + 60
    assert found.status is Status.REFUNDED
    assert gauge() == 0
    after = await harness.purchase(purchase.id)
    refunds = await harness.rows("select * from purchase_refunds")
    assert (after.status, refunded_cents(after), len(refunds)) == (Status.REFUNDED, PRICE, 1)
