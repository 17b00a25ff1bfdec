"""Lazy prices: made at Stripe by an add-on's first purchase, published to the catalog, and never worth a lost sale."""

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
from purchases.stripe_api.values import SoldAddon
from tests.integration.purchases.harness import INSTANCE, PRICE, Harness, Json

PRICE_CALLS = ("prices.list", "prices.create", "products.create")


async def _bought(harness: Harness, slug: str = "setup", **changes: Any) -> Bought:
    return await harness.buy(harness.order(await harness.given_a_workspace(), slug, **changes))


async def _lines(harness: Harness, purchase: Purchase) -> list[Json]:
    invoices = (await harness.control.objects(kind="invoice"))["invoice"]
    return next(one["lines"]["data"] for one in invoices if one["id"] == purchase.stripe_invoice_id)


async def _prices(harness: Harness) -> list[Json]:
    """Those that can be sold, oldest first."""
    return [one for one in (await harness.control.objects(kind="price")).get("price", []) if one["lookup_key"]]


async def _published(harness: Harness) -> list[Json]:
    rows = await harness.rows("select payload from outbox where topic = 'billing.addon.price.v1' order by id")
    return [json.loads(row["payload"]) for row in rows]


async def _known(harness: Harness) -> str | None:
    (row,) = await harness.rows("select stripe_price_id from addons")
    found: str | None = row["stripe_price_id"]
    return found


async def _calls(harness: Harness) -> int:
    return sum([len(await harness.requests(operation)) for operation in PRICE_CALLS])


async def test_the_first_purchase_has_the_price_made_kept_and_published(harness: Harness) -> None:
    await harness.given_an_addon(sequence=7)

    bought = await _bought(harness)

    (price,) = await _prices(harness)
    assert (price["unit_amount"], price["currency"], price["recurring"]) == (PRICE, "eur", None)
    (line,) = await _lines(harness, bought.purchase)
    assert line["pricing"]["price_details"]["price"] == price["id"]
    assert line["metadata"]["purchase_id"] == str(bought.purchase.id)
    assert (bought.purchase.stripe_price_id, await _known(harness)) == (price["id"], price["id"])
    (fact,) = await _published(harness)
    assert fact | {"occurred_at": ""} == {
        "addon_id": str(harness.addons["setup"]),
        "sequence": 7,
        "occurred_at": "",
        "stripe_price_id": price["id"],
        "price_cents": PRICE,
        "currency": "EUR",
        "quittance_instance": INSTANCE,
    }


async def test_only_the_first_purchase_pays_for_the_calls(harness: Harness) -> None:
    await harness.given_an_addon()
    await _bought(harness)
    before = await _calls(harness)

    second = await _bought(harness)

    assert second.outcome is Outcome.PAID
    assert (before, await _calls(harness)) == (3, 3)
    assert len(await _published(harness)) == 1


async def test_however_many_buy_first_at_once_one_price_is_made(harness: Harness) -> None:
    await harness.given_an_addon()
    workspaces = [await harness.given_a_workspace() for _ in range(6)]

    bought = await asyncio.gather(*(harness.buy(harness.order(one)) for one in workspaces))

    (price,) = await _prices(harness)
    assert {one.outcome for one in bought} == {Outcome.PAID}
    assert {one.purchase.stripe_price_id for one in bought} == {price["id"]}
    assert len(await _published(harness)) == 1


async def test_another_price_is_made_anew_and_what_was_sold_keeps_its_own(harness: Harness) -> None:
    await harness.given_an_addon()
    first = await _bought(harness)
    await harness.given_an_addon(price_cents=59_900, sequence=2)
    assert await _known(harness) is None

    second = await _bought(harness, expected_price_cents=59_900)

    assert [one["unit_amount"] for one in await _prices(harness)] == [PRICE, 59_900]
    assert second.purchase.stripe_price_id == await _known(harness)
    assert (await harness.purchase(first.purchase.id)).stripe_price_id == first.purchase.stripe_price_id
    assert first.purchase.stripe_price_id != second.purchase.stripe_price_id


