"""People move a purchase through the API: what they get, what is refused, and that nothing has changed then."""

import uuid
from typing import Any

import httpx
import pytest

from purchases.ledger.rows import Purchase
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases_api.conftest import Api

Json = dict[str, Any]
MOVES = ("deliver", "cancel", "refund", "reopen")
REASON = {"reason": "because"}
MARKUP = '<script>alert("1")</script> & "quotes"'


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


async def move(staff: httpx.AsyncClient, purchase: Purchase, what: str, body: Json | None = None) -> httpx.Response:
    return await staff.post(f"/v1/admin/purchases/{purchase.id}/{what}", json=body, headers=key())


async def record(staff: httpx.AsyncClient, purchase: Purchase) -> Json:
    answer: Json = (await staff.get(f"/v1/admin/purchases/{purchase.id}")).json()
    return answer


async def test_a_refund_is_accepted_and_shown_with_who_asked_and_why(
    harness: Harness, staff: httpx.AsyncClient
) -> None:
    purchase = await harness.given_a_purchase()

    answer = await move(staff, purchase, "refund", {"amount_cents": 10_000, "reason": MARKUP})

    assert answer.status_code == 202
    asked = answer.json()
    assert (asked["status"], asked["refund_cents"], asked["stripe_refund_id"]) == ("requested", 10_000, None)
    assert (asked["requested_by"], asked["reason"]) == ("staff:mira", MARKUP)
    shown = await record(staff, purchase)
    assert (shown["refunds"], shown["refundable_cents"], shown["refunded_cents"]) == ([asked], PRICE - 10_000, 0)
    await harness.settle_everything()
    (made,) = (shown := await record(staff, purchase))["refunds"]
    assert (made["id"], made["status"], shown["refunded_cents"]) == (asked["id"], "succeeded", 10_000)


async def test_a_repeated_refund_is_the_refund_as_it_is_now(harness: Harness, staff: httpx.AsyncClient) -> None:
    purchase, headers = await harness.given_a_purchase(), key()
    path = f"/v1/admin/purchases/{purchase.id}/refund"
    first = await staff.post(path, json=REASON, headers=headers)
    await harness.settle_everything()

    again = await staff.post(path, json=REASON, headers=headers)
    other = await staff.post(path, json=REASON | {"amount_cents": PRICE}, headers=headers)

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json() | {
        "status": "succeeded",
        "stripe_refund_id": again.json()["stripe_refund_id"],
    }
    assert problem_of(other) == (422, "idempotency-key-reused")


async def test_a_refund_without_a_key_is_refused(harness: Harness, staff: httpx.AsyncClient) -> None:
    purchase = await harness.given_a_purchase()

    answer = await staff.post(f"/v1/admin/purchases/{purchase.id}/refund", json=REASON)

    assert problem_of(answer) == (422, "invalid-request")
    assert (await record(staff, purchase))["refunds"] == []


@pytest.mark.parametrize(
    ("what", "body"),
    [
        *(("refund", {"reason": "because", "amount_cents": amount}) for amount in (0, -1, 1.5, "100", True, 10**12)),
        ("refund", {"amount_cents": 100}),
        ("cancel", {"refund": True}),
        ("cancel", REASON | {"refund": "yes"}),
        ("reopen", {}),
        *((what, {"reason": ""}) for what in MOVES),
        *((what, {"reason": " \t "}) for what in MOVES),
        *((what, {"reason": "x" * 501}) for what in MOVES),
        *((what, {"reason": "one\r\nBcc: two"}) for what in MOVES),
        *((what, REASON | {"more": 1}) for what in MOVES),
    ],
)
async def test_a_bad_body_is_refused_and_changes_nothing(
    harness: Harness, staff: httpx.AsyncClient, what: str, body: Json
) -> None:
    purchase = await harness.given_a_purchase()
    before = await record(staff, purchase)

    answer = await move(staff, purchase, what, body)

    assert problem_of(answer) == (422, "invalid-request")
    assert await record(staff, purchase) == before


async def test_a_purchase_that_nobody_made_is_not_found(staff: httpx.AsyncClient) -> None:
    nobodys = Purchase(id=uuid.uuid4())

    assert {problem_of(await move(staff, nobodys, what, REASON)) for what in MOVES} == {(404, "purchase-not-found")}


