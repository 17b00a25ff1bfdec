"""What is parked is seen by staff with what it waits for, and ends because somebody said so, or was tried again."""

import base64
import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from contracts.purchase_facts import MoneyBackParked, PurchasePaid
from contracts.stripe_facts import InvoicePaid, InvoicePaymentLinked, InvoiceVoided, RefundChanged, StripeFact
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.bundles import given_a_bundle, invoice_of
from tests.integration.purchases.harness import Harness

Json = dict[str, Any]
PARKED = "/v1/admin/parked"
REASON = "Settled by hand <b>& noted</b>"
PARK_COMMAND = "update stripe_commands set state = 'parked', ended_at = now(), last_error = 'no such invoice'"


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


async def listed(staff: httpx.AsyncClient, **query: str) -> list[Json]:
    answer = await staff.get(PARKED, params=query)
    assert answer.status_code == 200, answer.text
    items: list[Json] = answer.json()["items"]
    return items


async def delivered_in_the_wrong_order(harness: Harness) -> tuple[Purchase, Sequence[StripeFact]]:
    """Deliver a refund's facts first; the facts of the payment are still to come."""
    purchase = await harness.given_a_purchase()
    await harness.control.refund_as_dashboard(invoice=str(purchase.stripe_invoice_id), amount=100)
    facts = await harness.facts()
    await harness.put(purchase, Status.PENDING, knows_invoice=True)
    await harness.deliver(*[fact for fact in facts if isinstance(fact, RefundChanged)][:1])
    return purchase, [fact for fact in facts if isinstance(fact, InvoicePaid | InvoicePaymentLinked)]


async def given_one_of_each(harness: Harness) -> Purchase:
    """A fact that waits, a command that Stripe refused for good, and a payment with another amount."""
    purchase, facts = await delivered_in_the_wrong_order(harness)
    paid = next(fact for fact in facts if isinstance(fact, InvoicePaid))
    odd = paid.model_copy(update={"lines": tuple(line.model_copy(update={"amount": 1}) for line in paid.lines)})
    await harness.deliver(odd)
    await harness.execute("delete from parked where type = :type", type=InvoicePaid.TYPE)
    await harness.execute("delete from stripe_commands")
    await harness.execute(
        "insert into stripe_commands (kind, key, subject, arguments, state, version, due_at, attempts)"
        " values ('void', 'void:x', :id, '{}', 'open', 1, now(), 3)",
        id=str(purchase.id),
    )
    await harness.execute(PARK_COMMAND)
    return purchase


async def ids_by_kind(staff: httpx.AsyncClient) -> dict[str, str]:
    return {item["kind"]: item["id"] for item in await listed(staff)}


async def test_a_fact_is_shown_with_what_it_says_and_waits_for(harness: Harness, staff: httpx.AsyncClient) -> None:
    await delivered_in_the_wrong_order(harness)

    (item,) = await listed(staff)

    assert (item["kind"], item["about"]) == ("fact", RefundChanged.TYPE)
    assert item["payload"]["refund"]["amount"] == 100
    assert item["waits_for"]
    assert item["reason"]
    assert [item] == await listed(staff, state="open")
    assert await listed(staff, state="resolved") == []


async def test_a_fact_that_waits_for_a_purchases_id_is_shown_with_the_purchase(
    harness: Harness, staff: httpx.AsyncClient
) -> None:
    purchase, _ = await delivered_in_the_wrong_order(harness)
    await harness.execute(
        "update workspace_addon_purchases set stripe_payment_intent_id = (select waits_for from parked) where id = :id",
        id=purchase.id,
    )

    shown = (await staff.get(f"/v1/admin/purchases/{purchase.id}")).json()

    assert shown["parked"] == await listed(staff)


async def test_a_refund_in_part_of_a_bundle_is_shown_with_each_purchase(
    harness: Harness, staff: httpx.AsyncClient
) -> None:
    """It waits for staff to say whose it is: it may be of either."""
    bundle = await given_a_bundle(harness)
    refund = await harness.control.refund_as_dashboard(invoice=await invoice_of(harness), amount=700)
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    await harness.retry_parked()
    await harness.settle_everything()

    shown = [(await staff.get(f"/v1/admin/purchases/{one.id}")).json()["parked"] for one in bundle]

    assert [[item["payload"]["refund"]["refund_id"] for item in items] for items in shown] == [[refund["id"]]] * 2
    (published,) = await harness.published(kind=MoneyBackParked)
    assert (published["stripe_refund_id"], published["money_back_cents"]) == (refund["id"], 700)


