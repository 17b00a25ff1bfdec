"""The owner before the billing page: chooses, goes to Stripe and comes back; and what came of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from tests.integration.purchases.harness import Harness
from tests.integration.purchases.subscribers import Plans, given_the_plans
from tests.integration.purchases_pages.conftest import Site, Visitor
from tests.integration.purchases_pages.reading import Page

Json = dict[str, Any]
UPGRADE: Final = "Go to checkout"


@dataclass(kw_only=True)
class Owner:
    """One workspace's owner, and a browser."""

    harness: Harness
    workspace: str
    plans: Plans
    browser: Visitor

    @property
    def here(self) -> str:
        return f"/app/{self.workspace}/settings/billing"

    async def page(self) -> Page:
        return await self.browser.open(self.here)

    async def choose(self, page: Page, *addons: str, interval: str = "month", **more: str) -> httpx.Response:
        """Send the form that stands on `page`."""
        fields = page.form(UPGRADE).fields
        chosen = {"key": fields["key"], "currency": fields["currency"], "interval": interval, **more}
        return await self.browser.http.post(f"{self.here}/upgrade", data={**chosen, "addons": list(addons)})

    async def upgrade(self, *addons: str, interval: str = "month") -> Page:
        """What follows a new page and its form."""
        return Page(await self.choose(await self.page(), *addons, interval=interval))

    async def sessions(self) -> Sequence[Json]:
        """Checkout's at Stripe, oldest first."""
        found: Sequence[Json] = (await self.harness.control.objects(kind="checkout.session")).get(
            "checkout.session", []
        )
        return found

    async def pay(self, *, card: str = "visa") -> str:
        """On the newest Checkout; the path that Stripe leads back to."""
        completed = await self.harness.control.complete_session((await self.sessions())[-1]["id"], card=card)
        back = urlsplit(completed["success_url"])
        return f"{back.path}?{back.query}"

    async def hear(self) -> None:
        """Stripe's events arrive, and what they ask for is done."""
        await self.harness.deliver(*await self.harness.facts())
        await self.harness.settle_everything()

    async def live(self, page: Page) -> httpx.Response:
        """What the page asks for by itself."""
        return await self.browser.http.get(polled(page), headers={"HX-Request": "true"})

    async def captured(self) -> int:
        """What Stripe took, in cents."""
        return int((await self.harness.control.sums())["total"].get("eur", {}).get("captured", 0))


def polled(page: Page) -> str:
    """The address that the page asks for by itself."""
    return str(page.elements["following"]["hx-get"])


async def an_owner(harness: Harness, site: Site, card: str | None = None) -> Owner:
    """On free, with both plans on offer and one add-on."""
    await harness.given_an_addon()
    plans = await given_the_plans(harness)
    workspace = await harness.given_a_workspace(card)
    return Owner(harness=harness, workspace=workspace, plans=plans, browser=site.owner(workspace))


def stripe_link(page: Page) -> str:
    """Where the page leads by itself, and as a link."""
    assert page.headers["refresh"] == f"0; url={page.links['Continue']}", json.dumps(dict(page.headers))
    return page.links["Continue"]
