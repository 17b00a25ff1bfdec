"""Staff find purchases by workspace, status, any id of Stripe's and date, page by page."""

import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest

from purchases.ledger.rows import Purchase
from sandbox.stripe.control import StripeControl
from tests.integration.purchases.harness import Harness
from tests.integration.purchases_api.conftest import Api

Json = dict[str, Any]
SEARCH = "/v1/admin/purchases"
COPY = """
    insert into workspace_addon_purchases (id, workspace_id, plan_addon_id, addon_slug, addon_name, price_cents,
        currency, status, payable, sequence, idempotency_key, request_fingerprint, bought_by, started_at, updated_at)
    select gen_random_uuid(), workspace_id, plan_addon_id, addon_slug, addon_name, price_cents, currency,
        'failed', false, 2, gen_random_uuid()::text, '', bought_by, started_at, updated_at
    from workspace_addon_purchases, generate_series(1, :number) where id = :id
"""
DISPUTED = """
    insert into purchase_disputes (purchase_id, stripe_dispute_id, dispute_cents, currency, status, opened_at)
    values (:id, 'du_1', 49900, 'EUR', 'needs_response', now())
"""
BUNDLED = """
    update workspace_addon_purchases set stripe_checkout_session_id = 'cs_test_1', stripe_subscription_id = 'sub_1',
    stripe_charge_id = 'ch_of_1' where id = :id
"""
PARKED_PAYMENT = """
    insert into purchase_parked_payments
        (purchase_id, stripe_invoice_id, amount_paid_cents, currency, reason, parked_at)
    values (:id, 'in_odd', 100, 'EUR', 'the line is missing', now())
"""


async def found(staff: httpx.AsyncClient, **query: str) -> list[str]:
    """The ids of what is found, in order."""
    answer = await staff.get(SEARCH, params=query)
    assert answer.status_code == 200, answer.text
    return [purchase["id"] for purchase in answer.json()["purchases"]]


