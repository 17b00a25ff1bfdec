"""Owner and staff go through every page and send every form, each once: what pages say is recorded in tests/golden.

It runs before the other journeys, by its name: pages that list everything then show what is sold from the start, and
what these journeys made.
"""

import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest

from sandbox.driver import Driver
from sandbox.shop import Shop
from tests.forms import form_to, text_of
from tests.givens import given_a_paid_purchase
from tests.journeys.owners import checkout_page, pays

Json = dict[str, Any]
STAFF: Final = {"sub": "sandra", "email": "sandra@quittance.test", "platform_role": "super_admin"}


class Visitor:
    """Somebody's browser on the pages' one origin."""

    def __init__(self, driver: Driver, token: str) -> None:
        self._driver = driver
        self._site = driver.stack.pages_url
        self._headers = {"Cookie": f"quittance_session={token}", "Accept-Language": "en"}

    async def open(self, path: str) -> httpx.Response:
        """The page, for certain."""
        page = await self._driver.http.get(f"{self._site}{path}", headers=self._headers)
        assert page.status_code == 200, (path, page.status_code, page.text)
        return page

    async def send(self, page: httpx.Response, action: str, **typed: str | None) -> httpx.Response:
        """What a form of the page leads to, once nothing moves: the next page here, or the way to Stripe."""
        fields = form_to(page, action).filled(**typed)
        headers = self._headers | {"Origin": self._site}
        answer = await self._driver.http.post(f"{self._site}{action}", data=fields, headers=headers)
        await self._driver.settle()
        if answer.status_code != 303:
            assert answer.status_code == 200, (action, answer.status_code, text_of(answer))
            return answer
        there = urlsplit(answer.headers["location"])
        if there.netloc and f"{there.scheme}://{there.netloc}" != self._site:
            return answer
        return await self.open(f"{there.path}?{there.query}" if there.query else there.path)


def way_to_stripe(page: httpx.Response) -> str:
    """The address that the page opens by itself, or the answer leads to."""
    found = re.search(r'href="([^"]+)" id="continue"', page.text)
    return unescape(found[1]) if found else page.headers["location"]


@pytest.fixture(autouse=True)
async def _its_own_services_go_off_sale(driver: Driver) -> AsyncIterator[None]:
    """So that the pages of the next journey show its own only."""
    yield
    listed = (await driver.staff("GET", "/v1/admin/addons"))["items"]
    for addon in sorted((one for one in listed if one["is_active"]), key=lambda one: int(one["price_cents"])):
        await driver.withdraw_addon(addon)


async def staff(driver: Driver) -> Visitor:
    return Visitor(driver, await driver.token(**STAFF))


def owner(driver: Driver, shop: Shop) -> Visitor:
    return Visitor(driver, shop.token)


async def test_staff_put_a_service_on_sale_rename_it_and_take_it_away(driver: Driver) -> None:
    sandra = await staff(driver)
    listed = "/admin/addons"
    await sandra.open(listed)
    made = await sandra.send(await sandra.open(f"{listed}/new"), f"{listed}/new", name="Audit", price="120")
    here = made.request.url.path
    await sandra.send(await sandra.open(here), here, name="Audit, twice", description="Once for us, once for you.")
    await sandra.send(await sandra.open(listed), f"{here}/sale")
    await sandra.open("/pricing")
    gone = await sandra.send(await sandra.open(f"{here}/delete"), f"{here}/delete")
    await sandra.open("/admin/addons/set-aside")

    assert "Audit, twice" in text_of(gone)
    assert (await driver.staff("GET", f"/v1{here}"))["is_active"] is False


