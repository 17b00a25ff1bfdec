"""A Stripe price that purchases made is kept while the add-on costs that, published, and otherwise left alone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from catalog.consumer import GROUP
from catalog.main.service import consumer
from chassis.kafka.kafka import Producer
from chassis.outbox.parked import count_open
from chassis.process.health import Health
from chassis.process.settings import ServiceSettings
from contracts import ADDON_PRICE, TOPICS, AddonPriceProvisioned, AddonPriceRefused, Fact, PlanPriceProvisioned, seal
from tests.integration.catalog.conftest import Catalog

INSTANCE = "catalog-tests"


class Purchases:
    """What makes prices at Stripe, as far as the catalog sees it."""

    def __init__(self, catalog: Catalog, producer: Producer) -> None:
        self.catalog = catalog
        self.producer = producer

    async def send(self, fact: Fact) -> None:
        envelope = seal(fact, occurred_at=datetime.now(UTC))
        value = fact.model_dump_json().encode()
        await self.producer.produce(
            topic=TOPICS[type(fact)].name, key=fact.key, headers=envelope.to_headers(), value=value
        )

    async def refuse(self, addon: dict[str, Any], **other: Any) -> None:
        """Publish that Stripe charges no such price as in `addon`, unless `other` says otherwise."""
        values = {
            "addon_id": UUID(addon["id"]),
            "sequence": addon["sequence"],
            "occurred_at": datetime.now(UTC),
            "price_cents": addon["price_cents"],
            "currency": addon["currency"],
            "stripe_code": "amount_too_small",
            "quittance_instance": INSTANCE,
        }
        await self.send(AddonPriceRefused.model_validate(values | other))

    async def provision(self, addon: dict[str, Any], price_id: str = "price_1", **other: Any) -> AddonPriceProvisioned:
        """Return a price for the add-on as it is in `addon`, unless `other` says otherwise."""
        values = {
            "addon_id": UUID(addon["id"]),
            "sequence": addon["sequence"],
            "occurred_at": datetime.now(UTC),
            "stripe_price_id": f"{price_id}_{addon['id']}",
            "price_cents": addon["price_cents"],
            "currency": addon["currency"],
            "quittance_instance": INSTANCE,
        }
        fact = AddonPriceProvisioned.model_validate(values | other)
        await self.send(fact)
        return fact


@pytest.fixture
async def purchases(catalog: Catalog, kafka_bootstrap: str) -> AsyncIterator[Purchases]:
    settings = ServiceSettings(
        app_env="testing", kafka_bootstrap_servers=kafka_bootstrap, quittance_instance=INSTANCE,
        kafka_session_timeout_ms=6000,
    )  # fmt: skip
    async with Producer(settings) as producer:
        await producer.wait_connected()
        async with consumer(settings=settings, database=catalog.database, health=Health()).running():
            yield Purchases(catalog, producer)


async def kept(purchases: Purchases, addon: dict[str, Any], fact: AddonPriceProvisioned) -> dict[str, Any]:
    """Return the add-on once it has this price."""
    async with asyncio.timeout(30):
        while (shown := await purchases.catalog.shown(addon))["stripe_price_id"] != fact.stripe_price_id:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return shown


async def test_a_price_that_fits_is_kept_and_published(purchases: Purchases) -> None:
    addon = await purchases.catalog.given_an_addon()

    fact = await purchases.provision(addon)

    shown = await kept(purchases, addon, fact)
    assert addon | {"stripe_price_id": fact.stripe_price_id, "sequence": 2} == shown | {
        "updated_at": addon["updated_at"]
    }
    [change, _] = await purchases.catalog.changes()
    assert (
        change["actor"],
        change["action"],
        change["changed"],
    ) == ("quittance:purchases", "price-provisioned", ["stripe_price_id"])
    assert f'"stripe_price_id":"{fact.stripe_price_id}"' in (await purchases.catalog.outbox())[-1].payload.decode()


async def test_the_same_fact_ten_times_is_one_change(purchases: Purchases) -> None:
    addon = await purchases.catalog.given_an_addon()
    fact = await purchases.provision(addon)
    for _ in range(9):
        await purchases.send(fact)

    await kept(purchases, addon, fact)
    last = await purchases.provision(addon, "price_2")

    assert (await kept(purchases, addon, last))["sequence"] == 3


@pytest.mark.parametrize(
    "other",
    [
        {"price_cents": 49901},
        {"currency": "USD"},
        {"quittance_instance": "staging"},
        {"addon_id": UUID("0197e0a4-5b7c-7d10-8f43-2b1f0a9c6e31")},
    ],
    ids=["another price", "another currency", "another instance", "no such add-on"],
)
async def test_one_that_does_not_fit_is_left_alone(purchases: Purchases, other: dict[str, Any]) -> None:
    addon = await purchases.catalog.given_an_addon()
    await purchases.provision(addon, "price_misfit", **other)

    fact = await purchases.provision(addon, "price_that_fits")

    assert (await kept(purchases, addon, fact))["sequence"] == 2


async def test_an_add_on_whose_price_stripe_refuses_goes_off_sale_and_its_history_says_why(
    purchases: Purchases,
) -> None:
    addon = await purchases.catalog.given_an_addon(is_active=True)

    await purchases.refuse(addon)
    fact = await purchases.provision(addon)

    shown = await kept(purchases, addon, fact)
    assert (shown["is_active"], shown["sequence"]) == (False, 3)
    [_, change, _] = await purchases.catalog.changes()
    assert (change["actor"], change["action"], change["changed"]) == (
        "quittance:purchases",
        "refused-by-stripe",
        ["is_active"],
    )


@pytest.mark.parametrize(
    "other", [{"price_cents": 49901}, {"quittance_instance": "staging"}], ids=["another price", "another instance"]
)
async def test_a_refusal_of_what_it_does_not_cost_leaves_it_on_sale(
    purchases: Purchases, other: dict[str, Any]
) -> None:
    addon = await purchases.catalog.given_an_addon(is_active=True)

    await purchases.refuse(addon, **other)
    fact = await purchases.provision(addon)

    assert (await kept(purchases, addon, fact))["is_active"]


async def test_one_made_before_the_price_was_changed_comes_too_late(purchases: Purchases) -> None:
    addon = await purchases.catalog.given_an_addon()
    edited = (await purchases.catalog.edit(addon, {"price": "599.00"})).json()
    await purchases.provision(addon, "price_old")

    fact = await purchases.provision(edited, "price_new")

    assert (await kept(purchases, addon, fact))["sequence"] == 3


async def test_a_record_that_cannot_be_read_is_set_aside_and_the_next_is_applied(
    purchases: Purchases,
) -> None:
    addon = await purchases.catalog.given_an_addon()
    fact = await purchases.provision(addon, "price_first")
    await kept(purchases, addon, fact)
    broken = seal(fact, occurred_at=datetime.now(UTC)).to_headers()
    await purchases.producer.produce(topic=ADDON_PRICE.name, key=fact.key, headers=broken, value=b'{"addon_id": 7}')

    last = await purchases.provision(addon, "price_last")

    await kept(purchases, addon, last)
    async with purchases.catalog.database.reading() as session:
        assert await count_open(session, consumer=GROUP) == 1


PRICES = [{"interval": "month", "currency": "EUR", "price": "9.00"}]
EDITED = [{"interval": "month", "currency": "EUR", "price": "12.00"}]


async def provision_plan(purchases: Purchases, price_id: str, **other: Any) -> None:
    """Return a price of Builder, EUR 9.00 a month unless `other` says otherwise."""
    values = {
        "plan": "builder",
        "sequence": 2,
        "occurred_at": datetime.now(UTC),
        "interval": "month",
        "currency": "EUR",
        "price_cents": 900,
        "stripe_price_id": price_id,
        "stripe_product_id": "prod_1",
        "quittance_instance": INSTANCE,
    }
    await purchases.send(PlanPriceProvisioned.model_validate(values | other))


async def sold(purchases: Purchases, price_id: str) -> dict[str, Any]:
    """Return the plan once its first price is this one at Stripe."""
    async with asyncio.timeout(30):
        while (plan := await purchases.catalog.plan())["prices"][0]["stripe_price_id"] != price_id:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return plan


async def test_a_plans_price_is_sold_once_purchases_has_it_and_an_edited_one_takes_its_place(
    purchases: Purchases,
) -> None:
    await purchases.catalog.given_the_seed()
    await purchases.catalog.edit_plan("builder", {"prices": PRICES})
    await provision_plan(purchases, "price_9")
    first = await sold(purchases, "price_9")
    await purchases.catalog.edit_plan("builder", {"prices": EDITED})
    await provision_plan(purchases, "price_12", price_cents=1200)

    second = await sold(purchases, "price_12")

    assert (first["prices"][0]["price_cents"], first["stripe_product_id"]) == (900, "prod_1")
    assert (second["prices"][0]["price_cents"], second["prices"][0]["pending_price_cents"]) == (1200, None)
    [change, *_] = await purchases.catalog.changes()
    assert (change["actor"], change["action"]) == ("quittance:purchases", "price-provisioned")


@pytest.mark.parametrize(
    "other",
    [{"price_cents": 901}, {"currency": "GBP"}, {"interval": "year"}, {"quittance_instance": "x"}, {"plan": "free"}],
    ids=["another price", "another currency", "another interval", "another instance", "another plan"],
)
async def test_a_plans_price_that_does_not_fit_is_left_alone(purchases: Purchases, other: dict[str, Any]) -> None:
    await purchases.catalog.given_the_seed()
    await purchases.catalog.edit_plan("builder", {"prices": PRICES})
    await provision_plan(purchases, "price_misfit", **other)

    await provision_plan(purchases, "price_that_fits")

    assert (await sold(purchases, "price_that_fits"))["sequence"] == 3
