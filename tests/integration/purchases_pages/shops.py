"""A workspace's owner before the Services page, and the bank that may be asked."""

import uuid
from datetime import UTC, datetime
from typing import Final

import httpx

from contracts import AddonState
from tests.integration.purchases.harness import Harness
from tests.integration.purchases_pages.conftest import Site, Visitor
from tests.integration.purchases_pages.reading import Form, Page

BUY: Final = "Buy now Professional AI Setup"
DECLINED: Final = "pm_card_chargeCustomerFail"
ASKS_THE_BANK: Final = "pm_card_authenticationRequired"


class Shop:
    """A workspace's owner before the page."""

    def __init__(self, harness: Harness, site: Site, workspace: str) -> None:
        self.harness, self.site, self.workspace = harness, site, workspace
        self.here = f"/app/{workspace}/billing/addons"
        self.owner: Visitor = site.owner(workspace)

    async def page(self) -> Page:
        return await self.owner.open(self.here)

    async def form(self) -> Form:
        return (await self.page()).form(BUY)

    async def buy(self) -> Page:
        return await self.owner.submit(await self.form())

    async def captured(self) -> int:
        """What Stripe took from everybody, in cents."""
        total = (await self.harness.control.sums())["total"]
        return int(total.get("eur", {}).get("captured", 0))

    async def hear(self) -> None:
        """Stripe's events arrive, and what they ask for is done."""
        await self.harness.deliver(*await self.harness.facts())
        await self.harness.settle_everything()

    async def live(self, page: Page) -> Page:
        """What the only row that asks for itself again is answered."""
        (address,) = [one["hx-get"] for one in page.elements.values() if "hx-get" in one]
        return await self.owner.open(str(address), **{"HX-Request": "true"})

    async def purchases(self) -> list[str]:
        rows = await self.harness.rows("select status from workspace_addon_purchases order by started_at")
        return [row["status"] for row in rows]


async def a_shop(harness: Harness, site: Site, card: str | None = "pm_card_visa") -> Shop:
    await harness.given_an_addon()
    return Shop(harness, site, await harness.given_a_workspace(card))


async def at_the_bank(stripe_url: str, page: str, answer: str) -> str:
    """Where the buyer is led back to after `authorise` or `fail`."""
    async with httpx.AsyncClient(base_url=stripe_url) as browser:
        back = await browser.post(f"{httpx.URL(page).path}/{answer}")
    return back.headers["location"].removeprefix("https://pages.example")


def a_service(**changes: object) -> AddonState:
    """An active add-on, as the catalog tells of it."""
    state = AddonState(
        addon_id=uuid.uuid4(),
        sequence=1,
        occurred_at=datetime.now(UTC),
        slug="audit",
        name="Audit",
        price_cents=49_900,
        currency="EUR",
        is_active=True,
        sort_order=0,
    )
    return state.model_copy(update=changes)