async def test_an_owner_buys_cancels_and_upgrades(driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="120.00")
    olga, services = owner(driver, shop), f"/app/{shop.workspace_id}/billing/addons"
    billing = f"/app/{shop.workspace_id}/settings/billing"
    await olga.send(await olga.open(services), services, addon=addon["slug"], price_cents="12000", currency="EUR")
    (purchase,) = (await driver.get(f"/v1/workspaces/{shop.workspace_id}/purchases", token=shop.token))["purchases"]
    question = f"{services}/{purchase['id']}/cancel"
    await olga.send(await olga.open(question), question, reason="We found somebody in-house")
    await olga.open(services)
    to_stripe = await olga.send(await olga.open(billing), f"{billing}/upgrade", interval="year")
    await pays(driver, {"url": way_to_stripe(to_stripe)})
    await driver.settle()
    to_portal = await olga.send(await olga.open(billing), f"{billing}/portal")

    assert way_to_stripe(to_portal).startswith(driver.stack.stripe_url)
    assert (await driver.purchase(shop, purchase["id"]))["status"] == "cancelled"


async def test_an_owner_without_a_card_saves_one(driver: Driver) -> None:
    shop, _ = await driver.given_a_workspace(card=None), await driver.given_an_addon()
    services = f"/app/{shop.workspace_id}/billing/addons"

    to_stripe = await owner(driver, shop).send(await owner(driver, shop).open(services), f"{services}/card")

    assert way_to_stripe(to_stripe).startswith(driver.stack.stripe_url)


async def test_staff_deliver_refund_and_re_open(driver: Driver) -> None:
    shop, purchase = await given_a_paid_purchase(driver)
    sandra, here = await staff(driver), f"/admin/purchases/{purchase['id']}"
    await sandra.open(f"/admin/purchases?workspace={shop.workspace_id}")
    await sandra.send(await sandra.open(f"{here}/deliver"), f"{here}/deliver", reason="")
    form = await sandra.open(f"{here}/refund")
    review = await sandra.send(form, f"{here}/refund", how_much="part", amount="100", reason="half done", step="review")
    await sandra.send(review, f"{here}/refund", step="do")
    await sandra.send(await sandra.open(f"{here}/reopen"), f"{here}/reopen", reason="a second round")
    await owner(driver, shop).open(f"/app/{shop.workspace_id}/billing/addons")

    record = await driver.record(purchase["id"])
    assert (record["status"], record["refunded_cents"]) == ("cancelled", 10_000)


async def test_staff_cancel_with_the_money(driver: Driver) -> None:
    _, purchase = await given_a_paid_purchase(driver)
    sandra, here = await staff(driver), f"/admin/purchases/{purchase['id']}"

    await sandra.send(await sandra.open(f"{here}/cancel"), f"{here}/cancel", reason="by mistake", refund="on")
    await sandra.open(here)

    record = await driver.record(purchase["id"])
    assert (record["status"], record["refunded_cents"]) == ("cancelled", 49_900)


async def test_staff_say_which_purchase_a_refund_is_of(driver: Driver) -> None:
    """The charge paid the plan, too, and the refund names neither."""
    shop, addon = await driver.given_a_workspace(card=None), await driver.given_an_addon(price="120.00")
    await pays(driver, await checkout_page(driver, shop, addon))
    await driver.settle()
    (purchase,) = (await driver.get(f"/v1/workspaces/{shop.workspace_id}/purchases", token=shop.token))["purchases"]
    await driver.refund(purchase, amount=700)
    await driver.settle()
    sandra, listed = await staff(driver), "/admin/parked"
    (item,) = (await driver.record(purchase["id"]))["parked"]
    await sandra.open(listed)
    here = f"{listed}/{item['id']}"
    await sandra.open(here)
    await sandra.open(f"{here}/discard")
    question = await sandra.open(f"{here}/allocate?purchase_id={purchase['id']}")
    await sandra.send(question, f"{here}/allocate")
    await sandra.open(f"{listed}?state=resolved")
    await sandra.open("/admin/stripe-refusals")
    await sandra.open("/admin/parked-mails")

    assert (await driver.purchase(shop, purchase["id"]))["refunded_cents"] == 700