async def test_more_than_remains_says_what_remains(harness: Harness, staff: httpx.AsyncClient) -> None:
    purchase = await harness.given_a_purchase()

    answer = await move(staff, purchase, "refund", REASON | {"amount_cents": PRICE + 1})

    assert problem_of(answer) == (409, "refund-too-large")
    assert answer.json()["refundable_cents"] == PRICE


async def test_staff_delivers_and_re_opens_with_a_reason_that_is_kept_as_text(
    harness: Harness, staff: httpx.AsyncClient
) -> None:
    purchase = await harness.given_a_purchase()

    delivered = await move(staff, purchase, "deliver", {"reason": "handed over"})
    reopened = await move(staff, purchase, "reopen", {"reason": MARKUP})

    assert (delivered.json()["status"], reopened.json()["status"]) == ("delivered", "cancelled")
    lines = [(one["to_status"], one["actor"], one["reason"]) for one in (await record(staff, purchase))["history"]]
    assert lines[-2:] == [("delivered", "staff:mira", "handed over"), ("cancelled", "staff:mira", MARKUP)]


async def test_staff_cancels_and_refunds_in_one_step(harness: Harness, staff: httpx.AsyncClient) -> None:
    purchase = await harness.given_a_purchase()

    answer = await move(staff, purchase, "cancel", REASON | {"refund": True})

    assert answer.json()["status"] == "cancelled"
    assert [one["status"] for one in (await record(staff, purchase))["refunds"]] == ["requested"]
    again = await move(staff, purchase, "cancel", REASON)
    assert problem_of(again) == (409, "illegal-transition")
    assert again.json()["detail"] == "a cancelled purchase cannot be cancelled again"


async def test_a_buyer_cancels_with_or_without_a_reason(harness: Harness, api: Api, staff: httpx.AsyncClient) -> None:
    for body, reason in ((None, None), (REASON, "because")):
        purchase = await harness.given_a_purchase()
        async with api.owner(purchase.workspace_id) as owner:
            path = f"/v1/workspaces/{purchase.workspace_id}/purchases/{purchase.id}/cancel"
            answer = await owner.post(path, json=body)

        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        line = (await record(staff, purchase))["history"][-1]
        assert (line["actor"], line["reason"]) == ("user:olga", reason)


@pytest.mark.parametrize("who", ["olga", "mira"])
async def test_who_says_in_which_status_it_was_seen_cancels_no_other(
    harness: Harness, api: Api, staff: httpx.AsyncClient, who: str
) -> None:
    purchase = await harness.given_a_purchase()
    path = f"/v1/workspaces/{purchase.workspace_id}/purchases/{purchase.id}/cancel"
    async with api.owner(purchase.workspace_id) as owner:
        if who == "mira":
            owner, path = staff, f"/v1/admin/purchases/{purchase.id}/cancel"
        refused = await owner.post(path, json=REASON | {"expected_status": "pending"})
        nonsense = await owner.post(path, json=REASON | {"expected_status": "delivered"})
        before = (await harness.purchase(purchase.id)).status
        done = await owner.post(path, json=REASON | {"expected_status": "paid"})

    assert (problem_of(refused), refused.json()["purchase_status"]) == ((409, "status-changed"), "paid")
    assert (problem_of(nonsense), before) == ((422, "invalid-request"), "paid")
    assert done.json()["status"] == "cancelled"


async def test_a_buyer_cannot_cancel_by_another_workspaces_path(harness: Harness, api: Api) -> None:
    theirs, own = await harness.given_a_purchase(), await harness.given_a_workspace()

    async with api.owner(own) as owner:
        answer = await owner.post(f"/v1/workspaces/{own}/purchases/{theirs.id}/cancel")

    assert problem_of(answer) == (404, "purchase-not-found")
    assert (await harness.purchase(theirs.id)).status == "paid"


async def test_while_the_payment_is_made_the_buyer_learns_when_to_come_back(harness: Harness, api: Api) -> None:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.execute("update workspace_addon_purchases set leased_until = now() + interval '1 minute'")

    async with api.owner(purchase.workspace_id) as owner:
        answer = await owner.post(f"/v1/workspaces/{purchase.workspace_id}/purchases/{purchase.id}/cancel")

    assert (problem_of(answer), answer.headers["retry-after"]) == ((409, "payment-in-progress"), "2")
