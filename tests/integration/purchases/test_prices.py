"""Lazy prices: made at Stripe by the first purchase of an add-on, told to the catalog, and never worth a lost sale."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts import AddonState
from purchases.buying.buy import Bought, Outcome
from purchases.catalog_copy.provision_price import provision_price
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.stripe_api.catalog.prices import SoldAddon
from tests.integration.purchases.harness import INSTANCE, PRICE, Json, World

PRICE_CALLS = ("prices.list", "prices.create", "products.create")


async def _bought(world: World, slug: str = "setup", **changes: Any) -> Bought:
    return await world.buy(world.order(await world.given_a_workspace(), slug, **changes))


async def _lines(world: World, purchase: Purchase) -> list[Json]:
    invoices = (await world.control.objects(kind="invoice"))["invoice"]
    return next(one["lines"]["data"] for one in invoices if one["id"] == purchase.stripe_invoice_id)


async def _prices(world: World) -> list[Json]:
    """Those that can be sold, oldest first."""
    return [one for one in (await world.control.objects(kind="price")).get("price", []) if one["lookup_key"]]


async def _told(world: World) -> list[Json]:
    rows = await world.rows("select payload from outbox where topic = 'billing.addon.price.v1' order by id")
    return [json.loads(row["payload"]) for row in rows]


async def _known(world: World) -> str | None:
    (row,) = await world.rows("select stripe_price_id from addons")
    found: str | None = row["stripe_price_id"]
    return found


async def _calls(world: World) -> int:
    return sum([len(await world.requests(operation)) for operation in PRICE_CALLS])


async def test_the_first_purchase_has_the_price_made_kept_and_told(world: World) -> None:
    await world.given_an_addon(sequence=7)

    bought = await _bought(world)

    (price,) = await _prices(world)
    assert (price["unit_amount"], price["currency"], price["recurring"]) == (PRICE, "eur", None)
    (line,) = await _lines(world, bought.purchase)
    assert line["pricing"]["price_details"]["price"] == price["id"]
    assert line["metadata"]["purchase_id"] == str(bought.purchase.id)
    assert (bought.purchase.stripe_price_id, await _known(world)) == (price["id"], price["id"])
    (fact,) = await _told(world)
    assert fact | {"occurred_at": ""} == {
        "addon_id": str(world.addons["setup"]),
        "sequence": 7,
        "occurred_at": "",
        "stripe_price_id": price["id"],
        "price_cents": PRICE,
        "currency": "EUR",
        "quittance_instance": INSTANCE,
    }


async def test_only_the_first_purchase_pays_for_the_calls(world: World) -> None:
    await world.given_an_addon()
    await _bought(world)
    before = await _calls(world)

    second = await _bought(world)

    assert second.outcome is Outcome.PAID
    assert (before, await _calls(world)) == (3, 3)
    assert len(await _told(world)) == 1


async def test_however_many_buy_first_at_once_one_price_is_made(world: World) -> None:
    await world.given_an_addon()
    workspaces = [await world.given_a_workspace() for _ in range(6)]

    bought = await asyncio.gather(*(world.buy(world.order(one)) for one in workspaces))

    (price,) = await _prices(world)
    assert {one.outcome for one in bought} == {Outcome.PAID}
    assert {one.purchase.stripe_price_id for one in bought} == {price["id"]}
    assert len(await _told(world)) == 1


async def test_another_price_is_made_anew_and_what_was_sold_keeps_its_own(world: World) -> None:
    await world.given_an_addon()
    first = await _bought(world)
    await world.given_an_addon(price_cents=59_900, sequence=2)
    assert await _known(world) is None

    second = await _bought(world, expected_price_cents=59_900)

    assert [one["unit_amount"] for one in await _prices(world)] == [PRICE, 59_900]
    assert second.purchase.stripe_price_id == await _known(world)
    assert (await world.purchase(first.purchase.id)).stripe_price_id == first.purchase.stripe_price_id
    assert first.purchase.stripe_price_id != second.purchase.stripe_price_id


async def test_a_price_that_is_set_back_is_found_again_and_told_again(world: World) -> None:
    await world.given_an_addon()
    first = await _bought(world)
    await world.given_an_addon(price_cents=59_900, sequence=2)
    await world.given_an_addon(sequence=3)

    again = await _bought(world)

    assert again.purchase.stripe_price_id == first.purchase.stripe_price_id
    assert len(await _prices(world)) == 1
    assert [one["sequence"] for one in await _told(world)] == [1, 3]
    ids = await world.rows("select distinct fact_id from outbox where topic = 'billing.addon.price.v1'")
    assert len(ids) == 2


async def test_one_made_for_a_price_that_has_changed_meanwhile_is_ignored(world: World) -> None:
    await world.given_an_addon()
    old = (await _bought(world)).purchase
    await world.given_an_addon(price_cents=59_900, sequence=2)
    await world.execute("truncate outbox")

    sold = SoldAddon(addon_id=old.plan_addon_id, slug="setup", name="Setup", price_cents=PRICE, currency="EUR")
    await provision_price(database=world.database, client=world.client, instance=INSTANCE, sold=sold, asked_for=old.id)

    assert await _known(world) is None
    assert await _told(world) == []


async def test_an_edit_that_crosses_the_news_does_not_lose_the_price(world: World) -> None:
    await world.given_an_addon()
    first = await _bought(world)

    await world.given_an_addon(sequence=2)

    assert await _known(world) == first.purchase.stripe_price_id


@pytest.mark.parametrize("fault", ["error_before", "error_after", "close_before", "close_after"])
@pytest.mark.parametrize("operation", PRICE_CALLS)
async def test_a_price_that_cannot_be_made_costs_no_sale(world: World, operation: str, fault: str) -> None:
    await world.control.fault(fault, operation=operation)
    await world.given_an_addon()

    without = await _bought(world)
    after = await _bought(world)

    assert [(one.outcome, one.purchase.paid_cents) for one in (without, after)] == [(Outcome.PAID, PRICE)] * 2
    (price,) = await _prices(world)
    assert after.purchase.stripe_price_id == price["id"]


async def test_a_price_that_stripe_no_longer_takes_costs_no_sale_and_is_made_anew(world: World) -> None:
    await world.given_an_addon()
    archived = str((await _bought(world)).purchase.stripe_price_id)
    await world.client.v1.prices.update_async(archived, {"active": False})
    await world.control.fault("error_before", operation="invoiceitems.create", status=400)

    by_amount = await _bought(world)
    anew = await _bought(world)

    assert (by_amount.purchase.status, anew.purchase.status) == (Status.PAID, Status.PAID)
    assert anew.purchase.stripe_price_id not in (None, archived)
    assert (await _told(world))[-1]["stripe_price_id"] == anew.purchase.stripe_price_id == await _known(world)


@pytest.mark.parametrize("price_cents", [PRICE, PRICE + 100])
async def test_a_renamed_addon_is_sold_under_its_new_name_at_stripe_too(world: World, price_cents: int) -> None:
    await world.given_an_addon()
    sold = (await _bought(world)).purchase
    renamed = AddonState(
        addon_id=world.addons["setup"],
        sequence=2,
        occurred_at=datetime.now(UTC),
        slug="setup",
        name="Setup, new",
        price_cents=price_cents,
        currency="EUR",
        is_active=True,
        sort_order=0,
    )

    await world.tell(renamed)
    await world.tell(renamed)
    await world.settle_everything()

    (product,) = (await world.control.objects(kind="product"))["product"]
    assert product["name"] == "Setup, new"
    assert (await world.purchase(sold.id)).addon_name == "Professional AI Setup"
    assert len(await world.requests("products.update")) == 1


async def test_a_renamed_addon_that_was_never_sold_has_nothing_to_rename(world: World) -> None:
    await world.given_an_addon()
    await world.execute("update addons set name = 'Before'")

    await world.given_an_addon(sequence=2)
    await world.settle_everything()

    assert [one["state"] for one in await world.commands("rename_product")] == ["done"]
