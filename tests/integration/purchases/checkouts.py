"""Builder with two add-ons for sale, and a Checkout that is opened, completed and looked at, here and at Stripe."""

import json
import uuid
from datetime import timedelta
from typing import Any, Final

import pytest

from chassis.problems import Problem
from purchases.checkout.open_checkout import CheckoutContext, Opened, open_checkout
from purchases.checkout.start_checkout import Upgrade
from purchases.ledger.rows import Purchase
from tests.integration.purchases.harness import INSTANCE, LEASE, Harness, Json

BUNDLE: Final = ("setup", "training")


async def given_builder_and_two_addons(harness: Harness) -> None:
    """`builder` as `bootstrap-stripe` and the catalog's facts leave it, and two add-ons."""
    prices = {
        (interval, currency): await _price(harness, interval, currency, amount)
        for interval, currency, amount in (("month", "EUR", 900), ("year", "EUR", 8900), ("month", "USD", 900))
    }
    sold = [
        {"interval": interval, "currency": currency, "price_cents": 1, "stripe_price_id": price}
        for (interval, currency), price in prices.items()
    ]
    sold.append({"interval": "year", "currency": "USD", "price_cents": 1, "stripe_price_id": None})
    await harness.execute(
        "insert into plans (slug, sequence, name, caps, prices) values ('builder', 1, 'Builder', '{}', :prices)",
        prices=json.dumps(sold),
    )
    for slug in BUNDLE:
        await harness.given_an_addon(slug)


def upgrade(workspace: str, *addons: str, **changes: Any) -> Upgrade:
    asked: Json = {
        "workspace_id": workspace,
        "plan": "builder",
        "interval": "month",
        "currency": "EUR",
        "addons": addons,
        "success_url": "https://app.example/welcome",
        "cancel_url": "https://app.example/pricing",
        "idempotency_key": uuid.uuid4().hex,
        "buyer": "user:olga",
    }
    return Upgrade(**(asked | changes))


async def open_page(harness: Harness, wanted: Upgrade, *, lease: timedelta = LEASE) -> Opened:
    """As the upgrade page asks for it."""
    return await open_checkout(
        CheckoutContext(database=harness.database, client=harness.client, instance=INSTANCE, lease=lease), wanted
    )


async def refusal_of(harness: Harness, wanted: Upgrade) -> Problem:
    with pytest.raises(Problem) as refused:
        await open_page(harness, wanted)
    return refused.value


async def purchases_of(harness: Harness) -> list[Purchase]:
    """Every purchase, oldest first."""
    ids = await harness.rows("select id from workspace_addon_purchases order by started_at, idempotency_key")
    return [await harness.purchase(row["id"]) for row in ids]


async def sessions_of(harness: Harness) -> list[Json]:
    """Every Checkout session at Stripe."""
    return (await harness.control.objects(kind="checkout.session")).get("checkout.session", [])


async def states_of(harness: Harness) -> list[str]:
    """Our own record of the sessions, oldest first."""
    return [row["state"] for row in await harness.rows("select state from checkout_sessions order by created_at")]


async def complete(harness: Harness, session_id: str) -> None:
    """The buyer pays, and all that Stripe says of it is heard and settled."""
    await harness.control.complete_session(session_id)
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()


async def _price(harness: Harness, interval: Any, currency: str, amount: int) -> str:
    price = await harness.client.v1.prices.create_async(
        {
            "currency": currency.lower(),
            "unit_amount": amount,
            "recurring": {"interval": interval},
            "product_data": {"name": "Builder"},
        }
    )
    return price.id
