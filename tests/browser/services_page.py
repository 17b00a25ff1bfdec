"""The Services page: its cards, its history, and its news."""

from typing import Any

from playwright.async_api import Locator, expect

from sandbox.shop import Shop
from tests.browser.people import Person, Visitor, member_of, services

Json = dict[str, Any]


class ServicesPage:
    """As `visitor` sees it."""

    def __init__(self, visitor: Visitor, shop: Shop) -> None:
        self.visitor = visitor
        self.page = visitor.page
        self.path = services(shop)
        self._shop = shop

    async def enter(self, person: Person | None = None) -> "ServicesPage":
        """Sign in, as the owner where nobody else is named, and be there."""
        await self.visitor.sign_in(person or member_of(self._shop), at=self.path)
        return self

    @property
    def news(self) -> Locator:
        """What has just happened."""
        return self.page.locator("#news")

    def buy_button(self, addon: Json) -> Locator:
        """Of the add-on's card."""
        return self.card(addon).get_by_role("button", name="Buy now")

    def card(self, addon: Json) -> Locator:
        """What can be bought."""
        return self.page.locator(f"#service-{addon['slug']}")

    @property
    def purchases(self) -> Locator:
        """The rows of the history."""
        return self.page.get_by_role("list", name="Your purchases").get_by_role("listitem")

    async def has_one(self, badge: str) -> None:
        """One purchase, with this badge."""
        await expect(self.purchases).to_have_count(1)
        await expect(self.purchases.locator(".badge")).to_have_text(badge)
