"""Pages with something on them, as the README shows them: `docs/pictures` are these, with fewer colours."""

from typing import Final

from playwright.async_api import expect

from sandbox.driver import Driver
from tests.browser.conftest import Visit
from tests.browser.looks import PICTURES, look_at
from tests.browser.people import STAFF
from tests.browser.services_page import Json, ServicesPage

SHELF: Final = {
    "Professional AI Setup": (
        "499.00",
        ["Kick-off call with your team", "Assistants and prompts", "Two weeks of support"],
    ),
    "Data migration": ("1200.00", ["Everything from your old tool", "Checked by two people"]),
    "Single sign-on": ("290.00", ["Your own identity provider", "Set up within a day"]),
}


async def a_stocked_shelf(driver: Driver) -> dict[str, Json]:
    """Three add-ons with their bullets, by name."""
    shelf = {}
    for name, (price, bullets) in SHELF.items():
        addon = await driver.given_an_addon(name=name, price=price)
        shelf[name] = await driver.change_addon(addon, bullets=bullets)
    await driver.settle()
    return shelf


async def test_the_picture_of_the_services(visit: Visit, driver: Driver) -> None:
    shop, shelf = await driver.given_a_workspace(), await a_stocked_shelf(driver)
    delivered = (await driver.buy(shop, shelf["Single sign-on"])).json()
    await driver.deliver(delivered["id"])
    page = await ServicesPage(await visit(width=1000), shop).enter()

    await page.buy_button(shelf["Data migration"]).click()

    await expect(page.news).to_contain_text("€1,200.00 was charged")
    await page.page.screenshot(path=PICTURES / "readme-services.png", full_page=True)
    await look_at(page.visitor, "services-stocked")


async def test_staff_sees_one_purchase_whole(visit: Visit, driver: Driver) -> None:
    shop, shelf = await driver.given_a_workspace(), await a_stocked_shelf(driver)
    purchase = (await driver.buy(shop, shelf["Data migration"])).json()
    await driver.deliver(purchase["id"])
    await driver.move(purchase["id"], "refund", amount_cents=20_000, reason="One of the two people was ill.")
    await driver.settle()
    staff = await visit(width=1000)

    await staff.sign_in(STAFF, at=f"/admin/purchases/{purchase['id']}")

    await expect(staff.page.get_by_text("One of the two people was ill.").first).to_be_visible()
    await staff.page.screenshot(path=PICTURES / "readme-purchase.png", full_page=True)
    await look_at(staff, "admin-purchase")
