"""Lists on a narrow screen: what a status is called does not change where it stands."""

from typing import Final

from playwright.async_api import Locator, expect

from sandbox.driver import Driver
from tests.browser.conftest import Visit
from tests.browser.looks import NARROW
from tests.browser.people import STAFF
from tests.browser.services_page import ServicesPage

PLACES: Final = """
    rows => rows.map(row => {
        const [text, badge] = ['.grow', '.badge'].map(part => row.querySelector(part).getBoundingClientRect())
        return [Math.round(badge.left - text.left), badge.top >= text.bottom ? 'below' : 'beside']
    })
"""


async def places(rows: Locator) -> list[object]:
    """Where each row's badge stands, seen from its text."""
    found: list[object] = await rows.evaluate_all(PLACES)
    return found


async def test_every_badge_of_a_list_stands_at_the_same_place(visit: Visit, driver: Driver) -> None:
    shop = await driver.given_a_workspace()
    purchases = [
        (await driver.buy(shop, await driver.given_an_addon(name=name))).json() for name in ("Audit", "Sign-on")
    ]
    await driver.deliver(purchases[0]["id"])
    buyer = await ServicesPage(await visit(width=NARROW), shop).enter()
    staff = await visit(width=NARROW)
    await staff.sign_in(STAFF, at=f"/admin/purchases/{purchases[0]['id']}")

    history = staff.page.get_by_role("listitem").filter(has=staff.page.locator(".badge"))

    await expect(buyer.purchases.locator(".badge")).to_have_text(["Paid", "Delivered"])
    await expect(history.locator(".badge")).to_have_text(["Pending", "Paid", "Delivered"])
    assert await places(buyer.purchases) == [[0, "below"]] * 2
    assert await places(history) == [[0, "below"]] * 3
