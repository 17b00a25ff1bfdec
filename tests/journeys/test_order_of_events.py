"""Events come twice, late, early and out of order: what becomes of a purchase depends on the set of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sandbox.driver import TEAM, Driver
from sandbox.shop import Shop
from tests.givens import given_a_pending_purchase
from tests.seen import captured

Json = dict[str, Any]


async def test_the_same_signed_event_twenty_times_at_once_is_one_transition_one_fact_one_mail(driver: Driver) -> None:
    shop, purchase = await given_a_pending_purchase(driver)
    await driver.settle()
    await driver.stripe.drop_webhooks()
    await driver.answer_bank(purchase["action_url"])
    (paid,) = await driver.events_about(shop, "invoice.paid")
    (succeeded,) = await driver.events_about(shop, "invoice.payment_succeeded")

    await asyncio.gather(*(driver.stripe.resend(event["id"], copies=20) for event in (paid, succeeded)))
    await driver.settle()

    record = await driver.record(purchase["id"])
    assert [line["to_status"] for line in record["history"]] == ["pending", "paid"]
    assert record["sequence"] == 2
    assert len(await driver.mails_about(shop, to=TEAM)) == 1


async def test_a_replay_of_everything_changes_nothing(driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    purchase = (await driver.buy(shop, addon)).json()
    await driver.deliver(purchase["id"])
    await driver.settle()
    before = await driver.record(purchase["id"])

    await driver.replay(shop, copies=5)

    assert await driver.record(purchase["id"]) == before


async def test_an_event_that_comes_before_the_request_stored_the_invoice_id_is_not_lost(driver: Driver) -> None:
    """Stripe's answer to the draft is late, and meanwhile somebody pays that very invoice."""
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    await driver.stripe.fault("late", operation="invoices.create", seconds=4)
    buying = asyncio.create_task(driver.buy(shop, addon))
    draft = await driver.until(lambda: draft_of(driver, shop), "the draft is at Stripe")
    purchase_id = draft["metadata"]["purchase_id"]
    assert (await driver.record(purchase_id))["stripe_invoice_id"] is None

    await pay_at_stripe(driver, draft, addon)
    await driver.settle()

    record = await driver.record(purchase_id)
    assert not buying.done()
    assert (record["status"], record["stripe_invoice_id"]) == ("paid", draft["id"])
    answer = await buying
    assert (answer.status_code, answer.json()["id"], answer.json()["status"]) == (201, purchase_id, "paid")
    assert await captured(driver, shop) == (49_900, 1)


async def draft_of(driver: Driver, shop: Shop) -> Json | None:
    """The draft invoice of the workspace's customer."""
    invoices = (await driver.stripe.objects(kind="invoice")).get("invoice", [])
    return next((one for one in invoices if one["customer"] == shop.customer_id), None)


async def pay_at_stripe(driver: Driver, draft: Json, addon: Json) -> None:
    """What the buying request would do next, done without it."""
    item = {"customer": draft["customer"], "invoice": draft["id"], "amount": str(addon["price_cents"])}
    names = {f"metadata[{name}]": value for name, value in draft["metadata"].items()}
    await driver.at_stripe("/v1/invoiceitems", item | {"currency": "eur"} | names)
    await driver.at_stripe(f"/v1/invoices/{draft['id']}/finalize", {})
    await driver.at_stripe(f"/v1/invoices/{draft['id']}/pay", {})


async def test_a_payment_failed_event_that_comes_after_paid_is_stale(driver: Driver) -> None:
    """The card is declined behind the bank's page; that event is late, and the buyer has paid another way."""
    shop, addon = await driver.given_a_workspace(card="pm_card_threeDSecureRequired"), await driver.given_an_addon()
    purchase = (await driver.buy(shop, addon)).json()
    await driver.settle()
    await driver.stripe.hold_webhooks("invoice.payment_failed")
    method = (await driver.stripe.objects(kind="payment_method"))["payment_method"][-1]["id"]
    await driver.stripe.change_card(method, "threeDSecureRequiredChargeDeclined")
    await driver.answer_bank(purchase["action_url"])
    await driver.stripe.change_card(method, "visa")
    record = await driver.record(purchase["id"])
    await driver.at_stripe(f"/v1/invoices/{record['stripe_invoice_id']}/pay", {"payment_method": method})
    await driver.settle()
    # Its charge is learned with an event of its own, or with the late one: whichever comes first.
    learned_later = {"history": 0, "stripe_charge_id": 0, "payments": 0}
    paid = await driver.record(purchase["id"])
    assert paid["status"] == "paid"

    await driver.end_mishaps()
    await driver.settle()

    late = await driver.record(purchase["id"])
    stale = [line for line in late["history"] if line["stale"]]
    assert [(line["trigger"], line["to_status"]) for line in stale] == [("payment_failed", "paid")]
    assert late | learned_later == paid | learned_later
    assert len(await driver.mails_about(shop, to=TEAM)) == 1


