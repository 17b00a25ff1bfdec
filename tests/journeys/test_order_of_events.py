"""Events come twice, late, early and out of order: what becomes of a purchase depends on the set of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sandbox.driver import TEAM, Scene, Shop
from tests.givens import given_a_pending_purchase
from tests.seen import captured

Json = dict[str, Any]


async def test_the_same_signed_event_twenty_times_at_once_is_one_transition_one_fact_one_mail(scene: Scene) -> None:
    shop, purchase = await given_a_pending_purchase(scene)
    await scene.settle()
    await scene.stripe.drop_webhooks()
    await scene.answer_bank(purchase["action_url"])
    (paid,) = await scene.events_about(shop, "invoice.paid")
    (succeeded,) = await scene.events_about(shop, "invoice.payment_succeeded")

    await asyncio.gather(*(scene.stripe.resend(event["id"], copies=20) for event in (paid, succeeded)))
    await scene.settle()

    record = await scene.record(purchase["id"])
    assert [line["to_status"] for line in record["history"]] == ["pending", "paid"]
    assert record["sequence"] == 2
    assert len(await scene.mails_about(shop, to=TEAM)) == 1


async def test_a_replay_of_everything_changes_nothing(scene: Scene) -> None:
    shop, addon = await scene.given_a_workspace(), await scene.given_an_addon()
    purchase = (await scene.buy(shop, addon)).json()
    await scene.deliver(purchase["id"])
    await scene.settle()
    before = await scene.record(purchase["id"])

    await scene.replay(shop, copies=5)

    assert await scene.record(purchase["id"]) == before


async def test_an_event_that_comes_before_the_request_stored_the_invoice_id_is_not_lost(scene: Scene) -> None:
    """Stripe's answer to the draft is late, and meanwhile somebody pays that very invoice."""
    shop, addon = await scene.given_a_workspace(), await scene.given_an_addon()
    await scene.stripe.fault("late", operation="invoices.create", seconds=4)
    buying = asyncio.create_task(scene.buy(shop, addon))
    draft = await scene.until(lambda: draft_of(scene, shop), "the draft is at Stripe")
    purchase_id = draft["metadata"]["purchase_id"]
    assert (await scene.record(purchase_id))["stripe_invoice_id"] is None

    await pay_at_stripe(scene, draft, addon)
    await scene.settle()

    record = await scene.record(purchase_id)
    assert not buying.done()
    assert (record["status"], record["stripe_invoice_id"]) == ("paid", draft["id"])
    answer = await buying
    assert (answer.status_code, answer.json()["id"], answer.json()["status"]) == (201, purchase_id, "paid")
    assert await captured(scene, shop) == (49_900, 1)


async def draft_of(scene: Scene, shop: Shop) -> Json | None:
    """The draft invoice of the workspace's customer."""
    invoices = (await scene.stripe.objects(kind="invoice")).get("invoice", [])
    return next((one for one in invoices if one["customer"] == shop.customer_id), None)


async def pay_at_stripe(scene: Scene, draft: Json, addon: Json) -> None:
    """What the buying request would do next, done without it."""
    item = {"customer": draft["customer"], "invoice": draft["id"], "amount": str(addon["price_cents"])}
    names = {f"metadata[{name}]": value for name, value in draft["metadata"].items()}
    await scene.at_stripe("/v1/invoiceitems", item | {"currency": "eur"} | names)
    await scene.at_stripe(f"/v1/invoices/{draft['id']}/finalize", {})
    await scene.at_stripe(f"/v1/invoices/{draft['id']}/pay", {})


async def test_a_payment_failed_event_that_comes_after_paid_is_stale(scene: Scene) -> None:
    """The card is declined behind the bank's page; that event is late, and the buyer has paid another way."""
    shop, addon = await scene.given_a_workspace(card="pm_card_threeDSecureRequired"), await scene.given_an_addon()
    purchase = (await scene.buy(shop, addon)).json()
    await scene.settle()
    await scene.stripe.hold_webhooks("invoice.payment_failed")
    method = (await scene.stripe.objects(kind="payment_method"))["payment_method"][-1]["id"]
    await scene.stripe.change_card(method, "threeDSecureRequiredChargeDeclined")
    await scene.answer_bank(purchase["action_url"])
    await scene.stripe.change_card(method, "visa")
    record = await scene.record(purchase["id"])
    await scene.at_stripe(f"/v1/invoices/{record['stripe_invoice_id']}/pay", {"payment_method": method})
    await scene.settle()
    paid = await scene.record(purchase["id"])
    assert paid["status"] == "paid"

    await scene.end_mishaps()
    await scene.settle()

    late = await scene.record(purchase["id"])
    stale = [line for line in late["history"] if line["stale"]]
    assert [(line["trigger"], line["to_status"]) for line in stale] == [("payment_failed", "paid")]
    assert late | {"history": 0} == paid | {"history": 0}
    assert len(await scene.mails_about(shop, to=TEAM)) == 1


