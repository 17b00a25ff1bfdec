"""A plan stays on sale: an edited price is made at Stripe by a job, an archived or missing one is replaced."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from contracts import PlanPrice, PlanPriceProvisioned, PlanState
from tests.integration.purchases.checkouts import open_page, refusal_of, sessions_of, upgrade
from tests.integration.purchases.harness import INSTANCE, Harness, Json
from tests.integration.purchases.test_portal import given_a_portal

KEY: Final = f"quittance:{INSTANCE}:builder:month:eur"
MONTHLY: Final = 900


async def tell(harness: Harness, *prices: PlanPrice, sequence: int = 1) -> None:
    """What the catalog says of Builder."""
    now = datetime.now(UTC)
    plan = PlanState(plan="builder", sequence=sequence, occurred_at=now, name="Builder", caps={}, prices=prices)
    await harness.deliver(plan)


def price(cents: int = MONTHLY, currency: str = "EUR", **more: Any) -> PlanPrice:
    return PlanPrice(interval="month", currency=currency, price_cents=cents, **more)


async def at_stripe(harness: Harness) -> list[Json]:
    """Every price, oldest first."""
    return (await harness.control.objects(kind="price")).get("price", [])


async def provisioned(harness: Harness) -> list[Json]:
    """What is published to the catalog, oldest first."""
    rows = await harness.rows("select payload from outbox where topic = 'billing.plan.price.v1' order by id")
    return [json.loads(row["payload"]) for row in rows]


async def sold(harness: Harness) -> list[Json]:
    """The prices of our copy of the plan."""
    (row,) = await harness.rows("select prices from plans where slug = 'builder'")
    prices: list[Json] = row["prices"]
    return prices


async def given_a_sold_price(harness: Harness) -> str:
    """EUR 9.00 a month, made by the job."""
    await tell(harness, price())
    await harness.settle_everything()
    return str((await sold(harness))[0]["stripe_price_id"])


async def sold_in_checkout(harness: Harness, **changes: Any) -> str:
    """The price in a Checkout that is opened now."""
    await open_page(harness, upgrade(await harness.given_a_workspace(), **changes))
    (row,) = await harness.rows("select stripe_price_id from checkout_sessions order by created_at desc limit 1")
    return str(row["stripe_price_id"])


async def test_a_new_price_is_made_at_stripe_sold_and_published_to_the_catalog(harness: Harness) -> None:
    made = await given_a_sold_price(harness)

    (at,) = await at_stripe(harness)
    assert (at["id"], at["lookup_key"], at["unit_amount"], at["recurring"]["interval"]) == (made, KEY, 900, "month")
    (fact,) = await provisioned(harness)
    assert PlanPriceProvisioned.model_validate(fact).stripe_price_id == made
    assert (fact["plan"], fact["price_cents"], fact["stripe_product_id"]) == ("builder", 900, at["product"])
    assert await sold_in_checkout(harness) == made


async def test_an_edited_price_is_sold_when_it_is_at_stripe_and_the_old_one_until_then(harness: Harness) -> None:
    old = await given_a_sold_price(harness)
    await given_a_portal(harness)
    await tell(harness, price(stripe_price_id=old, pending_price_cents=1200), sequence=2)

    before = await sold_in_checkout(harness)
    await harness.settle_everything()
    after = await sold_in_checkout(harness)

    assert (before, after == old) == (old, False)
    by_id = {one["id"]: one for one in await at_stripe(harness)}
    assert (by_id[old]["active"], by_id[old]["lookup_key"]) == (True, None)
    assert (by_id[after]["unit_amount"], by_id[after]["lookup_key"]) == (1200, KEY)
    assert [(one["price_cents"], one["sequence"]) for one in await provisioned(harness)] == [(900, 1), (1200, 2)]
    assert [(one["price_cents"], one["pending_price_cents"]) for one in await sold(harness)] == [(1200, None)]
    offered = [str(one["body"]) for one in await harness.requests("billing_portal.configurations.update")]
    assert [(after in body, old in body) for body in offered] == [(True, False)] * 2


@pytest.mark.parametrize("gone", ["archived", "missing"])
async def test_a_price_that_stripe_takes_no_more_is_replaced_while_the_owner_waits(harness: Harness, gone: str) -> None:
    dead = await given_a_sold_price(harness)
    if gone == "archived":
        await harness.client.v1.prices.update_async(dead, {"active": False})
    else:
        dead = "price_of_another_account"
        await harness.execute(
            "update plans set prices = jsonb_set(prices, '{0,stripe_price_id}', to_jsonb(cast(:dead as text)))",
            dead=dead,
        )
        await harness.execute("delete from outbox")  # the relay has sent what was published of the first one

    replaced = await sold_in_checkout(harness)

    assert len(await sessions_of(harness)) == 1
    (alive,) = [one for one in await at_stripe(harness) if one["active"]]
    assert (replaced, alive["lookup_key"], alive["unit_amount"]) == (alive["id"], KEY, 900)
    assert replaced == (await provisioned(harness))[-1]["stripe_price_id"]
    (kept,) = await harness.rows("select call, message from stripe_refusals")
    assert kept["call"] == "checkout_session"
    assert await sold_in_checkout(harness) == replaced


async def test_an_archived_one_whose_edit_is_pending_is_replaced_at_what_the_owner_saw(harness: Harness) -> None:
    dead = await given_a_sold_price(harness)
    await harness.client.v1.prices.update_async(dead, {"active": False})
    await tell(harness, price(stripe_price_id=dead, pending_price_cents=1200), sequence=2)

    replaced = await sold_in_checkout(harness)

    by_id = {one["id"]: one for one in await at_stripe(harness)}
    assert by_id[replaced]["unit_amount"] == 900
    await harness.settle_everything()
    assert [(one["price_cents"], one["pending_price_cents"]) for one in await sold(harness)] == [(1200, None)]


async def test_a_product_that_was_archived_is_sold_again(harness: Harness) -> None:
    made = await given_a_sold_price(harness)
    (product,) = (await harness.control.objects(kind="product"))["product"]
    await harness.client.v1.products.update_async(product["id"], {"active": False})
    await tell(harness, price(), sequence=2)

    await harness.settle_everything()

    (product,) = (await harness.control.objects(kind="product"))["product"]
    assert product["active"]
    assert [one["stripe_price_id"] for one in await sold(harness)] == [made]


@pytest.mark.parametrize(
    "fault", ["close_before", "close_after", "error_before", "error_after", "forbidden", "other_parameters"]
)
async def test_however_it_is_interrupted_one_price_is_sold(harness: Harness, fault: str) -> None:
    await harness.control.fault(fault, operation="prices.create", times=2)
    await tell(harness, price())

    await harness.settle_everything()

    (at,) = [one for one in await at_stripe(harness) if one["lookup_key"]]
    assert [one["stripe_price_id"] for one in await sold(harness)] == [at["id"]]
    assert [one["stripe_price_id"] for one in await provisioned(harness)] == [at["id"]]
    assert [one["state"] for one in await harness.jobs("provision_plan")] == ["done"]


async def test_a_price_that_is_there_already_is_found(harness: Harness) -> None:
    """An account that bills already, or what `bootstrap-stripe` made at the same time."""
    product = await harness.client.v1.products.create_async({"name": "Their plan"})
    theirs = await harness.client.v1.prices.create_async(
        {
            "product": product.id,
            "currency": "eur",
            "unit_amount": MONTHLY,
            "recurring": {"interval": "month"},
            "lookup_key": KEY,
        }
    )

    assert await given_a_sold_price(harness) == theirs.id
    assert len(await at_stripe(harness)) == 1


async def test_without_a_currency_the_first_that_is_sold_is_taken(harness: Harness) -> None:
    made = await given_a_sold_price(harness)
    await tell(harness, price(currency="AUD"), price(stripe_price_id=made), sequence=2)
    await harness.execute("update stripe_commands set due_at = now() + interval '1 day'")

    assert await sold_in_checkout(harness, currency=None) == made
    named = await refusal_of(harness, upgrade(await harness.given_a_workspace(), currency="AUD"))
    assert named.slug == "plan-not-sold"


async def test_without_a_currency_the_workspaces_own_comes_first(harness: Harness) -> None:
    await tell(harness, price(), price(currency="USD"))
    await harness.settle_everything()
    dollars = next(one["stripe_price_id"] for one in await sold(harness) if one["currency"] == "USD")
    workspace = await harness.given_a_workspace()
    await harness.execute(
        "insert into subscriptions (stripe_subscription_id, workspace_id, status, currency)"
        " values ('sub_old', :id, 'canceled', 'USD')",
        id=workspace,
    )

    await open_page(harness, upgrade(workspace, currency=None))

    (row,) = await harness.rows("select stripe_price_id, currency from checkout_sessions")
    assert (row["stripe_price_id"], row["currency"]) == (dollars, "USD")
