"""A buyer on the Services page: the card that is there, the bank that asks, the card that is missing or declined."""

from datetime import datetime, timedelta, timezone

import pytest
from playwright.async_api import expect

from sandbox.driver import Driver
from tests.browser.conftest import Visit
from tests.browser.keys import Keys
from tests.browser.looks import look_at
from tests.browser.people import member_of
from tests.browser.services_page import ServicesPage
from tests.givens import NEEDS_THE_BANK
from tests.seen import captured


async def test_the_saved_card_pays_and_the_badge_says_so(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    page = await ServicesPage(await visit(), shop).enter()
    await expect(page.page.get_by_text("Nothing was bought yet.")).to_be_visible()
    await look_at(page.visitor, "services")

    await page.buy_button(addon).click()

    await expect(page.news).to_contain_text("€499.00 was charged")
    await page.has_one("Paid")
    await expect(page.buy_button(addon)).to_be_disabled()
    await expect(page.card(addon)).to_contain_text("Your workspace has bought it")
    await look_at(page.visitor, "services-bought")
    assert await captured(driver, shop) == (49_900, 1)


async def test_what_was_bought_is_seen_delivered(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    purchase = (await driver.buy(shop, addon)).json()
    await driver.deliver(purchase["id"])

    page = await ServicesPage(await visit(), shop).enter()

    await page.has_one("Delivered")
    await expect(page.card(addon)).to_contain_text("it is delivered")


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no-javascript"])
async def test_one_buys_without_a_mouse(visit: Visit, driver: Driver, javascript: bool) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    page = ServicesPage(await visit(width=360, dark=True, javascript=javascript), shop)
    await page.visitor.open(page.path)
    await page.visitor.pick_by_keys(member_of(shop))
    await expect(page.card(addon)).to_be_visible()

    await Keys(page.page).press(page.buy_button(addon))

    await page.has_one("Paid")
    assert await captured(driver, shop) == (49_900, 1)


async def test_the_bank_asks_and_the_badge_changes_without_a_reload(visit: Visit, driver: Driver) -> None:
    shop = await driver.given_a_workspace(card=NEEDS_THE_BANK)
    addon = await driver.given_an_addon(price="499.00")
    page = await ServicesPage(await visit(zone="Asia/Tokyo"), shop).enter()
    await driver.stripe.hold_webhooks()
    await page.buy_button(addon).click()
    await page.page.locator("#authorise").click()
    await page.page.wait_for_url(f"{driver.stack.pages_url}{page.path}?about=*&returned=succeeded")
    await page.has_one("Pending")
    await expect(page.news).to_contain_text("Your bank has answered")
    await look_at(page.visitor, "services-pending")
    await page.page.evaluate("document.title = 'the same document'")

    await driver.stripe.release_webhooks()

    await page.has_one("Paid")
    await expect(page.news).to_contain_text("€499.00 was charged")
    await expect(page.buy_button(addon)).to_be_disabled()
    await expect(page.purchases.locator("time")).to_contain_text("GMT+9")
    assert await page.page.title() == "the same document"
    assert await captured(driver, shop) == (49_900, 1)


async def test_the_way_to_the_bank_is_explained(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(card=NEEDS_THE_BANK), await driver.given_an_addon()
    page = await ServicesPage(await visit(), shop).enter()
    await page.page.route(f"{driver.stack.stripe_url}/**", lambda route: route.fulfill(status=204))

    await page.buy_button(addon).click()

    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Your bank wants you to confirm")
    await expect(page.page.get_by_text("Nothing is charged before you do")).to_be_visible()
    await look_at(page.visitor, "to-the-bank")
    await page.page.unroute_all()
    await page.page.get_by_role("link", name="Continue").click()
    await page.page.locator("#authorise").click()
    await page.has_one("Paid")


async def test_the_bank_is_answered_without_javascript(visit: Visit, driver: Driver) -> None:
    shop = await driver.given_a_workspace(card=NEEDS_THE_BANK)
    addon = await driver.given_an_addon(price="499.00")
    page = await ServicesPage(await visit(javascript=False), shop).enter()

    await page.buy_button(addon).click()
    await page.page.locator("#authorise").click()
    await page.page.wait_for_url(f"{driver.stack.pages_url}{page.path}**")
    await driver.settle()
    await page.page.reload()

    await page.has_one("Paid")
    assert await captured(driver, shop) == (49_900, 1)


async def test_whoever_says_no_at_the_bank_is_charged_nothing(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(card=NEEDS_THE_BANK), await driver.given_an_addon()
    page = await ServicesPage(await visit(), shop).enter()
    await page.buy_button(addon).click()

    await page.page.locator("#fail").click()

    await page.page.wait_for_url(f"{driver.stack.pages_url}{page.path}**")
    await page.has_one("Failed")
    await expect(page.news).to_contain_text("Nothing was charged")
    assert await captured(driver, shop) == (0, 0)


async def test_without_a_card_one_is_saved_at_stripe_and_then_pays(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(card=None), await driver.given_an_addon(price="499.00")
    page = await ServicesPage(await visit(), shop).enter()
    await page.buy_button(addon).click()
    await expect(page.news).to_contain_text("Nothing was charged")
    await look_at(page.visitor, "services-no-card")

    await page.page.get_by_role("link", name="Save a card").click()
    await page.page.get_by_role("button", name="Save").click()
    await expect(page.news).to_contain_text("You are back from Stripe")
    await look_at(page.visitor, "services-card-saved")
    await driver.settle()
    await page.buy_button(addon).click()

    await page.has_one("Paid")
    assert await captured(driver, shop) == (49_900, 1)


async def test_a_declined_card_is_explained_and_another_one_pays(visit: Visit, driver: Driver) -> None:
    shop = await driver.given_a_workspace(card="pm_card_chargeCustomerFail")
    addon = await driver.given_an_addon(price="499.00")
    page = await ServicesPage(await visit(), shop).enter()

    await page.buy_button(addon).click()

    await expect(page.news).to_contain_text("The card was declined")
    await expect(page.news).to_contain_text("Nothing was charged")
    await look_at(page.visitor, "services-declined")

    await driver.settle()
    await page.page.get_by_role("button", name="Save another card").click()
    await page.page.get_by_role("button", name="Save").click()
    await driver.settle()
    await page.visitor.open(page.path)
    await page.buy_button(addon).click()

    await expect(page.news).to_contain_text("€499.00 was charged")
    assert await captured(driver, shop) == (49_900, 1)


async def test_a_price_that_changed_is_shown_before_anything_is_charged(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    page = await ServicesPage(await visit(), shop).enter()
    await driver.change_addon(addon, price="599.00")
    await driver.settle()

    await page.buy_button(addon).click()

    await expect(page.news).to_contain_text("The price has changed")
    await expect(page.card(addon)).to_contain_text("€599.00")
    await look_at(page.visitor, "services-price-changed")
    assert await captured(driver, shop) == (0, 0)
    await page.buy_button(addon).click()
    await page.has_one("Paid")
    assert await captured(driver, shop) == (59_900, 1)


async def test_a_buyer_cancels_what_was_bought(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    await driver.buy(shop, addon)
    page = await ServicesPage(await visit(), shop).enter()

    await page.purchases.get_by_role("link", name="Cancel").click()
    await look_at(page.visitor, "cancel")
    await page.page.locator("main form").get_by_role("button").click()

    await page.has_one("Cancelled")
    await expect(page.buy_button(addon)).to_be_enabled()
    assert await captured(driver, shop) == (49_900, 1)


async def test_an_empty_shelf_says_so(visit: Visit, driver: Driver) -> None:
    shop = await driver.given_a_workspace()

    page = await ServicesPage(await visit(), shop).enter()

    await expect(page.page.get_by_text("No services available")).to_be_visible()
    await look_at(page.visitor, "services-empty")


async def test_amounts_are_written_as_the_visitor_writes_them(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="1499.00")

    page = await ServicesPage(await visit(locale="de-DE"), shop).enter()

    await expect(page.card(addon)).to_contain_text("1.499,00 €")


@pytest.mark.parametrize(("javascript", "hours", "zone"), [(True, 9, "GMT+9"), (False, 0, "UTC")])
async def test_times_say_their_zone_which_is_the_visitors_own_where_scripts_run(
    visit: Visit, driver: Driver, javascript: bool, hours: int, zone: str
) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    purchase = (await driver.buy(shop, addon)).json()
    started = datetime.fromisoformat(purchase["started_at"]).astimezone(timezone(timedelta(hours=hours)))

    page = await ServicesPage(await visit(javascript=javascript, zone="Asia/Tokyo"), shop).enter()

    shown = page.purchases.locator("time")
    await expect(shown).to_contain_text(f"{started.day} {started:%b %Y, %H:%M:%S} {zone}")


async def test_markup_in_a_name_is_text(visit: Visit, driver: Driver) -> None:
    name = '<img src=x onerror=alert(1)><b>Bold</b> & "co"'
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(name=name)
    addon = await driver.change_addon(addon, description=name, bullets=[name])
    await driver.settle()
    page = await ServicesPage(await visit(), shop).enter()

    await page.buy_button(addon).click()

    await page.has_one("Paid")
    await expect(page.card(addon).get_by_role("heading")).to_have_text(name)
    await expect(page.card(addon).get_by_role("listitem")).to_have_text(name)
    await expect(page.purchases).to_contain_text(name)
    await look_at(page.visitor, "services-markup")