async def pages(somebody: httpx.AsyncClient, path: str, limit: int, **query: str) -> list[list[str]]:
    """The ids of every page, each followed from the one before."""
    got: list[list[str]] = []
    cursor: str | None = None
    while cursor is not None or not got:
        params = query | {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        answer = (await somebody.get(path, params=params)).json()
        got.append([purchase["id"] for purchase in answer["purchases"]])
        cursor = answer["next_cursor"]
    return got


def chained(got: list[list[str]]) -> list[str]:
    return [one for page in got for one in page]


async def given_every_kind_of_id(harness: Harness, control: StripeControl, purchase: Purchase) -> list[str]:
    """A purchase with everything that Stripe can give an id; all of them."""
    await control.refund_as_dashboard(invoice=str(purchase.stripe_invoice_id), amount=100)
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()
    for statement in (DISPUTED, BUNDLED, PARKED_PAYMENT):
        await harness.execute(statement, id=purchase.id)
    (refund,) = (await harness.purchase(purchase.id)).refunds
    own = [purchase.stripe_invoice_id, purchase.stripe_payment_intent_id, purchase.stripe_customer_id]
    return [str(one) for one in (*own, refund.stripe_refund_id, "du_1", "cs_test_1", "sub_1", "ch_of_1", "in_odd")]


async def test_any_id_of_stripes_finds_its_purchase(
    harness: Harness, control: StripeControl, staff: httpx.AsyncClient
) -> None:
    purchase, _ = await harness.given_a_purchase(), await harness.given_a_purchase()
    ids = await given_every_kind_of_id(harness, control, purchase)

    assert [[str(purchase.id)]] * len(ids) == [await found(staff, stripe_id=one) for one in ids]
    assert await found(staff, stripe_id="in_unknown") == []


def ids_in(shown: Any) -> dict[str, str]:
    """All of Stripe's ids in a record, wherever they stand: what is shown, and as what."""
    if isinstance(shown, list):
        return {found: name for part in shown for found, name in ids_in(part).items()}
    if not isinstance(shown, dict):
        return {}
    own = {str(value): name for name, value in shown.items() if name.startswith("stripe_") and value}
    return own | {found: name for part in shown.values() for found, name in ids_in(part).items()}


async def test_whatever_id_of_stripes_a_purchase_shows_finds_it(
    harness: Harness, control: StripeControl, staff: httpx.AsyncClient
) -> None:
    pending, _ = await harness.given_a_purchase("pm_card_authenticationRequired"), await harness.given_a_purchase()
    await control.authenticate(str(pending.stripe_payment_intent_id))
    await harness.deliver(*await harness.facts())
    purchase = await harness.purchase(pending.id)
    await given_every_kind_of_id(harness, control, purchase)

    shown = ids_in((await staff.get(f"{SEARCH}/{purchase.id}")).json())

    assert {"stripe_price_id", "stripe_event_id", "stripe_charge_id", "stripe_dispute_id"} <= set(shown.values())
    assert {one: str(purchase.id) in await found(staff, stripe_id=one) for one in shown} == dict.fromkeys(shown, True)


async def test_all_filters_must_fit(harness: Harness, staff: httpx.AsyncClient) -> None:
    paid, declined = await harness.given_a_purchase(), await harness.given_a_purchase("pm_card_chargeCustomerFail")
    day, next_day = paid.started_at.date(), paid.started_at.date() + timedelta(days=1)

    assert await found(staff) == [str(declined.id), str(paid.id)]
    assert await found(staff, workspace=paid.workspace_id) == [str(paid.id)]
    assert await found(staff, status="failed") == [str(declined.id)]
    assert await found(staff, workspace=paid.workspace_id, status="failed") == []
    assert len(await found(staff, **{"from": str(day), "to": str(next_day)})) == 2
    assert await found(staff, **{"from": str(next_day)}) == []
    assert await found(staff, to=paid.started_at.isoformat()) == []
    assert await found(staff, **{"from": declined.started_at.isoformat()}) == [str(declined.id)]


async def test_pages_are_one_total_order_whatever_begins_meanwhile(harness: Harness, api: Api) -> None:
    """Seven of one moment: the id decides."""
    purchase = await harness.given_a_purchase()
    await harness.execute(COPY, id=purchase.id, number=6)
    (rows,) = await harness.rows(
        "select array_agg(id::text order by started_at desc, id desc) as ids from workspace_addon_purchases"
    )
    path = f"/v1/workspaces/{purchase.workspace_id}/purchases"

    async with (
        api.of({"sub": "mira", "platform_role": "super_admin"}) as staff,
        api.owner(purchase.workspace_id) as owner,
    ):
        assert chained(await pages(staff, SEARCH, 3)) == rows["ids"]
        assert [len(page) for page in await pages(owner, path, 3)] == [3, 3, 1]
        assert chained(await pages(owner, path, 3)) == rows["ids"]
        first = (await owner.get(path, params={"limit": 3})).json()
        await harness.execute(
            "update workspace_addon_purchases set started_at = now() where id = :id", id=first["purchases"][0]["id"]
        )
        second = (await owner.get(path, params={"limit": 3, "cursor": first["next_cursor"]})).json()
        assert [one["id"] for one in second["purchases"]] == rows["ids"][3:6]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"cursor": "nonsense"}, "invalid-cursor"),
        ({"cursor": "eyJpZCI6MX0"}, "invalid-cursor"),
        ({"cursor": "ü"}, "invalid-cursor"),
        ({"from": "0.5"}, "invalid-request"),
        ({"status": "sold"}, "invalid-request"),
        ({"stripe_id": "'; drop table"}, "invalid-request"),
        ({"workspace": "a b"}, "invalid-request"),
        ({"from": "yesterday"}, "invalid-request"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "invalid-request"),
        ({"limit": "0"}, "invalid-request"),
        ({"limit": "201"}, "invalid-request"),
        ({"stauts": "paid"}, "invalid-request"),
        ({"from": "2026-03-02", "to": "2026-03-02"}, "period-empty"),
    ],
)
async def test_what_cannot_be_looked_for_is_a_clear_problem(
    staff: httpx.AsyncClient, query: dict[str, str], problem: str
) -> None:
    answer = await staff.get(SEARCH, params=query)

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, problem)


async def test_a_cursor_of_another_list_is_refused(harness: Harness, api: Api) -> None:
    purchase = await harness.given_a_purchase()
    async with api.owner(purchase.workspace_id) as owner:
        answer = await owner.get(f"/v1/workspaces/{purchase.workspace_id}/purchases", params={"cursor": "eyJpZCI6MX0"})

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "invalid-cursor")


async def test_one_purchase_is_shown_with_everything_that_belongs_to_it(
    harness: Harness, control: StripeControl, staff: httpx.AsyncClient
) -> None:
    purchase = await harness.given_a_purchase()
    await given_every_kind_of_id(harness, control, purchase)

    shown: Json = (await staff.get(f"{SEARCH}/{purchase.id}")).json()

    assert [line["to_status"] for line in shown["history"]] == ["pending", "paid"]
    assert [one["stripe_invoice_id"] for one in shown["payments"]] == [purchase.stripe_invoice_id]
    assert [(one["refund_cents"], one["status"]) for one in shown["refunds"]] == [(100, "succeeded")]
    assert [one["stripe_dispute_id"] for one in shown["disputes"]] == ["du_1"]
    assert [(one["kind"], one["payload"]["stripe_invoice_id"]) for one in shown["parked"]] == [("payment", "in_odd")]
    assert (shown["stripe_subscription_id"], shown["refunded_cents"]) == ("sub_1", 100)


async def test_a_purchase_that_is_not_there_is_not_found(staff: httpx.AsyncClient) -> None:
    answer = await staff.get(f"{SEARCH}/{uuid.uuid4()}")

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "purchase-not-found")
