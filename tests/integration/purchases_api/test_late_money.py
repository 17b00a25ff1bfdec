"""Money that came when there was nothing to pay, and where it is now: for the buyer, staff and other services."""

import json
from typing import Any

import httpx
import pytest

from contracts.purchase_facts import PurchaseState, RefundFailed
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases.scenarios import LEGACY
from tests.integration.purchases_api.conftest import Api

Json = dict[str, Any]


def late(body: Json) -> tuple[int, int, int]:
    return body["refunded_cents"], body["returned_cents"], body["returning_cents"]


async def state(harness: Harness, purchase: Purchase) -> Json:
    """What stands on the compacted topic."""
    query = "select headers, payload from outbox where topic = 'billing.purchase.state.v1' and key = :id order by id"
    rows = await harness.rows(query, id=str(purchase.id))
    body: Json = json.loads(rows[-1]["payload"])
    PurchaseState.model_validate(body)
    return body


async def seen(harness: Harness, api: Api, staff: httpx.AsyncClient, purchase: Purchase) -> set[tuple[int, int, int]]:
    """What each of them is shown."""
    path = f"/v1/workspaces/{purchase.workspace_id}/purchases"
    async with api.owner(purchase.workspace_id) as owner:
        one, page = await owner.get(f"{path}/{purchase.id}"), await owner.get(path)
    record = await staff.get(f"/v1/admin/purchases/{purchase.id}")
    listed = next(row for row in page.json()["purchases"] if row["id"] == str(purchase.id))
    return {late(body) for body in (one.json(), listed, record.json(), await state(harness, purchase))}


@pytest.fixture
async def cancelled(harness: Harness) -> Purchase:
    """A purchase that was over when its customer paid."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.put(purchase, Status.CANCELLED, knows_invoice=True)
    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
    # Events of before basil say which charge paid; since then Stripe is asked before a return is announced.
    await harness.deliver(*await harness.facts(version=LEGACY))
    return purchase


async def test_it_is_seen_coming_and_going(
    harness: Harness, api: Api, staff: httpx.AsyncClient, cancelled: Purchase
) -> None:
    coming = await seen(harness, api, staff, cancelled)
    await harness.settle_everything()
    await harness.deliver(*await harness.facts())

    assert coming == {(0, 0, PRICE)}
    assert await seen(harness, api, staff, cancelled) == {(0, PRICE, 0)}


async def test_what_could_not_go_back_is_seen_to_be_here(
    harness: Harness, api: Api, staff: httpx.AsyncClient, cancelled: Purchase
) -> None:
    await harness.settle_everything()
    await harness.deliver(*await harness.facts())
    gone = await seen(harness, api, staff, cancelled)
    (refund,) = await harness.refunds_at_stripe()
    await harness.control.settle_refund(refund["id"], status="failed")
    await harness.deliver(*await harness.facts())

    assert gone == {(0, PRICE, 0)}
    assert await seen(harness, api, staff, cancelled) == {(0, 0, PRICE)}
    (failed,) = await harness.published(kind=RefundFailed)
    assert failed["was_issued"] is True
