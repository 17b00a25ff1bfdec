"""Names that are one long word: they are broken inside what they stand in, on a phone and on a desk."""

from typing import Final
from uuid import uuid4

from playwright.async_api import expect

from sandbox.driver import Driver
from sandbox.shop import Shop
from tests.browser.billing_page import BillingPage
from tests.browser.conftest import Visit
from tests.browser.looks import fits, look_at
from tests.browser.people import STAFF, billing, services
from tests.browser.services_page import Json, ServicesPage

GERMAN: Final = "Feinmechanikvertriebsgesellschaftsgründungsberatung"
LONGEST: Final = 120


async def two_with_long_names(driver: Driver) -> tuple[Json, Json]:
    """A word that exists, and one as long as a name may be."""
    german = await driver.given_an_addon(name=GERMAN)
    german = await driver.change_addon(german, description=f"Of {GERMAN}, from the first day.", bullets=[GERMAN])
    longest = await driver.given_an_addon(name=f"{uuid4().hex}{'w' * LONGEST}"[:LONGEST])
    await driver.settle()
    return german, longest


async def test_a_buyers_pages_hold_names_that_are_one_long_word(visit: Visit, driver: Driver) -> None:
    shop, (german, longest) = await driver.given_a_workspace(), await two_with_long_names(driver)
    page = await ServicesPage(await visit(), shop).enter()
    await fits(page.page)
    assert f"Of {GERMAN}, from the first day." in await page.card(german).inner_text()

    await page.buy_button(german).click()
    await page.has_one("Paid")
    await fits(page.page)
    await page.purchases.get_by_role("link", name="Cancel").click()
    await expect(page.page.get_by_role("heading", level=1)).to_have_text(f"Cancel {GERMAN}?")
    await fits(page.page)
    await page.visitor.open(billing(shop))
    await expect(BillingPage(page.visitor, shop).service(longest)).to_be_visible()
    await fits(page.page)
    await page.visitor.open("/pricing")
    await expect(page.page.get_by_role("link", name=f"See {longest['name']} in Services")).to_be_visible()
    await fits(page.page)


async def test_a_card_that_ends_a_checkout_holds_them_too(visit: Visit, driver: Driver) -> None:
    shop, (german, longest) = await driver.given_a_workspace(), await two_with_long_names(driver)
    owner = await BillingPage(await visit(), shop).enter()
    for addon in (german, longest):
        await owner.service(addon).check()
    await owner.go_to_checkout.click()
    await owner.page.wait_for_url(f"{driver.stack.stripe_url}/**")

    await owner.visitor.open(services(shop))

    await expect(ServicesPage(owner.visitor, shop).buy_button(german)).to_have_accessible_description(
        f"It waits in an open checkout with your plan and with {longest['name']}. "
        "Buying it here ends that checkout with all that is in it: "
        "nothing of that is charged, and the rest has to be chosen anew."
    )
    await fits(owner.page)
    await look_at(owner.visitor, "services-in-a-checkout")


async def a_purchase(driver: Driver, shop: Shop, addon: Json) -> str:
    bought = (await driver.buy(shop, addon)).json()
    await driver.settle()
    return str(bought["id"])


async def test_staffs_pages_hold_names_that_are_one_long_word(visit: Visit, driver: Driver) -> None:
    shop, addons = await driver.given_a_workspace(), await two_with_long_names(driver)
    staff = await visit()
    await staff.sign_in(STAFF, at="/admin/addons")
    purchases = [f"/admin/purchases/{await a_purchase(driver, shop, addon)}" for addon in addons]
    edits = [f"/admin/addons/{addon['id']}" for addon in addons]

    paths = ["/admin/addons", *edits, *(f"{one}/delete" for one in edits), "/admin/purchases", *purchases]
    for path in paths:
        await staff.open(path)
        await expect(staff.page.get_by_role("heading", level=1)).to_be_visible()
        await fits(staff.page)
    await staff.open(edits[0])
    other = await staff.context.new_page()
    await other.goto(staff.page.url)
    for page, name in ((other, f"{GERMAN}s"), (staff.page, f"{GERMAN}en")):
        await page.get_by_label("Name").fill(name)
        await page.get_by_role("button", name="Save", exact=True).last.click()
    await expect(staff.page.get_by_role("alert")).to_contain_text("was saved while you were editing it")
    await fits(staff.page)