async def test_a_fact_that_fails_every_time_is_shown_with_its_purchase(
    harness: Harness, staff: httpx.AsyncClient
) -> None:
    """It named its purchase, and was on the page of none."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.client.v1.invoices.void_invoice_async(str(purchase.stripe_invoice_id))
    voided = next(fact for fact in await harness.facts() if isinstance(fact, InvoiceVoided))

    await harness.deliver(voided.model_copy(update={"stripe_event_id": "evt_\x00"}))

    shown = (await staff.get(f"/v1/admin/purchases/{purchase.id}")).json()
    assert [item["about"] for item in shown["parked"]] == [InvoiceVoided.TYPE]


async def test_a_fact_is_tried_again_when_staff_say_so(harness: Harness, staff: httpx.AsyncClient) -> None:
    """It was parked for a reason that is gone, and waits for nothing that would tell."""
    purchase, paid = await delivered_in_the_wrong_order(harness)
    await harness.deliver(*paid)
    await harness.execute(
        "update parked set resolved_at = null, resolution = null, waits_for = null, retry_at = null, reason = 'a bug'"
    )
    (item,) = await listed(staff)

    answer = await staff.post(f"{PARKED}/{item['id']}/retry")
    while await harness.consumer._retry_one():
        pass

    assert answer.status_code == 202
    assert [one["decision"] for one in answer.json()["decisions"]] == ["retry"]
    (resolved,) = await listed(staff, state="resolved")
    assert (resolved["id"], resolved["resolution"]) == (item["id"], "applied")
    assert [refund.refund_cents for refund in (await harness.purchase(purchase.id)).refunds] == [100]
    assert problem(await staff.post(f"{PARKED}/{item['id']}/retry")) == (409, "not-parked")


async def test_each_kind_can_be_discarded_once_with_actor_and_reason(
    harness: Harness, staff: httpx.AsyncClient
) -> None:
    await given_one_of_each(harness)
    ids = await ids_by_kind(staff)
    assert sorted(ids) == ["command", "fact", "payment"]

    for item_id in ids.values():
        answer = await staff.post(f"{PARKED}/{item_id}/discard", json={"reason": f" {REASON} "})
        assert (answer.status_code, answer.json()["resolution"]) == (200, "discarded")
        for again in ("retry", "discard"):
            body = {"reason": REASON} if again == "discard" else None
            assert problem(await staff.post(f"{PARKED}/{item_id}/{again}", json=body)) == (409, "not-parked")

    assert await listed(staff) == []
    resolved = await listed(staff, state="resolved")
    assert sorted(item["kind"] for item in resolved) == ["command", "fact", "payment"]
    for item in resolved:
        (decision,) = item["decisions"]
        assert (decision["decision"], decision["actor"], decision["reason"]) == ("discard", "staff:mira", REASON)
        assert item["resolved_at"]
    await harness.settle_everything()
    assert await harness.rows("select 1 from stripe_commands where state = 'open'") == []


async def test_a_refused_command_is_carried_out_when_staff_say_so(harness: Harness, staff: httpx.AsyncClient) -> None:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.execute(PARK_COMMAND)
    (item,) = await listed(staff)
    assert (item["about"], item["payload"]["subject"], item["reason"]) == (
        "settle",
        str(purchase.id),
        "no such invoice",
    )
    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))

    answer = await staff.post(f"{PARKED}/{item['id']}/retry")
    await harness.settle_everything()

    assert answer.status_code == 202
    assert (await harness.purchase(purchase.id)).status is Status.PAID
    assert await listed(staff) == []
    assert [one["resolution"] for one in await listed(staff, state="resolved")] == ["retried"]
    assert problem(await staff.post(f"{PARKED}/{item['id']}/discard", json={"reason": "late"})) == (409, "not-parked")


async def test_a_refused_return_is_asked_for_under_a_key_of_its_own(harness: Harness, staff: httpx.AsyncClient) -> None:
    """Under the old one Stripe would only repeat its refusal."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.put(purchase, Status.CANCELLED, knows_invoice=True)
    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
    await harness.deliver(*await harness.facts())
    assert await harness.loop.do_one()  # what paid the invoice, its event does not say
    await harness.execute(PARK_COMMAND + " where kind = 'return_payment'")
    (item,) = await listed(staff)

    await staff.post(f"{PARKED}/{item['id']}/retry")
    await harness.settle_everything()

    assert [one["idempotency_key"][-2:] for one in await harness.requests("refunds.create")] == [":2"]
    assert [refund.kind for refund in (await harness.purchase(purchase.id)).refunds] == ["return"]


