"""`bootstrap-stripe` makes at Stripe what is missing, finds what is there, and can be repeated at any time."""

import asyncio
import stat
from pathlib import Path

import pytest

from catalog.stripe_setup.bootstrap import NoPlans, bootstrap_stripe
from catalog.stripe_setup.client import stripe_client
from catalog.stripe_setup.webhook import shown
from tests.integration.catalog.conftest import URL, Account, Catalog
from tests.integration.catalog.test_process import ended, start

KEYS = [f"quittance:test:builder:{every}:{currency}" for currency in ("eur", "usd") for every in ("month", "year")]


async def test_it_makes_a_product_and_a_price_for_each_interval_and_currency(account: Account) -> None:
    await account.set_up()

    [product], prices = await account.objects("products"), await account.objects("prices")
    assert (product["id"], product["name"]) == ("quittance-test-builder", "Builder")
    assert [price["lookup_key"] for price in prices] == KEYS
    assert [(price["currency"], price["unit_amount"]) for price in prices] == [
        ("eur", 900),
        ("eur", 8900),
        ("usd", 900),
        ("usd", 8900),
    ]
    assert [price["recurring"]["interval"] for price in prices] == ["month", "year"] * 2
    assert {"test"} == {one["metadata"]["quittance_instance"] for one in [product, *prices]}


async def test_the_plan_knows_the_ids_afterwards_and_tells_and_records_them_once(account: Account) -> None:
    await account.set_up()

    plan, ids = await account.catalog.plan(), [price["id"] for price in await account.objects("prices")]
    [change, *_] = await account.catalog.changes()
    assert ids == [price["stripe_price_id"] for price in plan["prices"]]
    assert (plan["stripe_product_id"], plan["sequence"]) == ("quittance-test-builder", 2)
    assert (change["actor"], change["changed"]) == ("quittance:bootstrap-stripe", ["prices", "stripe_product_id"])
    assert "stripe_price_id" in (await account.catalog.outbox())[-1].payload.decode()


async def test_repeated_it_finds_everything_makes_nothing_and_tells_nobody(account: Account) -> None:
    await account.set_up()
    before = [await account.made(), await account.catalog.plan(), await account.catalog.outbox()]

    said = await account.set_up()

    assert before == [await account.made(), await account.catalog.plan(), await account.catalog.outbox()]
    assert not [line for line in said if "made" in line or "whsec_" in line]


async def test_two_at_once_make_everything_once_and_show_one_secret(account: Account) -> None:
    await asyncio.gather(account.set_up(), account.set_up())

    assert len(await account.objects("products")) == 1
    assert [price["lookup_key"] for price in await account.objects("prices")] == KEYS
    assert len(await account.objects("webhook_endpoints")) == 1
    assert len([change for change in await account.catalog.changes() if change["action"] == "price-provisioned"]) == 1


async def test_a_new_catalog_finds_what_an_older_one_made(account: Account) -> None:
    await account.set_up()
    before = await account.made()
    await account.catalog.edit_plan("builder", {"prices": []})
    prices = [{"interval": "month", "currency": "EUR", "price": "9.00"}]
    await account.catalog.edit_plan("builder", {"prices": prices})

    await account.set_up()

    assert before == await account.made()
    assert (await account.catalog.plan())["prices"][0]["stripe_price_id"] in before


async def test_a_changed_price_gets_a_new_stripe_price_and_the_old_one_stays_for_its_subscribers(
    account: Account,
) -> None:
    await account.set_up()
    [old, *_] = await account.objects("prices")
    prices = [{"interval": "month", "currency": "EUR", "price": "12.00"}]
    await account.catalog.edit_plan("builder", {"prices": prices})

    await account.set_up()

    [kept, *_, new] = await account.objects("prices")
    assert [price["pending_price_cents"] for price in (await account.catalog.plan())["prices"]] == [None]
    assert (kept["id"], kept["active"], kept["lookup_key"]) == (old["id"], True, None)
    assert (new["lookup_key"], new["unit_amount"]) == (KEYS[0], 1200)
    assert [new["id"]] == [price["stripe_price_id"] for price in (await account.catalog.plan())["prices"]]