@pytest.mark.unrecorded("events come in another order each time")
async def test_a_refund_that_comes_before_its_payment_waits_for_it_and_then_counts(scene: Scene) -> None:
    shop, purchase = await given_a_pending_purchase(scene)
    await scene.settle()
    await scene.stripe.hold_webhooks("invoice*")
    await scene.stripe.fault("error_before", operation="invoices.retrieve", times=None, stored=False)
    await scene.answer_bank(purchase["action_url"])
    await scene.refund(purchase)
    await scene.until(lambda: parked_about(scene, purchase), "the refund waits")
    assert (await scene.record(purchase["id"]))["status"] == "pending"

    await scene.end_mishaps()
    await scene.settle()

    record = await scene.record(purchase["id"])
    assert [line["to_status"] for line in record["history"]] == ["pending", "paid", "refunded"]
    assert record["refunded_at"]
    assert not await parked_about(scene, purchase)
    assert len(await scene.mails_to(shop.owner_email)) == 1


async def parked_about(scene: Scene, purchase: Json) -> list[Json]:
    """What is set aside until this purchase is paid."""
    query = "select id from parked where waits_for = $1 and resolved_at is null"
    return await scene.witness.rows("purchases", query, f"paid:{purchase['id']}")


async def test_a_refund_whose_payment_event_never_comes_is_settled_by_asking_stripe(scene: Scene) -> None:
    _, purchase = await given_a_pending_purchase(scene)
    await scene.settle()
    await scene.stripe.drop_webhooks("invoice*")
    await scene.answer_bank(purchase["action_url"])

    await scene.refund(purchase)
    await scene.settle()

    record = await scene.record(purchase["id"])
    assert [line["to_status"] for line in record["history"]] == ["pending", "paid", "refunded"]


async def a_life(scene: Scene, *, mishap: bool) -> Json:
    """Bought through the bank, refunded in two parts; what the row says in the end, without ids and times."""
    if mishap:
        await scene.stripe.duplicate_webhooks(copies=3)
        await scene.stripe.reorder_webhooks(seconds=0.3)
    shop, purchase = await given_a_pending_purchase(scene)
    await scene.answer_bank(purchase["action_url"])
    await scene.refund(purchase, amount=19_900)
    await scene.refund(purchase, amount=30_000)
    await scene.settle()
    record = await scene.record(purchase["id"])
    kept = ("status", "payable", "paid_cents", "refunded_cents", "failure_code", "action_url")
    refunds = sorted((one["refund_cents"], one["kind"], one["status"]) for one in record["refunds"])
    moves = [line["to_status"] for line in record["history"] if not line["stale"]]
    letters = sorted(mail["Subject"].split(" for ")[0] for mail in await scene.mails_to(shop.owner_email))
    return {name: record[name] for name in kept} | {"refunds": refunds, "moves": moves, "letters": letters}


@pytest.mark.unrecorded("events come in another order each time")
async def test_doubled_and_reordered_webhooks_give_the_same_rows_as_in_order(scene: Scene) -> None:
    assert await a_life(scene, mishap=False) == await a_life(scene, mishap=True)


@asynccontextmanager
async def endpoint_renders(scene: Scene, version: str) -> AsyncIterator[None]:
    """Webhooks have the shape of another API version inside the block."""
    (endpoint,) = (await scene.stripe.objects(kind="webhook_endpoint"))["webhook_endpoint"]
    await scene.stripe.change_endpoint(endpoint["id"], api_version=version)
    try:
        yield
    finally:
        await scene.stripe.change_endpoint(endpoint["id"], api_version=endpoint["api_version"])


@pytest.mark.unrecorded("it compares two lives itself, and their refunds are heard of in any order")
@pytest.mark.parametrize("version", ["2020-08-27", "2022-11-15", "2024-06-20"])
async def test_events_of_an_older_api_version_give_the_same_rows(scene: Scene, version: str) -> None:
    today = await a_life(scene, mishap=False)
    async with endpoint_renders(scene, version):
        assert today == await a_life(scene, mishap=False)