@pytest.mark.unrecorded("events come in another order each time")
async def test_a_refund_that_comes_before_its_payment_waits_for_it_and_then_counts(driver: Driver) -> None:
    shop, purchase = await given_a_pending_purchase(driver)
    await driver.settle()
    await driver.stripe.hold_webhooks("invoice*")
    await driver.stripe.fault("error_before", operation="invoices.retrieve", times=None, stored=False)
    await driver.answer_bank(purchase["action_url"])
    await driver.refund(purchase)
    await driver.until(lambda: parked_about(driver, purchase), "the refund waits")
    assert (await driver.record(purchase["id"]))["status"] == "pending"

    await driver.end_mishaps()
    await driver.settle()

    record = await driver.record(purchase["id"])
    assert [line["to_status"] for line in record["history"]] == ["pending", "paid", "refunded"]
    assert record["refunded_at"]
    assert not await parked_about(driver, purchase)
    assert len(await driver.mails_to(shop.owner_email)) == 1


async def parked_about(driver: Driver, purchase: Json) -> list[Json]:
    """What is set aside until this purchase is paid."""
    query = "select id from parked where waits_for = $1 and resolved_at is null"
    return await driver.inspector.rows("purchases", query, f"paid:{purchase['id']}")


async def test_a_refund_whose_payment_event_never_comes_is_settled_by_asking_stripe(driver: Driver) -> None:
    _, purchase = await given_a_pending_purchase(driver)
    await driver.settle()
    await driver.stripe.drop_webhooks("invoice*")
    await driver.answer_bank(purchase["action_url"])

    await driver.refund(purchase)
    await driver.settle()

    record = await driver.record(purchase["id"])
    assert [line["to_status"] for line in record["history"]] == ["pending", "paid", "refunded"]


async def a_life(driver: Driver, *, mishap: bool) -> Json:
    """Bought through the bank, refunded in two parts; what the row says in the end, without ids and times."""
    if mishap:
        await driver.stripe.duplicate_webhooks(copies=3)
        await driver.stripe.reorder_webhooks(seconds=0.3)
    shop, purchase = await given_a_pending_purchase(driver)
    await driver.answer_bank(purchase["action_url"])
    await driver.refund(purchase, amount=19_900)
    await driver.refund(purchase, amount=30_000)
    await driver.settle()
    record = await driver.record(purchase["id"])
    kept = ("status", "payable", "paid_cents", "refunded_cents", "failure_code", "action_url")
    refunds = sorted((one["refund_cents"], one["kind"], one["status"]) for one in record["refunds"])
    moves = [line["to_status"] for line in record["history"] if not line["stale"]]
    letters = sorted(mail["Subject"].split(" for ")[0] for mail in await driver.mails_to(shop.owner_email))
    return {name: record[name] for name in kept} | {"refunds": refunds, "moves": moves, "letters": letters}


@pytest.mark.unrecorded("events come in another order each time")
async def test_doubled_and_reordered_webhooks_give_the_same_rows_as_in_order(driver: Driver) -> None:
    assert await a_life(driver, mishap=False) == await a_life(driver, mishap=True)


@asynccontextmanager
async def endpoint_renders(driver: Driver, version: str) -> AsyncIterator[None]:
    """Webhooks have the shape of another API version inside the block."""
    (endpoint,) = (await driver.stripe.objects(kind="webhook_endpoint"))["webhook_endpoint"]
    await driver.stripe.change_endpoint(endpoint["id"], api_version=version)
    try:
        yield
    finally:
        await driver.stripe.change_endpoint(endpoint["id"], api_version=endpoint["api_version"])


@pytest.mark.unrecorded("it compares two lives itself, and their refunds are heard of in any order")
@pytest.mark.parametrize("version", ["2020-08-27", "2022-11-15", "2024-06-20"])
async def test_events_of_an_older_api_version_give_the_same_rows(driver: Driver, version: str) -> None:
    today = await a_life(driver, mishap=False)
    async with endpoint_renders(driver, version):
        assert today == await a_life(driver, mishap=False)