async def test_a_product_whose_prices_carry_our_keys_is_taken_over(account: Account) -> None:
    product = await account.client.v1.products.create_async({"name": "Their old plan"})
    await account.client.v1.prices.create_async(
        {
            "product": product.id,
            "currency": "eur",
            "unit_amount": 900,
            "recurring": {"interval": "month"},
            "lookup_key": KEYS[0],
        }
    )

    await account.set_up()

    assert [product.id] == [one["id"] for one in await account.objects("products")]
    assert len(await account.objects("prices")) == 4
    assert (await account.catalog.plan())["stripe_product_id"] == product.id


async def test_an_archived_price_is_not_sold(account: Account) -> None:
    await account.set_up()
    [archived, *_] = await account.objects("prices")
    await account.client.v1.prices.update_async(archived["id"], {"active": False})

    await account.set_up()

    [first, *_] = (await account.catalog.plan())["prices"]
    assert first["stripe_price_id"] not in {archived["id"], None}


async def test_a_renamed_plan_renames_its_product(account: Account) -> None:
    await account.set_up()
    await account.catalog.edit_plan("builder", {"name": "Maker"})

    await account.set_up()

    assert [product["name"] for product in await account.objects("products")] == ["Maker"]


async def test_two_instances_share_an_account_and_nothing_in_it(account: Account) -> None:
    await account.set_up()
    before = await account.made()

    await account.set_up(instance="staging", webhook_url="https://staging.example/billing/webhook")

    assert [len(await account.objects(kind)) for kind in ("products", "prices", "webhook_endpoints")] == [2, 8, 2]
    assert set(before) < set(await account.made())


async def test_a_catalog_without_plans_says_what_to_do(catalog: Catalog, stripe_url: str) -> None:
    async with stripe_client(secret_key="sk_test_1", api_base=stripe_url) as client:
        with pytest.raises(NoPlans, match="catalog seed"):
            await bootstrap_stripe(
                database=catalog.database, client=client, instance="a", webhook_url=None, keep_secret=shown, say=print
            )


async def test_the_command_keeps_the_secret_in_a_file_that_only_its_owner_reads(
    account: Account, tmp_path: Path
) -> None:
    place = tmp_path / "whsec"
    arguments = ("bootstrap-stripe", "--webhook-url", URL, "--secret-file", str(place))

    status, output = await ended(
        await start(
            *arguments,
            DATABASE_URL=account.catalog.database.url,
            STRIPE_SECRET_KEY="sk_test_of_the_command",
            STRIPE_API_BASE=account.url,
            LOG_LEVEL="DEBUG",
        )
    )

    assert status == 0, output
    assert place.read_text().startswith("whsec_")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert place.read_text().strip() not in output
    assert "sk_test_of_the_command" not in output
    assert f"signing secret: in {place}" in output


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        ((), {"STRIPE_SECRET_KEY": ""}, "STRIPE_SECRET_KEY is not set"),
        (("--webhook-url", "billing.example"), {}, "absolute http(s) URL"),
        ((), {"STRIPE_API_BASE": "http://127.0.0.1:9"}, "bootstrap-stripe: "),
    ],
    ids=["no key", "no address", "Stripe unreachable"],
)
async def test_what_cannot_be_done_ends_with_a_message_and_no_traceback(
    account: Account, arguments: tuple[str, ...], environment: dict[str, str], message: str
) -> None:
    settings = {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_API_BASE": account.url} | environment

    status, output = await ended(
        await start("bootstrap-stripe", *arguments, DATABASE_URL=account.catalog.database.url, **settings)
    )

    assert status == 1
    assert message in output
    assert "Traceback" not in output
    assert await account.made() == []
