"""Money that came when there was nothing to pay, and where it is now: for the buyer, staff and other services."""

import json
from typing import Any

import httpx
import pytest

from contracts.purchase_facts import PurchaseState, RefundFailed
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import PRICE, World
from tests.integration.purchases.scenarios import LEGACY
from tests.integration.purchases_api.conftest import Api

Json = dict[str, Any]


def late(told: Json) -> tuple[int, int, int]:
    return told["refunded_cents"], told["returned_cents"], told["returning_cents"]


async def state(world: World, purchase: Purchase) -> Json:
    """What stands on the compacted topic."""
    query = "select headers, payload from outbox where topic = 'billing.purchase.state.v1' and key = :id order by id"
    rows = await world.rows(query, id=str(purchase.id))
    body: Json = json.loads(rows[-1]["payload"])
    PurchaseState.model_validate(body)
    return body


async def seen(world: World, api: Api, staff: httpx.AsyncClient, purchase: Purchase) -> set[tuple[int, int, int]]:
    """What each of them is shown."""
    path = f"/v1/workspaces/{purchase.workspace_id}/purchases"
    async with api.owner(purchase.workspace_id) as owner:
        one, page = await owner.get(f"{path}/{purchase.id}"), await owner.get(path)
    record = await staff.get(f"/v1/admin/purchases/{purchase.id}")
    listed = next(row for row in page.json()["purchases"] if row["id"] == str(purchase.id))
    return {late(told) for told in (one.json(), listed, record.json(), await state(world, purchase))}


@pytest.fixture
async def cancelled(world: World) -> Purchase:
    """A purchase that was over when its customer paid."""
    purchase = await world.given_a_purchase("pm_card_authenticationRequired")
    await world.put(purchase, Status.CANCELLED, knows_invoice=True)
    await world.control.authenticate(str(purchase.stripe_payment_intent_id))
    # Events of before basil say which charge paid; since then Stripe is asked before a return is announced.
    await world.tell(*await world.facts(version=LEGACY))
    return purchase


async def test_it_is_seen_coming_and_going(
    world: World, api: Api, staff: httpx.AsyncClient, cancelled: Purchase
) -> None:
    coming = await seen(world, api, staff, cancelled)
    await world.settle_everything()
    await world.tell(*await world.facts())

    assert coming == {(0, 0, PRICE)}
    assert await seen(world, api, staff, cancelled) == {(0, PRICE, 0)}


async def test_what_could_not_go_back_is_seen_to_be_here(
    world: World, api: Api, staff: httpx.AsyncClient, cancelled: Purchase
) -> None:
    await world.settle_everything()
    await world.tell(*await world.facts())
    gone = await seen(world, api, staff, cancelled)
    (refund,) = await world.refunds_at_stripe()
    await world.control.settle_refund(refund["id"], status="failed")
    await world.tell(*await world.facts())

    assert gone == {(0, PRICE, 0)}
    assert await seen(world, api, staff, cancelled) == {(0, 0, PRICE)}
    (failed,) = await world.told(kind=RefundFailed)
    assert failed["was_issued"] is True
