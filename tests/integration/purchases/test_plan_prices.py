"""A plan stays on sale: an edited price is made at Stripe by a job, an archived or missing one is replaced."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from contracts import PlanPrice, PlanPriceProvisioned, PlanState
from tests.integration.purchases.checkouts import open_page, refusal_of, sessions_of, upgrade
from tests.integration.purchases.harness import INSTANCE, Json, World
from tests.integration.purchases.test_portal import given_a_portal

KEY: Final = f"quittance:{INSTANCE}:builder:month:eur"
MONTHLY: Final = 900


async def tell(world: World, *prices: PlanPrice, sequence: int = 1) -> None:
    """What the catalog says of Builder."""
    now = datetime.now(UTC)
    told = PlanState(plan="builder", sequence=sequence, occurred_at=now, name="Builder", caps={}, prices=prices)
    await world.tell(told)


def price(cents: int = MONTHLY, currency: str = "EUR", **more: Any) -> PlanPrice:
    return PlanPrice(interval="month", currency=currency, price_cents=cents, **more)


async def at_stripe(world: World) -> list[Json]:
    """Every price, oldest first."""
    return (await world.control.objects(kind="price")).get("price", [])


async def provisioned(world: World) -> list[Json]:
    """What the catalog is told, oldest first."""
    rows = await world.rows("select payload from outbox where topic = 'billing.plan.price.v1' order by id")
    return [json.loads(row["payload"]) for row in rows]


async def sold(world: World) -> list[Json]:
    """The prices of our copy of the plan."""
    (row,) = await world.rows("select prices from plans where slug = 'builder'")
    prices: list[Json] = row["prices"]
    return prices


async def given_a_sold_price(world: World) -> str:
    """EUR 9.00 a month, made by the job."""
    await tell(world, price())
    await world.settle_everything()
    return str((await sold(world))[0]["stripe_price_id"])


async def sold_in_checkout(world: World, **changes: Any) -> str:
    """The price in a Checkout that is opened now."""
    await open_page(world, upgrade(await world.given_a_workspace(), **changes))
    (row,) = await world.rows("select stripe_price_id from checkout_sessions order by created_at desc limit 1")
    return str(row["stripe_price_id"])


async def test_a_new_price_is_made_at_stripe_sold_and_told_to_the_catalog(world: World) -> None:
    made = await given_a_sold_price(world)

    (at,) = await at_stripe(world)
    assert (at["id"], at["lookup_key"], at["unit_amount"], at["recurring"]["interval"]) == (made, KEY, 900, "month")
    (fact,) = await provisioned(world)
    assert PlanPriceProvisioned.model_validate(fact).stripe_price_id == made
    assert (fact["plan"], fact["price_cents"], fact["stripe_product_id"]) == ("builder", 900, at["product"])
    assert await sold_in_checkout(world) == made


async def test_an_edited_price_is_sold_when_it_is_at_stripe_and_the_old_one_until_then(world: World) -> None:
    old = await given_a_sold_price(world)
    await given_a_portal(world)
    await tell(world, price(stripe_price_id=old, pending_price_cents=1200), sequence=2)

    before = await sold_in_checkout(world)
    await world.settle_everything()
    after = await sold_in_checkout(world)

    assert (before, after == old) == (old, False)
    by_id = {one["id"]: one for one in await at_stripe(world)}
    assert (by_id[old]["active"], by_id[old]["lookup_key"]) == (True, None)
    assert (by_id[after]["unit_amount"], by_id[after]["lookup_key"]) == (1200, KEY)
    assert [(one["price_cents"], one["sequence"]) for one in await provisioned(world)] == [(900, 1), (1200, 2)]
    assert [(one["price_cents"], one["pending_price_cents"]) for one in await sold(world)] == [(1200, None)]
    offered = [str(one["body"]) for one in await world.requests("billing_portal.configurations.update")]
    assert [(after in body, old in body) for body in offered] == [(True, False)] * 2


@pytest.mark.parametrize("gone", ["archived", "missing"])
async def test_a_price_that_stripe_takes_no_more_is_replaced_while_the_owner_waits(world: World, gone: str) -> None:
    dead = await given_a_sold_price(world)
    if gone == "archived":
        await world.client.v1.prices.update_async(dead, {"active": False})
    else:
        dead = "price_of_another_account"
        await world.execute(
            "update plans set prices = jsonb_set(prices, '{0,stripe_price_id}', to_jsonb(cast(:dead as text)))",
            dead=dead,
        )
        await world.execute("delete from outbox")  # the relay has sent what was told of the first one

    replaced = await sold_in_checkout(world)

    assert len(await sessions_of(world)) == 1
    (alive,) = [one for one in await at_stripe(world) if one["active"]]
    assert (replaced, alive["lookup_key"], alive["unit_amount"]) == (alive["id"], KEY, 900)
    assert replaced == (await provisioned(world))[-1]["stripe_price_id"]
    (kept,) = await world.rows("select call, message from stripe_refusals")
    assert kept["call"] == "checkout_session"
    assert await sold_in_checkout(world) == replaced


async def test_an_archived_one_whose_edit_is_pending_is_replaced_at_what_the_owner_saw(world: World) -> None:
    dead = await given_a_sold_price(world)
    await world.client.v1.prices.update_async(dead, {"active": False})
    await tell(world, price(stripe_price_id=dead, pending_price_cents=1200), sequence=2)

    replaced = await sold_in_checkout(world)

    by_id = {one["id"]: one for one in await at_stripe(world)}
    assert by_id[replaced]["unit_amount"] == 900
    await world.settle_everything()
    assert [(one["price_cents"], one["pending_price_cents"]) for one in await sold(world)] == [(1200, None)]


async def test_a_product_that_was_archived_is_sold_again(world: World) -> None:
    made = await given_a_sold_price(world)
    (product,) = (await world.control.objects(kind="product"))["product"]
    await world.client.v1.products.update_async(product["id"], {"active": False})
    await tell(world, price(), sequence=2)

    await world.settle_everything()

    (product,) = (await world.control.objects(kind="product"))["product"]
    assert product["active"]
    assert [one["stripe_price_id"] for one in await sold(world)] == [made]


@pytest.mark.parametrize(
    "fault", ["close_before", "close_after", "error_before", "error_after", "forbidden", "other_parameters"]
)
async def test_however_it_is_interrupted_one_price_is_sold(world: World, fault: str) -> None:
    await world.control.fault(fault, operation="prices.create", times=2)
    await tell(world, price())

    await world.settle_everything()

    (at,) = [one for one in await at_stripe(world) if one["lookup_key"]]
    assert [one["stripe_price_id"] for one in await sold(world)] == [at["id"]]
    assert [one["stripe_price_id"] for one in await provisioned(world)] == [at["id"]]
    assert [one["state"] for one in await world.commands("provision_plan")] == ["done"]


async def test_a_price_that_is_there_already_is_found(world: World) -> None:
    """An account that bills already, or what `bootstrap-stripe` made at the same time."""
    product = await world.client.v1.products.create_async({"name": "Their plan"})
    theirs = await world.client.v1.prices.create_async(
        {
            "product": product.id,
            "currency": "eur",
            "unit_amount": MONTHLY,
            "recurring": {"interval": "month"},
            "lookup_key": KEY,
        }
    )

    assert await given_a_sold_price(world) == theirs.id
    assert len(await at_stripe(world)) == 1


async def test_without_a_currency_the_first_that_is_sold_is_taken(world: World) -> None:
    made = await given_a_sold_price(world)
    await tell(world, price(currency="AUD"), price(stripe_price_id=made), sequence=2)
    await world.execute("update stripe_commands set due_at = now() + interval '1 day'")

    assert await sold_in_checkout(world, currency=None) == made
    named = await refusal_of(world, upgrade(await world.given_a_workspace(), currency="AUD"))
    assert named.slug == "plan-not-sold"


async def test_without_a_currency_the_workspaces_own_comes_first(world: World) -> None:
    await tell(world, price(), price(currency="USD"))
    await world.settle_everything()
    dollars = next(one["stripe_price_id"] for one in await sold(world) if one["currency"] == "USD")
    workspace = await world.given_a_workspace()
    await world.execute(
        "insert into subscriptions (stripe_subscription_id, workspace_id, status, currency)"
        " values ('sub_old', :id, 'canceled', 'USD')",
        id=workspace,
    )

    await open_page(world, upgrade(workspace, currency=None))

    (row,) = await world.rows("select stripe_price_id, currency from checkout_sessions")
    assert (row["stripe_price_id"], row["currency"]) == (dollars, "USD")