async def test_a_price_that_is_set_back_is_found_again_and_published_again(harness: Harness) -> None:
    await harness.given_an_addon()
    first = await _bought(harness)
    await harness.given_an_addon(price_cents=59_900, sequence=2)
    await harness.given_an_addon(sequence=3)

    again = await _bought(harness)

    assert again.purchase.stripe_price_id == first.purchase.stripe_price_id
    assert len(await _prices(harness)) == 1
    assert [one["sequence"] for one in await _published(harness)] == [1, 3]
    ids = await harness.rows("select distinct fact_id from outbox where topic = 'billing.addon.price.v1'")
    assert len(ids) == 2


async def test_one_made_for_a_price_that_has_changed_meanwhile_is_ignored(harness: Harness) -> None:
    await harness.given_an_addon()
    old = (await _bought(harness)).purchase
    await harness.given_an_addon(price_cents=59_900, sequence=2)
    await harness.execute("truncate outbox")

    sold = SoldAddon(addon_id=old.plan_addon_id, slug="setup", name="Setup", price_cents=PRICE, currency="EUR")
    await provision_price(harness.context, sold=sold, asked_for=old.id)

    assert await _known(harness) is None
    assert await _published(harness) == []


async def test_an_edit_that_crosses_the_news_does_not_lose_the_price(harness: Harness) -> None:
    await harness.given_an_addon()
    first = await _bought(harness)

    await harness.given_an_addon(sequence=2)

    assert await _known(harness) == first.purchase.stripe_price_id


async def test_an_older_state_of_the_catalog_brings_no_old_price_back(harness: Harness) -> None:
    await harness.given_an_addon(price_cents=PRICE + 100, sequence=2)

    await harness.given_an_addon(price_cents=PRICE, sequence=1)

    (row,) = await harness.rows("select sequence, price_cents from addons")
    assert row == {"sequence": 2, "price_cents": PRICE + 100}


@pytest.mark.parametrize("fault", ["error_before", "error_after", "close_before", "close_after"])
@pytest.mark.parametrize("operation", PRICE_CALLS)
async def test_a_price_that_cannot_be_made_costs_no_sale(harness: Harness, operation: str, fault: str) -> None:
    await harness.control.fault(fault, operation=operation)
    await harness.given_an_addon()

    without = await _bought(harness)
    after = await _bought(harness)

    assert [(one.outcome, one.purchase.paid_cents) for one in (without, after)] == [(Outcome.PAID, PRICE)] * 2
    (price,) = await _prices(harness)
    assert after.purchase.stripe_price_id == price["id"]


async def test_a_price_that_stripe_no_longer_takes_costs_no_sale_and_is_made_anew(harness: Harness) -> None:
    await harness.given_an_addon()
    archived = str((await _bought(harness)).purchase.stripe_price_id)
    await harness.client.v1.prices.update_async(archived, {"active": False})
    await harness.control.fault("error_before", operation="invoiceitems.create", status=400)

    by_amount = await _bought(harness)
    anew = await _bought(harness)

    assert (by_amount.purchase.status, anew.purchase.status) == (Status.PAID, Status.PAID)
    assert anew.purchase.stripe_price_id not in (None, archived)
    assert (await _published(harness))[-1]["stripe_price_id"] == anew.purchase.stripe_price_id == await _known(harness)


@pytest.mark.parametrize("price_cents", [PRICE, PRICE + 100])
async def test_a_renamed_addon_is_sold_under_its_new_name_at_stripe_too(harness: Harness, price_cents: int) -> None:
    await harness.given_an_addon()
    sold = (await _bought(harness)).purchase
    renamed = AddonState(
        addon_id=harness.addons["setup"],
        sequence=2,
        occurred_at=datetime.now(UTC),
        slug="setup",
        name="Setup, new",
        price_cents=price_cents,
        currency="EUR",
        is_active=True,
        sort_order=0,
    )

    await harness.deliver(renamed)
    await harness.deliver(renamed)
    await harness.settle_everything()

    (product,) = (await harness.control.objects(kind="product"))["product"]
    assert product["name"] == "Setup, new"
    assert (await harness.purchase(sold.id)).addon_name == "Professional AI Setup"
    assert len(await harness.requests("products.update")) == 1


async def test_a_renamed_addon_that_was_never_sold_has_nothing_to_rename(harness: Harness) -> None:
    await harness.given_an_addon()
    await harness.execute("update addons set name = 'Before'")

    await harness.given_an_addon(sequence=2)
    await harness.settle_everything()

    assert [one["state"] for one in await harness.jobs("rename_product")] == ["done"]
