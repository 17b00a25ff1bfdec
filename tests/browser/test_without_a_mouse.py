"""A buyer with a keyboard alone: at the bank and back, at Stripe for a card and back, and changing their mind."""

from playwright.async_api import expect

from sandbox.driver import Driver
from sandbox.shop import Shop
from tests.browser.conftest import Visit
from tests.browser.keys import Keys
from tests.browser.people import Visitor, member_of
from tests.browser.services_page import ServicesPage
from tests.givens import NEEDS_THE_BANK
from tests.seen import captured


async def entered(visitor: Visitor, shop: Shop) -> tuple[ServicesPage, Keys]:
    """The owner, signed in by keys."""
    page = ServicesPage(visitor, shop)
    await visitor.open(page.path)
    await visitor.pick_by_keys(member_of(shop))
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Services")
    return page, Keys(page.page)


async def test_one_confirms_at_the_bank_and_comes_back(visit: Visit, driver: Driver) -> None:
    shop = await driver.given_a_workspace(card=NEEDS_THE_BANK)
    addon = await driver.given_an_addon(price="499.00")
    page, keys = await entered(await visit(width=360), shop)

    await keys.press(page.buy_button(addon))
    authorise = page.page.locator("#authorise")
    await expect(authorise).to_be_visible()
    await keys.press(authorise)

    await page.page.wait_for_url(f"{driver.stack.pages_url}{page.path}?about=*")
    await page.has_one("Paid")
    await expect(page.news).to_contain_text("€499.00 was charged")
    assert await captured(driver, shop) == (49_900, 1)


async def test_one_who_left_the_bank_goes_there_again_from_the_page(visit: Visit, driver: Driver) -> None:
    shop = await driver.given_a_workspace(card=NEEDS_THE_BANK)
    addon = await driver.given_an_addon(price="499.00")
    page, keys = await entered(await visit(dark=True), shop)
    await keys.press(page.buy_button(addon))
    await expect(page.page.locator("#authorise")).to_be_visible()
    await page.visitor.open(page.path)

    await keys.press(page.purchases.get_by_role("link", name="Confirm with your bank"))
    authorise = page.page.locator("#authorise")
    await expect(authorise).to_be_visible()
    await keys.press(authorise)

    await page.has_one("Paid")
    assert await captured(driver, shop) == (49_900, 1)


async def test_one_without_a_card_saves_one_comes_back_and_buys(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(card=None), await driver.given_an_addon(price="499.00")
    page, keys = await entered(await visit(width=360, javascript=False), shop)

    await keys.press(page.buy_button(addon))
    await expect(page.news).to_contain_text("Your workspace has no saved card")
    await keys.press(page.page.get_by_role("link", name="Save a card"))
    save = page.page.get_by_role("button", name="Save")
    await expect(save).to_be_visible()
    await keys.press(save)
    await expect(page.news).to_contain_text("You are back from Stripe")
    await driver.settle()
    await keys.press(page.news.get_by_role("link", name=f"Buy {addon['name']}"))
    await keys.press(page.buy_button(addon))

    await page.has_one("Paid")
    assert await captured(driver, shop) == (49_900, 1)


async def test_one_cancels_what_was_bought_and_says_why(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    await driver.buy(shop, addon)
    page, keys = await entered(await visit(dark=True), shop)

    await keys.press(page.purchases.get_by_role("link", name="Cancel"))
    await keys.type_into(page.page.get_by_role("textbox", name="Why?"), "We found somebody in-house")
    await keys.press(page.page.get_by_role("button", name="Cancel it"))

    await page.has_one("Cancelled")
    await expect(page.news).to_contain_text("was paid. Cancelling returns nothing by itself")
    await expect(page.buy_button(addon)).to_be_enabled()
    assert await captured(driver, shop) == (49_900, 1)
