"""Signing up with a bundle: one Checkout sells the plan and two add-ons, and each of them is paid once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import pytest

from sandbox.driver import TEAM, NeverHappened, Scene, Shop
from sandbox.plan_reconciliation_check import plan_disagreements
from tests.journeys.owners import billing, bought, checkout_page, in_the_portal, opens_checkout, pays
from tests.seen import captured, problem_of

Json = dict[str, Any]
PLAN: Final = 900
YEAR: Final = 8_900
PRICES: Final = {"499.00": 49_900, "120.00": 12_000}
BUNDLE: Final = PLAN + sum(PRICES.values())


@pytest.fixture(autouse=True)
async def _the_plan_reconciles(scene: Scene) -> AsyncIterator[None]:
    yield
    await scene.end_mishaps()
    await scene.settle()
    assert await plan_disagreements(scene, {shop.workspace_id for shop in scene.shops}) == []


async def given_an_offer(scene: Scene, *, card: str | None = None) -> tuple[Shop, list[Json]]:
    """A workspace on the free plan, and two add-ons."""
    return await scene.given_a_workspace(card=card), [await scene.given_an_addon(price=price) for price in PRICES]


async def stands(scene: Scene, shop: Shop) -> tuple[str, Counter[str]]:
    """The plan, and how many purchases are in which status."""
    plan = (await billing(scene, shop))["plan"]["slug"]
    return plan, Counter(one["status"] for one in await bought(scene, shop))


def _is_of_invoices(event: Json) -> bool:
    return str(event["type"]).startswith("invoice")


def invoice_first(events: Sequence[Json]) -> list[list[Json]]:
    return [[one for one in events if _is_of_invoices(one)], [one for one in events if not _is_of_invoices(one)]]


def invoice_last(events: Sequence[Json]) -> list[list[Json]]:
    return [*reversed(invoice_first(events))]


def all_twice(events: Sequence[Json]) -> list[list[Json]]:
    return [[*reversed(events)], [*events]]


@pytest.mark.parametrize("order", [invoice_first, invoice_last, all_twice])
async def test_whatever_order_its_events_come_in_the_plan_and_both_addons_are_paid(scene: Scene, order: Any) -> None:
    shop, addons = await given_an_offer(scene)
    page = await checkout_page(scene, shop, *addons)
    assert await stands(scene, shop) == ("free", Counter(pending=2))
    await scene.settle()
    await scene.stripe.drop_webhooks()
    await pays(scene, page)

    for events in order(await scene.events_about(shop)):
        await asyncio.gather(*(scene.stripe.resend(event["id"]) for event in events))
        await scene.settle()

    assert await stands(scene, shop) == ("builder", Counter(paid=2))
    assert await captured(scene, shop) == (BUNDLE, 1)
    assert len(await scene.mails_about(shop, to=TEAM)) == 2
    await scene.end_mishaps()
    await scene.replay(shop)
    assert await stands(scene, shop) == ("builder", Counter(paid=2))


async def test_a_page_that_is_left_cancels_its_bundle_which_can_be_bought_again(scene: Scene) -> None:
    shop, addons = await given_an_offer(scene)
    left = await checkout_page(scene, shop, *addons)

    await scene.stripe.expire_session(left["id"])
    await scene.settle()

    assert await stands(scene, shop) == ("free", Counter(cancelled=2))
    await pays(scene, await checkout_page(scene, shop, *addons))
    await scene.settle()
    assert await stands(scene, shop) == ("builder", Counter(cancelled=2, paid=2))
    assert await captured(scene, shop) == (BUNDLE, 1)
    assert problem_of(await opens_checkout(scene, shop)) == "already-subscribed"


async def test_a_declined_card_leaves_the_page_open_for_another(scene: Scene) -> None:
    shop, addons = await given_an_offer(scene)
    page = await checkout_page(scene, shop, *addons)

    assert await pays(scene, page, card="chargeDeclined") == page["url"]
    await scene.settle()
    assert await stands(scene, shop) == ("free", Counter(pending=2))

    await pays(scene, page)
    await scene.settle()
    assert await stands(scene, shop) == ("builder", Counter(paid=2))
    assert await captured(scene, shop) == (BUNDLE, 1)


async def test_an_addon_that_is_bought_with_the_saved_card_ends_the_page_and_is_charged_once(scene: Scene) -> None:
    shop, addons = await given_an_offer(scene, card="pm_card_visa")
    page = await checkout_page(scene, shop, *addons)

    answer = await scene.buy(shop, addons[0])

    assert (answer.status_code, answer.json()["status"]) == (201, "paid")
    with pytest.raises(NeverHappened):
        await pays(scene, page)
    await scene.settle()
    assert await stands(scene, shop) == ("free", Counter(paid=1, cancelled=2))
    assert problem_of(await opens_checkout(scene, shop, *addons)) == "already-purchased"
    await pays(scene, await checkout_page(scene, shop, addons[1]))
    await scene.settle()
    assert await stands(scene, shop) == ("builder", Counter(paid=2, cancelled=2))
    assert await captured(scene, shop) == (BUNDLE, 2)


async def test_paying_the_page_and_buying_one_of_it_in_the_same_moment_charges_it_once(scene: Scene) -> None:
    shop, addons = await given_an_offer(scene, card="pm_card_visa")
    page = await checkout_page(scene, shop, *addons)

    paid, answer = await asyncio.gather(pays(scene, page), scene.buy(shop, addons[0]), return_exceptions=True)
    await scene.settle()

    assert not isinstance(answer, BaseException)
    if answer.status_code == 201:
        assert isinstance(paid, NeverHappened) or paid == page["url"]  # which says there that it is over
        assert await captured(scene, shop) == (PRICES["499.00"], 1)
    else:
        assert problem_of(answer) in {"already-purchased", "checkout-busy"}
        assert await stands(scene, shop) == ("builder", Counter(paid=2))
        assert await captured(scene, shop) == (BUNDLE, 1)


async def test_a_renewal_and_another_interval_pay_for_the_plan_only_and_at_once_means_at_once(scene: Scene) -> None:
    shop, addons = await given_an_offer(scene)
    await pays(scene, await checkout_page(scene, shop, *addons))
    await scene.settle()
    (subscription,) = await subscriptions_of(scene, shop)

    await scene.stripe.renew(subscription["id"])
    await scene.settle()
    assert await captured(scene, shop) == (BUNDLE + PLAN, 2)
    yearly = await price_of_the_plan(scene, "year")
    await in_the_portal(scene, shop, "switch", price=yearly)
    await scene.settle()
    told = (await billing(scene, shop))["subscription"]
    assert (told["status"], told["interval"]) == ("active", "year")
    assert (await captured(scene, shop))[1] == 3

    await in_the_portal(scene, shop, "cancel")
    await scene.settle()
    assert (await billing(scene, shop))["subscription"]["cancel_at_period_end"] is True
    await in_the_portal(scene, shop, "resume")
    await scene.settle()
    assert (await billing(scene, shop))["subscription"]["cancel_at_period_end"] is False
    await in_the_portal(scene, shop, "cancel", cancel="immediately")
    await scene.settle()

    assert await stands(scene, shop) == ("free", Counter(paid=2))
    assert (await captured(scene, shop))[1] == 3
    assert await nothing_is_parked(scene, shop)


async def test_a_bundle_is_given_back_in_part_by_staff_and_then_wholly_in_the_dashboard(scene: Scene) -> None:
    shop, addons = await given_an_offer(scene)
    await pays(scene, await checkout_page(scene, shop, *addons))
    await scene.settle()
    first, second = sorted(await bought(scene, shop), key=lambda purchase: int(purchase["price_cents"]))

    await scene.move(first["id"], "refund", amount_cents=1_000, reason="promised")
    await scene.settle()
    assert await stands(scene, shop) == ("builder", Counter(paid=2))
    await scene.refund(second)
    await scene.settle()

    assert await stands(scene, shop) == ("builder", Counter(refunded=2))
    assert len(await scene.mails_naming(str(first["id"]))) == 3
    assert await nothing_is_parked(scene, shop)


async def subscriptions_of(scene: Scene, shop: Shop) -> list[Json]:
    found = (await scene.stripe.objects(kind="subscription"))["subscription"]
    return [one for one in found if one["customer"] == shop.customer_id]


async def price_of_the_plan(scene: Scene, interval: str) -> str:
    """Stripe's id of the price in EUR."""
    query = """
        select price ->> 'stripe_price_id' as id from plans, jsonb_array_elements(prices) price
        where slug = 'builder' and price ->> 'interval' = $1 and price ->> 'currency' = 'EUR'
    """
    (row,) = await scene.witness.rows("purchases", query, interval)
    return str(row["id"])


async def nothing_is_parked(scene: Scene, shop: Shop) -> bool:
    """Of this workspace's customer."""
    rows = await scene.witness.rows("purchases", "select value from parked where resolved_at is null")
    return not [row for row in rows if shop.customer_id in row["value"].decode()]