async def test_a_payment_that_did_not_fit_is_looked_at_again(harness: Harness, staff: httpx.AsyncClient) -> None:
    """What Stripe says by then fits: the purchase is paid, and the item resolved by it."""
    purchase = await given_one_of_each(harness)
    payment = (await ids_by_kind(staff))["payment"]
    assert payment == f"payment-{purchase.id}-{purchase.stripe_invoice_id}"

    answer = await staff.post(f"{PARKED}/{payment}/retry")
    await harness.run_jobs()

    assert answer.status_code == 202
    assert (await harness.purchase(purchase.id)).status is Status.PAID
    assert len(await harness.published(kind=PurchasePaid)) == 1
    assert payment in {item["id"] for item in await listed(staff, state="resolved")}
    assert problem(await staff.post(f"{PARKED}/{payment}/discard", json={"reason": "late"})) == (409, "not-parked")


async def test_pages_are_one_total_order_over_all_kinds(harness: Harness, staff: httpx.AsyncClient) -> None:
    await given_one_of_each(harness)
    every = [item["id"] for item in await listed(staff)]

    one_by_one, cursor = [], ""
    while cursor is not None:
        answer = (await staff.get(PARKED, params={"limit": 1} | ({"cursor": cursor} if cursor else {}))).json()
        one_by_one += [item["id"] for item in answer["items"]]
        cursor = answer["next_cursor"]

    assert one_by_one == every


@pytest.mark.parametrize(
    "item_id",
    ["fact-1", "command-1", "fact-0", "payment-1", "fact--1", "fact-" + "9" * 18, "1", "fact-1;", "%20", "fact-1%0a",
     "payment-0197e0a4-5b7c-7d10-8f43-2b1f0a9c6e31-in_1", "payment-" + "-" * 36 + "-in_1"],
)  # fmt: skip
async def test_what_was_never_parked_is_not_found(staff: httpx.AsyncClient, item_id: str, harness: Harness) -> None:
    answers = [
        await staff.post(f"{PARKED}/{item_id}/retry"),
        await staff.post(f"{PARKED}/{item_id}/discard", json={"reason": "x"}),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert {problem(answer)[1] for answer in answers} <= {"parked-not-found", "not-found"}


@pytest.mark.parametrize(
    "body",
    [{}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 501}, {"reason": "a\r\nBcc: b"}, {"reason": "x", "y": 1}],
)
async def test_a_discard_wants_a_reason_of_one_line(harness: Harness, staff: httpx.AsyncClient, body: Json) -> None:
    await delivered_in_the_wrong_order(harness)
    (item,) = await listed(staff)

    answer = await staff.post(f"{PARKED}/{item['id']}/discard", json=body)

    assert problem(answer) == (422, "invalid-request")
    assert await listed(staff) == [item]


def cursor_behind(item_id: str) -> str:
    """A cursor as its list makes them, behind an item of the caller's choice."""
    position = json.dumps({"parked_at": "2026-03-02T09:12:00Z", "id": item_id})
    return base64.urlsafe_b64encode(position.encode()).decode()


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "nonsense"},
        {"cursor": cursor_behind("fact-1\x00")},
        {"cursor": cursor_behind("\ud800")},
        {"state": "parked"},
        {"limit": "0"},
    ],
)
async def test_a_list_that_does_not_exist_is_a_clear_problem(staff: httpx.AsyncClient, query: dict[str, str]) -> None:
    assert (await staff.get(PARKED, params=query)).status_code == 422
