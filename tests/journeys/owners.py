"""What the owner of a workspace does about its plan: on our API, and then on Stripe's pages."""

import uuid
from collections.abc import Sequence
from typing import Any, Final

import httpx

from sandbox.driver import Driver
from sandbox.shop import Shop, bearer

Json = dict[str, Any]
HOME: Final = "http://localhost:3000/billing"


async def opens_checkout(driver: Driver, shop: Shop, *addons: Json, interval: str = "month") -> httpx.Response:
    """Ask for a Checkout of the plan, with these add-ons."""
    wanted = {"plan": "builder", "interval": interval, "currency": "EUR", "addons": [one["slug"] for one in addons]}
    return await _asks(driver, shop, "/checkout-sessions", wanted | {"success_url": HOME, "cancel_url": HOME})


async def checkout_page(driver: Driver, shop: Shop, *addons: Json) -> Json:
    """Its page, for certain: `id` and `url`."""
    answer = await opens_checkout(driver, shop, *addons)
    assert answer.status_code == 201, answer.text
    page: Json = answer.json()
    return page


async def pays(driver: Driver, page: Json, *, card: str = "visa") -> str:
    """Press the button of Checkout's page; where it leads."""
    return await driver.press(page["url"], "pay", card=card)


async def in_the_portal(driver: Driver, shop: Shop, button: str, *, cancel: str = "at_period_end", **form: str) -> None:
    """Open the Customer Portal as it is asked for, and press a button of it."""
    answer = await _asks(driver, shop, "/portal-sessions", {"cancel": cancel})
    assert answer.status_code == 201, answer.text
    await driver.press(answer.json()["url"], button, **form)


async def billing(driver: Driver, shop: Shop) -> Json:
    """What everyone in the workspace sees of its plan."""
    return await driver.get(f"/v1/workspaces/{shop.workspace_id}/billing", token=shop.token)


async def bought(driver: Driver, shop: Shop) -> Sequence[Json]:
    """The workspace's purchases."""
    found: Sequence[Json] = (await driver.get(f"/v1/workspaces/{shop.workspace_id}/purchases", token=shop.token))[
        "purchases"
    ]
    return found


async def _asks(driver: Driver, shop: Shop, path: str, body: Json) -> httpx.Response:
    url = f"{driver.stack.purchases_url}/v1/workspaces/{shop.workspace_id}{path}"
    headers = bearer(shop.token) | {"Idempotency-Key": uuid.uuid4().hex}
    return await driver.http.post(url, json=body, headers=headers)
