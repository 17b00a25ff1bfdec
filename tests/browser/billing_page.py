"""The billing page: its plan, its news, the form that upgrades, and the way to Stripe's portal."""

from typing import Any

from playwright.async_api import Locator, expect

from sandbox.driver import Driver
from sandbox.shop import Shop, bearer
from tests.browser.people import Person, Visitor, billing, member_of

Json = dict[str, Any]


class BillingPage:
    """As `visitor` sees it."""

    def __init__(self, visitor: Visitor, shop: Shop) -> None:
        self.visitor = visitor
        self.page = visitor.page
        self.path = billing(shop)
        self._shop = shop

    async def enter(self, person: Person | None = None) -> "BillingPage":
        """Sign in, as the owner where nobody else is named, and be there."""
        await self.visitor.sign_in(person or member_of(self._shop), at=self.path)
        return self

    async def is_here(self) -> None:
        """Brought back from Stripe."""
        await self.page.wait_for_url(f"{self.visitor.stack.pages_url}{self.path}**")

    async def says(self, plan: str, badge: str) -> None:
        """Of the plan."""
        await expect(self.page.locator("#plan-name")).to_have_text(plan)
        await expect(self.page.locator("#billing .badge")).to_have_text(badge)

    @property
    def news(self) -> Locator:
        """How an upgrade went, or that changes are on their way."""
        return self.page.locator("#news")

    @property
    def go_to_checkout(self) -> Locator:
        """Of the form that upgrades."""
        return self.page.get_by_role("button", name="Go to checkout")

    def interval(self, name: str) -> Locator:
        """`Monthly` or `Yearly`."""
        return self.page.get_by_role("radio", name=name)

    def service(self, addon: Json) -> Locator:
        """To be bought along."""
        return self.page.get_by_role("checkbox", name=addon["name"])

    @property
    def manage(self) -> Locator:
        """To Stripe's portal."""
        return self.page.get_by_role("button", name="Manage subscription")


async def given_a_subscriber(driver: Driver, *addons: Json) -> tuple[Shop, Json]:
    """A workspace that has Builder by the month, with `addons` on the same bill, and its subscription at Stripe."""
    shop = await driver.given_a_workspace(card=None)
    home = f"{driver.stack.pages_url}{billing(shop)}"
    wanted: Json = {"plan": "builder", "interval": "month", "currency": "EUR"}
    wanted |= {"success_url": home, "cancel_url": home, "addons": [addon["slug"] for addon in addons]}
    opened = await driver.http.post(
        f"{driver.stack.purchases_url}/v1/workspaces/{shop.workspace_id}/checkout-sessions",
        json=wanted,
        headers=bearer(shop.token) | {"Idempotency-Key": shop.workspace_id},
    )
    await driver.press(opened.json()["url"], "pay", card="visa")
    await driver.settle()
    held = (await driver.stripe.objects(kind="subscription"))["subscription"]
    (subscription,) = [one for one in held if one["customer"] == shop.customer_id]
    return shop, subscription


async def decline_from_now_on(driver: Driver, shop: Shop) -> None:
    """The card that the workspace pays with."""
    held = (await driver.stripe.objects(kind="payment_method"))["payment_method"]
    for method in (one for one in held if one["customer"] == shop.customer_id):
        await driver.stripe.change_card(method["id"], "chargeCustomerFail")


async def claim(driver: Driver, shop: Shop, resource: str, number: int) -> None:
    """As the host product that moves in: also over the cap."""
    token = await driver.token(sub="host-product", email="host@acme.test", scope="resources:write")
    for one in range(number):
        url = f"{driver.stack.purchases_url}/v1/workspaces/{shop.workspace_id}/resources/{resource}/{one}"
        claimed = await driver.http.put(url, params={"import": "true"}, headers=bearer(token))
        claimed.raise_for_status()
